//! What needs the operating system directly: the only code with `unsafe`.
//!
//! Everything it offers is safe to call; each file holds one thing.
#![allow(unsafe_code, reason = "this is the module that the crate's rule against unsafe code leaves for it")]

#[cfg(feature = "linux")]
mod caps;
#[cfg(feature = "linux")]
mod child;
mod clock;
#[cfg(feature = "linux")]
mod foreign;
mod host;
mod lock;
mod map;
mod memory;
#[cfg(feature = "linux")]
mod netlink;
#[cfg(feature = "linux")]
mod netns;
#[cfg(feature = "linux")]
mod notify;
#[cfg(feature = "linux")]
mod pause;
mod prefetch;
#[cfg(feature = "linux")]
pub mod ptrace;
#[cfg(feature = "linux")]
mod ring;
mod signal;
mod usage;
#[cfg(feature = "linux")]
mod xattr;

#[cfg(feature = "linux")]
pub use caps::{Capability, missing_capabilities};
#[cfg(feature = "linux")]
pub use child::{Child, Exit, StartError, StoppedChild};
pub use clock::{ClockPair, boot_ns, clock_pair, local_offset, local_text, realtime_ns};
#[cfg(feature = "linux")]
pub use foreign::{MEMORY_LIMIT, SocketEnds, read_memory, socket_ends};
pub use host::{
    boot_id, hostname, is_terminal, kernel_release, machine, page_size, processors, ticks_per_second, user_id,
};
pub use lock::{is_being_written, lock_for_writing};
pub use map::map_file;
pub use memory::{keep_freed_memory, return_freed_memory};
#[cfg(feature = "linux")]
pub use netlink::{Netlink, NetlinkFamily, netlink_attributes};
#[cfg(feature = "linux")]
pub use netns::in_network_namespace;
#[cfg(feature = "linux")]
pub use notify::{FolderWatch, either};
#[cfg(feature = "linux")]
pub use pause::{Woken, pause, process_end};
pub use prefetch::prefetch;
#[cfg(feature = "linux")]
pub use ring::{RingCounters, Rings, SLACK, WakeOn, Window};
pub use signal::{note_hangups, refuse_large_files, stop_flag, stop_on_signals, take_hangup};
pub use usage::{Usage, process_usage, set_thread_nice, thread_cpu_ns};
#[cfg(feature = "linux")]
pub use xattr::attribute;
