//! Names of numbers (stub until the table lands).

use crate::event::FlagTable;

pub(super) fn errno_name(_errno: u64) -> Option<&'static str> {
    None
}

pub(super) fn signal_name(_signal: u64) -> Option<&'static str> {
    None
}

pub(super) fn flag_table(_name: &str) -> Option<&'static FlagTable> {
    None
}
