//! [`StoredBatch`]: the columns of a batch's body, each decoded when it is asked for.

use super::directory::{
    Chunk, Directory, Frame, Group, PREFIX, ROW_CHUNKS, TABLE_CHUNKS, check_crc, chunks_of, inflate,
};
use super::encoder::{STEP_BIAS, size_slot};
use super::limits::{MAX_COLUMNS, MAX_DATA};
use super::unpack::{Element, fill, unpack};
use super::varint::unzigzag;
use super::{Fault, lengths, runs};
use crate::batch::share::spread;
use crate::batch::{DataColumn, Error, Head, KindInfo, KindRows, MAX_KINDS, Runs, Schema, Store};
use crate::event::{Class, ParamType};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Bytes that batches share: a mapped file, or memory.
pub type Bytes = Arc<dyn Shared>;

/// What [`Bytes`] are.
pub trait Shared: AsRef<[u8]> + Send + Sync {
    /// Shows the bytes of a range; `false` where they are not all there. For bytes that are looked at once: a file may read
    /// them instead of paging them in.
    fn show(&self, range: Range<usize>, look: &mut dyn FnMut(&[u8])) -> bool {
        self.as_ref().get(range).map(look).is_some()
    }
}

impl Shared for Vec<u8> {}

/// Where a column stands: a frame, and the column's bytes in it once inflated.
#[derive(Debug, Clone, Copy)]
struct Place {
    frame: u16,
    start: u32,
    length: u32,
}

/// A frame, and its bytes once inflated if several columns share it.
struct Slot {
    frame: Frame,
    columns: u32,
    plain: OnceLock<Result<Vec<u8>, Fault>>,
}

/// The columns of a batch in a reel.
pub struct StoredBatch {
    bytes: Bytes,
    /// Where the frames begin in `bytes`.
    start: usize,
    rows: usize,
    threads: usize,
    kinds: Vec<KindRows>,
    schema: Arc<Schema>,
    slots: Vec<Slot>,
    places: Vec<Place>,
    /// Index of each kind's first column in `places`.
    firsts: Vec<usize>,
    /// Number of the first row; and whether the last of `places` is the column of gaps between the others'.
    first_num: u64,
    is_numbered: bool,
}

impl StoredBatch {
    /// Reads the directory of the body at `range` of `bytes`, and no column.
    pub fn open(bytes: Bytes, range: Range<usize>, schema: Arc<Schema>) -> Result<(Head, StoredBatch), Error> {
        let located = |fault: Fault| at(fault, range.start).of_column("directory");
        let (mut directory, length) = directory(&*bytes, &range).map_err(located)?;
        let head = directory.head.unpack().map_err(located)?;
        directory.check(&head, &schema, range.len() - length).map_err(located)?;
        let is_numbered = directory.numbers.is_some();
        directory.chunks.extend(directory.numbers);
        let (slots, places) = places(&directory.frames, &directory.chunks).map_err(located)?;
        let mut next = ROW_CHUNKS;
        let firsts = head.kinds.iter().map(|k| {
            let first = next;
            next += chunks_of(&schema, usize::from(k.kind));
            first
        });
        let firsts = firsts.collect();
        let start = range.start + length;
        let (rows, threads) = (head.rows as usize, head.threads.len());
        let kinds = head.kinds.clone();
        let first_num = head.first_num;
        let stored =
            StoredBatch { bytes, start, rows, threads, kinds, schema, slots, places, firsts, first_num, is_numbered };
        Ok((head, stored))
    }

    /// Calls `decode` with a column's bytes and says where the column stands if that fails.
    fn column<T>(
        &self,
        name: &'static str,
        chunk: usize,
        decode: impl FnOnce(&[u8]) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let place = self.places[chunk];
        if place.length == 0 {
            return decode(&[]).map_err(|fault| at(fault, self.start).of_column(name));
        }
        let located = |fault| at(fault, self.offset(place)).of_column(name);
        let frame = self.frame(place).map_err(located)?;
        decode(&frame[place.start as usize..(place.start + place.length) as usize]).map_err(located)
    }

    fn offset(&self, place: Place) -> usize {
        self.start + self.slots[usize::from(place.frame)].frame.offset as usize
    }

    fn frame(&self, place: Place) -> Result<Cow<'_, [u8]>, Fault> {
        let slot = &self.slots[usize::from(place.frame)];
        if slot.columns > 1 && slot.frame.stored != slot.frame.inflated {
            let plain = slot.plain.get_or_init(|| self.inflated(place));
            return plain.as_ref().map(|p| p.as_slice().into()).map_err(Clone::clone);
        }
        self.inflated(place).map(Cow::Owned)
    }

    fn inflated(&self, place: Place) -> Result<Vec<u8>, Fault> {
        let frame = self.slots[usize::from(place.frame)].frame;
        let start = self.offset(place);
        let limit = if usize::from(place.frame) == Group::Data as usize { MAX_DATA } else { MAX_COLUMNS };
        let mut plain = Err(Fault::new(format!("{} bytes", frame.stored), "the end of the file"));
        self.bytes.show(start..start + frame.stored as usize, &mut |stored| {
            plain = check_crc(stored, frame.crc).and_then(|()| inflate(stored, frame.inflated as usize, limit));
        });
        plain
    }

    /// Rows of a local kind, and the index of its column number `column` in `places`.
    fn table(&self, name: &'static str, kind: usize, column: usize) -> Result<(usize, usize), Error> {
        match (self.kinds.get(kind), self.firsts.get(kind)) {
            (Some(k), Some(first)) => Ok((k.rows as usize, first + column)),
            _ => Err(Fault::new(format!("a kind below {}", self.kinds.len()), format!("{kind}")).of_column(name)),
        }
    }

    /// Index of a kind's parameter column among its columns: integers, texts, then (lengths, bytes) of data.
    fn parameter(&self, name: &'static str, kind: usize, class: Class, slot: usize) -> Result<usize, Error> {
        let info = self.kinds.get(kind).and_then(|k| self.schema.kinds.get(usize::from(k.kind)));
        let count = |class| info.map_or(0, |i| i.count(class));
        if slot >= count(class) {
            return Err(Fault::new(format!("a column below {}", count(class)), format!("{slot}")).of_column(name));
        }
        let before = match class {
            Class::Int | Class::Env => slot,
            Class::Text => count(Class::Int) + slot,
            Class::Data => count(Class::Int) + count(Class::Text) + 2 * slot,
        };
        Ok(TABLE_CHUNKS + before)
    }

    /// Bytes of its columns before they were compressed.
    pub fn inflated_bytes(&self) -> u64 {
        self.slots.iter().map(|slot| u64::from(slot.frame.inflated)).sum()
    }

    /// A column of a kind, empty where it was stored as nothing.
    fn packed<T: Element>(&self, name: &'static str, kind: usize, column: usize) -> Result<Vec<T>, Error> {
        let (rows, chunk) = self.table(name, kind, column)?;
        if self.places[chunk].length == 0 {
            return Ok(Vec::new());
        }
        self.column(name, chunk, |bytes| unpack(bytes, &[], rows))
    }

    /// A column of a kind that cannot have been left out.
    fn whole<T: Element>(&self, name: &'static str, kind: usize, column: usize) -> Result<Vec<T>, Error> {
        let values = self.packed(name, kind, column)?;
        let (rows, _) = self.table(name, kind, column)?;
        if values.len() == rows {
            Ok(values)
        } else {
            Err(Fault::new(format!("{rows} values"), format!("{}", values.len())).of_column(name))
        }
    }
}

/// The directory of the body at a range, and how many bytes it takes there.
fn directory(bytes: &dyn Shared, range: &Range<usize>) -> Result<(Directory, usize), Fault> {
    let end = |length: usize| range.end.min(range.start.saturating_add(length));
    let mut length = None;
    bytes.show(range.start..end(PREFIX), &mut |prefix| length = Directory::length(prefix));
    let mut taken = None;
    bytes.show(range.start..end(length.unwrap_or(PREFIX)), &mut |body| taken = Some(Directory::take(body)));
    taken.unwrap_or_else(|| Err(Fault::new("a batch body", format!("{} bytes", bytes.as_ref().len()))))
}

fn at(fault: Fault, offset: usize) -> Fault {
    Fault { found: format!("{} at offset {offset:#x}", fault.found), ..fault }
}

/// Frames with what is known of their use, and where each column stands.
fn places(frames: &[Frame], chunks: &[Chunk]) -> Result<(Vec<Slot>, Vec<Place>), Fault> {
    let mut slots: Vec<Slot> = frames.iter().map(|&frame| Slot { frame, columns: 0, plain: OnceLock::new() }).collect();
    let mut used = vec![0u32; frames.len()];
    let mut places = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let index = usize::from(chunk.frame);
        let Some(slot) = slots.get_mut(index) else {
            return Err(Fault::new(format!("a frame below {}", frames.len()), format!("frame {index}")));
        };
        let start = used[index];
        let end = start.checked_add(chunk.length).filter(|&e| e <= slot.frame.inflated).ok_or_else(|| {
            let inflated = slot.frame.inflated;
            Fault::new(format!("columns within frame {index} of {inflated} bytes"), format!("{chunk:?}"))
        })?;
        used[index] = end;
        slot.columns += u32::from(chunk.length > 0);
        places.push(Place { frame: chunk.frame, start, length: chunk.length });
    }
    Ok((slots, places))
}

impl Store for StoredBatch {
    fn kind(&self) -> Result<Vec<u8>, Error> {
        self.column("kind", Group::Kind as usize, |bytes| {
            if bytes.len() != self.rows {
                return Err(Fault::new(format!("{} rows", self.rows), format!("{}", bytes.len())));
            }
            check_counts(bytes, &self.kinds)?;
            Ok(bytes.to_vec())
        })
    }

    fn thread(&self) -> Result<Runs, Error> {
        self.column("thread", Group::Thread as usize, |bytes| {
            let runs = runs::take(bytes, self.rows)?;
            let max = runs.values.iter().fold(0, |max, &v| v.max(max));
            if runs.values.is_empty() || usize::from(max) < self.threads {
                Ok(runs)
            } else {
                Err(Fault::new(format!("threads below {}", self.threads), format!("{max}")))
            }
        })
    }

    fn time(&self) -> Result<Vec<u64>, Error> {
        if self.rows == 0 {
            return Ok(Vec::new());
        }
        self.column("time (lowest bytes)", Group::TimeLow as usize, |low| {
            let mut times = vec![0; self.rows];
            let result = self.column("time", Group::Time as usize, |bytes| {
                let (first, packed) =
                    bytes.split_first_chunk::<8>().ok_or_else(|| Fault::new("a first time", "the end"))?;
                let mut time = u64::from_le_bytes(*first);
                fill(packed, low, &mut times, |code| {
                    time = time.wrapping_add(code ^ STEP_BIAS);
                    time
                })
            });
            Ok(result.map(|()| times))
        })?
    }

    fn nums(&self) -> Result<Vec<u64>, Error> {
        if !self.is_numbered {
            return Ok(Vec::new());
        }
        let gaps: Vec<i64> = self.column("numbers", self.places.len() - 1, |bytes| unpack(bytes, &[], self.rows))?;
        let mut next = self.first_num;
        let after = |gap: i64| {
            let num = next.wrapping_add(gap as u64);
            next = num.wrapping_add(1);
            num
        };
        Ok(gaps.into_iter().map(after).collect())
    }

    fn cpu(&self) -> Result<Vec<u16>, Error> {
        self.column("cpu", Group::Cpu as usize, |bytes| {
            let runs = runs::take(bytes, self.rows)?;
            let mut cpus = Vec::with_capacity(self.rows);
            runs.iter().for_each(|(cpu, length)| cpus.extend(std::iter::repeat_n(cpu, length)));
            Ok(cpus)
        })
    }

    fn ret(&self, kind: usize) -> Result<Vec<i64>, Error> {
        const NAME: &str = "ret";
        let (rows, chunk) = self.table(NAME, kind, 0)?;
        if self.places[chunk].length == 0 {
            return Ok(Vec::new());
        }
        let (mode, plain, codes) = self.column(NAME, chunk, |bytes| match bytes.split_first() {
            Some((0, packed)) => Ok((0, unpack(packed, &[], rows)?, Vec::new())),
            Some((1, packed)) => Ok((1, Vec::new(), unpack::<u64>(packed, &[], rows)?)),
            other => Err(Fault::new("return values of mode 0 or 1", format!("mode {:?}", other.map(|o| o.0)))),
        })?;
        if mode == 0 {
            return Ok(plain);
        }
        let info = self.kinds.get(kind).and_then(|k| self.schema.kinds.get(usize::from(k.kind)));
        let slot = info
            .and_then(size_slot)
            .ok_or_else(|| Fault::new("a size parameter to store return values against", "none").of_column(NAME))?;
        let mut values = self.int(kind, slot)?;
        for (value, code) in values.iter_mut().zip(codes) {
            if code > 0 {
                *value = unzigzag(code - 1);
            }
        }
        Ok(values)
    }

    fn duration(&self, kind: usize) -> Result<Vec<u64>, Error> {
        const NAME: &str = "duration";
        let (rows, chunk) = self.table(NAME, kind, 1)?;
        if rows == 0 {
            return Ok(Vec::new());
        }
        self.column("duration (lowest bytes)", chunk + 1, |low| {
            Ok(self.column(NAME, chunk, |bytes| unpack(bytes, low, rows)))
        })?
    }

    fn desc(&self, kind: usize) -> Result<Vec<u32>, Error> {
        self.packed("desc", kind, 3)
    }

    fn flags(&self, kind: usize) -> Result<Vec<u8>, Error> {
        self.packed("flags", kind, 4)
    }

    fn missing(&self, kind: usize) -> Result<Vec<u64>, Error> {
        self.packed("missing", kind, 5)
    }

    fn int(&self, kind: usize, slot: usize) -> Result<Vec<i64>, Error> {
        let column = self.parameter("int", kind, Class::Int, slot)?;
        self.whole("int", kind, column)
    }

    fn text(&self, kind: usize, slot: usize) -> Result<Vec<u32>, Error> {
        let column = self.parameter("text", kind, Class::Text, slot)?;
        self.whole("text", kind, column)
    }

    fn data(&self, kind: usize, slot: usize) -> Result<DataColumn, Error> {
        const NAME: &str = "data";
        let column = self.parameter(NAME, kind, Class::Data, slot)?;
        let (rows, chunk) = self.table(NAME, kind, column)?;
        if rows == 0 {
            return Ok(DataColumn::default());
        }
        // The column's error comes first; what is wrong with the return values it needs stands inside.
        let (lengths, shares) = self.column("data lengths", chunk, |bytes| {
            lengths::take_lengths(bytes, rows, || {
                self.ret(kind).map_err(|e| Fault { expected: e.expected, found: e.found })
            })
        })?;
        self.column(NAME, chunk + 1, |bytes| {
            let total: u64 = lengths.iter().map(|&l| u64::from(l)).sum();
            if total != bytes.len() as u64 {
                return Err(Fault::new(format!("{total} bytes"), format!("{}", bytes.len())));
            }
            if shares.is_empty() {
                return Ok(DataColumn { lengths, bytes: bytes.to_vec(), shares });
            }
            let fault = || Fault::new(format!("shares within {} bytes", bytes.len()), "others");
            spread(&lengths, bytes, &shares, MAX_DATA).ok_or_else(fault)
        })
    }

    fn data_bytes(&self, kind: usize, slot: usize, look: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let column = self.parameter("data", kind, Class::Data, slot)?;
        let (_, chunk) = self.table("data", kind, column)?;
        let info = self.schema.kinds.get(usize::from(self.kinds[kind].kind));
        let is_json = |info: &KindInfo| info.params.iter().any(|p| p.class == Class::Data && p.ty == ParamType::Json);
        if info.is_some_and(is_json) {
            // Pieces of its rows may stand elsewhere.
            look(&self.data(kind, slot)?.bytes);
            return Ok(());
        }
        self.column("data", chunk + 1, |bytes| {
            look(bytes);
            Ok(())
        })
    }
}

/// Whether each local kind occurs as often as the head says. Four counters per kind keep equal neighbours apart.
fn check_counts(kinds: &[u8], expected: &[KindRows]) -> Result<(), Fault> {
    let mut counts = [[0u32; MAX_KINDS]; 4];
    let (quads, rest) = kinds.as_chunks::<4>();
    for quad in quads {
        for (count, &kind) in counts.iter_mut().zip(quad) {
            count[usize::from(kind)] += 1;
        }
    }
    for &kind in rest {
        counts[0][usize::from(kind)] += 1;
    }
    for kind in 0..MAX_KINDS {
        let found: u32 = counts.iter().map(|c| c[kind]).sum();
        let rows = expected.get(kind).map_or(0, |k| k.rows);
        if found != rows {
            return Err(Fault::new(format!("{rows} rows of local kind {kind}"), format!("{found}")));
        }
    }
    Ok(())
}
