//! The other way: rows of ours as blocks of scap, version 1.2.

mod call;
mod derive;
mod event;
mod frame;
mod lists;
mod plan;
mod state;
mod target;
mod value;

pub use call::{Encoder, Entry, LeftOut, Seen, Told};
pub use event::{EventBlock, Stamp};
pub use frame::section;
pub use lists::{
    DescriptorEntry, Ends, MachineFacts, ProcessEntry, Shape, User, descriptors, interfaces, machine, processes, users,
};
pub use state::Seed;
pub use target::{Target, known_to_029};
