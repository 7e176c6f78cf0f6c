//! Base64 (RFC 4648).

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends bytes as Base64 with padding.
pub fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            out.push(if digit <= chunk.len() { DIGITS[value as usize] } else { b'=' });
        }
    }
}

/// The bytes of a Base64 text of either alphabet, padding optional; `None` if it is none.
pub fn read_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    if text.len() % 4 == 1 {
        return None;
    }
    let digit = |b: u8| match b {
        b'-' => Some(62),
        b'_' => Some(63),
        b => DIGITS.iter().position(|&d| d == b).map(|at| at as u32),
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let bits = group.iter().try_fold(0, |bits, &b| Some(bits << 6 | digit(b)?))? << (6 * (4 - group.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_come_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..bytes.len() {
            let mut text = Vec::new();
            write_base64(&mut text, &bytes[..length]);
            assert_eq!(text.len(), length.div_ceil(3) * 4);
            assert_eq!(read_base64(&text).unwrap(), &bytes[..length]);
            let bare: Vec<u8> = text.into_iter().filter(|b| *b != b'=').collect();
            assert_eq!(read_base64(&bare).unwrap(), &bytes[..length]);
        }
    }
}
