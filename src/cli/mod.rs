//! The command line. This is the only layer that prints, looks at the terminal or reads environment variables.
//!
//! | file | concern |
//! |---|---|
//! | `args` | letters and words |
//! | `question` | from options to questions: filter, format, chisels and their arguments |
//! | `fields`, `events`, `list` | what can be named: fields; events; chisels |
//! | `help`, `manual` | the options, the most used first; what is said of the languages |
//! | `complete`, `words` | completion: candidates, and where in a command line a word stands |
//! | `refused` | options of sysdig that make no sense here |
//! | `progress` | how far a replay is |
//! | `info`, `verify` | what files are and hold, and whether they are as they were written |
//! | `chisel` | `chisel new`, `check` and `test` |
//! | `plan` | what of a filter runs where |
//! | `record`, `replay`, `watch` | the three things to do |
//! | `diff` | two recordings, or two times of one, held against each other |
//! | `every` | `-r` with `--every` |
//! | `export` | `-w FILE.scap` |
//! | `screen` | live answers on a terminal |
//! | `policy` | `audit policy check`, `test` and `coverage` |
//! | `prune` | what is older than it is to be kept goes |
//! | `plot` | `--svg`, `--html` |
//! | `exit` | codes and messages |

mod after;
mod args;
mod audit;
mod chisel;
mod complete;
mod convert;
mod diff;
mod events;
mod every;
mod exit;
mod export;
mod fields;
mod help;
mod info;
mod lines;
mod list;
mod manual;
mod pack;
mod plan;
mod plot;
mod policy;
mod progress;
mod prune;
mod question;
mod record;
mod refused;
mod replay;
mod run;
mod screen;
mod verify;
mod watch;
mod words;

pub use args::{Options, parse};
pub use run::run;
