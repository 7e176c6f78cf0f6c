//! Pictures of reports: bars, lines and heat maps as SVG, and pages (HTML) that hold them with their tables.
//!
//! Nothing in them is loaded from elsewhere, nothing runs, and all text of a capture is escaped.

mod bars;
mod heat;
mod html;
mod lines;
mod panel;

pub use html::to_html;
pub use panel::{Error, to_svg};
