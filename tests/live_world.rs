//! The world against programs that say themselves what they are and hold: `tests/programs/state.c` plays a scene, a helper outside
//! prints what `/proc` says at each mark, and the recording must say the same at the same mark.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{SYS_ADMIN, SYS_CHROOT, SYSREEL, able_with, has, program};
use common::skip;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Whether live capture can work here at all, as root, with a compiler; says why not.
fn able(test: &str) -> bool {
    able_with(test, &[SYS_ADMIN, SYS_CHROOT]) && has(test, "cc")
}

/// A file without a name is called by its inode, or not at all.
fn nameless(name: &str) -> String {
    match name.rsplit_once("/#") {
        Some((directory, number)) if number.bytes().all(|b| b.is_ascii_digit()) => format!("{directory}/#tmpfile"),
        _ => name.to_owned(),
    }
}

/// What the helper printed at a mark, in our words: `/proc` adds where a file went, and has names for what has none.
fn told(line: &str) -> String {
    let Some((mark, link)) = line.strip_prefix("flock|").and_then(|rest| rest.split_once('|')) else {
        return line.to_owned();
    };
    let link = link.strip_suffix(" (deleted)").unwrap_or(link);
    let link = link.strip_prefix("anon_inode:").unwrap_or(link);
    let name = match link {
        "inotify" => "[inotify]".to_owned(),
        _ if link.starts_with("pipe:") || link.starts_with("socket:") => "<NA>".to_owned(),
        _ if link.starts_with("/memfd:") => link[1..].to_owned(),
        _ => nameless(link),
    };
    format!("flock|{mark}|{name}")
}

/// Marks at descriptors that came in a message.
const PASSED: usize = 7;

const FIELDS: &str = "*%evt.type|%fd.num|%fd.name|%proc.pid|%proc.vpid|%proc.ppid|%proc.name|%proc.cwd|%user.uid|%group.gid|%proc.sid|%proc.pgid";

/// The same of one line of the recording.
fn recorded(line: &str) -> String {
    let fields: Vec<&str> = line.split('|').collect();
    if fields[0] == "flock" {
        return format!("flock|{}|{}", fields[1], nameless(fields[2]));
    }
    let cwd = fields[7].strip_suffix('/').filter(|c| !c.is_empty()).unwrap_or(fields[7]);
    [&["getppid"], &fields[3..7], &[cwd], &fields[8..]].concat().join("|")
}

/// Plays a scene under the recorder and compares what was said at each mark. `unknown` of the marks may lack something that cannot be
/// known (`<NA>`); nothing may differ otherwise.
fn play(scene: &str, marks: usize, unknown: usize) {
    let test = format!("the_scene_{scene}_is_recorded_as_it_was");
    if !able(&test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let Some(program) = program(&test, "state", folder.path()) else { return };
    let set_user_id = folder.path().join("setuid-copy");
    std::fs::copy(&program, &set_user_id).unwrap();
    std::fs::set_permissions(&set_user_id, PermissionsExt::from_mode(0o4755)).unwrap();
    let reel = folder.path().join("x.reel");
    let run = Command::new(SYSREEL)
        .args(["-q", "-w", reel.to_str().unwrap(), "--"])
        .arg(&program)
        .arg(scene)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{errors}");
    let said: Vec<String> = String::from_utf8(run.stdout).unwrap().lines().map(told).collect();
    assert!(said.len() >= marks, "the program came to {} marks only: {said:?}{errors}", said.len());
    let out = Command::new(SYSREEL)
        .args(["-r", reel.to_str().unwrap(), "-p", FIELDS, "evt.type in (flock, getppid)"])
        .output()
        .unwrap();
    let ours: Vec<String> = String::from_utf8(out.stdout).unwrap().lines().map(recorded).collect();
    assert_eq!(said.len(), ours.len(), "{said:#?}\n{ours:#?}");
    let mut lacking = 0;
    for (said, ours) in said.iter().zip(&ours) {
        let mut parts = said.split('|').zip(ours.split('|'));
        assert!(parts.all(|(a, b)| a == b || b == "<NA>"), "said     {said}\nrecorded {ours}");
        lacking += usize::from(said != ours);
    }
    assert!(lacking <= unknown, "{lacking} marks lack something:\n{said:#?}\n{ours:#?}");
}

#[test]
fn descriptors_are_copied_shared_and_closed_as_the_kernel_does() {
    play("descriptors", 90, 0);
}

#[test]
fn paths_are_those_that_the_kernel_would_give() {
    play("paths", 24, 0);
}

#[test]
fn paths_in_a_jail_are_those_of_the_host() {
    play("jail", 9, 0);
}

#[test]
fn processes_have_the_parents_sessions_and_groups_that_the_kernel_says() {
    play("process", 8, 0);
}

#[test]
fn threads_have_names_directories_and_an_end_of_their_own() {
    play("threads", 10, 0);
}

#[test]
fn user_and_group_ids_follow_the_calls_that_change_them() {
    // In a user namespace of its own the program names ids that mean others on the host.
    play("identities", 9, 1);
}

#[test]
fn a_new_root_and_new_namespaces_move_the_paths() {
    // Where the old root went that another process still stands in is not known.
    play("namespaces", 7, 1);
}

#[test]
fn a_process_id_that_is_used_again_is_another_process() {
    play("reuse", 3, 0);
}

#[test]
fn sockets_are_named_client_to_server_whatever_number_they_have() {
    play("sockets", 26, 0);
}

#[test]
fn descriptors_that_were_passed_on_have_their_names() {
    play("passing", 14, PASSED);
}

#[test]
fn what_a_ring_opened_and_closed_is_known_to_calls() {
    let test = "what_a_ring_opened_and_closed_is_known_to_calls";
    if !able(test) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = common::live::program(test, "ring_calls", dir.path()) else { return };
    let (reel, place) = (dir.path().join("x.reel"), std::fs::canonicalize(dir.path()).unwrap());
    let done = Command::new(SYSREEL).args(["-q", "-w"]).arg(&reel).arg("--").arg(program).arg(&place).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let said = |key: &str| told.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned);
    let Some(opened) = said("open") else { return skip(test, "this kernel lets nobody have a ring") };
    let rows = |filter: &str| {
        let format = "*%evt.type|%fd.num|%fd.name|%evt.arg.op|%evt.arg.opcode|%evt.arg.res";
        let out = Command::new(SYSREEL).arg("-r").arg(&reel).args(["-p", format, filter]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        text.lines().map(|l| l.split('|').map(str::to_owned).collect()).collect::<Vec<Vec<String>>>()
    };
    let made = place.join("made").display().to_string();
    let writes = rows(&format!("evt.type = write and fd.num = {opened}"));
    assert_eq!(writes.iter().map(|w| w[2].as_str()).collect::<Vec<_>>(), [made.as_str(), "<NA>"]);
    let ends = format!("127.0.0.1:{}->127.0.0.1:{}", said("own").unwrap(), said("port").unwrap());
    for (call, fd) in [("sendto", "socket"), ("recvfrom", "accept")] {
        let used = rows(&format!("evt.type = {call} and fd.num = {}", said(fd).unwrap()));
        assert_eq!(used.iter().map(|r| r[2].as_str()).collect::<Vec<_>>(), [ends.as_str()], "{call}");
    }
    for (what, names) in [("io_uring_submit", [made.as_str(), "/no/such"]), ("io_uring_complete", [&made, "/no/such"])]
    {
        let opens = rows(&format!("evt.type = {what} and evt.arg.opcode = IORING_OP_OPENAT"));
        assert_eq!(opens.iter().map(|r| r[2].as_str()).collect::<Vec<_>>(), names, "{what}");
    }
}

#[test]
fn a_relative_chdir_is_shown_with_where_it_went() {
    let test = "a_relative_chdir_is_shown_with_where_it_went";
    if !able(test) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let place = std::fs::canonicalize(dir.path()).unwrap();
    std::fs::create_dir(place.join("inner")).unwrap();
    let (reel, line) = (place.join("x.reel"), "cd \"$0\" && env -C inner true; env -C none true");
    let record =
        Command::new(SYSREEL).args(["-q", "-w"]).arg(&reel).args(["--", "sh", "-c", line]).arg(&place).output();
    assert!(record.unwrap().status.success());
    let format = "*%evt.type %evt.arg.path";
    let out = Command::new(SYSREEL).arg("-r").arg(&reel).args(["-p", format, "evt.type = chdir"]).output().unwrap();
    let place = place.display();
    let expected = format!("chdir {place}\nchdir {place}/inner\nchdir {place}/none\n");
    assert_eq!(String::from_utf8_lossy(&out.stdout), expected);
}
