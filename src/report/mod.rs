//! Reports: what an analysis says, as data, and how it is written as text, JSON, CSV and Markdown.
//!
//! Every output shows the same [`Report`] (architecture, invariant 8), and nothing here knows a terminal:
//! the width of text is a parameter.

mod compare;
mod csv;
mod escape;
mod heat;
mod json;
mod markdown;
mod parts;
mod plot;
mod spark;
mod text;
mod unit;

pub use escape::escape;
pub use parts::{Align, Cell, Column, Heat, Line, Picture, Report, Series, Table};
pub use plot::{Error as PlotError, to_html, to_svg};
pub use spark::sparkline;
pub use unit::Unit;
