//! Conditions on data: a needle is looked for in all bytes of a column at once, and hits become rows.
//!
//! Bytes of data stand one row behind the other, so a search need not begin anew at each row; a hit that reaches over a
//! row's end is none.

use super::Literal;
use super::ast::{Check, Expr};
use super::plan::Leaf;
use super::selection::{Bits, KindSelection};
use crate::batch::{Batch, DataRun, Error};
use crate::event::Class;
use crate::field::{BufferFormat, Context, DataForm};
use crate::value::{Value, write_dots};

/// Longer needles are not looked for where no row is as long: each row's end could cost as much as the needle is long.
const LONG: usize = 64;

/// How no data is shown.
const NOTHING: &[u8] = b"NULL";

/// The data of one kind that a leaf is about.
struct Asked<'a> {
    run: DataRun<'a>,
    form: DataForm,
    missing: &'a [u64],
    /// Number of the parameter.
    param: u32,
    rows: usize,
}

/// What a leaf says of a kind's rows, if all that it names is one column of data; rows outside of `scope` may be told
/// wrong. `None`: it must be asked row by row.
pub(super) fn select(
    leaf: &Leaf,
    batch: &Batch,
    kind: usize,
    scope: &KindSelection,
    ctx: &Context,
) -> Result<Option<Bits>, Error> {
    let info = batch.kind_info(kind);
    let mut found = None;
    let mut same = true;
    leaf.expr.for_each_field(&mut |field| {
        let this = field.data(info);
        same &= this.is_some() && *found.get_or_insert(this) == this;
    });
    leaf.expr.for_each_relation(&mut |_| same = false);
    let Some((param, form)) = found.flatten().filter(|_| same) else { return Ok(None) };
    if form == DataForm::Shown && ctx.buffer != BufferFormat::Dots {
        return Ok(None);
    }
    let Some((Class::Data, slot)) = batch.slot(kind, param) else { return Ok(None) };
    let rows = batch.head().kinds[kind].rows as usize;
    // Mostly no row has it: then bytes are looked through as they lie in the batch, and lengths not at all.
    if let Some(needles) = needles_of(&leaf.expr, form)
        && !batch.any_data(kind, slot, |bytes| needles.iter().any(|needle| needle.is_in(bytes)))?
    {
        return Ok(Some(Bits::new(rows)));
    }
    let run = batch.data_run(kind, slot)?;
    let asked = Asked { run, form, missing: batch.missing(kind)?, param: param as u32, rows };
    Ok(Some(match scope {
        // Few rows are asked faster one by one.
        KindSelection::Some(wanted) if wanted.count() * 8 < rows => {
            let mut bits = Bits::new(rows);
            wanted.iter().filter(|&at| at < rows && asked.test(&leaf.expr, at)).for_each(|at| bits.set(at));
            bits
        }
        _ => asked.tree(&leaf.expr),
    }))
}

impl Asked<'_> {
    fn tree(&self, expr: &Expr) -> Bits {
        match expr {
            Expr::And(parts) => self.folded(parts, Bits::ones(self.rows), Bits::and),
            Expr::Or(parts) => self.folded(parts, Bits::new(self.rows), Bits::or),
            Expr::Not(part) => {
                let mut bits = self.tree(part);
                bits.invert();
                bits
            }
            Expr::Check(check) => self.check(check),
            Expr::Relation(_) => Bits::new(self.rows),
        }
    }

    fn folded(&self, parts: &[Expr], start: Bits, join: fn(&mut Bits, &Bits)) -> Bits {
        parts.iter().fold(start, |mut sum, part| {
            join(&mut sum, &self.tree(part));
            sum
        })
    }

    fn is_missing(&self, at: usize) -> bool {
        let missing = self.missing.get(at).copied().unwrap_or(0);
        1u64.checked_shl(self.param).is_some_and(|bit| missing & bit != 0)
    }

    /// The value of a row.
    fn value(&self, at: usize) -> Value<'_> {
        let bytes = self.run.get(at);
        match self.form {
            _ if self.is_missing(at) => Value::Missing,
            DataForm::Bytes => Value::text(bytes),
            DataForm::Shown if bytes.is_empty() => Value::text(NOTHING),
            DataForm::Shown => {
                let mut shown = Vec::with_capacity(bytes.len());
                write_dots(&mut shown, bytes);
                Value::owned(shown)
            }
        }
    }

    fn test(&self, expr: &Expr, at: usize) -> bool {
        let value = self.value(at);
        expr.eval(&mut |_| value.clone())
    }

    fn check(&self, check: &Check) -> Bits {
        let is_exact = self.form == DataForm::Bytes;
        let Some(needles) = Needle::looked_for(check, self.form) else {
            return Bits::of((0..self.rows).map(|at| check.test(&self.value(at))));
        };
        let mut bits = Bits::new(self.rows);
        for needle in needles {
            needle.for_each_row(&self.run, self.rows, |at| {
                if if is_exact { !self.is_missing(at) } else { check.test(&self.value(at)) } {
                    bits.set(at);
                }
            });
        }
        bits
    }
}

/// The needles one of which data must have to pass an expression; `None`: it may pass without any.
fn needles_of(expr: &Expr, form: DataForm) -> Option<Vec<Needle<'_>>> {
    match expr {
        Expr::And(parts) => parts.iter().find_map(|part| needles_of(part, form)),
        Expr::Or(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(|part| needles_of(part, form)).collect();
            all.map(|all| all.concat())
        }
        Expr::Check(check) => Needle::looked_for(check, form),
        Expr::Not(_) | Expr::Relation(_) => None,
    }
}

/// Bytes that are looked for; not empty.
#[derive(Clone, Copy)]
struct Needle<'n> {
    bytes: &'n [u8],
    any_case: bool,
}

impl<'n> Needle<'n> {
    /// The needles one of which a value must have to pass; `None`: the check is of another sort.
    fn all_of(check: &'n Check) -> Option<Vec<Needle<'n>>> {
        let any_case = check.op.name == "icontains";
        let is_search = any_case || matches!(check.op.name, "contains" | "bcontains");
        let is_any = matches!(check.quantifier, None | Some(super::Quantifier::AnyOf));
        let texts: Vec<&[u8]> = check.constants.iter().map(Literal::text).collect();
        if !is_search || !is_any || texts.iter().any(|text| text.is_empty()) {
            return None;
        }
        Some(texts.into_iter().map(|bytes| Needle { bytes, any_case }).collect())
    }

    /// The needles one of which data must have to pass a check that is shown a form of it; `None`: it is of another sort.
    fn looked_for(check: &'n Check, form: DataForm) -> Option<Vec<Needle<'n>>> {
        let all = Needle::all_of(check)?;
        if form == DataForm::Bytes { Some(all) } else { all.into_iter().map(Needle::without_dots).collect() }
    }

    fn is_in(self, bytes: &[u8]) -> bool {
        if self.any_case {
            find_any_case(bytes, self.bytes, rarest(self.bytes)).is_some()
        } else {
            memchr::memmem::find(bytes, self.bytes).is_some()
        }
    }

    /// The longest piece that is the same in data and in what is shown of it: a dot may stand for any other byte, and
    /// what is not printable is never shown.
    fn without_dots(self) -> Option<Needle<'n>> {
        let pieces = self.bytes.split(|&b| b == b'.');
        let longest = pieces.max_by_key(|piece| piece.len()).filter(|piece| !piece.is_empty())?;
        // Rows without data have no bytes to be found in.
        let in_nothing = find_any_case(NOTHING, longest, 0).is_some();
        (!in_nothing).then_some(Needle { bytes: longest, ..self })
    }

    /// Calls `f` for each row that has it, ascending.
    fn for_each_row(self, run: &DataRun<'_>, rows: usize, mut f: impl FnMut(usize)) {
        if self.bytes.len() > LONG && run.longest() < self.bytes.len() {
            return;
        }
        let finder = memchr::memmem::Finder::new(self.bytes);
        let rare = rarest(self.bytes);
        let (mut at, mut row) = (0, 0);
        while let Some(rest) = run.bytes.get(at..) {
            let hit = if self.any_case { find_any_case(rest, self.bytes, rare) } else { finder.find(rest) };
            let Some(hit) = hit.map(|hit| at + hit) else { return };
            row = run.row_at(hit, row);
            let Some(end) = run.end(row).filter(|_| row < rows) else { return };
            if hit + self.bytes.len() <= end && end <= run.bytes.len() {
                f(row);
            }
            // What begins later in the row reaches over its end too.
            at = end;
        }
    }
}

/// Where the byte stands that is likely the rarest of a needle in texts.
pub(super) fn rarest(needle: &[u8]) -> usize {
    // Letters of English by how often they are, others are rarer.
    const COMMON: &[u8] = b"zqjxkvbpygfwmucldrhsnioate ";
    let rank = |b: u8| COMMON.iter().position(|c| *c == b.to_ascii_lowercase()).map_or(0, |at| at + 1);
    (0..needle.len()).min_by_key(|&at| rank(needle[at])).unwrap_or(0)
}

/// Where a part stands in a text, small and capital letters (ASCII) being the same; `rare` is the place of a byte of the
/// part that is looked for first.
pub(super) fn find_any_case(text: &[u8], part: &[u8], rare: usize) -> Option<usize> {
    let Some(&byte) = part.get(rare) else { return Some(0) };
    let (small, capital) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
    let places = memchr::memchr2_iter(small, capital, text);
    places
        .filter_map(|at| at.checked_sub(rare))
        .find(|&start| text.get(start..start + part.len()).is_some_and(|found| found.eq_ignore_ascii_case(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows that have a needle, by the search and by looking at each.
    #[track_caller]
    fn agree(rows: &[&[u8]], needle: &[u8], any_case: bool) -> Vec<usize> {
        let bytes = rows.concat();
        let mut end = 0;
        let ends: Vec<u32> = rows
            .iter()
            .map(|row| {
                end += row.len() as u32;
                end
            })
            .collect();
        let mut found = Vec::new();
        Needle { bytes: needle, any_case }.for_each_row(&DataRun { ends: &ends, bytes: &bytes }, rows.len(), |row| {
            found.push(row);
        });
        let has = |row: &&[u8]| {
            let fold = |b: &[u8]| if any_case { b.to_ascii_lowercase() } else { b.to_vec() };
            fold(row).windows(needle.len()).any(|w| w == fold(needle))
        };
        let want: Vec<usize> = (0..rows.len()).filter(|&at| has(&rows[at])).collect();
        assert_eq!(found, want, "{rows:?} {needle:?}");
        found
    }

    #[test]
    fn hits_over_the_end_of_a_row_are_none_and_hide_no_other() {
        assert_eq!(agree(&[b"xa", b"aay", b"", b"aa"], b"aa", false), [1, 3]);
        assert_eq!(agree(&[b"a", b"b", b"ab", b"", b"cab"], b"ab", false), [2, 4]);
        assert_eq!(agree(&[b"aaa", b"aaaa", b"aa"], b"aaaa", false), [1]);
        assert_eq!(agree(&[b"GET /", b"get", b"Ge", b"t"], b"get", true), [0, 1]);
        assert_eq!(agree(&[], b"x", false), [0usize; 0]);
        assert_eq!(agree(&[b"aaaaa", &[b'a'; 80]], &[b'a'; 70], false), [1]);
        assert_eq!(agree(&[b"aaaaa", &[b'a'; 69]], &[b'a'; 70], false), [0usize; 0]);
        assert_eq!(agree(&[b"\xffX\x00", b"x\x00"], b"x\x00", true), [0, 1]);
    }

    #[test]
    fn needles_stand_for_an_expression_only_where_one_of_them_must_be_there() {
        let needles = |text: &str| {
            let filter = crate::filter::Filter::parse(text).expect("a filter");
            let needles = needles_of(filter.expr(), DataForm::Bytes);
            needles.map(|all| all.iter().map(|n| String::from_utf8_lossy(n.bytes).into_owned()).collect::<Vec<_>>())
        };
        let some = |all: &[&str]| Some(all.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        assert_eq!(needles("evt.buffer contains ab"), some(&["ab"]));
        assert_eq!(needles("evt.buffer contains ab or evt.buffer icontains cd"), some(&["ab", "cd"]));
        assert_eq!(needles("evt.buffer startswith ab and evt.buffer contains cd"), some(&["cd"]));
        assert_eq!(needles("evt.buffer contains ab or evt.buffer startswith cd"), None);
        assert_eq!(needles("not evt.buffer contains ab"), None);
    }

    #[test]
    fn what_is_looked_for_first_is_rare() {
        assert_eq!(b"password"[rarest(b"password")], b'p');
        assert_eq!(b"a=e"[rarest(b"a=e")], b'=');
        assert_eq!(find_any_case(b"xxPassWord", b"password", rarest(b"password")), Some(2));
        assert_eq!(find_any_case(b"pass", b"password", 0), None);
        assert_eq!(find_any_case(b"abc", b"", 0), Some(0));
    }
}
