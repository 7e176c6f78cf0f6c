//! What the interactive screen reads of a chisel: how its table goes on.

use super::{Chisel, Error};
use serde::Deserialize;

/// Section `[view]`: the chisel is a panel of the interactive screen, and `-cl` lists it only with `-v`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewDef {
    /// Its title in menus.
    pub name: String,
    /// Field that tells its rows apart: what a chosen row filters the next view by.
    pub key: String,
    /// The view that a chosen row opens; nothing where rows are single events.
    pub drill: Option<String>,
    /// Fields by which it makes sense to have filtered before it is opened: keys of the views that lead to it.
    #[serde(default)]
    pub applies: Vec<String>,
    /// Whether the screen can begin with it.
    #[serde(default)]
    pub root: bool,
    /// Commands for the chosen row.
    #[serde(default)]
    pub actions: Vec<ActionDef>,
}

/// A command for the chosen row of a view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionDef {
    /// The key that is pressed: one character.
    pub key: String,
    /// What it does.
    pub about: String,
    /// The command, with fields of the row as `%field`.
    pub command: String,
    /// Whether to ask first.
    #[serde(default)]
    pub ask: bool,
}

impl Chisel {
    /// Checks that what `[view]` names is there.
    pub(super) fn check_view(&self, view: &ViewDef) -> Result<(), Error> {
        self.field(&view.key)?;
        for field in &view.applies {
            self.field(field)?;
        }
        for action in &view.actions {
            if action.key.chars().count() != 1 {
                let message = format!("expected one character as key of an action, found `{}`", action.key);
                return Err(self.at(&action.key, message, "such as key = \"k\""));
            }
        }
        Ok(())
    }
}
