//! [`Library`]: the chisels that can be named.

use super::error::nearest;
use super::{Chisel, Error};
use std::fs;
use std::path::{Path, PathBuf};

/// Chisels that come with the program: (name, text), by name.
static BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/chisels.rs"));

/// What the first example of each says: (name, text), by name.
static EXAMPLES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// Chisels of sysdig that are left out, and why; `docs/chisels.md` has them, too.
const LEFT_OUT: &[(&str, &str)] = &[(
    "tracers_2_statsd",
    "sysdig's tracers (writes to /dev/null that sysdig reads as spans) are not supported, so that there is nothing to send",
)];

/// The most bytes of a chisel file that are read.
const MAX_FILE: u64 = 256 * 1024;

/// The chisels that can be named: those in directories, in order, before those that are built in.
#[derive(Debug, Clone, Default)]
pub struct Library {
    directories: Vec<PathBuf>,
}

impl Library {
    /// A library that looks in `directories` first; ones that do not exist are passed over.
    pub fn new(directories: Vec<PathBuf>) -> Library {
        Library { directories }
    }

    /// The chisel of this name; a name that ends in `.toml` is a file.
    pub fn find(&self, name: &str) -> Result<Chisel, Error> {
        if Path::new(name).extension().is_some_and(|e| e == "toml") {
            return read(Path::new(name));
        }
        for path in self.directories.iter().map(|d| d.join(format!("{name}.toml"))) {
            if !name.contains(['/', '\\']) && path.is_file() {
                return read(&path);
            }
        }
        match BUILT_IN.iter().find(|(n, _)| *n == name) {
            Some((name, text)) => Chisel::parse(name, &format!("{name} (built in)"), text),
            None => Err(self.unknown(name)),
        }
    }

    /// What the first example of a chisel says, where that is kept: in the program, or in a file beside the chisel.
    pub fn example(&self, chisel: &Chisel) -> Option<String> {
        match chisel.folder() {
            Some(folder) => text_of(&folder.join(chisel.expected(0)?)).ok(),
            None => EXAMPLES.iter().find(|(name, _)| *name == chisel.name).map(|(_, text)| (*text).to_owned()),
        }
    }

    fn unknown(&self, name: &str) -> Error {
        if let Some((_, why)) = LEFT_OUT.iter().find(|(left_out, _)| *left_out == name) {
            return Error::Unknown { name: name.to_owned(), help: (*why).to_owned() };
        }
        let names = self.names();
        let help = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`sysreel -cl` lists the chisels".to_owned(),
        };
        Error::Unknown { name: name.to_owned(), help }
    }

    /// Names of all chisels, ascending.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = BUILT_IN.iter().map(|(n, _)| (*n).to_owned()).collect();
        for entry in self.directories.iter().filter_map(|d| fs::read_dir(d).ok()).flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "toml") {
                names.extend(path.file_stem().map(|s| s.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// All chisels by name, each as it is or with what is wrong with it.
    pub fn all(&self) -> Vec<Result<Chisel, Error>> {
        self.names().iter().map(|name| self.find(name)).collect()
    }
}

fn text_of(path: &Path) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > MAX_FILE {
        return Err(std::io::Error::other(format!("expected at most {MAX_FILE} bytes")));
    }
    fs::read_to_string(path)
}

fn read(path: &Path) -> Result<Chisel, Error> {
    let text = text_of(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let mut chisel = Chisel::parse(&name, &path.display().to_string(), &text)?;
    chisel.path = Some(path.to_owned());
    Ok(chisel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_chisel_parses_and_has_an_example() {
        let library = Library::default();
        assert!(library.names().len() >= 16);
        for chisel in library.all() {
            let chisel = chisel.unwrap();
            assert!(!chisel.examples.is_empty(), "{}", chisel.name);
        }
    }

    #[test]
    fn a_file_in_a_directory_comes_before_the_built_in_one() {
        let dir = tempfile::tempdir().unwrap();
        let own = "about = \"mine\"\ncategory = \"I/O\"\n[lines]\nformat = \"%evt.num\"\n";
        fs::write(dir.path().join("fdbytes_by.toml"), own).unwrap();
        let library = Library::new(vec![dir.path().join("absent"), dir.path().to_owned()]);
        assert_eq!(library.find("fdbytes_by").unwrap().about, "mine");
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest() {
        let error = Library::default().find("topproc_file").unwrap_err().to_string();
        assert_eq!(error, "unknown chisel `topproc_file`\nhelp: did you mean `topprocs_file`?");
    }
}
