//! Extended attributes of files, which the kernel also uses to tell what a socket is.

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Longest value that is read, bytes.
const LONGEST: usize = 256;

/// An extended attribute of what a path leads to; `None` where there is none, or it has more than 256 bytes.
pub fn attribute(path: &Path, name: &CStr) -> Option<Vec<u8>> {
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut value = vec![0_u8; LONGEST];
    // SAFETY: both names end with a NUL, and the buffer has as many bytes as are said; all live across the call.
    let length = unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), LONGEST) };
    value.truncate(usize::try_from(length).ok()?);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_such_attribute_has_none() {
        assert_eq!(attribute(Path::new("/dev/null"), c"system.sockprotoname"), None);
        assert_eq!(attribute(Path::new("/no/such/file"), c"user.x"), None);
        assert_eq!(attribute(Path::new("a\0b"), c"user.x"), None);
    }
}
