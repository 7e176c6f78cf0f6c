//! What it costs to join requests with processes while they come, beside all at once: `cargo bench --bench correlate`.
//!
//! A node on which somebody runs a command in a pod every 20 ms, one request and its program behind the other in batches of some 50
//! rows. `--follow` joins each batch as it comes, a replay looks at all requests once; the figure is processor time of the process, so
//! that what else runs does not count. Twice the requests should cost twice the time. `SYSREEL_BENCH_REEL=FILE` keeps the largest reel.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot run has nothing to say")]
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{V, event, write_reel};
use std::path::{Path, PathBuf};
use std::time::Duration;
use sysreel::engine::{Batches, Follow, Interval, Options, Question, Reels, Screen, SegmentLimits, follow, play};
use sysreel::event::{OwnedEvent, Splitter};
use sysreel::filter::Filter;
use sysreel::query::{LinesQuery, Query, Span};
use sysreel::report::Report;
use sysreel::sys::process_usage;
use sysreel::template::Template;

const SECOND: u64 = 1_000_000_000;
/// 2026-11-21T21:00:00Z, ns UTC.
const START: u64 = 1_795_294_800 * SECOND;

/// A stage of a request, so many microseconds after the start.
fn stage(number: u64, stage: &str, received: u64, at: u64) -> String {
    let time = |us: u64| {
        let s = us / 1_000_000;
        format!("2026-11-21T21:{:02}:{:02}.{:06}Z", s / 60, s % 60, us % 1_000_000)
    };
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"00000000-0000-4000-8000-{number:012}","stage":"{stage}","requestURI":"/api/v1/namespaces/x/pods/p/exec?command=id","verb":"get","user":{{"username":"bob"}},"objectRef":{{"resource":"pods","namespace":"x","name":"p","apiVersion":"v1","subresource":"exec"}},"responseStatus":{{"code":101}},"requestReceivedTimestamp":"{}","stageTimestamp":"{}"}}"#,
        time(received),
        time(at)
    )
}

/// A reel with so many requests and what they run.
fn write(path: &Path, requests: u64) {
    let limits = SegmentLimits { events: 50, ..SegmentLimits::default() };
    write_reel(path, limits, |assembler| {
        let mut splitter = Splitter::default();
        for n in 0..requests {
            let (received, pid) = (n * 20_000, 100_000 + n as u32);
            let mut log = |text: String| assembler.event(&splitter.split(text.as_bytes()).unwrap().event).unwrap();
            log(stage(n, "ResponseStarted", received, received));
            let mut tell = |event: OwnedEvent| assembler.event(&event.event()).unwrap();
            let time = START + received * 1_000 + 2_000_000;
            let born = [("child_tid", V::I(i64::from(pid))), ("child_pid", V::I(i64::from(pid))), ("ppid", V::I(1))];
            tell(event("procfork", time, (1, 1), 0, &born));
            let words = [("exe", "id".into()), ("args", "".into()), ("comm", "id".into()), ("cgroup_id", V::I(7))];
            tell(event("execve", time + 1_000, (pid, pid), 0, &words));
            let path = format!("/kubepods.slice/cri-containerd-{}.scope", "a".repeat(64));
            tell(event("cgroup", time + 2_000, (pid, pid), 0, &[("id", V::I(7)), ("path", path.as_str().into())]));
            tell(event("openat", time + 3_000, (pid, pid), 3, &[("name", "/etc/passwd".into())]));
            tell(event("procexit", time + 4_000, (pid, pid), 0, &[]));
            let mut log = |text: String| assembler.event(&splitter.split(text.as_bytes()).unwrap().event).unwrap();
            log(stage(n, "ResponseComplete", received, received + 10_000));
        }
        assembler.finish(START + requests * SECOND / 50 + SECOND).unwrap();
    });
}

fn questions() -> Vec<Question> {
    let lines = LinesQuery::of(Template::parse("%proc.audit.user").unwrap());
    vec![Question { filter: Some(Filter::parse("evt.type = openat").unwrap()), query: Query::Lines(lines) }]
}

fn options(span: Span) -> Options {
    Options { span, ..Options::default() }
}

/// Counts lines.
struct Count(u64);

impl Screen for Count {
    fn lines(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0 += memchr::memchr_iter(b'\n', bytes).count() as u64;
        Ok(())
    }

    fn reports(&mut self, _: &[Report], _: Interval) -> std::io::Result<()> {
        Ok(())
    }
}

/// Processor milliseconds, and what came of it.
fn measured<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let cpu = || process_usage().user_ns + process_usage().system_ns;
    let before = cpu();
    let done = run();
    ((cpu() - before) as f64 / 1e6, done)
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("SYSREEL_BENCH_REEL").map(PathBuf::from);
    let path = kept.unwrap_or_else(|| folder.path().join("correlate.reel"));
    println!("{:>8} {:>8} {:>14} {:>14} {:>6}", "requests", "batches", "as they come", "all at once", "ratio");
    for requests in [1_250, 2_500, 5_000] {
        write(&path, requests);
        let reels = Reels::open(std::slice::from_ref(&path)).unwrap();
        let mut lines = Vec::new();
        let (whole, _) = measured(|| play(&reels, &questions(), &options(reels.span()), &mut lines).unwrap());
        let request = Follow {
            paths: vec![path.clone()],
            questions: questions(),
            options: options(Span::default()),
            interval: Duration::MAX,
            duration: None,
        };
        let mut count = Count(0);
        let (parts, ()) = measured(|| follow(&request, &mut count, &|_| {}).unwrap());
        let found = memchr::memmem::find_iter(&lines, "bob\n").count() as u64;
        assert!(found == requests && count.0 == requests, "{found} and {} of {requests}", count.0);
        println!("{requests:>8} {:>8} {parts:>11.0} ms {whole:>11.0} ms {:>6.2}", reels.len(), parts / whole);
    }
}
