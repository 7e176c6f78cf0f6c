//! [`Field`]: one entry of the catalogue, and [`FieldRef`]: a field with its argument as somebody named it.

use super::Context;
use super::alias::Alias;
use super::audit::AUDIT;
use crate::batch::{KindInfo, Row};
use crate::event::{AuditPart, Class, Flags, ParamType};
use crate::value::{Type, Value};
use crate::world::{DescRow, Dict, ThreadRow};

/// Where a field is evaluated, which is what makes replay fast (architecture §5). Ordered from coarse to fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Once per event kind.
    Kind,
    /// Once per thread row.
    Thread,
    /// Once per descriptor row.
    Descriptor,
    /// Per event.
    Event,
}

impl Level {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Level::Kind => "kind",
            Level::Thread => "thread",
            Level::Descriptor => "descriptor",
            Level::Event => "event",
        }
    }
}

/// Whether a field takes an argument in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgRule {
    /// None.
    No,
    /// `proc.aname` or `proc.aname[1]`.
    OptionalIndex,
    /// `proc.env` or `proc.env[HOME]`.
    OptionalName,
    /// `evt.arg[0]` or `evt.arg.name`.
    Required,
    /// `container.label[io.kubernetes.pod.name]` or `container.label.team`: a text that names one of many.
    Key,
    /// `container.mount[0]` or `container.mount[/data]`: a number or a text, in brackets.
    Item,
}

impl ArgRule {
    /// How an argument is written behind the name; empty for fields that take none.
    pub fn form(self) -> &'static str {
        match self {
            ArgRule::No => "",
            ArgRule::OptionalIndex => "none or [number]",
            ArgRule::OptionalName => "none or [name]",
            ArgRule::Required => ".name or [number]",
            ArgRule::Key => ".name or [name]",
            ArgRule::Item => "[number] or [name]",
        }
    }
}

/// A field's argument.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FieldArg {
    /// None given.
    None,
    /// A number.
    Index(u32),
    /// A name.
    Name(String),
}

/// A column that an event-level field is made of, alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Column {
    /// Ordinal of the row in its reel.
    Num,
    /// Time of completion, ns UTC.
    Time,
    /// Processor.
    Cpu,
    /// Return value; kinds without one and calls in flight have none.
    Return,
    /// Duration, ns.
    Duration,
    /// [`Flags`](crate::event::Flags).
    Flags,
}

impl Column {
    /// Whether the column belongs to the tables of kinds, not to the batch's rows.
    pub fn is_by_kind(self) -> bool {
        matches!(self, Column::Return | Column::Duration | Column::Flags)
    }

    /// The number as a value: return values are signed.
    #[inline]
    pub fn number(self, raw: i64) -> Value<'static> {
        if self == Column::Return { Value::Int(raw) } else { Value::Uint(raw as u64) }
    }

    /// The value for one event.
    #[inline]
    pub fn get(self, row: &Row<'_>) -> Option<i64> {
        match self {
            Column::Num => Some(row.num() as i64),
            Column::Time => Some(row.time() as i64),
            Column::Cpu => Some(i64::from(row.cpu())),
            Column::Return => row.ret().filter(|_| !row.flags().has(Flags::IN_FLIGHT)),
            Column::Duration => row.duration().map(|d| d as i64),
            Column::Flags => Some(i64::from(row.flags().0)),
        }
    }
}

/// Makes a value of a text.
pub type OfText = for<'a> fn(&'a [u8], &FieldArg) -> Value<'a>;

/// How a field's value is found. Kind, Thread and Descriptor extractors are called once per row of their table.
#[derive(Clone, Copy)]
pub enum Extract {
    /// From the kind alone.
    Kind(for<'a> fn(&'a KindInfo, &'a FieldArg) -> Value<'a>),
    /// From the thread's row.
    Thread(for<'a> fn(&'a Dict, &'a ThreadRow, &'a FieldArg) -> Value<'a>),
    /// From the descriptor's row.
    Descriptor(for<'a> fn(&'a Dict, &'a DescRow, &'a FieldArg) -> Value<'a>),
    /// The number of one column of the event itself.
    Number(Column),
    /// From one column of the event, so that a filter scans that column and makes no [`Row`].
    Column(Column, fn(&KindInfo, i64, &Context) -> Value<'static>),
    /// One part of an audit event, as it is, so that a filter scans its column.
    Audit(AuditPart),
    /// From the text of one part of an audit event, so that each text that a batch has is looked at once.
    Text(AuditPart, OfText),
    /// From the event.
    Event(for<'a> fn(&Row<'a>, &'a FieldArg, &Context) -> Value<'a>),
}

/// One entry of the catalogue.
pub struct Field {
    /// `proc.name`.
    pub name: &'static str,
    /// Type of its values.
    pub ty: Type,
    /// Argument.
    pub arg: ArgRule,
    /// One sentence.
    pub doc: &'static str,
    /// A filter that uses it.
    pub example: &'static str,
    /// How its value is found, and so its level.
    pub extract: Extract,
}

impl Field {
    /// An entry.
    pub(super) const fn new(
        name: &'static str,
        ty: Type,
        arg: ArgRule,
        doc: &'static str,
        example: &'static str,
        extract: Extract,
    ) -> Field {
        Field { name, ty, arg, doc, example, extract }
    }

    /// What the name begins with: `proc` of `proc.name`.
    pub fn class(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// Where it is evaluated.
    pub fn level(&self) -> Level {
        match self.extract {
            Extract::Kind(_) => Level::Kind,
            Extract::Thread(_) => Level::Thread,
            Extract::Descriptor(_) => Level::Descriptor,
            Extract::Number(_) | Extract::Column(..) | Extract::Audit(_) | Extract::Text(..) | Extract::Event(_) => {
                Level::Event
            }
        }
    }
}

/// How a field's value is made of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataForm {
    /// It is the bytes.
    Bytes,
    /// It is what is shown of them.
    Shown,
}

/// A field with its argument, as somebody named it.
#[derive(Clone)]
pub struct FieldRef {
    /// The entry.
    pub field: &'static Field,
    /// The argument.
    pub arg: FieldArg,
    /// Type of its values: the entry's, except where the argument decides (`evt.rawarg`).
    pub ty: Type,
    /// The other name by which it was named, if it was.
    pub alias: Option<&'static Alias>,
}

/// What a field is for rows of one kind.
#[derive(Debug, Clone)]
pub enum OfKind {
    /// All have this value.
    Value(Value<'static>),
    /// This field gives it.
    Field(FieldRef),
}

impl FieldRef {
    /// Whether its values are found in a dictionary, or may be; not where they are made of kinds, numbers or data alone.
    pub fn needs_dict(&self) -> bool {
        // Data stands in the batches, and so do numbers.
        let is_own = ["evt.buffer", "ka.latency"].contains(&self.field.name);
        let is_number = matches!(
            self.field.extract,
            Extract::Kind(_) | Extract::Number(_) | Extract::Column(..) | Extract::Audit(AuditPart::Code)
        );
        !is_own && !is_number
    }

    /// Whether its value is the same for a thread of a [`Roster`](crate::world::Roster): made of its name and ids alone.
    pub fn is_in_roster(&self) -> bool {
        ["proc.name", "proc.pid", "thread.tid"].contains(&self.field.name)
    }

    /// The value for one event, whatever the level.
    #[inline]
    pub fn value<'a>(&'a self, row: &Row<'a>, ctx: &Context) -> Value<'a> {
        if ctx.at_entry
            && let Some(value) = super::entered::value(self, row, ctx)
        {
            return value;
        }
        match self.field.extract {
            Extract::Kind(f) => f(row.info(), &self.arg),
            Extract::Thread(f) => f(row.dict(), row.thread(), &self.arg),
            Extract::Descriptor(f) => row.desc().map_or(Value::Missing, |d| f(row.dict(), d, &self.arg)),
            Extract::Number(column) => column.get(row).map_or(Value::Missing, |v| column.number(v)),
            Extract::Column(column, f) => column.get(row).map_or(Value::Missing, |v| f(row.info(), v, ctx)),
            Extract::Audit(part) => super::audit::value(row, part),
            Extract::Text(part, of) => super::audit::of_text(row, part, of, &self.arg),
            Extract::Event(f) => f(row, &self.arg, ctx),
        }
    }

    /// The parameter of a kind whose data the value is, and in what form; `None`: it is made otherwise.
    pub fn data(&self, kind: &KindInfo) -> Option<(usize, DataForm)> {
        let (param, form) = match (self.field.name, &self.arg) {
            ("evt.buffer", _) => {
                (kind.params.iter().position(|p| p.class == Class::Data && p.ty == ParamType::Bytes)?, DataForm::Bytes)
            }
            ("evt.rawarg" | "evt.arg", FieldArg::Name(name)) => {
                let is_ret = kind.ret.as_ref().is_some_and(|ret| ret.0 == *name);
                let param = kind.params.iter().position(|p| p.name == *name).filter(|_| !is_ret)?;
                (param, if self.field.name == "evt.arg" { DataForm::Shown } else { DataForm::Bytes })
            }
            _ => return None,
        };
        let is_data = |p: &crate::batch::ParamInfo| p.class == Class::Data && p.ty == ParamType::Bytes;
        kind.params.get(param).is_some_and(is_data).then_some((param, form))
    }

    /// The same field as it is asked of rows of one kind: with the number of its parameter instead of a name, or the value
    /// that all of them have.
    pub fn of_kind(&self, kind: &KindInfo) -> OfKind {
        if !self.applies(kind) {
            return OfKind::Value(Value::Missing);
        }
        if let Some(value) = super::amounts::of_kind(self.field.name, kind) {
            return OfKind::Value(value);
        }
        let mut field = self.clone();
        if let ("evt.arg" | "evt.rawarg", FieldArg::Name(_)) = (self.field.name, &self.arg)
            && let Some(slot) = super::evt::slot(kind, &self.arg)
        {
            field.arg = FieldArg::Index(slot.position(kind));
        }
        OfKind::Field(field)
    }

    /// Whether any event of a kind can have a value; `false` saves reading the kind's table.
    pub fn applies(&self, kind: &KindInfo) -> bool {
        match (&self.field.extract, &self.arg) {
            (Extract::Number(Column::Return) | Extract::Column(Column::Return, _), _) => kind.ret.is_some(),
            (Extract::Audit(_) | Extract::Text(..), _) => kind.name == AUDIT,
            (Extract::Event(_), _) if self.field.name == "evt.buffer" => {
                kind.params.iter().any(|p| p.class == Class::Data && p.ty == ParamType::Bytes)
            }
            (Extract::Event(_), _)
                if ["ka.", "json.", "jevt."].iter().any(|class| self.field.name.starts_with(class)) =>
            {
                kind.name == AUDIT
            }
            (Extract::Event(_), _) if self.field.name.starts_with("fs.path.") => {
                kind.params.iter().any(|p| matches!(p.ty, ParamType::Path | ParamType::RelPath))
            }
            _ if self.field.arg != ArgRule::Required => true,
            (Extract::Event(_), FieldArg::Name(name)) => {
                kind.ret.as_ref().is_some_and(|r| r.0 == *name) || kind.params.iter().any(|p| p.name == *name)
            }
            (Extract::Event(_), FieldArg::Index(i)) => {
                (*i as usize) < kind.params.len() + usize::from(kind.ret.is_some())
                    || kind.params.iter().any(|p| p.class == Class::Env)
            }
            _ => true,
        }
    }
}

impl std::fmt::Display for FieldRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.arg, self.field.arg) {
            (FieldArg::None, _) => f.write_str(self.field.name),
            (FieldArg::Index(i), _) => write!(f, "{}[{i}]", self.field.name),
            (FieldArg::Name(name), ArgRule::Required) => write!(f, "{}.{name}", self.field.name),
            (FieldArg::Name(name), _) => write!(f, "{}[{name}]", self.field.name),
        }
    }
}

impl std::fmt::Debug for FieldRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl PartialEq for FieldRef {
    fn eq(&self, other: &Self) -> bool {
        self.field.name == other.field.name && self.arg == other.arg
    }
}

impl Eq for FieldRef {}
