//! placeholder, replaced by the table
use super::{Kind, Spec};
/// All kinds.
pub static SPECS: &[Spec] = &[];
/// By name.
pub fn kind_by_name(name: &str) -> Option<Kind> { SPECS.iter().position(|s| s.name == name).map(|i| Kind(i as u16)) }
/// By number.
pub fn kind_by_nr(nr: u16) -> Option<Kind> { SPECS.iter().position(|s| s.x86_64 == Some(nr)).map(|i| Kind(i as u16)) }
