//! [`Reels`]: the batches of one or more files as one timeline.
//!
//! The files of a row (one recording that rotated) follow each other by their numbers and are one stream; every other
//! file is a stream of its own. Streams are merged by time where they overlap, see [`timeline`](super::timeline).

use super::play::{SegmentGlance, Standing};
use super::timeline::{self, Slice};
use super::{Batches, Glance};
use crate::batch::{Batch, Origin};
use crate::event::kinds;
use crate::query::Span;
use crate::reel::{BatchRef, DamageKind, Durations, Error, Header, Heads, Loss, MAGIC, PART, Reader, is_recorded};
use crate::source::audit;
use crate::world::Dict;
use std::collections::{BTreeSet, VecDeque};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Dictionaries kept of one stream: workers that read in order are never more than a few segments apart. Of several
/// streams as many each, up to a limit; and two for each worker that walks through a part of its own.
const DICTIONARIES: usize = 4;
const MOST_DICTIONARIES: usize = 32;

fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// How the names of probes end that took in audit events live: those come when they come.
const LIVE_AUDIT: [&str; 2] = [", audit", "live audit"];

/// A segment: file and index in it.
type Place = (usize, usize);

struct Opened {
    path: PathBuf,
    reader: Reader,
    origin: Arc<Origin>,
    /// The last segment that has batches.
    last: usize,
}

/// The batches of one or more reels.
pub struct Reels {
    files: Vec<Opened>,
    /// Each with its index in its segment.
    batches: Vec<(Place, BatchRef, usize)>,
    /// `None`: each batch is a turn, in order.
    turns: Option<Vec<Vec<Slice>>>,
    /// Where each stream ends, in batches.
    ends: Vec<usize>,
    /// Heads of the segments used last; of indexed files only.
    heads: LastUsed<Heads>,
    /// What durations come to in them, of indexed files only, too.
    durations: LastUsed<Durations>,
    /// Their dictionaries, and how many of all are kept.
    dicts: LastUsed<Dict>,
    kept: usize,
    /// What is to be said about the files: those that were passed over, and those that are missing.
    told: Vec<String>,
}

impl Reels {
    /// Opens files and what is in folders; `-` is standard input. In folders, what is no reel is passed over and told;
    /// a file that is there twice counts once.
    ///
    /// # Errors
    /// A file that was named cannot be read or is no reel; a folder holds none.
    pub fn open(paths: &[PathBuf]) -> Result<Reels, (PathBuf, Error)> {
        Reels::open_telling(paths, &mut |_, _, _| {})
    }

    /// The same; `progress` hears how far the import of a file is, in bytes read and all that it has (0: not known).
    ///
    /// # Errors
    /// As [`Reels::open`].
    pub fn open_telling(
        paths: &[PathBuf],
        progress: &mut dyn FnMut(&Path, u64, u64),
    ) -> Result<Reels, (PathBuf, Error)> {
        let (mut files, mut told) = (Vec::new(), Vec::new());
        let (mut seen, mut hashes) = (BTreeSet::new(), BTreeSet::new());
        for named in named(paths) {
            let before = files.len();
            let is_folder = named.len() == 1 && named[0].is_dir();
            let inside = if is_folder { reels_in(&named[0], &mut told)? } else { vec![named.clone()] };
            let path = named.first().cloned().unwrap_or_default();
            let mut twice = false;
            for mut inside in inside {
                let is_new = |path: &PathBuf| {
                    std::fs::metadata(path).map_or(true, |about| seen.insert((about.dev(), about.ino())))
                };
                let all = inside.len();
                inside.retain(is_new);
                twice |= inside.len() < all;
                let Some(path) = inside.first().cloned() else { continue };
                let opened = if inside.len() > 1 {
                    super::open_logs(&inside, &mut told, &mut |read, all| progress(&path, read, all))
                } else {
                    super::open_capture(&path, &mut told, &mut |read, all| progress(&path, read, all))
                };
                match opened {
                    // A copy has the same last hash, which stands for all of it.
                    Ok(reader) if hashes.insert((reader.last_hash(), reader.size())) => {
                        let origin = origin(&path, reader.header());
                        files.push(Opened { path, reader, origin, last: 0 });
                    }
                    Ok(_) => {
                        twice = true;
                        told.push(format!("{}: passed over: a copy of a reel that was read already", path.display()));
                    }
                    Err(error) if !is_folder => return Err((path, error)),
                    Err(error) => told.push(format!("{}: passed over: {}", path.display(), short(&error))),
                }
            }
            if is_folder && files.len() == before && !twice {
                return Err((path.clone(), Error::Directory { path }));
            }
        }
        Ok(Reels::of(files, told))
    }

    fn of(files: Vec<Opened>, mut told: Vec<String>) -> Reels {
        let streams = streams(&files);
        for stream in &streams {
            gaps(&files, stream, &mut told);
        }
        let mut slots: Vec<Option<Opened>> = files.into_iter().map(Some).collect();
        learn(&mut slots, &streams);
        let mut reels = Reels {
            files: Vec::new(),
            batches: Vec::new(),
            turns: None,
            ends: Vec::new(),
            heads: LastUsed::default(),
            durations: LastUsed::default(),
            dicts: LastUsed::default(),
            kept: (DICTIONARIES * streams.len()).min(MOST_DICTIONARIES).max(2 * parallelism()),
            told,
        };
        let mut ends = Vec::new();
        for stream in &streams {
            for &file in stream {
                if let Some(opened) = slots[file].take() {
                    reels.add(opened);
                }
            }
            ends.push(reels.batches.len());
        }
        let has_audit = |file: &Opened| LIVE_AUDIT.iter().any(|probe| file.reader.header().probe.ends_with(probe));
        if streams.len() > 1 || reels.files.iter().any(has_audit) {
            reels.order(&ends);
        }
        reels.ends = ends;
        reels
    }

    fn add(&mut self, mut opened: Opened) {
        let file = self.files.len();
        for (segment, info) in opened.reader.segments().into_iter().enumerate() {
            if !info.batches.is_empty() {
                opened.last = segment;
            }
            self.batches.extend(info.batches.into_iter().enumerate().map(|(i, b)| ((file, segment), b, i)));
        }
        self.files.push(opened);
    }

    /// Makes the timeline of streams, which end at these numbers of batches.
    fn order(&mut self, ends: &[usize]) {
        let mut start = 0;
        let streams = ends.iter().map(|&end| {
            let batches = start..end;
            start = end;
            // A batch without a readable head stays behind the one before.
            batches.map(|batch| self.times(batch).map_or((batch, 0, 0), |(min, max)| (batch, min, max))).collect()
        });
        let streams: Vec<Vec<(usize, u64, u64)>> =
            streams.flat_map(|stream: Vec<_>| apart(stream, |batch| self.is_audit(batch))).collect();
        self.turns = (streams.len() > 1).then(|| timeline::turns(&timeline::stretches(&streams)));
    }

    /// Whether a batch has audit events alone, which were taken in live: such are in order of time, each batch in itself.
    fn is_audit(&self, index: usize) -> bool {
        let (place, _, at) = self.batches[index];
        let reader = &self.files[place.0].reader;
        if !LIVE_AUDIT.iter().any(|probe| reader.header().probe.ends_with(probe)) {
            return false;
        }
        let schema = reader.segment(place.1).ok().and_then(|segment| segment.schema.clone());
        let (Some(schema), Some(heads)) = (schema, self.heads(place)) else { return false };
        let Some(head) = heads.get(at).and_then(Option::as_ref) else { return false };
        let is_audit = |kind: u16| {
            schema.kinds.get(usize::from(kind)).is_some_and(|info| info.name == kinds::K8SAUDIT.spec().name)
        };
        !head.kinds.is_empty() && head.kinds.iter().all(|rows| is_audit(rows.kind))
    }

    /// Earliest and latest time of a batch, by its head.
    fn times(&self, index: usize) -> Option<(u64, u64)> {
        let (place, _, at) = self.batches[index];
        let heads = self.heads(place)?;
        heads.get(at).and_then(Option::as_ref).map(|head| (head.min_time, head.max_time))
    }

    /// Files and their readers.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &Reader)> {
        self.files.iter().map(|file| (file.path.as_path(), &file.reader))
    }

    /// Whether all files are of one recording, one behind the other.
    pub fn is_one_recording(&self) -> bool {
        self.ends.len() <= 1
    }

    /// Earliest and latest time, ns UTC; touches no batch of indexed files.
    pub fn span(&self) -> Span {
        let spans = self.files.iter().filter_map(|file| file.reader.span());
        spans
            .map(|(start, end)| Span { start, end })
            .reduce(|a, b| Span { start: a.start.min(b.start), end: a.end.max(b.end) })
            .unwrap_or_default()
    }

    /// What reports must say: files that are missing, losses of the recordings and damage of the files, in order.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.told.clone();
        for (path, reader) in self.files() {
            notes.extend(lost(reader.losses()));
            notes.extend(doubtful(reader.doubtful()));
            notes.extend(reader.notes().iter().map(|n| format!("{}: {}: {}", path.display(), moment(n.time), n.text)));
            let damages = reader.damages();
            notes.extend(damages.iter().map(|d| format!("{}: {d}", path.display())));
            let is_cut = damages.iter().any(|d| d.kind == DamageKind::CutTail);
            if !is_cut && !reader.is_closed() {
                let why = if is_recorded(path) {
                    "is still being recorded: --follow shows what comes"
                } else {
                    "expected the end of a recording, found none: its recorder was killed, or the file was cut"
                };
                notes.push(format!("{}: {why}", path.display()));
            }
        }
        notes
    }

    /// Number of the first batch of the stream that a file is of.
    pub(super) fn stream_of(&self, file: usize) -> usize {
        let own = self.batches.iter().position(|((of, _), ..)| *of == file);
        own.map_or(0, |index| self.stream(index))
    }

    fn dict(&self, place: Place) -> Result<Arc<Dict>, Error> {
        self.dicts.get(place, self.kept, || self.files[place.0].reader.dict(place.1))
    }

    fn heads(&self, place: Place) -> Option<Arc<Heads>> {
        self.heads.get(place, self.kept, || self.files[place.0].reader.heads(place.1)).ok()
    }
}

/// What is kept of the segments used last, oldest first.
struct LastUsed<T>(Mutex<VecDeque<(Place, Arc<T>)>>);

impl<T> Default for LastUsed<T> {
    fn default() -> Self {
        LastUsed(Mutex::default())
    }
}

impl<T> LastUsed<T> {
    /// That of a segment; at most `most` are kept. It is read, and what gives way is dropped, outside of the lock: workers in
    /// different segments do not wait for each other. The reader lets whoever wants the same one wait.
    fn get(&self, place: Place, most: usize, read: impl FnOnce() -> Result<Arc<T>, Error>) -> Result<Arc<T>, Error> {
        if let Some(kept) = self.used(place) {
            return Ok(kept);
        }
        let new = read()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut oldest = None;
        if !all.iter().any(|(p, _)| *p == place) {
            oldest = if all.len() >= most { all.pop_front() } else { None };
            all.push_back((place, Arc::clone(&new)));
        }
        drop(all);
        drop(oldest);
        Ok(new)
    }

    fn used(&self, place: Place) -> Option<Arc<T>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(p, _)| *p == place)?;
        if at + 1 < all.len()
            && let Some(used) = all.remove(at)
        {
            all.push_back(used);
        }
        all.back().map(|(_, used)| Arc::clone(used))
    }
}

impl Batches for Reels {
    fn len(&self) -> usize {
        self.batches.len()
    }

    fn batch(&self, index: usize) -> Result<Batch, String> {
        let (place, at, _) = &self.batches[index];
        let dict = self.dict(*place).map_err(|e| e.to_string())?;
        let file = &self.files[place.0];
        let batch = file.reader.batch(place.1, at, dict).map_err(|e| e.to_string())?;
        Ok(batch.with_origin(Arc::clone(&file.origin)))
    }

    fn bare(&self, index: usize) -> Result<Batch, String> {
        let (place, at, _) = &self.batches[index];
        let file = &self.files[place.0];
        let batch = file.reader.batch(place.1, at, super::play::no_dict()).map_err(|e| e.to_string())?;
        let durations = self.durations.get(*place, self.kept, || file.reader.durations(place.1).map(Arc::new));
        let told = durations.map(|told| told.of(at, &batch.head().kinds)).unwrap_or_default();
        Ok(batch.with_origin(Arc::clone(&file.origin)).with_durations(told))
    }

    fn place(&self, index: usize) -> String {
        let ((file, _), at, _) = &self.batches[index];
        format!("{}, batch at {:#x}", self.files[*file].path.display(), at.offset)
    }

    fn glance(&self, index: usize) -> Option<Glance> {
        let (place, _, at) = self.batches[index];
        let reader = &self.files[place.0].reader;
        let schema = reader.segment(place.1).ok()?.schema.clone()?;
        let heads = reader.is_indexed().then(|| self.heads(place))??;
        Some(Glance { heads, at, schema })
    }

    fn glance_segment(&self, index: usize) -> Option<SegmentGlance> {
        let ((file, segment), ..) = self.batches[index];
        let reader = &self.files[file].reader;
        let roster = reader.roster(segment)?;
        let schema = reader.segment(segment).ok()?.schema.clone()?;
        Some(SegmentGlance { roster, schema, span: reader.segment_span(segment)? })
    }

    fn dict(&self, index: usize) -> Result<Arc<Dict>, String> {
        Reels::dict(self, self.batches[index].0).map_err(|e| e.to_string())
    }

    fn standing(&self, index: usize) -> Option<Standing> {
        let first = self.ends.iter().copied().filter(|end| *end <= index).max().unwrap_or(0);
        let (file, segment) = self.batches.get(index)?.0;
        Some(Standing { first, segment: (file as u64) << 32 | segment as u64 })
    }

    fn initial(&self, index: usize) -> Vec<Result<Batch, String>> {
        let Some(&((file, segment), ..)) = self.batches.get(index) else { return Vec::new() };
        self.files[file].reader.snapshots(segment).map(|batch| batch.map_err(|e| e.to_string())).collect()
    }

    fn counts_in_flight(&self, index: usize) -> bool {
        let (file, segment) = self.batches[index].0;
        self.files[file].last == segment
    }

    fn turns(&self) -> usize {
        self.turns.as_ref().map_or(self.batches.len(), Vec::len)
    }

    fn turn(&self, index: usize) -> Vec<Slice> {
        self.turns.as_ref().map_or_else(|| vec![Slice::whole(index)], |turns| turns[index].clone())
    }
}

/// Makes streams of those batches of a stream that come late as a whole, so that they find their place in time: each goes
/// behind one that ends before it.
fn apart(stream: Vec<(usize, u64, u64)>, is_late: impl Fn(usize) -> bool) -> Vec<Vec<(usize, u64, u64)>> {
    let (late, own): (Vec<_>, Vec<_>) = stream.into_iter().partition(|(batch, ..)| is_late(*batch));
    let mut streams = if own.is_empty() { Vec::new() } else { vec![own] };
    let first = streams.len();
    for batch in late {
        let ends_before = |stream: &&mut Vec<(usize, u64, u64)>| stream.last().is_none_or(|last| last.2 <= batch.1);
        match streams[first..].iter_mut().find(ends_before) {
            Some(stream) => stream.push(batch),
            None => streams.push(vec![batch]),
        }
    }
    streams
}

/// Where the events of a reel come from.
pub(super) fn origin(path: &Path, header: &Header) -> Arc<Origin> {
    Arc::new(Origin { host: header.host.clone(), reel: path.display().to_string() })
}

/// The files of a folder, by name; not those of folders in it, nor those that were not finished being begun.
pub(super) fn files_of(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && !path.as_os_str().as_encoded_bytes().ends_with(PART.as_bytes()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What was named, with the files of an audit log that was rotated put together.
fn named(paths: &[PathBuf]) -> Vec<Vec<PathBuf>> {
    let may_be = |path: &&PathBuf| path.is_file() && !path.as_os_str().is_empty();
    let logs: Vec<PathBuf> = if paths.len() > 1 {
        paths.iter().filter(may_be).filter(|path| audit::is_log(path)).cloned().collect()
    } else {
        Vec::new()
    };
    let others = paths.iter().filter(|path| !logs.contains(path)).map(|path| vec![path.clone()]).collect::<Vec<_>>();
    others.into_iter().chain(audit::groups(&logs)).collect()
}

/// The reels of a folder, told by how they begin; names of other files go to `told`.
fn reels_in(folder: &Path, told: &mut Vec<String>) -> Result<Vec<Vec<PathBuf>>, (PathBuf, Error)> {
    let failed = |source| (folder.to_owned(), Error::Io { path: folder.to_owned(), source });
    let is_reel = |path: &PathBuf| {
        let mut start = [0; MAGIC.len()];
        let is_own =
            std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MAGIC;
        is_own || crate::source::scap::is_scap(path)
    };
    let (reels, others): (Vec<PathBuf>, Vec<PathBuf>) =
        files_of(folder).map_err(failed)?.into_iter().partition(is_reel);
    let (logs, others): (Vec<PathBuf>, Vec<PathBuf>) = others.into_iter().partition(|path| audit::is_log(path));
    let mut reels: Vec<Vec<PathBuf>> = reels.into_iter().map(|path| vec![path]).collect();
    reels.extend(audit::groups(&logs));
    let names: Vec<String> =
        others.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()).collect();
    if let (Some(first), false) = (names.first(), reels.is_empty()) {
        let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
        told.push(format!("{}: passed over what is no reel: {first}{more}", folder.display()));
    }
    Ok(reels)
}

/// Numbers of files by stream: the files of a row in its order, every other file alone.
fn streams(files: &[Opened]) -> Vec<Vec<usize>> {
    let mut streams: Vec<Vec<usize>> = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let same = |stream: &&mut Vec<usize>| {
            let (a, b) = (files[stream[0]].reader.header(), file.reader.header());
            a.link.sequence > 0 && b.link.sequence > 0 && (&a.host, a.link.row) == (&b.host, b.link.row)
        };
        match streams.iter_mut().find(same) {
            Some(stream) => stream.push(number),
            None => streams.push(vec![number]),
        }
    }
    for stream in &mut streams {
        stream.sort_by_key(|&number| (files[number].reader.header().link.sequence, number));
    }
    streams
}

/// Lets each file know what the next one of its row knows of its rows.
fn learn(files: &mut [Option<Opened>], streams: &[Vec<usize>]) {
    for pair in streams.iter().flat_map(|stream| stream.windows(2)) {
        let Some(after) = files[pair[1]].take() else { continue };
        if let Some(before) = &mut files[pair[0]] {
            let link = &after.reader.header().link;
            let is_next = link.sequence == before.reader.header().link.sequence + 1;
            if is_next && before.reader.ends_with(&link.hash) {
                before.reader.learn(&after.reader);
            }
        }
        files[pair[1]] = Some(after);
    }
}

/// Tells which files of a row are missing between those that are there.
fn gaps(files: &[Opened], stream: &[usize], told: &mut Vec<String>) {
    for pair in stream.windows(2) {
        let (before, after) = (&files[pair[0]], &files[pair[1]]);
        let (first, next) = (&before.reader.header().link, &after.reader.header().link);
        let missing = next.sequence.saturating_sub(first.sequence).saturating_sub(1);
        let (from, to) = (before.path.display(), after.path.display());
        if missing > 0 {
            let files = if missing == 1 { "1 file is".to_owned() } else { format!("{missing} files are") };
            told.push(format!("{files} missing between {from} and {to}"));
        } else if next.hash != [0; 32] && !before.reader.ends_with(&next.hash) {
            told.push(format!("{from} does not end as it did when {to} was begun: it was cut or changed"));
        }
    }
}

fn short(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// What a file's losses come to: an overload that lasts makes hundreds of them, and `evt.type = loss` shows each.
fn lost(losses: &[Loss]) -> Option<String> {
    let from = losses.iter().map(|l| l.from).min()?;
    let to = losses.iter().map(|l| l.to).max()?;
    let count: u64 = losses.iter().map(|l| l.count).fold(0, u64::saturating_add);
    let mut places: Vec<&str> = losses.iter().map(|l| l.place.as_str()).collect();
    places.sort_unstable();
    places.dedup();
    let (gaps, places) = (losses.len(), places.join(", "));
    Some(format!("{count} events were lost in {gaps} gaps between {} and {} ({places})", moment(from), moment(to)))
}

/// How much of a file is said with doubt.
fn doubtful(rows: u64) -> Option<String> {
    (rows > 0).then(|| {
        format!(
            "of {rows} events it is doubtful whose or on what they were: they stand behind a loss (evt.is_doubtful)"
        )
    })
}

/// A moment in UTC, for notes.
fn moment(time: u64) -> String {
    let mut text = Vec::new();
    crate::value::write_date(&mut text, time, 0);
    text.push(b' ');
    crate::value::write_time_of_day(&mut text, time, 0, true);
    String::from_utf8_lossy(&text).into_owned() + " UTC"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_that_come_late_as_a_whole_find_their_place() {
        let stream = vec![(0, 10, 20), (1, 5, 8), (2, 21, 30), (3, 6, 9), (4, 8, 12), (5, 0, 99)];
        let streams = apart(stream.clone(), |batch| batch != 5);
        assert_eq!(
            streams,
            [vec![(5, 0, 99)], vec![(0, 10, 20), (2, 21, 30)], vec![(1, 5, 8), (4, 8, 12)], vec![(3, 6, 9)]]
        );
        assert_eq!(apart(stream.clone(), |_| false), [stream]);
        assert!(apart(Vec::new(), |_| true).is_empty());
    }
}
