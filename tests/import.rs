//! Captures of sysdig: every event is there, under its number.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use sysreel::engine::{Batches, Reels};
use sysreel::event::{Flags, KindFlags};

fn shared() -> PathBuf {
    std::env::var_os("SYSREEL_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join("data/scap")
}

const SAMPLES: &[&str] = &[
    "falco_privileged",
    "falco_run_as_user_0_container",
    "falco_syscall",
    "libs_curl_google",
    "libs_test_ipv6_client",
];

/// What is shown of an event: whether it is a return, and its type.
type Shown = (bool, String);

/// The events that sysdig showed, by number.
fn golden(sample: &str) -> BTreeMap<u64, Shown> {
    let text = std::fs::read_to_string(shared().join("golden").join(sample).join("events.txt")).unwrap();
    let mut events = BTreeMap::new();
    for line in text.lines() {
        // A line of text in an event may go on in the next one.
        let mut words = line.split_whitespace();
        let Some(Ok(num)) = words.next().map(str::parse::<u64>) else { continue };
        let words: Vec<&str> = words.collect();
        let Some(at) = words.iter().position(|word| *word == "<" || *word == ">") else { continue };
        events.insert(num, (words[at] == "<", words[at + 1].to_owned()));
    }
    events
}

/// Our rows by number: whether they are returns, their type, and whether an entry was joined.
fn ours(path: &Path) -> BTreeMap<u64, (Shown, bool)> {
    let reels = Reels::open(&[path.to_owned()]).unwrap();
    let mut events = BTreeMap::new();
    for index in 0..reels.len() {
        let batch = reels.batch(index).unwrap();
        batch
            .for_each_row(|row| {
                let (info, flags) = (row.info(), row.flags());
                let hidden = KindFlags::SNAPSHOT.with(KindFlags::INTERNAL);
                if info.flags.0 & hidden.0 != 0 {
                    return;
                }
                let returns = info.flags.has(KindFlags::CALL) && !flags.has(Flags::IN_FLIGHT);
                let joined = returns && row.duration().is_some();
                let before = events.insert(row.num(), ((returns, info.name.clone()), joined));
                assert_eq!(before, None, "{} twice", row.num());
            })
            .unwrap();
    }
    events
}

/// Types that sysdig 0.29 calls otherwise: (sysdig's, ours, why).
const NAMES: &[(&str, &str, &str)] = &[(
    "sigreturn",
    "rt_sigreturn",
    "the call has number 15 on x86-64, which is `rt_sigreturn` in today's table of codes",
)];

/// Events that only one of the two shows: (sample, type, how many more we show, why).
const EXPLAINED: &[(&str, &str, i64, &str)] = &[(
    "falco_run_as_user_0_container",
    "container",
    2,
    "sysdig takes those before the first other event as part of the state",
)];

#[test]
fn the_events_that_sysdig_shows_are_our_rows_and_the_entries_joined_with_them() {
    if !shared().is_dir() {
        println!(
            "skipped: the_events_that_sysdig_shows_are_our_rows_and_the_entries_joined_with_them (no shared folder)"
        );
        return;
    }
    for sample in SAMPLES {
        let (theirs, ours) = (golden(sample), ours(&shared().join(format!("{sample}.scap"))));
        let mut counts: BTreeMap<(String, bool), i64> = BTreeMap::new();
        for (returns, name) in theirs.values() {
            let name = NAMES.iter().find(|n| n.0 == name).map_or(name.as_str(), |n| n.1);
            *counts.entry((name.to_owned(), *returns)).or_default() -= 1;
        }
        for ((returns, name), joined) in ours.values() {
            *counts.entry((name.clone(), *returns)).or_default() += 1;
            if *joined {
                *counts.entry((name.clone(), false)).or_default() += 1;
            }
        }
        let differences: Vec<_> = counts.into_iter().filter(|(_, count)| *count != 0).collect();
        let explained: Vec<_> =
            EXPLAINED.iter().filter(|e| e.0 == *sample).map(|e| ((e.1.to_owned(), false), e.2)).collect();
        assert_eq!(differences, explained, "{sample}: more (or fewer) than sysdig shows");
        // Returns keep their numbers, and what is no call too.
        for (num, (returns, name)) in theirs.iter().filter(|(_, (returns, _))| *returns) {
            let name = NAMES.iter().find(|n| n.0 == name).map_or(name.as_str(), |n| n.1);
            assert_eq!(ours.get(num).map(|o| (o.0.0, o.0.1.as_str())), Some((*returns, name)), "{sample} {num}");
        }
    }
}

/// All of a packed or plain file, as rows.
fn rows_of(path: &Path) -> usize {
    ours(path).len()
}

#[test]
fn a_cut_or_damaged_capture_gives_what_is_whole() {
    let sample = shared().join("libs_curl_google.scap");
    if !sample.is_file() {
        println!("skipped: a_cut_or_damaged_capture_gives_what_is_whole (no shared folder)");
        return;
    }
    let all = rows_of(&sample);
    let packed = std::fs::read(&sample).unwrap();
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut sysreel::source::scap::open(&sample).unwrap(), &mut plain).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.scap");
    let notes = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let notes = Reels::open(std::slice::from_ref(&file)).unwrap().notes();
        (rows_of(&file), notes.join("\n"))
    };
    assert_eq!(notes(&plain), (all, String::new()), "the same without gzip");
    let (rows, text) = notes(&packed[..packed.len() / 2]);
    assert!(rows > 20 && rows < all && text.contains("damage at 0x"), "{rows} of {all}: {text}");
    // A length in the middle of the events.
    let mut hurt = plain.clone();
    let middle = plain.len() - 20_000;
    hurt[middle..middle + 40].fill(0xee);
    let (rows, text) = notes(&hurt);
    assert!(rows > all - 10 && rows < all && text.contains("bytes passed over"), "{rows} of {all}: {text}");
    let (rows, text) = notes(&plain[..plain.len() - 5]);
    assert!(rows >= all - 2 && text.contains("found the end"), "{rows} of {all}: {text}");
    // One behind the other: both.
    let (rows, text) = notes(&[packed.clone(), packed.clone()].concat());
    assert_eq!(text, "");
    assert!(rows > all, "{rows}");
}
