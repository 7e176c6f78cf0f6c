//! Fields with few values: a constant that is none of them never matches, which is rarely meant.

use crate::event::errno_names;
use crate::field::FieldRef;

/// Fields and all that they can say.
const ENUMERATIONS: &[(&str, &[&str])] = &[
    ("evt.dir", &["<", ">"]),
    (
        "evt.category",
        &[
            "file",
            "net",
            "ipc",
            "wait",
            "signal",
            "sleep",
            "time",
            "process",
            "scheduler",
            "memory",
            "user",
            "system",
            "internal",
            "other",
        ],
    ),
    ("evt.io_dir", &["read", "write"]),
    (
        "fd.type",
        &[
            "file",
            "directory",
            "ipv4",
            "ipv6",
            "unix",
            "netlink",
            "socket",
            "pipe",
            "event",
            "signalfd",
            "eventpoll",
            "inotify",
            "timerfd",
            "bpf",
            "userfaultfd",
            "io_uring",
            "memfd",
            "pidfd",
        ],
    ),
    ("fd.typechar", &["f", "d", "4", "6", "u", "n", "o", "p", "e", "s", "l", "i", "t", "b", "r", "m", "P"]),
    ("fd.l4proto", &["tcp", "udp", "icmp", "raw"]),
];

/// All values of a field, if they are known beforehand. Errors without a name are numbers, and not among them.
pub fn values_of(field: &FieldRef) -> Option<Vec<&'static str>> {
    if field.field.name == "evt.res" {
        return Some(std::iter::once("SUCCESS").chain(errno_names()).collect());
    }
    ENUMERATIONS.iter().find(|(name, _)| *name == field.field.name).map(|(_, values)| values.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use crate::event::SPECS;
    use crate::field::sample::{Sample, batch, rows};
    use crate::field::{Context, lookup};
    use crate::value::Value;

    #[test]
    fn no_event_has_a_value_that_is_not_listed() {
        let samples: Vec<Sample> =
            SPECS.iter().flat_map(|s| (0..6).map(|desc| Sample { desc, ..Sample::new(s.name, 1) })).collect();
        let (mut met, ctx) = (0, Context::default());
        for batch in samples.chunks(200).map(batch).collect::<Vec<Batch>>() {
            for (name, values) in ENUMERATIONS {
                let field = lookup(name).unwrap();
                for row in rows(&batch) {
                    if let Value::Text(text) = field.value(&row, &ctx) {
                        let text = String::from_utf8(text.into_owned()).unwrap();
                        assert!(values.contains(&&*text), "{name} = {text}");
                        met += 1;
                    }
                }
            }
        }
        assert!(met > 1000);
    }
}
