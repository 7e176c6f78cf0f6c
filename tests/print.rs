//! A plan for a batch writes what a template writes for each of its rows: every field, in every form of lines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, and says so")]

#[path = "common/noted.rs"]
mod noted;

use noted::Noted;
use std::path::{Path, PathBuf};
use sysreel::batch::Encoder;
use sysreel::engine::{Batches, Options, Question, Reels, play};
use sysreel::field::{self, BufferFormat, Context, TimeFormat};
use sysreel::query::{LinesQuery, Query, Span};
use sysreel::reel::{Reader, Writer};
use sysreel::template::{CONTAINER, DEFAULT, Form, KUBERNETES, Plan, Template};

fn captures() -> Vec<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("captures");
    let entries = [dir.clone(), dir.join("compat")].into_iter().flat_map(|dir| dir.read_dir().unwrap());
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|name| name == "reel"));
    paths.sort();
    assert!(paths.len() > 5, "{paths:?}");
    paths
}

/// Templates and what is asked with them.
fn questions() -> Vec<(Template, bool, Context)> {
    let plain = Context::default();
    let every: Vec<String> =
        field::all().filter(|f| field::lookup(f.name).is_ok()).map(|f| format!("%{}", f.name)).collect();
    let every = format!("*{}", every.join(" | "));
    let some = "%evt.num %7proc.name %fd.name %5evt.info %toupper(proc.name) %evt.dir%evt.type";
    let csv = |text: &str| Template::parse(text).unwrap().with_form(Form::Csv);
    let text = |text: &str| Template::parse(text).unwrap();
    let raw = Context { raw_text: true, buffer: BufferFormat::Hex, buffer_limit: 10, tz_offset_s: -3600, ..plain };
    let mut all = vec![
        (text(&every), false, plain),
        (text(&every), true, raw),
        (csv(&every), false, plain),
        (text(some), false, raw),
        (text(some).with_form(Form::Coloured), false, plain),
        (text(CONTAINER), false, plain),
        (text(KUBERNETES), true, plain),
        (text(DEFAULT), true, Context { at_entry: true, entries: true, ..plain }),
        (text(DEFAULT), false, Context { at_entry: true, entries: true, ..plain }),
    ];
    for time_format in [
        TimeFormat::TimeOfDay,
        TimeFormat::Absolute,
        TimeFormat::Relative,
        TimeFormat::Delta,
        TimeFormat::DeltaPrinted,
        TimeFormat::Utc,
    ] {
        let ctx = Context { time_format, prev_time: 1_534_527_348_514_632_619, ..plain };
        all.extend([(text(DEFAULT), false, ctx), (text(DEFAULT), true, ctx), (csv(DEFAULT), false, ctx)]);
    }
    all
}

/// Writes the segments of a reel as a recorder does today.
fn write_again(reader: &Reader, to: &Path) {
    let (mut writer, mut encoder) = (Writer::create(to, reader.header()).unwrap(), Encoder::new());
    for (index, info) in reader.segments().iter().enumerate() {
        let schema = info.schema.as_ref().unwrap();
        writer.begin_segment(schema, &info.clocks).unwrap();
        writer.dictionary(&reader.delta(index).unwrap()).unwrap();
        for batch in reader.batches(index) {
            let columns = batch.unwrap().columns().unwrap();
            writer.batch(&encoder.encode(&columns, schema).unwrap()).unwrap();
        }
    }
    writer.finish().unwrap();
}

#[test]
fn no_batch_before_the_time_that_is_asked_for_is_opened() {
    // The captures are older than the index: written again they have one.
    let folder = tempfile::tempdir().unwrap();
    let anew = |name: &str| {
        let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("captures/{name}.reel"));
        let reel = folder.path().join(format!("{name}.reel"));
        write_again(&Reader::open(&from).unwrap(), &reel);
        reel
    };
    let reels = Reels::open(&["shell", "build", "web", "services"].map(anew)).unwrap();
    let times: Vec<(u64, u64)> = (0..reels.len())
        .map(|index| {
            let batch = reels.batch(index).unwrap();
            (batch.head().min_time, batch.head().max_time)
        })
        .collect();
    let mut ends: Vec<u64> = times.iter().map(|(_, end)| *end).collect();
    ends.sort_unstable();
    let from = ends[ends.len() / 2];
    let noted = Noted::of(&reels);
    let template = Template::parse("%evt.rawtime").unwrap();
    let lines = LinesQuery::of(template);
    let questions = [Question { filter: None, query: Query::Lines(lines) }];
    let span = Span { start: from, ..reels.span() };
    let options = Options { span, ..Options::default() };
    let mut out = Vec::new();
    play(&noted, &questions, &options, &mut out).unwrap();
    let opened = noted.opened();
    let wanted = times.iter().filter(|(_, end)| *end >= from).count();
    assert!(opened.len() == wanted && wanted < times.len(), "{opened:?} of {times:?}");
    assert!(opened.iter().all(|&index| times[index].1 >= from), "{opened:?} {from} {times:?}");
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().count() > 10 && text.lines().all(|time| time.parse::<u64>().unwrap() >= from), "{text}");
}

#[test]
fn a_plan_writes_what_its_template_writes_of_each_row() {
    let questions = questions();
    let mut written = 0;
    for path in captures() {
        let reels = Reels::open(std::slice::from_ref(&path)).unwrap();
        for index in 0..reels.len() {
            let batch = reels.batch(index).unwrap();
            for (template, json, ctx) in &questions {
                let mut plan = Plan::of(template, *json, &batch, ctx);
                let (mut ours, mut plain) = (Vec::new(), Vec::new());
                let each = |row| {
                    ours.clear();
                    plain.clear();
                    let said = plan.write(&row, ctx, &mut ours);
                    let meant = *json || template.write(&row, ctx, &mut plain);
                    if *json {
                        template.write_json(&row, ctx, &mut plain);
                    }
                    let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
                    assert_eq!(shown(&ours), shown(&plain), "{} row {}", path.display(), row.index);
                    assert_eq!(said, meant);
                    written += u64::from(said);
                };
                batch.for_each_row(each).unwrap();
            }
        }
    }
    assert!(written > 10_000, "{written}");
}
