//! What is done with fuzzed text as a filter; also run over the corpus by `cargo test` (`tests/fuzz.rs`).

use std::path::Path;
use std::sync::OnceLock;
use sysreel::batch::Batch;
use sysreel::field::Context;
use sysreel::filter::{Filter, Memo};
use sysreel::reel::Reader;

/// Reads bytes as a filter. A wrong one is told where; a right one prints as what reads the same.
pub fn parse(bytes: &[u8]) -> Option<Filter> {
    let text = std::str::from_utf8(bytes).ok()?;
    match Filter::parse(text) {
        Ok(filter) => {
            let printed = filter.to_string();
            let again = Filter::parse(&printed).unwrap_or_else(|error| panic!("{text}\n{printed}\n{error}"));
            assert_eq!(again.expr(), filter.expr(), "{text}\n{printed}");
            assert_eq!(again.to_string(), printed);
            Some(filter)
        }
        Err(told) => {
            assert!(!told.errors.is_empty() && told.to_string().starts_with("error: "));
            assert!(told.errors.iter().all(|error| error.span.end <= text.len()));
            None
        }
    }
}

/// Batches of real events, each with its kinds, threads, descriptors and data.
fn batches() -> &'static [Batch] {
    static BATCHES: OnceLock<Vec<Batch>> = OnceLock::new();
    BATCHES.get_or_init(|| {
        let captures = Path::new(env!("CARGO_MANIFEST_DIR"));
        let captures =
            if captures.ends_with("fuzz") { captures.join("../captures") } else { captures.join("captures") };
        let mut all = Vec::new();
        for name in ["shell.reel", "login.reel", "namespace.reel"] {
            let reader = Reader::open(&captures.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            for segment in 0..reader.segments().len() {
                all.extend(reader.batches(segment).flatten());
            }
        }
        assert!(!all.is_empty());
        all
    })
}

/// Asks real batches a filter: the answer for whole batches is that of the plain meaning, event by event.
pub fn evaluate(bytes: &[u8]) {
    let Some(filter) = parse(bytes) else { return };
    let (ctx, mut memo) = (Context::default(), Memo::default());
    for batch in batches() {
        let mut plain = Vec::new();
        let each = |row: sysreel::batch::Row<'_>| {
            if filter.matches(&row, &ctx) {
                plain.push(row.index);
            }
        };
        batch.for_each_row(each).unwrap_or_else(|error| panic!("{error}"));
        let selection = filter.select(&mut memo, batch, &ctx).unwrap_or_else(|error| panic!("{error}"));
        let rows = selection.to_rows(batch).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rows.iter().collect::<Vec<_>>(), plain, "{filter}");
        assert_eq!(selection.count(batch).ok(), Some(plain.len()), "{filter}");
        let may = filter.may_match(&mut memo, batch.head(), batch.schema(), batch.dict());
        assert!(may || plain.is_empty(), "{filter}");
        assert!(filter.may_match_head(batch.head(), batch.schema()) || plain.is_empty(), "{filter}");
    }
}
