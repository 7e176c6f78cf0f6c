//! Live tables on a real terminal, which tmux is: drawn in place, cut to the window as it is resized, and left clean.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::{SYSREEL, able, has_by, until};
use std::process::{Command, Output};

/// A tmux of its own, with one window; it ends with the test.
struct Window {
    name: String,
}

impl Window {
    fn open(command: &str) -> Window {
        let window = Window { name: format!("sysreel-test-{}", std::process::id()) };
        let out = window.tmux(&["new-session", "-d", "-x", "100", "-y", "24", command]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        window
    }

    fn tmux(&self, words: &[&str]) -> Output {
        Command::new("tmux").args(["-L", &self.name, "-f", "/dev/null"]).args(words).output().unwrap()
    }

    fn text(&self, words: &[&str]) -> String {
        String::from_utf8(self.tmux(words).stdout).unwrap()
    }

    /// What the window shows.
    fn shows(&self) -> String {
        self.text(&["capture-pane", "-p"])
    }

    /// Whether the other screen is on, and whether the cursor is shown.
    fn state(&self) -> String {
        self.text(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]).trim().to_owned()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn a_live_table_follows_the_window_and_leaves_it_clean() {
    let test = "a_live_table_follows_the_window_and_leaves_it_clean";
    if !able(test) || !has_by(test, "tmux", "-V") {
        return;
    }
    let window = Window::open(&format!("{SYSREEL} -q -c topscalls -M 600; echo left with $?; exec cat"));
    // tmux itself, asked again and again, makes the calls.
    until("a table was drawn on the other screen", || window.shows().contains("# Calls") && window.state() == "1 0");
    window.tmux(&["resize-window", "-x", "50", "-y", "6"]);
    until("the page was cut to the window", || window.shows().trim_end().ends_with("more lines"));
    assert!(window.shows().trim_end().lines().count() <= 6, "{}", window.shows());
    window.tmux(&["resize-window", "-x", "100", "-y", "24"]);
    until("the page is whole again", || {
        let shown = window.shows();
        shown.contains("# Calls") && !shown.contains("more lines")
    });
    window.tmux(&["send-keys", "C-c"]);
    until("it has ended", || window.shows().contains("left with"));
    let left = window.shows();
    assert!(left.contains("left with 0"), "{left}");
    // The last table stays on the screen that was there before, and the cursor is back.
    assert!(left.contains("# Calls"), "{left}");
    assert_eq!(window.state(), "0 1");
}
