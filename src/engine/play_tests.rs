//! Replay gives the same bytes whatever the number of threads.

use super::{Batches, Options, Played, Question, play};
use crate::batch::{Batch, Schema};
use crate::field::{TimeFormat, lookup};
use crate::filter::Filter;
use crate::query::made::{Dice, batch, dict};
use crate::query::{Aggregate, How, Key, LinesQuery, Order, Query, TableQuery};
use crate::report::Unit;
use crate::template::Template;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Batches made anew from a seed each time, as a file would give them; one of them is damaged.
struct Made {
    count: usize,
    damaged: Option<usize>,
    schema: Arc<Schema>,
}

impl Made {
    fn new(count: usize, damaged: Option<usize>) -> Made {
        Made { count, damaged, schema: Arc::new(Schema::current()) }
    }
}

impl Batches for Made {
    fn len(&self) -> usize {
        self.count
    }

    fn batch(&self, index: usize) -> Result<Batch, String> {
        if self.damaged == Some(index) {
            return Err("expected 4 bytes, found 3".to_owned());
        }
        Ok(batch(&mut Dice(index as u64), 20 + index, &self.schema, &dict()))
    }

    fn place(&self, index: usize) -> String {
        format!("made.reel, batch at {index:#x}")
    }

    fn counts_in_flight(&self, index: usize) -> bool {
        index + 1 == self.count
    }
}

fn lines(format: &str, filter: Option<&str>) -> Question {
    let template = Template::parse(format).unwrap();
    let query = Query::Lines(LinesQuery::of(template));
    Question { filter: filter.map(|f| Filter::parse(f).unwrap()), query }
}

fn table(filter: Option<&str>) -> Question {
    let query = Query::Table(TableQuery {
        title: "by name".into(),
        about: String::new(),
        keys: vec![Key { name: "proc.name".into(), field: lookup("proc.name").unwrap() }],
        values: vec![Aggregate {
            name: "N".into(),
            unit: Unit::None,
            how: How::Count,
            field: None,
            and: Vec::new(),
            only: None,
        }],
        order: Order { column: 0, descending: true },
        top: None,
    });
    Question { filter: filter.map(|f| Filter::parse(f).unwrap()), query }
}

fn options(threads: usize) -> Options {
    Options { threads: NonZeroUsize::new(threads), ..Options::default() }
}

fn run(made: &Made, questions: &[Question], options: &Options) -> (Played, String) {
    let mut out = Vec::new();
    let played = play(made, questions, options, &mut out).unwrap();
    (played, String::from_utf8(out).unwrap())
}

#[test]
fn any_number_of_threads_gives_the_same_bytes_and_reports() {
    let made = Made::new(60, Some(17));
    for time_format in [TimeFormat::Absolute, TimeFormat::DeltaPrinted] {
        let ask = |threads| {
            let questions =
                [lines("*%evt.outputtime %proc.name %evt.type %evt.rawres", Some("evt.type != openat")), table(None)];
            let mut options = options(threads);
            options.ctx.time_format = time_format;
            run(&made, &questions, &options)
        };
        let (played, text) = ask(1);
        assert!(played.lines > 500 && !played.reports[0].tables[0].rows.is_empty());
        for threads in [2, 3, 8] {
            let (other, other_text) = ask(threads);
            assert_eq!((&other.reports, &other.damaged, other.lines), (&played.reports, &played.damaged, played.lines));
            assert_eq!(other_text, text, "{threads} threads");
        }
    }
}

#[test]
fn a_damaged_batch_is_left_out_and_told() {
    let (played, _) = run(&Made::new(5, Some(2)), &[table(None)], &options(2));
    assert_eq!(played.damaged.len(), 1);
    assert_eq!(played.damaged[0].place, "made.reel, batch at 0x2");
    let note = "1 damaged batch was left out; the first: made.reel, batch at 0x2: expected 4 bytes, found 3";
    assert_eq!(played.reports[0].notes, [note]);
}

#[test]
fn a_limit_keeps_the_first_lines_and_the_first_events_of_tables() {
    let made = Made::new(10, None);
    let (_, all) = run(&made, &[lines("%evt.type", None)], &options(1));
    for (threads, limit) in [(1, 1), (3, 25), (3, 100)] {
        let mut options = options(threads);
        options.limit = Some(limit);
        let (played, text) = run(&made, &[lines("%evt.type", None)], &options);
        assert_eq!(played.lines, limit);
        assert!(text.lines().eq(all.lines().take(limit as usize)), "{text}");
        let (_, names) = run(&made, &[lines("*%proc.name", Some("proc.name exists"))], &options);
        let (played, _) =
            run(&made, &[table(Some("evt.type != cputime and proc.name exists and evt.dir = <"))], &options);
        let counted: u64 = played.reports[0].tables[0]
            .rows
            .iter()
            .map(|r| if let crate::report::Cell::Uint(n) = r[0] { n } else { 0 })
            .sum();
        assert_eq!((counted, names.lines().count() as u64), (limit, limit));
    }
}

#[test]
fn events_from_the_given_moment_on_are_not_seen() {
    let mut options = options(2);
    // Rows of made batches are 10 ns apart, from 1000 on.
    options.until = Some(1_050);
    let (_, text) = run(&Made::new(3, None), &[lines("%evt.rawtime", None)], &options);
    let times: Vec<u64> = text.lines().map(|l| l.parse().unwrap()).collect();
    assert!(!times.is_empty() && times.iter().all(|&t| t < 1_050), "{times:?}");
}
