//! [`Encoder`]: columns to the body of a batch.

use super::directory::{Directory, Group, PackedHead};
use super::lengths::put_lengths;
use super::limits::MAX_DATA;
use super::numbering::Numbering;
use super::pack::{Nature, Packer};
use super::runs;
use super::stage::Stage;
use super::varint::zigzag;
use crate::batch::{Columns, DurationSum, Error, Head, KindInfo, MAX_KINDS, MAX_ROWS, Runs, Schema, Table};
use crate::event::{Class, ParamType};

/// Kinds with at least this many rows have frames of their own, so that the others' columns need not be inflated.
const OWN_FRAMES_FROM: usize = 1_000;

/// JSON of a column with at most so many bytes has a frame of its own where the kind's other columns have: four of them leave room for
/// the others within [`MAX_COLUMNS`](super::limits::MAX_COLUMNS).
const SMALL_DATA: usize = 2 << 20;

/// And at most so many for each row: requests are longer, and stay where the answers are that repeat them.
const SHORT_DATA: usize = 64;

/// Turns a signed step into a code that keeps the order, so that the smallest step becomes the base of the planes.
pub(super) const STEP_BIAS: u64 = 1 << 63;

/// A batch ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What is known of it without its columns.
    pub head: Head,
    /// Directory and frames: the body of a batch frame.
    pub body: Vec<u8>,
    /// Durations by local kind; empty where they are not worth keeping.
    pub durations: Vec<DurationSum>,
}

/// Encodes batches; keeps its compressor and its buffers from one to the next.
pub struct Encoder {
    stage: Stage,
    packer: Packer,
    codes: Vec<u64>,
    low: Vec<u8>,
    threads: Numbering,
    descs: Numbering,
    runs: Runs,
}

impl Default for Encoder {
    fn default() -> Self {
        Encoder::new()
    }
}

impl Encoder {
    /// For recording: zstd level 1.
    pub fn new() -> Encoder {
        Encoder::with_level(1)
    }

    /// With a zstd level: 1 while recording, up to 19 where size counts more than time.
    pub fn with_level(level: i32) -> Encoder {
        Encoder {
            stage: Stage::new(level),
            packer: Packer::default(),
            codes: Vec::new(),
            low: Vec::new(),
            threads: Numbering::default(),
            descs: Numbering::default(),
            runs: Runs::default(),
        }
    }

    /// Encodes a batch; an error where columns disagree with each other, the schema or the limits.
    pub fn encode(&mut self, columns: &Columns, schema: &Schema) -> Result<Encoded, Error> {
        check(columns, schema)?;
        self.stage.clear();
        self.rows(columns);
        for table in &columns.tables {
            if let Some(info) = schema.kinds.get(usize::from(table.kind)) {
                self.table(table, info).map_err(|f| f.of_column("table"))?;
            }
        }
        let is_numbered = !columns.nums.is_empty();
        if is_numbered {
            self.numbers(columns);
        }
        self.stage.finish().map_err(|f| f.of_column("shared frames"))?;
        let head = self.head(columns);
        let body = self.body(&head, is_numbered).map_err(|f| f.of_column("directory"))?;
        Ok(Encoded { head, body, durations: DurationSum::of_batch(columns) })
    }

    fn rows(&mut self, columns: &Columns) {
        let Encoder { stage, packer, codes, low, threads, runs, .. } = self;
        stage.put(Group::Kind, |out| out.extend_from_slice(&columns.kind));
        threads.clear();
        local_runs(runs, columns.thread.iter().map(|&row| threads.number(row)));
        stage.put(Group::Thread, |out| runs::put(out, runs));
        codes.clear();
        let first = columns.time.first().copied().unwrap_or(0);
        let befores = std::iter::once(first).chain(columns.time.iter().copied());
        codes.extend(columns.time.iter().zip(befores).map(|(t, before)| t.wrapping_sub(before) ^ STEP_BIAS));
        low.clear();
        stage.put(Group::Time, |out| {
            if !codes.is_empty() {
                out.extend_from_slice(&first.to_le_bytes());
                packer.put_noise(out, Some(low), codes);
            }
        });
        stage.put(Group::TimeLow, |out| out.extend_from_slice(low));
        local_runs(runs, columns.cpu.iter().copied());
        stage.put(Group::Cpu, |out| runs::put(out, runs));
    }

    fn table(&mut self, table: &Table, info: &KindInfo) -> Result<(), super::Fault> {
        self.stage.alone = table.duration.len() >= OWN_FRAMES_FROM;
        self.ret(table, info);
        self.stage.end()?;
        self.duration(&table.duration);
        self.stage.end()?;
        self.put_codes(Group::Desc, table.desc.iter().map(|&d| u64::from(d)), Nature::Rows);
        self.stage.end()?;
        self.put_codes(Group::Flags, table.flags.iter().map(|&f| u64::from(f)), Nature::Unsigned);
        self.put_codes(Group::Flags, table.missing.iter().copied(), Nature::Unsigned);
        self.stage.end()?;
        for values in &table.ints {
            self.put_codes(Group::Ints, values.iter().map(|&v| zigzag(v)), Nature::Signed);
        }
        // Lengths are integers too, but the directory lists them behind the texts: the order of chunks is the kind's.
        self.stage.end()?;
        let is_json = info.params.iter().any(|param| param.class == Class::Data && param.ty == ParamType::Json);
        for ids in &table.texts {
            self.put_codes(Group::Texts, ids.iter().map(|&v| u64::from(v)), Nature::Rows);
            if is_json {
                // Of the many texts of such an event a question is about one or two.
                self.stage.end()?;
            }
        }
        self.stage.end()?;
        self.stage.alone = false;
        let is_large = table.duration.len() >= OWN_FRAMES_FROM;
        self.stage.is_far |= is_json;
        for column in &table.data {
            let Encoder { stage, packer, codes, .. } = self;
            stage.put(Group::Ints, |out| put_lengths(out, packer, codes, column, &table.ret));
            // Whoever asks for an id need not inflate the objects beside it.
            let is_short = column.bytes.len() <= SMALL_DATA.min(SHORT_DATA * column.lengths.len());
            stage.is_data_alone = is_json && is_large && is_short;
            stage.put(Group::Data, |out| out.extend_from_slice(&column.bytes));
            stage.end()?;
        }
        Ok(())
    }

    fn put_codes(&mut self, group: Group, values: impl Iterator<Item = u64>, nature: Nature) {
        self.codes.clear();
        self.codes.extend(values);
        let Encoder { stage, packer, codes, .. } = self;
        stage.put(group, |out| packer.put(out, codes, nature));
    }

    /// Return values: against the size asked for (mode 1), or plain (mode 0).
    fn ret(&mut self, table: &Table, info: &KindInfo) {
        let Encoder { stage, packer, codes, .. } = self;
        let sizes = size_slot(info).and_then(|slot| table.ints.get(slot));
        // The zigzag code of the smallest number leaves no room for the plus one.
        let sizes = sizes.filter(|_| !table.ret.contains(&i64::MIN));
        codes.clear();
        if let Some(sizes) = sizes {
            let pairs = table.ret.iter().zip(sizes);
            codes.extend(pairs.map(|(&r, &size)| if r == size { 0 } else { zigzag(r) + 1 }));
        } else {
            codes.extend(table.ret.iter().map(|&r| zigzag(r)));
        }
        let nature = if sizes.is_some() { Nature::Unsigned } else { Nature::Signed };
        stage.put(Group::Ret, |out| {
            if !codes.is_empty() {
                out.push(u8::from(sizes.is_some()));
                packer.put(out, codes, nature);
            }
        });
    }

    fn duration(&mut self, durations: &[u64]) {
        let Encoder { stage, packer, low, .. } = self;
        low.clear();
        let apart = if stage.alone { Some(&mut *low) } else { None };
        stage.put(Group::Duration, |out| packer.put_noise(out, apart, durations));
        stage.put(Group::DurationLow, |out| out.extend_from_slice(low));
    }

    fn head(&mut self, columns: &Columns) -> Head {
        self.descs.clear();
        for &row in columns.tables.iter().flat_map(|t| &t.desc).filter(|&&d| d != 0) {
            self.descs.number(row);
        }
        let mut descs = self.descs.rows().to_vec();
        descs.sort_unstable();
        Head::with(columns, self.threads.rows().to_vec(), descs)
    }

    /// Steps between the rows' numbers, less one.
    fn numbers(&mut self, columns: &Columns) {
        let befores = std::iter::once(columns.first_num.wrapping_sub(1)).chain(columns.nums.iter().copied());
        let gaps = columns.nums.iter().zip(befores).map(|(num, before)| num.wrapping_sub(before).wrapping_sub(1));
        self.put_codes(Group::Cpu, gaps.map(|gap| zigzag(gap as i64)), Nature::Signed);
    }

    fn body(&mut self, head: &Head, is_numbered: bool) -> Result<Vec<u8>, super::Fault> {
        let mut chunks = std::mem::take(&mut self.stage.chunks);
        let numbers = if is_numbered { chunks.pop() } else { None };
        let frames = std::mem::take(&mut self.stage.frames);
        let directory = Directory { head: PackedHead::of(head), frames, chunks, numbers };
        let bytes = directory.bytes(self.stage.level());
        self.stage.frames = directory.frames;
        self.stage.chunks = directory.chunks;
        let mut body = bytes?;
        body.extend_from_slice(&self.stage.body);
        Ok(body)
    }
}

/// Integer column that a kind's return value is stored against.
pub(super) fn size_slot(info: &KindInfo) -> Option<usize> {
    let param = usize::from(info.size?);
    (info.params.get(param)?.class == Class::Int).then(|| info.slot(param))
}

/// Refills `runs` with the runs of `values`, whose lengths are cut at 256.
fn local_runs(runs: &mut Runs, values: impl Iterator<Item = u16>) {
    runs.values.clear();
    runs.lengths.clear();
    let mut last = (0u16, u8::MAX);
    for value in values {
        if value == last.0 && last.1 < u8::MAX {
            last.1 += 1;
            continue;
        }
        if !runs.values.is_empty() {
            runs.lengths.push(last.1);
        }
        runs.values.push(value);
        last = (value, 0);
    }
    if !runs.values.is_empty() {
        runs.lengths.push(last.1);
    }
}

fn expect(column: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        Ok(())
    } else {
        Err(Error { column, expected: format!("{expected}"), found: format!("{found}") })
    }
}

fn check(columns: &Columns, schema: &Schema) -> Result<(), Error> {
    let rows = columns.rows();
    for (column, found, most) in
        [("rows", rows, MAX_ROWS), ("kinds", columns.tables.len(), MAX_KINDS), ("data", data_bytes(columns), MAX_DATA)]
    {
        if found > most {
            return Err(Error { column, expected: format!("at most {most}"), found: format!("{found}") });
        }
    }
    if columns.first_num.checked_add(MAX_ROWS as u64).is_none() {
        let expected = "a first number that leaves room for the rows".to_owned();
        return Err(Error { column: "number", expected, found: format!("{}", columns.first_num) });
    }
    if !columns.nums.is_empty() {
        expect("numbers", columns.nums.len(), rows)?;
    }
    expect("time", columns.time.len(), rows)?;
    expect("cpu", columns.cpu.len(), rows)?;
    expect("thread", columns.thread.len(), rows)?;
    let mut counts = [0usize; MAX_KINDS];
    columns.kind.iter().for_each(|&k| counts[usize::from(k)] += 1);
    expect("kind", counts[..columns.tables.len()].iter().sum(), rows)?;
    for (table, &count) in columns.tables.iter().zip(&counts) {
        check_table(table, count, schema)?;
    }
    Ok(())
}

fn data_bytes(columns: &Columns) -> usize {
    columns.tables.iter().flat_map(|t| &t.data).map(|d| d.bytes.len()).sum()
}

fn check_table(table: &Table, rows: usize, schema: &Schema) -> Result<(), Error> {
    let Some(info) = schema.kinds.get(usize::from(table.kind)) else {
        let expected = format!("a kind below {}", schema.kinds.len());
        return Err(Error { column: "kind", expected, found: format!("{}", table.kind) });
    };
    expect("duration", table.duration.len(), rows)?;
    let optional = [
        ("ret", table.ret.len()),
        ("desc", table.desc.len()),
        ("flags", table.flags.len()),
        ("missing", table.missing.len()),
    ];
    for (column, found) in optional.into_iter().filter(|o| o.1 > 0) {
        expect(column, found, rows)?;
    }
    expect("integer columns", table.ints.len(), info.count(Class::Int))?;
    expect("text columns", table.texts.len(), info.count(Class::Text))?;
    expect("data columns", table.data.len(), info.count(Class::Data))?;
    table.ints.iter().try_for_each(|c| expect("int", c.len(), rows))?;
    table.texts.iter().try_for_each(|c| expect("text", c.len(), rows))?;
    for column in &table.data {
        expect("data", column.lengths.len(), rows)?;
        expect("data bytes", column.lengths.iter().map(|&l| l as usize).sum(), column.bytes.len())?;
    }
    Ok(())
}
