//! (being written)

mod map;

pub use map::map_file;
