//! What damage costs: segments and rows, as an index tells, or else the frames around it.

use super::error::{Damage, DamageKind, Hit};
use super::frame::FrameKind;
use super::index;
use super::layout::Found;
use super::reader::Reader;

/// Places whose cost is looked up; a file with more is hardly a reel any more.
const MOST: usize = 1_000;

/// Fills in what each damage costs.
pub(super) fn hits(reader: &Reader, damages: &mut [Damage]) {
    for damage in damages.iter_mut().take(MOST) {
        damage.hit = match &damage.kind {
            DamageKind::Body(..) => of_body(reader, damage),
            _ if !damage.missing.is_empty() => {
                of_index(reader, damage).unwrap_or_else(|| of_neighbours(reader, damage))
            }
            _ => Hit::default(),
        };
    }
}

/// Frames of the damage's reel.
fn frames<'a>(reader: &'a Reader, damage: &Damage) -> &'a [Found] {
    let all = &reader.layout.frames;
    let start = all.partition_point(|f| f.part < damage.part);
    let end = all.partition_point(|f| f.part <= damage.part);
    &all[start..end]
}

/// Of a frame whose header is whole.
fn of_body(reader: &Reader, damage: &Damage) -> Hit {
    let frames = frames(reader, damage);
    let Some(at) = frames.iter().position(|f| f.offset as u64 == damage.offset) else { return Hit::default() };
    let frame = &frames[at];
    let segments = (frame.segment > 0).then_some((frame.segment, frame.segment));
    if frame.kind != FrameKind::Batch {
        return Hit { segments, ..Hit::default() };
    }
    let whole = Damage { missing: frame.number..frame.number.saturating_add(1), ..damage.clone() };
    let told = numbers_of(reader, frame).map(rows_of);
    told.map(|rows| Hit { segments, rows: Some(rows), is_open: false })
        .or_else(|| of_index(reader, &whole))
        .unwrap_or_else(|| of_neighbours(reader, &whole))
}

fn numbers_of(reader: &Reader, frame: &Found) -> Option<(u64, u32)> {
    reader.head_of(frame).map(|head| (head.first_num, head.rows))
}

/// First and last row by a first number and a count.
fn rows_of((first, rows): (u64, u32)) -> (u64, u64) {
    (first, first.saturating_add(u64::from(rows)).saturating_sub(1))
}

/// What an Index frame behind the damage says of all frames that are missing.
fn of_index(reader: &Reader, damage: &Damage) -> Option<Hit> {
    let mut hit = Hit::default();
    let mut known = 0;
    let indices = frames(reader, damage).iter().filter(|f| f.kind == FrameKind::Index);
    for frame in indices.filter(|f| f.number >= damage.missing.start) {
        let Ok(told) = reader.body(frame).and_then(|body| index::told(body, 0)) else { continue };
        for told in told.iter().filter(|t| damage.missing.contains(&t.frame.number)) {
            known += 1;
            if told.frame.segment > 0 {
                let (first, last) = hit.segments.unwrap_or((told.frame.segment, told.frame.segment));
                hit.segments = Some((first.min(told.frame.segment), last.max(told.frame.segment)));
            }
            let head = told.head.as_ref().filter(|_| told.frame.kind == FrameKind::Batch);
            if let Some((from, to)) = head.map(|head| rows_of(head.numbers())) {
                let (first, last) = hit.rows.unwrap_or((from, to));
                hit.rows = Some((first.min(from), last.max(to)));
            }
        }
        if known == damage.missing.len() || frame.number >= damage.missing.end {
            break;
        }
    }
    (known == damage.missing.len()).then_some(hit)
}

/// What stands before and behind the damage.
fn of_neighbours(reader: &Reader, damage: &Damage) -> Hit {
    let frames = frames(reader, damage);
    let before = &frames[..frames.partition_point(|f| f.number < damage.missing.start)];
    let behind = &frames[frames.partition_point(|f| f.number < damage.missing.end)..];
    let segment = |f: Option<&Found>| f.map(|f| f.segment);
    let last = segment(behind.first());
    let first = segment(before.last()).or(last).unwrap_or(0).max(1);
    let segments = Some((first, last.unwrap_or(first).max(first)));
    let batch = |f: &&Found| f.kind == FrameKind::Batch;
    let next = behind.iter().find(batch).map(|f| numbers_of(reader, f));
    let from = before
        .iter()
        .rev()
        .find(batch)
        .map_or(Some(1), |f| numbers_of(reader, f).map(|n| rows_of(n).1.saturating_add(1)));
    match (from, next) {
        (Some(from), Some(Some(next))) if next.0 > from => {
            Hit { segments, rows: Some((from, next.0 - 1)), is_open: false }
        }
        (Some(_), Some(Some(_))) => Hit { segments, rows: None, is_open: false },
        (Some(from), None) => Hit { segments, rows: Some((from, u64::MAX)), is_open: true },
        _ => Hit { segments, rows: None, is_open: true },
    }
}
