//! The command line. This is the only layer that prints, looks at the terminal or reads environment variables.
//!
//! | file | concern |
//! |---|---|
//! | `args` | letters and words |
//! | `question` | from options to questions: filter, format, chisels and their arguments |
//! | `fields`, `list` | what can be named: fields; events, chisels |
//! | `info`, `verify` | what files are and hold, and whether they are as they were written |
//! | `chisel` | `chisel new`, `check` and `test` |
//! | `plan` | what of a filter runs where |
//! | `record`, `replay`, `watch` | the three things to do |
//! | `diff` | two recordings, or two times of one, held against each other |
//! | `every` | `-r` with `--every` |
//! | `export` | `-w FILE.scap` |
//! | `screen` | live answers on a terminal |
//! | `plot` | `--svg`, `--html` |
//! | `exit` | codes and messages |

mod args;
mod chisel;
mod convert;
mod diff;
mod every;
mod exit;
mod export;
mod fields;
mod info;
mod lines;
mod list;
mod plan;
mod plot;
mod question;
mod record;
mod replay;
mod run;
mod screen;
mod verify;
mod watch;

pub use args::{Options, parse};
pub use run::run;
