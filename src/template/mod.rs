//! Templates: `%field` text, as in `-p`, in chisels' `format` and in rules' `output`.
//!
//! Text from a capture never leaves a template raw, unless the [`Context`](crate::field::Context) says so.

mod call;
mod csv;
mod json;
mod line;
mod parse;
mod plan;
#[cfg(test)]
mod tests;

pub use line::{Form, Template};
pub use parse::Error;
pub use plan::Plan;

/// The line that is printed unless `-p` says otherwise.
pub const DEFAULT: &str = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info";

/// The line of `-pc`: whose container it is.
pub const CONTAINER: &str = "*%evt.num %evt.outputtime %evt.cpu %container.name (%container.id) %proc.name (%thread.tid:%thread.vtid) %evt.dir %evt.type %evt.info";

/// The line of `-pk`: whose pod it is.
pub const KUBERNETES: &str = "*%evt.num %evt.outputtime %evt.cpu %k8s.pod.name (%container.id) %proc.name (%thread.tid:%thread.vtid) %evt.dir %evt.type %evt.info";
