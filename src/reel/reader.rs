//! [`Reader`]: a reel's segments and batches, whatever of them is whole.

use super::body::{self, Header, Loss, Note};
use super::error::{Damage, DamageKind, Error};
use super::frame::{FrameHeader, FrameKind, HEADER_BYTES, VERSION};
use super::layout::{Found, Layout};
use super::segment::{BatchRef, Contents, Heads, LastSchema, Segment, SegmentInfo, Small};
use super::sums::Durations;
use super::verify::{self, Verdict};
use super::walk::walk;
use super::{dictionary, index, input, locate, roll};
use crate::batch::codec::Bytes;
use crate::batch::codec::limits::MAX_SEGMENT_DICTIONARY;
use crate::batch::{Batch, Head, Schema, StoredBatch};
use crate::world::{Dict, Roster};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A reel being read. Shared between threads.
pub struct Reader {
    bytes: Bytes,
    pub(super) layout: Layout,
    contents: Contents,
    /// What a walk finds; made when a frame is not where the indices say.
    walked: OnceLock<Layout>,
    /// What was found when bodies were read.
    damages: Mutex<Vec<Damage>>,
}

impl Reader {
    /// Opens a file, or standard input for `-`. Damage is stepped over; see [`Reader::damages`].
    pub fn open(path: &Path) -> Result<Reader, Error> {
        Reader::of_bytes(input::bytes(path)?)
    }

    /// A file that is open, such as one without a name.
    pub fn of_file(file: &std::fs::File) -> Result<Reader, Error> {
        let mapped = file.try_clone().and_then(input::mapped);
        Reader::of_bytes(mapped.map_err(|source| Error::Io { path: "temporary reel".into(), source })?)
    }

    /// A reel in memory.
    pub fn of_bytes(bytes: Bytes) -> Result<Reader, Error> {
        if let Some(layout) = index::layout((*bytes).as_ref()) {
            let reader = Reader::of_layout(Arc::clone(&bytes), layout)?;
            // Something is not as the indices say: what stands where is for a walk to find out.
            if reader.damages.lock().is_ok_and(|damages| damages.is_empty()) {
                return Ok(reader);
            }
        }
        Reader::of_walk(bytes)
    }

    /// A reel in memory whose indices are not looked at: every frame is found by its header.
    pub fn of_walk(bytes: Bytes) -> Result<Reader, Error> {
        let layout = walk((*bytes).as_ref());
        Reader::of_layout(bytes, layout)
    }

    fn of_layout(bytes: Bytes, layout: Layout) -> Result<Reader, Error> {
        let data = (*bytes).as_ref();
        let Some(first) = layout.frames.first() else {
            return Err(input::not_a_reel(data));
        };
        let header = data.get(first.offset..).and_then(FrameHeader::parse);
        if let Some(found) = header.map(|h| h.version).filter(|&v| v > VERSION) {
            return Err(Error::Version { known: VERSION, found, offset: first.offset as u64 });
        }
        let mut reader =
            Reader { bytes, layout, contents: Contents::default(), walked: OnceLock::new(), damages: Mutex::default() };
        let (mut contents, mut schema) = (Contents::default(), LastSchema::default());
        for (index, frame) in reader.layout.frames.iter().enumerate() {
            contents.take(index, frame, reader.small(frame, &mut schema));
            if let Some(&span) = reader.layout.spans.get(&index).filter(|_| frame.segment > 0) {
                let slot = contents.segment_of(frame);
                slot.span = Some(slot.span.map_or(span, |s| s.and(span)));
            }
        }
        contents.replace_lost_schemas();
        reader.contents = contents;
        reader.note_lost_schemas();
        Ok(reader)
    }

    /// The body of a frame that is read when a reel is opened; `None` for others, and for one that is damaged.
    fn small(&self, frame: &Found, schema: &mut LastSchema) -> Option<Small> {
        match frame.kind {
            FrameKind::Header => self.load(frame).map(|header| Small::Header(Box::new(header))),
            FrameKind::Close => self.load(frame).map(Small::Close),
            FrameKind::Loss => self.load(frame).map(Small::Loss),
            FrameKind::Note => self.load(frame).map(Small::Note),
            FrameKind::Late => self.load(frame).map(Small::Late),
            FrameKind::Segment => {
                let start = self.body(frame).and_then(|body| schema.start(body));
                start.map_err(|what| self.damaged(frame, what)).ok().map(Small::Start)
            }
            _ => None,
        }
    }

    /// Where the reel comes from; empty where its first frame is damaged.
    pub fn header(&self) -> &Header {
        static NONE: OnceLock<Header> = OnceLock::new();
        self.contents.headers.first().unwrap_or_else(|| NONE.get_or_init(Header::default))
    }

    /// Where each of the reels in the file comes from: more than one where files were put one behind the other.
    pub fn headers(&self) -> &[Header] {
        &self.contents.headers
    }

    /// All segments in the order of the file.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        self.contents.segments.iter().map(|s| s.info.clone()).collect()
    }

    /// A segment by its index in [`Reader::segments`].
    pub fn segment(&self, index: usize) -> Result<&SegmentInfo, Error> {
        self.slot(index).map(|s| &s.info)
    }

    /// Losses that the recorder noted.
    pub fn losses(&self) -> &[Loss] {
        &self.contents.losses
    }

    /// Rows of which a loss made doubtful what their thread or descriptor was.
    pub fn doubtful(&self) -> u64 {
        self.contents.late.doubtful()
    }

    /// Remarks.
    pub fn notes(&self) -> &[Note] {
        &self.contents.notes
    }

    /// Damage met so far, by offset, with what it costs. That of a column stands in the error of whoever asked for it.
    pub fn damages(&self) -> Vec<Damage> {
        let mut all = self.layout.damages.clone();
        all.extend(self.damages.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        all.sort_by_key(|d| d.offset);
        locate::hits(self, &mut all);
        all
    }

    /// Hash of the last whole frame, as it stands in its header: what the next file of a row is linked to.
    pub fn last_hash(&self) -> [u8; 32] {
        let last = self.layout.frames.last().and_then(|frame| self.data().get(frame.offset..));
        last.and_then(FrameHeader::parse).map_or([0; 32], |header| header.hash)
    }

    /// Whether the next file of a row is linked to it by this hash: that of its last frame, now or as it was recorded.
    pub fn ends_with(&self, hash: &[u8; 32]) -> bool {
        let recorded = self.header().pruned.as_ref().is_some_and(|pruned| pruned.hash == *hash);
        recorded || self.last_hash() == *hash
    }

    /// Bytes of the reel.
    pub fn size(&self) -> u64 {
        self.data().len() as u64
    }

    /// Reads every byte and compares it with the hashes, and the indices with what they tell of.
    pub fn verify(&self) -> Verdict {
        verify::verify(self)
    }

    /// Whether the recorder ended the reel: it was not killed, nor is it still at work, nor is the end cut off. Reels
    /// without a Footer (their header says whether to expect one) are taken for ended behind a closed segment.
    pub fn is_closed(&self) -> bool {
        let footed = self.contents.headers.last().is_some_and(|h| h.footed);
        match self.layout.frames.last() {
            _ if !footed => self.contents.segments.last().is_some_and(|s| s.info.close.is_some()),
            Some(last) => self.layout.frames.iter().any(|f| f.part == last.part && f.kind == FrameKind::Footer),
            None => false,
        }
    }

    /// Whether the reel's own indices told where its frames stand, so that opening it touched no batch.
    pub fn is_indexed(&self) -> bool {
        self.layout.is_indexed
    }

    /// The batches of events of a segment, in order, each an error where its directory is damaged.
    pub fn batches(&self, segment: usize) -> impl Iterator<Item = Result<Batch, Error>> + '_ {
        let refs = self.contents.segments.get(segment).map(|s| s.info.batches.as_slice()).unwrap_or_default();
        self.each(segment, refs)
    }

    /// The rows of the initial state of a segment.
    pub fn snapshots(&self, segment: usize) -> impl Iterator<Item = Result<Batch, Error>> + '_ {
        let refs = self.contents.segments.get(segment).map(|s| s.info.snapshots.as_slice()).unwrap_or_default();
        self.each(segment, refs)
    }

    fn each<'a>(&'a self, segment: usize, refs: &'a [BatchRef]) -> impl Iterator<Item = Result<Batch, Error>> + 'a {
        let mut dict = None;
        refs.iter().map(move |at| self.batch_with(segment, at, &mut dict))
    }

    /// One batch, with the dictionary of its segment, which is read for the first and kept in `dict` for the others.
    pub fn batch_with(&self, segment: usize, at: &BatchRef, dict: &mut Option<Arc<Dict>>) -> Result<Batch, Error> {
        let dict = match dict {
            Some(dict) => Arc::clone(dict),
            None => dict.insert(self.dict(segment)?).clone(),
        };
        self.batch(segment, at, dict)
    }

    /// One batch, with the dictionary of its segment.
    pub fn batch(&self, segment: usize, at: &BatchRef, dict: Arc<Dict>) -> Result<Batch, Error> {
        let (head, store) = self.open_batch(segment, at)?;
        let schema = self.schema(segment, at.offset)?;
        Ok(Batch::new(head, schema, dict, Box::new(store)))
    }

    fn schema(&self, segment: usize, offset: u64) -> Result<Arc<Schema>, Error> {
        self.slot(segment)?.info.schema.clone().ok_or_else(|| Error::Frame {
            kind: FrameKind::Segment,
            offset,
            what: "expected the segment's schema, found it lost".to_owned(),
        })
    }

    pub(super) fn open_batch(&self, segment: usize, at: &BatchRef) -> Result<(Head, StoredBatch), Error> {
        let schema = self.schema(segment, at.offset)?;
        let frame = self.located(self.frame(at.frame)?);
        let offset = frame.offset as u64;
        StoredBatch::open(Arc::clone(&self.bytes), frame.body(), schema)
            .map_err(|source| Error::Batch { offset, source })
    }

    /// Bytes of a segment's batches of events before they were compressed, from the directory of each; damaged ones are
    /// left out.
    pub fn inflated_bytes(&self, segment: usize) -> u64 {
        let batches = self.slot(segment).map(|slot| slot.info.batches.clone()).unwrap_or_default();
        batches.iter().filter_map(|at| self.open_batch(segment, at).ok()).map(|(_, store)| store.inflated_bytes()).sum()
    }

    /// How many late facts complete rows, and how many name or describe ids (users, groups, containers).
    pub fn late_facts(&self) -> [u64; 2] {
        self.contents.late.counts()
    }

    /// What is known of each batch of events of a segment without decoding a column, in the order of
    /// [`SegmentInfo::batches`]. From the reel's index if that is whole; from each batch's directory otherwise. Kept
    /// while somebody uses it.
    pub fn heads(&self, segment: usize) -> Result<Arc<Heads>, Error> {
        let slot = self.slot(segment)?;
        let mut kept = slot.heads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(heads) = kept.upgrade() {
            return Ok(heads);
        }
        let mut told = self.told(slot);
        let head = |at: &BatchRef| {
            let told = told.remove(&at.frame);
            told.or_else(|| self.open_batch(segment, at).ok().map(|(head, _)| head))
        };
        let heads: Arc<Heads> = Arc::new(slot.info.batches.iter().map(head).collect());
        *kept = Arc::downgrade(&heads);
        Ok(heads)
    }

    /// Heads of batches of a segment that its indices tell, by index of the batch's frame.
    fn told(&self, slot: &Segment) -> BTreeMap<usize, Head> {
        let mut heads = BTreeMap::new();
        // An index that did not fit is not believed in its heads either.
        let Some(schema) = slot.info.schema.as_ref().filter(|_| self.layout.is_indexed) else { return heads };
        for frame in slot.indices.iter().filter_map(|&i| self.layout.frames.get(i)) {
            let all = self.body(frame).and_then(|body| index::told(body, 0));
            let all = all.map_err(|what| self.damaged(frame, what)).unwrap_or_default();
            for told in all {
                let found = self.layout.position(frame.part, told.frame.number);
                if let (Some(index), Some(head)) = (found, told.head(schema)) {
                    heads.insert(index, head);
                }
            }
        }
        heads
    }

    /// What durations come to in the batches of events of a segment, as far as its indices tell it.
    pub fn durations(&self, segment: usize) -> Result<Durations, Error> {
        let slot = self.slot(segment)?;
        let mut lists = BTreeMap::new();
        // Only of indices that fit, as with heads.
        let indices = slot.indices.iter().filter_map(|&i| self.layout.frames.get(i).filter(|_| self.layout.is_indexed));
        for frame in indices {
            let told = self.body(frame).and_then(index::durations);
            let told = told.map_err(|what| self.damaged(frame, what)).unwrap_or_default();
            let at = |(number, list)| self.layout.position(frame.part, number).map(|at| (at, list));
            lists.extend(told.into_iter().filter_map(at));
        }
        Ok(Durations { lists })
    }

    /// Who the threads of a segment are, without its dictionary; `None` where its indices do not tell: those of small
    /// segments, of other versions and of reels that are not whole. Kept while somebody uses it.
    pub fn roster(&self, segment: usize) -> Option<Arc<Roster>> {
        let slot = self.slot(segment).ok().filter(|slot| self.layout.is_indexed && slot.no_roster.get().is_none())?;
        let mut kept = slot.roster.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(roster) = kept.upgrade() {
            return Some(roster);
        }
        let Some(roster) = self.read_roster(slot).map(Arc::new) else {
            let _ = slot.no_roster.set(());
            return None;
        };
        *kept = Arc::downgrade(&roster);
        Some(roster)
    }

    fn read_roster(&self, slot: &Segment) -> Option<Roster> {
        let indices = slot.indices.iter().filter_map(|&i| self.layout.frames.get(i));
        let parts: Vec<Vec<u8>> = indices.filter_map(|frame| index::roster_part(self.body(frame).ok()?)).collect();
        let place = (slot.info.part, slot.info.number);
        let mut roster = roll::roster(&parts, place.1, slot.dictionaries.len())?;
        self.contents.late.tell_roster(place, &mut roster);
        Some(roster)
    }

    /// Earliest and latest time of a segment's events, ns UTC; `None` where it has none. Touches no batch if the reel is
    /// indexed.
    pub fn segment_span(&self, segment: usize) -> Option<(u64, u64)> {
        if let Some(span) = self.slot(segment).ok()?.span {
            return (span.batches > 0).then_some((span.min_time, span.max_time));
        }
        let heads = self.heads(segment).ok()?;
        let spans = heads.iter().flatten().filter(|h| h.rows > 0).map(|h| (h.min_time, h.max_time));
        spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Earliest and latest time of all events, ns UTC.
    pub fn span(&self) -> Option<(u64, u64)> {
        let spans = (0..self.contents.segments.len()).filter_map(|segment| self.segment_span(segment));
        spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Takes in what the next file of a row knows of this one's rows: a thread or a descriptor that was in doubt when it
    /// ended. To be called before anything is asked.
    pub fn learn(&mut self, next: &Reader) {
        for (behind, fact) in next.contents.late.before() {
            let last = self.contents.segments.len().checked_sub(1);
            let place = last.and_then(|last| last.checked_sub(*behind as usize));
            if let Some(slot) = place.and_then(|place| self.contents.segments.get(place)) {
                let place = (slot.info.part, slot.info.number);
                self.contents.late.add_from_behind(place, fact.clone());
            }
        }
    }

    /// A segment's whole dictionary; read when it is first asked for and kept while somebody uses it.
    pub fn dict(&self, segment: usize) -> Result<Arc<Dict>, Error> {
        let slot = self.slot(segment)?;
        let mut kept = slot.dict.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dict) = kept.upgrade() {
            return Ok(dict);
        }
        let mut dict = Dict::new();
        let mut left = MAX_SEGMENT_DICTIONARY;
        for &index in &slot.dictionaries {
            let frame = self.located(self.frame(index)?);
            if let Err(what) = self.of_body(&frame, &mut |bytes| dictionary::append(bytes, &mut left, &mut dict)) {
                self.damaged(&frame, what);
            }
        }
        for &index in &slot.texts {
            let frame = self.located(self.frame(index)?);
            let told = self.body(&frame).and_then(|bytes| dictionary::texts(bytes, &mut left));
            let added = told.and_then(|told| {
                let texts = told.unopened(Arc::clone(&self.bytes), frame.body());
                dict.strings.add_unopened(texts).map_err(|e| e.to_string())
            });
            if let Err(what) = added {
                self.damaged(&frame, what);
            }
        }
        self.contents.late.tell((slot.info.part, slot.info.number), &mut dict);
        let dict = Arc::new(dict);
        *kept = Arc::downgrade(&dict);
        Ok(dict)
    }

    pub(super) fn data(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }

    /// The head of a batch, from its directory.
    pub(super) fn head_of(&self, frame: &Found) -> Option<Head> {
        let (segment, at) = self.batch_at(frame)?;
        self.open_batch(segment, at).ok().map(|(head, _)| head)
    }

    /// The segment of a batch's frame, and its place in it.
    pub(super) fn batch_at(&self, frame: &Found) -> Option<(usize, &BatchRef)> {
        let segment = self.contents.index_of(frame)?;
        let info = &self.contents.segments[segment].info;
        let all = if frame.kind == FrameKind::Snapshot { &info.snapshots } else { &info.batches };
        let number = |b: &BatchRef| self.layout.frames.get(b.frame).map(|f| f.number);
        let at = all.binary_search_by_key(&Some(frame.number), number).ok()?;
        Some((segment, &all[at]))
    }

    pub(super) fn segment_list(&self) -> &[Segment] {
        &self.contents.segments
    }

    pub(super) fn slot(&self, index: usize) -> Result<&Segment, Error> {
        let count = self.contents.segments.len();
        self.contents.segments.get(index).ok_or(Error::Absent { what: "segment", count, found: index })
    }

    pub(super) fn frame(&self, index: usize) -> Result<&Found, Error> {
        let count = self.layout.frames.len();
        self.layout.frames.get(index).ok_or(Error::Absent { what: "frame", count, found: index })
    }

    /// Where a frame stands: as the indices say, or, if it is not there, where a walk finds it.
    pub(super) fn located(&self, frame: &Found) -> Found {
        if !self.layout.is_indexed || self.header_at(frame).is_some() {
            return *frame;
        }
        let walked = self.walked.get_or_init(|| walk(self.data()));
        match walked.position(frame.part, frame.number) {
            Some(index) if walked.frames[index].kind == frame.kind => walked.frames[index],
            _ => *frame,
        }
    }

    /// The header of a frame that an index tells, where the one in the file is damaged: the links of the frames around it
    /// tell the rest. It may be another one still, which its hash shows.
    fn header_told(&self, frame: &Found) -> Option<FrameHeader> {
        let frames = &self.layout.frames;
        let at = self.layout.position(frame.part, frame.number)?;
        let header = |at: usize| FrameHeader::parse(self.data().get(frames.get(at)?.offset..)?);
        let (before, behind) = (header(at.checked_sub(1)?)?, header(at + 1)?);
        let is_between = (before.reel, before.number + 1) == (behind.reel, behind.number.checked_sub(1)?);
        let Found { kind, length, rows, number, segment, schema, .. } = *frame;
        let (version, reel, previous, hash) = (behind.version, behind.reel, before.hash, behind.previous);
        let told = FrameHeader { kind, version, length, rows, number, segment, schema, reel, previous, hash };
        let is_whole = is_between && self.data().get(frame.body()).is_some_and(|body| told.matches(body));
        if is_whole && self.layout.is_indexed {
            let damage = Damage { part: frame.part, ..Damage::new(frame.offset, DamageKind::Mended(kind), 0) };
            let mut damages = self.damages.lock().unwrap_or_else(PoisonError::into_inner);
            if !damages.contains(&damage) {
                damages.push(damage);
            }
        }
        is_whole.then_some(told)
    }

    /// The header that stands where a frame is said to, if it is the frame's.
    pub(super) fn header_at(&self, frame: &Found) -> Option<FrameHeader> {
        let read = || {
            let mut header = None;
            let range = frame.offset..frame.offset.checked_add(HEADER_BYTES)?;
            self.bytes.show(range, &mut |bytes| header = FrameHeader::parse(bytes));
            header
        };
        let mended = self.layout.mended.get(&frame.offset).copied();
        let header = mended.or_else(read).or_else(|| self.header_told(frame))?;
        let id = self.layout.ids.get(frame.part as usize)?;
        (frame.is(&header) && header.reel == *id).then_some(header)
    }

    /// A frame's body, if it is what was written.
    pub(super) fn body(&self, frame: &Found) -> Result<&[u8], String> {
        let header = self.header_at(frame).ok_or("expected the frame's header, found another")?;
        let body = self.data().get(frame.body()).ok_or("expected a body, found the end of the file")?;
        if header.matches(body) { Ok(body) } else { Err("expected the hash in its header, found another".to_owned()) }
    }

    /// Calls `take` with a frame's body, if it is what was written: read, and not paged in.
    fn of_body(&self, frame: &Found, take: &mut dyn FnMut(&[u8]) -> Result<(), String>) -> Result<(), String> {
        let header = self.header_at(frame).ok_or("expected the frame's header, found another")?;
        let mut taken = Err("expected a body, found the end of the file".to_owned());
        self.bytes.show(frame.body(), &mut |body| {
            let is_its = header.matches(body);
            taken = if is_its { take(body) } else { Err("expected the hash in its header, found another".to_owned()) };
        });
        taken
    }

    pub(super) fn load<T: serde::de::DeserializeOwned>(&self, frame: &Found) -> Option<T> {
        self.body(frame).and_then(body::load).map_err(|what| self.damaged(frame, what)).ok()
    }

    fn damaged(&self, frame: &Found, what: String) {
        if self.layout.damages.iter().any(|d| d.is_body_of(frame)) {
            return;
        }
        let kind = DamageKind::Body(frame.kind, what);
        let damage = Damage { part: frame.part, ..Damage::new(frame.offset, kind, frame.length as usize) };
        let mut damages = self.damages.lock().unwrap_or_else(PoisonError::into_inner);
        if !damages.contains(&damage) {
            damages.push(damage);
        }
    }

    fn note_lost_schemas(&mut self) {
        let lost = self.contents.segments.iter().map(|s| &s.info).filter(|i| i.schema.is_none());
        let damages = lost.map(|info| {
            let bytes: u64 = info.batches.iter().chain(&info.snapshots).map(|b| b.bytes).sum();
            let damage = Damage::new(info.offset as usize, DamageKind::Schema, bytes as usize);
            Damage { part: info.part, ..damage }
        });
        let damages: Vec<Damage> = damages.collect();
        self.damages.get_mut().unwrap_or_else(PoisonError::into_inner).extend(damages);
    }
}
