//! Fields that join events of two sorts: the Kubernetes request behind a process, and what the stages of a request say together.
//!
//! A stage between reader and question finds what belongs together, which is done only where a question names such a field.

use super::{ArgRule, Extract, Field, FieldRef};
use crate::batch::Row;
use crate::value::{Type, Value};

/// A value that is joined to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Join {
    /// When the request behind the process came, ns UTC.
    Time,
    /// Audit id of that request.
    Id,
    /// Who made it.
    User,
    /// Whom it was made as.
    As,
    /// The address that connected.
    Address,
    /// Addresses that the client claims.
    Claimed,
    /// What the client says it is.
    Agent,
    /// Id of the token or certificate.
    Credential,
    /// exec, attach or debug.
    Action,
    /// Namespace, slash and name of the pod.
    Pod,
    /// The container that it names.
    Container,
    /// What it runs.
    Command,
    /// What process and request have in common, commas between.
    By,
    /// Status at the end of the request of an audit event.
    Code,
    /// How long that request took, ns.
    Latency,
    /// Name of its object, from whichever stage has it.
    Name,
    /// Stages that were logged, commas between.
    Stages,
}

impl Join {
    /// Whether it is about the request behind a process, not about the request of an audit event.
    pub fn is_of_process(self) -> bool {
        self <= Join::By
    }

    /// Whether it is a text.
    pub fn is_text(self) -> bool {
        !matches!(self, Join::Time | Join::Code | Join::Latency)
    }
}

/// What each field is made of.
const NEEDS: &[(&str, Join)] = &[
    ("proc.audit.time", Join::Time),
    ("proc.audit.id", Join::Id),
    ("proc.audit.user", Join::User),
    ("proc.audit.impuser", Join::As),
    ("proc.audit.address", Join::Address),
    ("proc.audit.address.claimed", Join::Claimed),
    ("proc.audit.agent", Join::Agent),
    ("proc.audit.credential", Join::Credential),
    ("proc.audit.action", Join::Action),
    ("proc.audit.pod", Join::Pod),
    ("proc.audit.container", Join::Container),
    ("proc.audit.command", Join::Command),
    ("proc.audit.by", Join::By),
    ("ka.request.code", Join::Code),
    ("ka.request.latency", Join::Latency),
    ("ka.request.name", Join::Name),
    ("ka.request.stages", Join::Stages),
];

impl FieldRef {
    /// What must be joined for it.
    pub fn joins(&self) -> Option<Join> {
        joins(self.field)
    }
}

/// What must be joined for a field.
pub fn joins(field: &Field) -> Option<Join> {
    NEEDS.iter().find(|(name, _)| *name == field.name).map(|(_, join)| *join)
}

const fn field(name: &'static str, ty: Type, doc: &'static str, example: &'static str, extract: Extract) -> Field {
    Field::new(name, ty, ArgRule::No, doc, example, extract)
}

pub(super) static FIELDS: &[Field] = &[
    field(
        "proc.audit.user",
        Type::Text,
        "Who really ran it: the Kubernetes user whose exec, attach or debug request the process, or one above it, came from.",
        "proc.audit.user = alice",
        Extract::Event(|row, _, _| text(row, Join::User)),
    ),
    field(
        "proc.audit.id",
        Type::Text,
        "Audit id of that request; its audit events have it, too.",
        "proc.audit.id exists",
        Extract::Event(|row, _, _| text(row, Join::Id)),
    ),
    field(
        "proc.audit.time",
        Type::Time,
        "When that request came.",
        "proc.audit.time exists",
        Extract::Event(|row, _, _| number(row, Join::Time).map_or(Value::Missing, |ns| Value::Uint(ns as u64))),
    ),
    field(
        "proc.audit.impuser",
        Type::Text,
        "Whom that request was made as.",
        "proc.audit.impuser exists",
        Extract::Event(|row, _, _| text(row, Join::As)),
    ),
    field(
        "proc.audit.address",
        Type::Text,
        "The address that connected to the API server for that request.",
        "proc.audit.address = 203.0.113.9",
        Extract::Event(|row, _, _| text(row, Join::Address)),
    ),
    field(
        "proc.audit.address.claimed",
        Type::Text,
        "Addresses that its client claims (X-Forwarded-For), commas between.",
        "proc.audit.address.claimed exists",
        Extract::Event(|row, _, _| text(row, Join::Claimed)),
    ),
    field(
        "proc.audit.agent",
        Type::Text,
        "What its client says it is.",
        "proc.audit.agent startswith kubectl",
        Extract::Event(|row, _, _| text(row, Join::Agent)),
    ),
    field(
        "proc.audit.credential",
        Type::Text,
        "Id of the token or certificate that it was made with.",
        "proc.audit.credential exists",
        Extract::Event(|row, _, _| text(row, Join::Credential)),
    ),
    field(
        "proc.audit.action",
        Type::Text,
        "exec, attach, or debug for an ephemeral container.",
        "proc.audit.action = exec",
        Extract::Event(|row, _, _| text(row, Join::Action)),
    ),
    field(
        "proc.audit.pod",
        Type::Text,
        "Namespace, slash and name of the pod that it names.",
        "proc.audit.pod = prod/web-1",
        Extract::Event(|row, _, _| text(row, Join::Pod)),
    ),
    field(
        "proc.audit.container",
        Type::Text,
        "The container that it names.",
        "proc.audit.container = web",
        Extract::Event(|row, _, _| text(row, Join::Container)),
    ),
    field(
        "proc.audit.command",
        Type::Text,
        "The command that it names; an attach has none.",
        "proc.audit.command startswith sh",
        Extract::Event(|row, _, _| text(row, Join::Command)),
    ),
    field(
        "proc.audit.by",
        Type::Text,
        "What process and request have in common: container, pod, command, time; less than container or pod is a guess.",
        "proc.audit.by contains container",
        Extract::Event(|row, _, _| text(row, Join::By)),
    ),
    field(
        "ka.request.code",
        Type::Int,
        "Status at the end of the request that the event is a stage of.",
        "ka.request.code >= 400",
        Extract::Event(|row, _, _| number(row, Join::Code).map_or(Value::Missing, Value::Int)),
    ),
    field(
        "ka.request.latency",
        Type::Duration,
        "How long the whole request took, told of each of its stages.",
        "ka.request.latency > 1s",
        Extract::Event(|row, _, _| number(row, Join::Latency).map_or(Value::Missing, |ns| Value::Uint(ns as u64))),
    ),
    field(
        "ka.request.name",
        Type::Text,
        "Name of the request's object from whichever stage has it: of a new one the last.",
        "ka.request.name = web-1",
        Extract::Event(|row, _, _| text(row, Join::Name)),
    ),
    field(
        "ka.request.stages",
        Type::Text,
        "Stages of the request that were logged, commas between.",
        "ka.request.stages contains Panic",
        Extract::Event(|row, _, _| text(row, Join::Stages)),
    ),
];

fn number(row: &Row<'_>, of: Join) -> Option<i64> {
    row.batch.joined()?.number(of as u8, row.index)
}

fn text<'a>(row: &Row<'a>, of: Join) -> Value<'a> {
    row.batch.joined().and_then(|joined| joined.text(of as u8, row.index)).map_or(Value::Missing, Value::text)
}
