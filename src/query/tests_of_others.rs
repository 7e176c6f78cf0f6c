//! Operators that stand in files of their own: the same for any number of workers, and nothing counted twice or left out.

use super::made::{Dice, batch, dict};
use super::*;
use crate::batch::{Batch, Schema};
use crate::event::Flags;
use crate::field::{Context, lookup};
use crate::filter::{Filter, KindSelection, Selection};
use crate::report::{Cell, Picture, Report, Unit};
use std::sync::Arc;

fn count(only: Option<&str>) -> Aggregate {
    let only = only.map(|text| Filter::parse(text).unwrap());
    Aggregate { name: "N".into(), unit: Unit::None, how: How::Count, field: None, and: Vec::new(), only }
}

fn operators() -> Vec<Query> {
    let (title, about) = (String::from("t"), String::new());
    let key = |name: &str| Key { name: name.into(), field: lookup(name).unwrap() };
    let column = |name: &str| StateColumn {
        name: name.into(),
        unit: Unit::None,
        field: lookup(name).unwrap(),
        or: None,
        from: None,
    };
    let series = |keys: Vec<Key>| SeriesQuery {
        sparklines: false,
        title: title.clone(),
        about: about.clone(),
        step: 700,
        keys,
        values: vec![count(None), count(Some("proc.name = cat")), count(Some("evt.rawres > 50"))],
    };
    let heat = HistogramQuery {
        title: title.clone(),
        about: about.clone(),
        name: "latency".into(),
        field: lookup("evt.latency").unwrap(),
        unit: Unit::Duration,
        step: 500,
        buckets: Buckets::Decades(3),
    };
    let list = ListQuery {
        title: title.clone(),
        about: about.clone(),
        columns: vec![column("evt.latency"), column("evt.num"), column("fd.name")],
        order: Some(Order { column: 0, descending: true }),
        top: Some(40),
    };
    let threshold = |distinct: Option<Key>| ThresholdQuery {
        title: title.clone(),
        about: about.clone(),
        keys: vec![key("proc.name")],
        distinct,
        count: 3,
        within: 400,
        top: None,
    };
    let flame = FlameQuery::new(title.clone(), about.clone(), count(None)).unwrap();
    vec![
        Query::Other(Arc::new(series(Vec::new()))),
        Query::Other(Arc::new(series(vec![key("evt.type"), key("proc.name")]))),
        Query::Other(Arc::new(heat)),
        Query::Other(Arc::new(list)),
        Query::Other(Arc::new(flame)),
        Query::Other(Arc::new(threshold(None))),
        Query::Other(Arc::new(threshold(Some(key("fd.name"))))),
    ]
}

fn ask(query: &Query, batches: &[Batch], workers: usize, seed: u64) -> Report {
    let ctx = Context::default();
    let mut all: Vec<Worker> = (0..workers).map(|_| query.worker()).collect();
    for (i, batch) in batches.iter().enumerate() {
        let everything = Selection { kinds: vec![KindSelection::All; batch.head().kinds.len()], rows: None };
        let view = View { ctx: &ctx, in_flight: false, limit: u64::MAX };
        query.partial(&mut all[(i * 7 + seed as usize) % workers], batch, &everything, view).unwrap();
    }
    query.finish(all, Span::default(), Vec::new()).unwrap()
}

#[test]
fn operators_say_the_same_for_any_number_of_workers() {
    let schema = Arc::new(Schema::current());
    for seed in 1..=20 {
        let mut dice = Dice(seed);
        let dicts = [dict(), dict()];
        let batches: Vec<Batch> = (0..5).map(|i| batch(&mut dice, 1 + i * 60, &schema, &dicts[i / 3])).collect();
        for (n, query) in operators().iter().enumerate() {
            let alone = ask(query, &batches, 1, seed);
            assert!((2..=3).all(|workers| ask(query, &batches, workers, seed) == alone), "operator {n}, seed {seed}");
        }
    }
}

#[test]
fn every_event_is_counted_once() {
    let schema = Arc::new(Schema::current());
    let mut dice = Dice(3);
    let dict = dict();
    let batches: Vec<Batch> = (1..4).map(|i| batch(&mut dice, i * 90, &schema, &dict)).collect();
    let (mut complete, mut cats, mut timed) = (0, 0, 0);
    for batch in &batches {
        let each = batch.for_each_row(|row| {
            if !row.flags().has(Flags::IN_FLIGHT) {
                complete += 1;
                cats += u64::from(batch.dict().text(row.thread().comm) == b"cat");
                timed += u64::from(row.duration().is_some_and(|ns| ns > 0));
            }
        });
        each.unwrap();
    }
    let all = operators();
    let column = |report: &Report, column: usize| -> u64 {
        let number = |row: &Vec<Cell>| if let Cell::Uint(n) = row[column] { n } else { 0 };
        report.tables[0].rows.iter().map(number).sum()
    };
    let series = ask(&all[0], &batches, 2, 1);
    assert_eq!((column(&series, 1), column(&series, 2)), (complete, cats));
    let heat = ask(&all[2], &batches, 2, 1);
    let [Picture::Heat(heat)] = heat.pictures.as_slice() else { panic!("no heat map") };
    assert_eq!(heat.rows.iter().flatten().sum::<u64>(), timed);
    assert!(column(&ask(&all[4], &batches, 2, 1), 1) > 0);
    assert!(!ask(&all[5], &batches, 2, 1).tables[0].rows.is_empty());
}
