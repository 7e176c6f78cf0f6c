//! Whether a value that is missing was not recorded, or was not there to be recorded (`-v` tells them apart).

use super::{Column, Extract, FieldArg, FieldRef, evt, fd, render::Slot};
use crate::batch::{Known, Row};
use crate::event::{Flags, KindFlags};
use crate::world::ImageRow;

impl FieldRef {
    /// Whether the row of an event, for which this field has no value, has none because it was not recorded: nobody told the
    /// source, or the source could not read it. `false` where an event of its kind, thread or descriptor has no such thing.
    pub fn is_unrecorded(&self, row: &Row<'_>) -> bool {
        match self.field.extract {
            Extract::Thread(_) => self.is_untold_of_thread(row),
            Extract::Descriptor(_) => row.desc().is_none() && fd::number(row).is_some_and(|number| number >= 0),
            Extract::Number(Column::Duration) | Extract::Column(Column::Duration, _) => {
                row.info().flags.has(KindFlags::CALL) && !row.flags().has(Flags::IN_FLIGHT) && row.duration().is_none()
            }
            Extract::Number(Column::Return) | Extract::Column(Column::Return, _) => is_untold(row, Slot::Return),
            Extract::Kind(_) | Extract::Number(_) | Extract::Column(..) => false,
            Extract::Event(_) if self.carries().is_some() => row.thread().tid != 0,
            Extract::Audit(_) | Extract::Text(..) | Extract::Event(_) => {
                self.place(row).is_some_and(|slot| is_untold(row, slot))
            }
        }
    }

    fn is_untold_of_thread(&self, row: &Row<'_>) -> bool {
        let (dict, thread) = (row.dict(), row.thread());
        let is_of_image = ["proc.exe", "proc.args", "proc.cmdline", "proc.env", "proc.cmdnargs", "proc.cmdlenargs"];
        let has_no_image = *dict.image(thread.image) == ImageRow::default();
        match self.field.name {
            // Events of the machine are of no thread.
            _ if thread.tid == 0 => false,
            _ if thread.placeholder => true,
            "user.homedir" | "user.shell" => !dict.accounts.contains_key(&thread.euid),
            "user.name" => !dict.users.contains_key(&thread.euid),
            "user.loginname" => thread.loginuid != u32::MAX && !dict.users.contains_key(&thread.loginuid),
            "group.name" => !dict.groups.contains_key(&thread.egid),
            "proc.cwd" | "thread.cwd" => dict.strings.get(thread.cwd).is_none(),
            name => has_no_image && is_of_image.iter().any(|start| name.starts_with(start)),
        }
    }

    /// The parameter that it is made of.
    fn place(&self, row: &Row<'_>) -> Option<Slot> {
        let known = match (self.field.name, &self.arg) {
            ("evt.arg" | "evt.rawarg", FieldArg::Name(_) | FieldArg::Index(_)) => {
                return evt::slot(row.info(), &self.arg);
            }
            ("evt.buffer", _) => Known::Data,
            ("fs.path.name" | "fs.path.nameraw" | "evt.abspath", _) => Known::Path,
            ("fs.path.source" | "fs.path.sourceraw" | "evt.abspath.src", _) => Known::FirstPath,
            ("fs.path.target" | "fs.path.targetraw" | "evt.abspath.dst", _) => Known::SecondPath,
            _ => return None,
        };
        row.batch.place(row.kind, known).map(Slot::Param)
    }
}

/// Whether a call has a value that the source could not tell. A call that failed gave nothing back.
fn is_untold(row: &Row<'_>, slot: Slot) -> bool {
    let (info, flags) = (row.info(), row.flags());
    match slot {
        Slot::Return => info.ret.is_some() && flags.has(Flags::UNTOLD),
        Slot::Param(n) => {
            let gives = super::entered::known(info) >> n.min(63) & 1 == 1;
            let gave = !flags.has(Flags::IN_FLIGHT) && row.ret().is_none_or(|ret| ret >= 0);
            row.is_missing(n) && (gives || gave)
        }
    }
}
