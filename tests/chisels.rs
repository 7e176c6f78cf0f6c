//! Every chisel's example, run over its capture, gives the output that is kept under `tests/golden/chisels`.
//!
//! `BLESS=1 cargo test --test chisels` writes what is there now.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

use std::path::Path;
use std::process::Command;
use sysreel::chisel::Library;

#[test]
fn every_example_gives_the_output_that_is_kept() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    // Some write files.
    let folder = std::env::temp_dir().join(format!("sysreel-chisels-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for chisel in Library::default().all() {
        let chisel = chisel.unwrap();
        for (index, example) in chisel.examples.iter().enumerate() {
            let capture = root.join("captures").join(format!("{}.reel", example.capture));
            if !capture.exists() {
                println!("skipped: example of {}: there is no capture {}.reel", chisel.name, example.capture);
                continue;
            }
            let mut command = Command::new(env!("CARGO_BIN_EXE_sysreel"));
            command.current_dir(&folder).arg("-r").arg(&capture).args(["-c", &chisel.name]);
            if !example.args.is_empty() {
                command.arg(example.word());
            }
            if let Some(at) = &example.at {
                command.args(["--at", at]);
            }
            if let Some(geoip) = &example.geoip {
                command.arg("--geoip").arg(root.join("captures").join(format!("{geoip}.mmdb")));
            }
            let output = command.output().unwrap();
            let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{}: {errors}", chisel.name);
            let kept = root.join("tests/golden/chisels").join(chisel.expected(index).unwrap());
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&kept, text.as_bytes()).unwrap();
            } else if std::fs::read_to_string(&kept).ok().as_deref() != Some(&*text) {
                wrong.push(format!("{}: {} holds something else than\n{text}", chisel.name, kept.display()));
            }
        }
    }
    for name in ["around.scap", "spy_logs.scap", "spy_syslog.scap"] {
        assert!(std::fs::metadata(folder.join(name)).is_ok_and(|file| file.len() > 0), "{name}");
    }
    let streams = std::fs::read_dir(folder.join("udp_dump_files")).unwrap().count();
    assert!(streams > 0, "udp_extract wrote no file");
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
