//! Templates: `%field` text, as in `-p`, in chisels' `format` and in rules' `output`.
//!
//! Text from a capture never leaves a template raw, unless the [`Context`](crate::field::Context) says so.

mod json;
mod line;
mod parse;
#[cfg(test)]
mod tests;

pub use line::Template;
pub use parse::Error;

/// The line that is printed unless `-p` says otherwise.
pub const DEFAULT: &str = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info";
