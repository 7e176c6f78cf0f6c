//! Lists the chisels under `chisels/` for embedding, so that adding one is adding one file, and what their examples say.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "toml") {
            found.push(path);
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    let mut found = Vec::new();
    collect(Path::new("chisels"), &mut found)?;
    found.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));
    let mut list = String::from("&[\n");
    for path in &found {
        let (path, name) = (path.to_string_lossy(), path.file_stem().unwrap_or_default().to_string_lossy());
        let _ = writeln!(list, "({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", {path:?}))),");
    }
    list.push_str("]\n");
    fs::write(Path::new(&out).join("chisels.rs"), list)?;
    let mut examples = String::from("&[\n");
    for path in &found {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let kept = format!("tests/golden/chisels/{name}.txt");
        if Path::new(&kept).is_file() {
            let _ =
                writeln!(examples, "({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", {kept:?}))),");
        }
    }
    examples.push_str("]\n");
    fs::write(Path::new(&out).join("examples.rs"), examples)?;
    writeln!(io::stdout(), "cargo::rerun-if-changed=tests/golden/chisels")?;
    writeln!(io::stdout(), "cargo::rerun-if-changed=chisels\ncargo::rerun-if-changed=build.rs")
}
