//! Collects columns into frames while a batch is encoded.

use super::Fault;
use super::directory::{Chunk, Frame, GROUPS, Group};

/// Frames below this many bytes are stored raw.
const RAW_BELOW: usize = 64;

/// Data from so many bytes on in which whole objects come again far apart (JSON) is searched for them.
const LONG_FROM: usize = 1 << 20;

/// Level of zstd for it at least: it is the bulk of a log with bodies, and a tenth smaller than at the level of a recording.
const LONG_LEVEL: i32 = 9;

/// How far apart they may be: 64 MiB.
const LONG_WINDOW: u32 = 26;

/// The frames of a batch being encoded; buffers are kept from batch to batch.
pub(super) struct Stage {
    level: i32,
    compressor: Option<zstd::bulk::Compressor<'static>>,
    /// The same, for what repeats far apart.
    far: Option<zstd::bulk::Compressor<'static>>,
    /// Whether the data of this batch does.
    pub(super) is_far: bool,
    packed: Vec<u8>,
    shared: [Vec<u8>; GROUPS],
    own: Vec<u8>,
    /// Whether the columns that follow go to a frame of their own.
    pub(super) alone: bool,
    /// Whether the data that follows does.
    pub(super) is_data_alone: bool,
    pub(super) frames: Vec<Frame>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) body: Vec<u8>,
}

impl Stage {
    pub(super) fn new(level: i32) -> Stage {
        Stage {
            level,
            compressor: None,
            far: None,
            is_far: false,
            packed: Vec::new(),
            shared: Default::default(),
            own: Vec::new(),
            alone: false,
            is_data_alone: false,
            frames: Vec::new(),
            chunks: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(super) fn level(&self) -> i32 {
        self.level
    }

    /// Starts a batch.
    pub(super) fn clear(&mut self) {
        self.shared.iter_mut().for_each(Vec::clear);
        self.own.clear();
        (self.alone, self.is_far, self.is_data_alone) = (false, false, false);
        self.frames.clear();
        self.frames.resize(GROUPS, Frame { offset: 0, stored: 0, inflated: 0, crc: 0 });
        self.chunks.clear();
        self.body.clear();
    }

    /// Appends a column of a group.
    pub(super) fn put(&mut self, group: Group, write: impl FnOnce(&mut Vec<u8>)) {
        let always_shared = group == Group::DurationLow;
        let is_alone = if group == Group::Data { self.is_data_alone } else { self.alone && !always_shared };
        let (frame, buffer) = if is_alone {
            (self.frames.len(), &mut self.own)
        } else {
            (group as usize, &mut self.shared[group as usize])
        };
        let start = buffer.len();
        write(buffer);
        let length = (buffer.len() - start) as u32;
        self.chunks.push(Chunk { frame: if length == 0 { 0 } else { frame as u16 }, length });
    }

    /// Closes the frame of the columns that stand alone, if there were any.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        if !self.own.is_empty() {
            let bytes = std::mem::take(&mut self.own);
            let frame = self.frame(&bytes, true, false)?;
            self.frames.push(frame);
            self.own = bytes;
            self.own.clear();
        }
        Ok(())
    }

    /// Writes the shared frames, the last of a batch.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        for group in 0..GROUPS {
            let bytes = std::mem::take(&mut self.shared[group]);
            let raw = group == Group::TimeLow as usize || group == Group::DurationLow as usize;
            let is_far = self.is_far && group == Group::Data as usize && bytes.len() >= LONG_FROM;
            self.frames[group] = self.frame(&bytes, !raw, is_far)?;
            self.shared[group] = bytes;
        }
        Ok(())
    }

    fn frame(&mut self, bytes: &[u8], compress: bool, is_far: bool) -> Result<Frame, Fault> {
        let offset = self.body.len() as u32;
        let mut stored = bytes;
        if compress && bytes.len() >= RAW_BELOW {
            let length = self.compress(bytes, is_far)?;
            if length < bytes.len() {
                stored = &self.packed[..length];
            }
        }
        self.body.extend_from_slice(stored);
        let crc = crc32fast::hash(stored);
        Ok(Frame { offset, stored: stored.len() as u32, inflated: bytes.len() as u32, crc })
    }

    /// Compresses into the scratch buffer and says how long it became.
    fn compress(&mut self, bytes: &[u8], is_far: bool) -> Result<usize, Fault> {
        let failed = |e: std::io::Error| Fault::new("zstd to compress a frame", e.to_string());
        let bound = zstd::zstd_safe::compress_bound(bytes.len());
        if self.packed.len() < bound {
            self.packed.resize(bound, 0);
        }
        let zstd = match if is_far { &mut self.far } else { &mut self.compressor } {
            Some(zstd) => zstd,
            none => {
                let level = if is_far { self.level.max(LONG_LEVEL) } else { self.level };
                none.insert(zstd::bulk::Compressor::new(level).map_err(failed)?)
            }
        };
        if is_far {
            zstd.window_log(LONG_WINDOW).map_err(failed)?;
            zstd.long_distance_matching(true).map_err(failed)?;
        }
        zstd.compress_to_buffer(bytes, &mut self.packed[..]).map_err(failed)
    }
}
