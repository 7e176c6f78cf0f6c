//! The parser's part for transformers and for fields on the right side.

use super::ast::{Check, Expr, Quantifier};
use super::literal::{Literal, Reads};
use super::operator::{Operands, Operator};
use super::parse::{Parser, did_you_mean, is_blank, nearest};
use super::relation::{Operand, Relation, Right};
use crate::field::FieldRef;
use crate::value::{TRANSFORMERS, Takes, Transformer, Type};
use std::ops::Range;

/// Of more values than these only some are told.
const MOST_TOLD: usize = 20;

/// A constant: where it stands and what it says.
pub(super) type Written = (Range<usize>, Vec<u8>);

/// What was read behind an operator.
pub(super) enum Given {
    Constants(Option<Quantifier>, Vec<Written>),
    Operand(Range<usize>, Operand),
}

/// Types whose values can be compared with each other.
fn comparable(a: Type, b: Type) -> bool {
    let class = |ty| match ty {
        Type::Bool => 0,
        Type::Int | Type::Uint | Type::Duration | Type::Time | Type::Port => 1,
        Type::Text | Type::Path | Type::Bytes => 2,
        Type::Ip => 3,
        Type::Net => 4,
        Type::Real => 5,
    };
    class(a) == class(b) && class(a) != 4
}

fn takes(takes: Takes) -> &'static str {
    match takes {
        Takes::Text => "a text",
        Takes::Bytes => "a text or data",
        Takes::Any => "a text, data or a list",
        Takes::List => "a list, such as `(proc.name, proc.exe)`",
    }
}

impl Parser<'_> {
    /// The transformer whose name and parenthesis stand here.
    fn transformer(&self) -> Option<&'static Transformer> {
        let rest = self.rest();
        TRANSFORMERS.iter().find(|t| rest.strip_prefix(t.name).is_some_and(|rest| rest.starts_with('(')))
    }

    /// Whether a field or transformer stands here, in a place where a constant could.
    fn is_operand(&self) -> bool {
        self.rest().starts_with("val(") || self.transformer().is_some()
    }

    /// Whether something that is called stands here, though nothing of that name can be.
    fn unknown_call(&mut self) -> bool {
        let rest = self.rest();
        let name = &rest[..rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()];
        if name.is_empty() || !rest[name.len()..].starts_with('(') || name == "not" {
            return false;
        }
        let near = nearest(name, TRANSFORMERS.iter().map(|t| t.name)).map(did_you_mean);
        let all: Vec<&str> = TRANSFORMERS.iter().map(|t| t.name).collect();
        let message = format!("unknown transformer `{name}`");
        self.error(self.at..self.at + name.len(), message, near.or(Some(format!("expected one of {}", all.join(" ")))));
        true
    }

    /// What stands to the left of an operator, if it is no plain field; `Err`: an error has been told.
    pub(super) fn left(&mut self) -> Result<Option<Operand>, ()> {
        if self.transformer().is_some() {
            return self.made().map(Some).ok_or(());
        }
        if self.rest().starts_with("val(") {
            let help = "the left side is a field without it".to_owned();
            self.error(self.at..self.at + 3, "`val` stands on the right side only".to_owned(), Some(help));
            return Err(());
        }
        if self.unknown_call() { Err(()) } else { Ok(None) }
    }

    /// A transformer with what it is given. `None`: an error has been told.
    fn made(&mut self) -> Option<Operand> {
        let start = self.at;
        let by = self.transformer()?;
        self.at += by.name.len();
        if !self.enter() {
            return None;
        }
        let given = self.arguments();
        self.depth -= 1;
        let mut given = given?;
        let most = if by.repeats { usize::MAX } else { by.takes.len() };
        if given.len() < by.takes.len() || given.len() > most {
            let count = if by.repeats { format!("at least {}", by.takes.len()) } else { by.takes.len().to_string() };
            let message = format!("expected {count} values for `{}`, found {}", by.name, given.len());
            self.error(start..self.at, message, None);
            return None;
        }
        let last = by.takes.len().saturating_sub(1);
        for (n, (span, part)) in given.iter().enumerate() {
            let wanted = by.takes[n.min(last)];
            let written_out = by.name == "concat" && matches!(part, Operand::Field(_));
            if !(part.fits(wanted) || written_out) {
                let message = format!("expected {} for `{}`, found `{part}`", takes(wanted), by.name);
                self.error(span.clone(), message, None);
                return None;
            }
        }
        let key = if by.gives_list && self.take(b'[') { Some(self.key()?) } else { None };
        Some(Operand::Made { by, of: given.drain(..).map(|(_, part)| part).collect(), key })
    }

    /// What stands in brackets, behind the first.
    fn key(&mut self) -> Option<Vec<u8>> {
        let (_, text) = if matches!(self.peek(), Some(b'"' | b'\'')) {
            self.constant()?
        } else {
            let length = self.rest().bytes().take_while(|&b| b != b']' && !is_blank(b)).count();
            self.at += length;
            (self.at - length..self.at, self.source.as_bytes()[self.at - length..self.at].to_vec())
        };
        if !self.take(b']') {
            self.expected("`]`", None);
            return None;
        }
        Some(text)
    }

    /// Values in parentheses.
    fn arguments(&mut self) -> Option<Vec<(Range<usize>, Operand)>> {
        let found = self.separated();
        if found.is_none() {
            // Their own parenthesis closes nothing else.
            self.at += self.rest().find(')').map_or(0, |end| end + 1);
        }
        found
    }

    fn separated(&mut self) -> Option<Vec<(Range<usize>, Operand)>> {
        self.at += 1;
        let mut given = Vec::new();
        self.blanks();
        if self.take(b')') {
            return Some(given);
        }
        loop {
            self.blanks();
            let start = self.at;
            let one = self.argument()?;
            given.push((start..self.at, one));
            self.blanks();
            if self.take(b')') {
                return Some(given);
            }
            if !self.take(b',') {
                self.expected("`,` or `)`", None);
                return None;
            }
        }
    }

    fn argument(&mut self) -> Option<Operand> {
        if self.transformer().is_some() {
            return self.made();
        }
        match self.peek() {
            Some(b'"' | b'\'') => return self.constant().map(|(_, text)| Operand::Text(text)),
            Some(b'(') => {
                if !self.enter() {
                    return None;
                }
                let parts = self.arguments();
                self.depth -= 1;
                return Some(Operand::List(parts?.into_iter().map(|(_, part)| part).collect()));
            }
            Some(b) if b.is_ascii_digit() => return self.constant().map(|(_, text)| Operand::Text(text)),
            _ => {}
        }
        if self.unknown_call() {
            return None;
        }
        self.field().ok().map(Operand::Field)
    }

    /// What stands to the right of an operator. `None`: an error has been told.
    pub(super) fn right(&mut self, op: &Operator) -> Option<Given> {
        if op.operands == Operands::None {
            return Some(Given::Constants(None, Vec::new()));
        }
        self.blanks();
        if self.is_operand() {
            let start = self.at;
            let operand = if self.rest().starts_with("val(") { self.val()? } else { self.made()? };
            return Some(Given::Operand(start..self.at, operand));
        }
        if op.operands == Operands::List {
            return self.list().map(|list| Given::Constants(None, list));
        }
        if let Some(quantifier) = self.quantifier() {
            return self.list().map(|list| Given::Constants(Some(quantifier), list));
        }
        if self.unknown_call() {
            return None;
        }
        self.constant().map(|one| Given::Constants(None, vec![one]))
    }

    /// `oneof`, `anyof` or `allof`, if a list stands behind it.
    fn quantifier(&mut self) -> Option<Quantifier> {
        let start = self.at;
        for &(name, quantifier) in Quantifier::NAMES {
            if self.keyword(name) {
                self.blanks();
                if self.peek() == Some(b'(') {
                    return Some(quantifier);
                }
                self.at = start;
            }
        }
        None
    }

    fn val(&mut self) -> Option<Operand> {
        self.at += "val".len();
        let start = self.at;
        let mut given = self.arguments()?;
        if let (Some((_, field @ (Operand::Field(_) | Operand::Made { .. }))), true) = (given.pop(), given.is_empty()) {
            return Some(field);
        }
        let message = "expected one field for `val`".to_owned();
        self.error(start..self.at, message, Some("such as `val(proc.pname)`".to_owned()));
        None
    }

    /// A comparison of what was read.
    pub(super) fn compared(&mut self, left: Operand, op: &'static Operator, given: Given) -> Option<Expr> {
        let (ty, name) = (left.ty(), left.to_string());
        match given {
            Given::Constants(quantifier, written) => {
                let constants = self.typed(&left, op, &written)?;
                let written: Vec<Vec<u8>> = written.into_iter().map(|(_, text)| text).collect();
                Some(match left {
                    Operand::Field(field) => super::alias::expr(Check { field, op, quantifier, written, constants }),
                    left => relation(left, op, quantifier, Right::Constants(written, constants)),
                })
            }
            Given::Operand(span, right) => {
                if op.reads != Reads::Typed {
                    let help = "it needs constants".to_owned();
                    self.error(span, format!("expected a constant for `{}`, found `{right}`", op.name), Some(help));
                    return None;
                }
                if !comparable(ty, right.ty()) {
                    let message = format!("expected {} for `{name}`, found `{right}`", super::literal::expected(ty));
                    self.error(span, message, Some("both sides must be of one type".to_owned()));
                    return None;
                }
                if right.is_list() && op.operands != Operands::List {
                    let message = format!("expected one value for `{name}`, found the list `{right}`");
                    self.error(span, message, Some("`in` and `intersects` take lists".to_owned()));
                    return None;
                }
                Some(relation(left, op, None, Right::Operand(right)))
            }
        }
    }

    /// Reads constants by what they are compared with. `None`: an error has been told.
    fn typed(&mut self, left: &Operand, op: &'static Operator, written: &[Written]) -> Option<Vec<Literal>> {
        let errors = self.errors.len();
        let name = left.to_string();
        let mut constants = Vec::with_capacity(written.len());
        for (span, text) in written {
            match op.reads.read(left.ty(), &name, text) {
                Ok(constant) => constants.push(constant),
                Err(message) => {
                    let near = |text| nearest(text, crate::value::service_names()).map(did_you_mean);
                    let name = std::str::from_utf8(text).ok().filter(|_| left.ty() == Type::Port);
                    self.error(span.clone(), message, name.and_then(near));
                }
            }
            if let Operand::Field(field) = left {
                self.known_type(field, op, span, text);
            }
            self.doubted(left, op, span, text);
        }
        constants.sort_unstable();
        constants.dedup();
        (self.errors.len() == errors).then_some(constants)
    }

    /// Says what is legal and probably not meant.
    fn doubted(&mut self, left: &Operand, op: &Operator, span: &Range<usize>, text: &[u8]) {
        let Ok(text) = std::str::from_utf8(text) else { return };
        self.never_true(left, op, span, text);
        if let Some(call) = crate::value::call_in(text) {
            let message = format!("`{text}` is compared as a text, though it looks like `{}`", call.name);
            self.warning(span.clone(), message, Some("write it without quotes for what it makes".to_owned()));
        }
        let is_bare = self.source.get(span.clone()) == Some(text);
        if is_bare && text.contains('.') && crate::field::lookup(text).is_ok_and(|f: FieldRef| f.field.name == text) {
            let message = format!("`{text}` is compared as a text, though a field has this name");
            self.warning(span.clone(), message, Some(format!("write `val({text})` for the field, or quote the text")));
        }
        let (found, what) = match op.reads {
            Reads::Regex => (super::pattern::cheaper(text), "a regular expression"),
            Reads::Glob => (super::pattern::cheaper_than_glob(text), "a shell pattern"),
            _ => (None, ""),
        };
        if let Some((cheaper, part)) = found {
            let message = format!("{what} for what `{cheaper}` says");
            self.warning(
                span.clone(),
                message,
                Some(format!("write `{left} {cheaper} {}`", super::ast::Quoted(part.as_bytes()))),
            );
        }
    }

    /// Says that a field never has a value.
    fn never_true(&mut self, left: &Operand, op: &Operator, span: &Range<usize>, text: &str) {
        let Operand::Field(field) = left else { return };
        let compares = matches!(op.name, "=" | "==" | "!=" | "in" | "intersects");
        if (field.field.name, text) == ("evt.dir", ">") && compares && op.name != "!=" {
            let message = "`evt.dir` is `>` of calls in flight alone: a call is one event, and that is `<`".to_owned();
            self.warning(span.clone(), message, Some("leave it out; --enter shows where calls began, too".to_owned()));
        }
        let is_nameless_error = field.field.name == "evt.res" && text.starts_with('-');
        let values = super::enumeration::values_of(field).filter(|all| compares && !all.contains(&text));
        let Some(values) = values.filter(|_| !is_nameless_error) else { return };
        let near = nearest(text, values.iter().copied()).map(did_you_mean);
        let help = near.unwrap_or_else(|| match &values[..] {
            [first, second, .., last] if values.len() > MOST_TOLD => format!("such as {first} {second} {last}"),
            all => format!("one of {}", all.join(" ")),
        });
        self.warning(span.clone(), format!("`{field}` is never `{text}`"), Some(help));
    }
}

fn relation(left: Operand, op: &'static Operator, quantifier: Option<Quantifier>, right: Right) -> Expr {
    Expr::Relation(Box::new(Relation { left, op, quantifier, right }))
}
