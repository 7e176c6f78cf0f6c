//! Neither `-r` nor `-w`: what happens now.

use super::args::Options;
use super::exit::Failure;
use super::question::questions;
use crate::chisel::Library;

/// Answers questions about what happens now.
pub(super) fn watch(options: &Options, library: &Library) -> Result<(), Failure> {
    // Mistakes in the question come before anything that needs privileges.
    let _questions = questions(options, library)?;
    Err(Failure::new("not supported yet: watching without a file", "record with -w, then replay with -r"))
}
