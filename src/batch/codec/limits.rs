//! Every limit on what a reel may make its reader allocate. Checked before allocating and again while inflating.
//!
//! Rows and kinds of a batch are limited by [`MAX_ROWS`](crate::batch::MAX_ROWS) and
//! [`MAX_KINDS`](crate::batch::MAX_KINDS), a schema's parameters by [`MAX_ARGS`](crate::event::MAX_ARGS).

/// Inflated bytes of a batch's directory; the largest possible batch needs about 1 MiB.
pub const MAX_DIRECTORY: usize = 4 << 20;

/// Frames of a batch: seven classes of columns for each kind, and the shared ones.
pub const MAX_FRAMES: usize = 2_048;

/// Inflated bytes of all frames of a batch but the data: 65,536 rows with the most parameters as the longest varints
/// take 22 MB.
pub const MAX_COLUMNS: usize = 32 << 20;

/// Data bytes of a batch.
pub const MAX_DATA: usize = 256 << 20;

/// Bytes of a reel frame's body.
pub const MAX_BODY: usize = 512 << 20;

/// Inflated bytes of a dictionary frame; a segment ends at about 16 MiB of dictionary.
pub const MAX_DICTIONARY: usize = 64 << 20;

/// Inflated bytes of all dictionary frames of a segment together.
pub const MAX_SEGMENT_DICTIONARY: usize = 192 << 20;

/// Inflated bytes of a header, segment, loss, note or close frame.
pub const MAX_SMALL_BODY: usize = 4 << 20;

/// Plain bytes of an Index frame's table of frames: a hundred thousand frames.
pub const MAX_FRAME_TABLE: usize = 2 << 20;

/// Plain bytes of the heads in an Index frame; those of the busiest segment take 1 MiB. A segment with more has none.
pub const MAX_HEADS: usize = 8 << 20;

/// Plain bytes of the roster in an Index frame, and the threads of a segment that it tells of: as many as a dictionary can
/// have. A segment with more has none.
pub const MAX_ROSTER: usize = 16 << 20;
/// See [`MAX_ROSTER`].
pub const MAX_ROSTER_ROWS: usize = 1 << 20;

/// Plain bytes of a Footer frame: a million segments.
pub const MAX_FOOTER: usize = 64 << 20;

/// Kinds in a schema, as many as a `u16` numbers.
pub const MAX_SCHEMA_KINDS: usize = 65_536;

/// Bytes read from a pipe that cannot be mapped.
pub const MAX_PIPE: u64 = 16 << 30;
