//! [`Push`]: what events can never match, told from their kind and from what is known of their thread, so that the
//! probe need not record them. Always an over-approximation: whatever is not understood may match.
//!
//! The sieve behind the world applies the whole filter afterwards, so pushing changes what recording costs and nothing
//! else. Kinds that change the state are recorded whatever a filter says (invariant 12).

use super::ast::{Check, Expr};
use super::compiled::Filter;
use crate::batch::{KindInfo, Schema};
use crate::event::{Kind, KindFlags};
use crate::field::{Column, Extract};
use crate::value::Value;
use crate::world::{Dict, ThreadRow};

/// Fields that a thread's own calls alone can change, so that a verdict about it holds until its next such call (a thread
/// that another one of its process names through procfs is judged anew a moment later). The flag says whether a child
/// begins with its parent's value. Every other field of threads may change by what others do
/// (a parent ends, a name becomes known later), so verdicts do not rest on it.
const OWN: &[(&str, bool)] = &[
    ("proc.name", true),
    ("proc.exe", true),
    ("proc.exepath", true),
    ("proc.args", true),
    ("proc.cmdnargs", true),
    ("proc.cmdline", true),
    ("proc.exeline", true),
    ("proc.env", true),
    ("proc.pid", false),
    ("proc.vpid", false),
    ("thread.tid", false),
    ("thread.vtid", false),
    ("thread.ismain", false),
    ("proc.pid.ts", false),
    ("user.uid", true),
    ("group.gid", true),
    ("container.id", true),
    ("container.full_id", true),
];

fn own(check: &Check) -> Option<bool> {
    OWN.iter().find(|(name, _)| *name == check.field.field.name).map(|(_, inherited)| *inherited)
}

/// Whether something may hold, and whether it may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    hold: bool,
    fail: bool,
}

impl Bounds {
    const UNKNOWN: Bounds = Bounds { hold: true, fail: true };

    fn certain(yes: bool) -> Bounds {
        Bounds { hold: yes, fail: !yes }
    }
}

/// Bounds of a tree from those of its checks.
fn bounds(expr: &Expr, check: &dyn Fn(&Check) -> Bounds) -> Bounds {
    let fold = |parts: &[Expr], all: bool| {
        let mut sum = Bounds::certain(all);
        for part in parts.iter().map(|part| bounds(part, check)) {
            sum = if all {
                Bounds { hold: sum.hold && part.hold, fail: sum.fail || part.fail }
            } else {
                Bounds { hold: sum.hold || part.hold, fail: sum.fail && part.fail }
            };
        }
        sum
    };
    match expr {
        Expr::And(parts) => fold(parts, true),
        Expr::Or(parts) => fold(parts, false),
        Expr::Not(part) => {
            let inner = bounds(part, check);
            Bounds { hold: inner.fail, fail: inner.hold }
        }
        Expr::Check(c) => check(c),
        Expr::Relation(_) => Bounds::UNKNOWN,
    }
}

/// Where a condition is decided at the earliest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// By the kind of call: in the probe's table.
    Kind,
    /// By the thread, until its next change: in the probe, once told.
    Thread,
    /// Behind the world.
    World,
}

/// Why a condition is not decided in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It depends on other processes.
    Others,
    /// Names become known some time after the number.
    LateName,
    /// It is about a descriptor, which the world knows.
    Descriptor,
    /// It differs from event to event.
    Event,
    /// It counts all events, so none may be missing.
    Counts,
}

impl Obstacle {
    /// Why, in words.
    pub fn why(self) -> &'static str {
        match self {
            Obstacle::Others => "what other processes do can change it",
            Obstacle::LateName => "the name becomes known after the number",
            Obstacle::Descriptor => "what a descriptor is, the world knows",
            Obstacle::Event => "it differs from event to event",
            Obstacle::Counts => "it counts all events, so none may be missing",
        }
    }

    /// What would let the kernel decide.
    pub fn help(self) -> &'static str {
        match self {
            Obstacle::Others => "add `proc.name`, `proc.exepath` or `container.id`",
            Obstacle::LateName => "use `user.uid` or `group.gid`",
            Obstacle::Descriptor | Obstacle::Event => "add `evt.type in (…)` or a condition on the process",
            Obstacle::Counts => "leave it to the replay",
        }
    }
}

/// One condition of a filter, and what answering it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As it is written.
    pub text: String,
    /// Where a recording decides it at the earliest.
    pub place: Place,
    /// Why not earlier; `None`: it is decided in the kernel.
    pub obstacle: Option<Obstacle>,
    /// What a replay reads to answer it.
    pub reads: &'static str,
    /// Whether the head of a batch alone can answer it, so that the batch is passed over.
    pub prunes: bool,
}

impl Condition {
    fn of(check: &Check) -> Condition {
        let obstacle = obstacle(check);
        let place = match (check.field.field.extract, obstacle) {
            (Extract::Kind(_), _) => Place::Kind,
            (_, None) => Place::Thread,
            _ => Place::World,
        };
        let (reads, prunes) = match check.field.field.extract {
            Extract::Kind(_) => ("kinds of events", true),
            Extract::Thread(_) => ("rows of threads", true),
            Extract::Descriptor(_) => ("rows of descriptors", true),
            Extract::Number(column) | Extract::Column(column, _) => ("one column", column == Column::Time),
            Extract::Audit(_) | Extract::Text(..) => ("one column", false),
            Extract::Event(_) => ("events", false),
        };
        Condition { text: check.to_string(), place, obstacle, reads, prunes }
    }
}

/// What the probe may leave out.
#[derive(Debug, Clone)]
pub struct Push {
    filters: Vec<Expr>,
    schema: Schema,
    can_match: Vec<bool>,
    /// One kind for each different set of answers among those that can be left out and can match.
    cases: Vec<usize>,
    deniable: bool,
    inherits: bool,
}

impl Push {
    /// What is common to several questions, each of which sees only what it asks for. `None`: one of them asks for
    /// everything, or counts what it does not ask for.
    pub fn of<'f>(filters: impl IntoIterator<Item = Option<&'f Filter>>) -> Option<Push> {
        let filters: Vec<Expr> = filters.into_iter().map(|f| f.map(|f| f.expr().clone())).collect::<Option<_>>()?;
        let counts = |expr: &Expr| {
            let mut found = false;
            expr.for_each_field(&mut |field| found |= field.field.name == "evt.num");
            found
        };
        if filters.is_empty() || filters.iter().any(counts) {
            return None;
        }
        Some(Push::about(filters))
    }

    /// What a filter can match, even if nothing may be left out.
    pub fn all_of(filter: &Filter) -> Push {
        Push::about(vec![filter.expr().clone()])
    }

    fn about(filters: Vec<Expr>) -> Push {
        let schema = Schema::current();
        let mut push =
            Push { filters, schema, can_match: Vec::new(), cases: Vec::new(), deniable: false, inherits: true };
        push.can_match = (0..push.schema.kinds.len()).map(|k| push.may_hold(&|c| push.by_kind(c, k))).collect();
        push.find_cases();
        push.deniable = push.cases.iter().all(|&k| push.can_be_denied(k));
        let inherits = push.filters.iter().all(|expr| {
            let mut all = true;
            expr.for_each_check(&mut |check| all &= own(check) != Some(false));
            all
        });
        push.inherits = inherits;
        push
    }

    /// By kind: whether an event of it can match.
    pub fn can_match(&self) -> &[bool] {
        &self.can_match
    }

    /// Whether calls of a kind are recorded: they can match, or they change the state.
    pub fn records(&self, kind: Kind) -> bool {
        kind.spec().flags.has(KindFlags::STATE) || self.can_match.get(usize::from(kind.0)).copied().unwrap_or(true)
    }

    /// Whether there can be threads of which only what changes the state need be recorded.
    pub fn denies_threads(&self) -> bool {
        self.deniable && !self.cases.is_empty()
    }

    /// Whether a child is denied as long as it is what its denied parent was.
    pub fn inherits(&self) -> bool {
        self.inherits
    }

    /// Whether events of a thread can match as long as it does not change itself. Of a thread of which only the id is
    /// known, anything may become known.
    pub fn wants(&self, dict: &Dict, thread: &ThreadRow) -> bool {
        thread.placeholder
            || self.cases.iter().any(|&kind| {
                self.may_hold(&|check| match own(check) {
                    Some(_) => of_thread(check, dict, thread),
                    None => self.by_kind(check, kind),
                })
            })
    }

    /// Whether events of a thread as it is in a row can match; more exact than [`Push::wants`], and true of this row only.
    pub fn may_match(&self, dict: &Dict, thread: &ThreadRow) -> bool {
        thread.placeholder
            || self.may_hold(&|check| match check.field.field.extract {
                // Names may become known later.
                Extract::Thread(_) if obstacle(check) != Some(Obstacle::LateName) => of_thread(check, dict, thread),
                _ => Bounds::UNKNOWN,
            })
    }

    /// Each condition, left to right.
    pub fn conditions(&self) -> Vec<Condition> {
        let mut all = Vec::new();
        for expr in &self.filters {
            expr.for_each_comparison(&mut |part| {
                all.push(match part {
                    Expr::Check(check) => Condition::of(check),
                    other => Condition {
                        text: other.to_string(),
                        place: Place::World,
                        obstacle: Some(Obstacle::Event),
                        reads: "events",
                        prunes: false,
                    },
                });
            });
        }
        all
    }

    fn may_hold(&self, check: &dyn Fn(&Check) -> Bounds) -> bool {
        self.filters.iter().any(|expr| bounds(expr, check).hold)
    }

    /// What the kind alone says of a check.
    fn by_kind(&self, check: &Check, kind: usize) -> Bounds {
        let Some(info) = self.schema.kinds.get(kind) else { return Bounds::UNKNOWN };
        let missing = Bounds::certain(check.test(&Value::Missing));
        match check.field.field.extract {
            Extract::Kind(f) => Bounds::certain(check.test(&f(info, &check.field.arg))),
            _ if check.field.field.name.starts_with("fd.") && has_no_descriptor(info) => missing,
            Extract::Thread(_) => Bounds::UNKNOWN,
            _ if !check.field.applies(info) => missing,
            _ => Bounds::UNKNOWN,
        }
    }

    fn find_cases(&mut self) {
        let mut checks = Vec::new();
        self.filters.iter().for_each(|expr| expr.for_each_check(&mut |check| checks.push(check)));
        let mut seen: Vec<Vec<Bounds>> = Vec::new();
        let mut cases = Vec::new();
        for (kind, info) in self.schema.kinds.iter().enumerate() {
            if info.flags.has(KindFlags::STATE) || !info.flags.has(KindFlags::CALL) || !self.can_match[kind] {
                continue;
            }
            let answers: Vec<Bounds> = checks.iter().map(|check| self.by_kind(check, kind)).collect();
            if !seen.contains(&answers) {
                seen.push(answers);
                cases.push(kind);
            }
        }
        self.cases = cases;
    }

    /// Whether the thread's own facts could rule a kind out: whether they could make the filter fail for certain.
    fn can_be_denied(&self, kind: usize) -> bool {
        // (can be made to hold for certain, can be made to fail for certain)
        fn reach(expr: &Expr, check: &dyn Fn(&Check) -> (bool, bool)) -> (bool, bool) {
            let parts = |parts: &[Expr]| parts.iter().map(|p| reach(p, check)).collect::<Vec<_>>();
            match expr {
                Expr::And(all) => {
                    let all = parts(all);
                    (all.iter().all(|p| p.0), all.iter().any(|p| p.1))
                }
                Expr::Or(any) => {
                    let any = parts(any);
                    (any.iter().any(|p| p.0), any.iter().all(|p| p.1))
                }
                Expr::Not(part) => {
                    let (hold, fail) = reach(part, check);
                    (fail, hold)
                }
                Expr::Check(c) => check(c),
                Expr::Relation(_) => (false, false),
            }
        }
        self.filters.iter().all(|expr| {
            let one = |check: &Check| {
                if own(check).is_some() {
                    return (true, true);
                }
                let known = self.by_kind(check, kind);
                (!known.fail, !known.hold)
            };
            reach(expr, &one).1
        })
    }
}

/// Calls that neither name a descriptor nor change the state are about none.
fn has_no_descriptor(info: &KindInfo) -> bool {
    info.fd.is_none() && !info.flags.has(KindFlags::STATE)
}

fn of_thread(check: &Check, dict: &Dict, thread: &ThreadRow) -> Bounds {
    match check.field.field.extract {
        Extract::Thread(f) => Bounds::certain(check.test(&f(dict, thread, &check.field.arg))),
        _ => Bounds::UNKNOWN,
    }
}

/// Why a check is not decided in the kernel; `None`: it is, by kind or by thread.
fn obstacle(check: &Check) -> Option<Obstacle> {
    let field = check.field.field;
    match field.extract {
        _ if field.name == "evt.num" => Some(Obstacle::Counts),
        Extract::Kind(_) => None,
        Extract::Thread(_) if own(check).is_some() => None,
        Extract::Thread(_) if matches!(field.name, "user.name" | "user.loginname" | "group.name") => {
            Some(Obstacle::LateName)
        }
        Extract::Thread(_) => Some(Obstacle::Others),
        Extract::Descriptor(_) => Some(Obstacle::Descriptor),
        _ if field.name.starts_with("fd.") => Some(Obstacle::Descriptor),
        Extract::Number(_) | Extract::Column(..) | Extract::Audit(_) | Extract::Text(..) | Extract::Event(_) => {
            Some(Obstacle::Event)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Memo;
    use super::*;
    use crate::batch::Batch;
    use crate::event::{SPECS, kind_by_name};
    use crate::field::sample::{Sample, batch, rows};
    use crate::field::{self, Context};
    use proptest::prelude::*;

    fn push(filter: &str) -> Push {
        Push::of([Some(&Filter::parse(filter).unwrap())]).unwrap()
    }

    fn recorded(filter: &str, kinds: &[&str]) -> Vec<bool> {
        let push = push(filter);
        kinds.iter().map(|kind| push.records(kind_by_name(kind).unwrap())).collect()
    }

    #[test]
    fn every_field_of_the_list_is_a_field_of_threads() {
        for (name, _) in OWN {
            assert!(matches!(field::lookup(name).unwrap().field.extract, Extract::Thread(_)), "{name}");
        }
    }

    #[test]
    fn kinds_that_cannot_match_are_left_out_and_those_that_change_the_state_never() {
        let kinds = ["getppid", "futex", "read", "openat", "mmap"];
        for (filter, want) in [
            ("evt.type = read", [false, false, true, true, false]),
            ("evt.type != futex", [true, false, true, true, true]),
            ("not evt.type in (futex, read)", [true, false, false, true, true]),
            ("fd.name = /etc/passwd", [false, false, true, true, true]),
            ("not fd.name = /etc/passwd", [true, true, true, true, true]),
            ("evt.is_io_read = true and evt.rawres > 10", [false, false, true, true, false]),
            ("evt.buffer contains GET", [false, false, true, true, false]),
            ("proc.name = nginx", [true, true, true, true, true]),
            ("proc.name = nginx and evt.type = read or fd.port = 80", [false, false, true, true, true]),
            (
                "evt.type = futex and proc.pid = 7 or evt.type = getppid and proc.pid = 8",
                [true, true, false, true, false],
            ),
        ] {
            assert_eq!(recorded(filter, &kinds), want, "{filter}");
        }
    }

    #[test]
    fn threads_can_be_denied_by_what_they_alone_can_change() {
        for (filter, denies, inherits) in [
            ("proc.name = nginx", true, true),
            ("proc.name != nginx", true, true),
            ("not proc.name in (nginx, bash)", true, true),
            ("proc.pid = 7", true, false),
            ("container.id = host and evt.type = read", true, true),
            ("proc.name = nginx or fd.port = 80", false, true),
            ("proc.name = nginx or proc.pid = 8", true, false),
            ("proc.aname = nginx", false, true),
            ("proc.aname = nginx and user.uid = 0", true, true),
            ("user.name = root", false, true),
            ("evt.type = read", false, true),
            ("evt.type = openat and proc.name = nginx", false, true),
        ] {
            let push = push(filter);
            assert_eq!((push.denies_threads(), push.inherits()), (denies, inherits), "{filter}");
        }
    }

    #[test]
    fn what_counts_all_events_lets_none_be_left_out() {
        assert!(Push::of([Some(&Filter::parse("evt.type = read and evt.num > 10").unwrap())]).is_none());
        assert!(Push::of([None, Some(&Filter::parse("evt.type = read").unwrap())]).is_none());
        assert!(Push::of([]).is_none());
    }

    #[test]
    fn several_questions_get_what_one_of_them_needs() {
        let filters = ["evt.type = read", "evt.type = futex"].map(|f| Filter::parse(f).unwrap());
        let push = Push::of(filters.iter().map(Some)).unwrap();
        let records = |kind| push.records(kind_by_name(kind).unwrap());
        assert!(records("read") && records("futex") && !records("getppid"));
    }

    fn check() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("evt.type = read"),
            Just("evt.type in (write, futex, openat)"),
            Just("evt.is_io = true"),
            Just("evt.category = net"),
            Just("evt.failed = true"),
            Just("evt.rawres > 3"),
            Just("evt.buffer contains T"),
            Just("evt.arg.name exists"),
            Just("evt.latency > 10ms"),
            Just("fd.name = /etc/passwd"),
            Just("fd.num exists"),
            Just("fd.port < 1000"),
            Just("proc.name = nginx"),
            Just("proc.name != bash"),
            Just("proc.exepath contains sh"),
            Just("proc.aname = bash"),
            Just("proc.pid = 100"),
            Just("thread.tid > 100"),
            Just("user.uid = 0"),
            Just("user.name = root"),
            Just("container.id != host"),
        ]
        .prop_map(str::to_owned)
    }

    fn filters() -> impl Strategy<Value = String> {
        check().prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
                inner.prop_map(|a| format!("not ({a})")),
            ]
        })
    }

    /// Every kind of call by every thread of the sample's dictionary.
    fn everything() -> Vec<Batch> {
        let calls: Vec<&str> = SPECS.iter().filter(|s| s.flags.has(KindFlags::CALL)).map(|s| s.name).collect();
        let of = |names: &[&'static str]| {
            let each = |&name: &&'static str| {
                (0..5).map(move |thread| {
                    let spec = kind_by_name(name).unwrap().spec();
                    let about = spec.fd.is_some() || spec.flags.has(KindFlags::STATE);
                    Sample {
                        ret: i64::from(thread) - 2,
                        desc: if about { thread % 4 } else { 0 },
                        ..Sample::new(name, thread)
                    }
                })
            };
            batch(&names.iter().flat_map(each).collect::<Vec<_>>())
        };
        calls.chunks(100).map(of).collect()
    }

    proptest! {
        #[test]
        fn no_event_that_matches_is_ever_left_out(text in filters()) {
            let filter = Filter::parse(&text).unwrap();
            let push = Push::of([Some(&filter)]).unwrap();
            for batch in everything() {
                let found = filter.select(&mut Memo::default(), &batch, &Context::default()).unwrap();
                let found = found.to_rows(&batch).unwrap();
                for row in rows(&batch).iter().filter(|row| found.get(row.index)) {
                    let kind = Kind(batch.head().kinds[row.kind].kind);
                    prop_assert!(push.records(kind), "{} of {text}", kind.spec().name);
                    let denied = push.denies_threads() && !push.wants(row.dict(), row.thread());
                    let state = kind.spec().flags.has(KindFlags::STATE);
                    prop_assert!(state || !denied, "{} by {} of {text}", kind.spec().name, row.thread().tid);
                    prop_assert!(push.may_match(row.dict(), row.thread()), "{text}");
                }
            }
        }
    }
}
