//! Transformers in a format: `%toupper(proc.name)`, `%join(", ", proc.aname)`.

use super::Error;
use crate::batch::Row;
use crate::field::{Context, FieldRef, lookup_prefix};
use crate::value::{TRANSFORMERS, Takes, Transformer, Value, option_of};

/// Transformers in each other, at most.
const MAX_DEPTH: usize = 16;

/// What a transformer is given.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Field(FieldRef),
    Text(Vec<u8>),
    List(Vec<Operand>),
    Made(Box<Call>),
}

/// A transformer with what it is given.
#[derive(Debug, Clone)]
pub(super) struct Call {
    by: &'static Transformer,
    of: Vec<Operand>,
    /// Which of its values: the letter behind `getopt(…)`.
    option: Option<Vec<u8>>,
}

impl Call {
    /// Its value for one event.
    pub(super) fn value<'a>(&'a self, row: &Row<'a>, ctx: &Context) -> Value<'a> {
        let values: Vec<Value<'a>> = self.of.iter().map(|of| of.value(row, ctx)).collect();
        let made = (self.by.apply)(&values);
        match &self.option {
            Some(letter) => option_of(made, letter),
            None => made,
        }
    }

    /// The fields that it is given.
    pub(super) fn fields(&self) -> Vec<&FieldRef> {
        self.of.iter().flat_map(Operand::fields).collect()
    }

    /// Type of its value.
    pub(super) fn ty(&self) -> crate::value::Type {
        self.by.gives
    }
}

impl Operand {
    fn fields(&self) -> Vec<&FieldRef> {
        match self {
            Operand::Field(field) => vec![field],
            Operand::Text(_) => Vec::new(),
            Operand::List(of) => of.iter().flat_map(Operand::fields).collect(),
            Operand::Made(call) => call.fields(),
        }
    }

    fn value<'a>(&'a self, row: &Row<'a>, ctx: &Context) -> Value<'a> {
        match self {
            Operand::Field(field) => field.value(row, ctx),
            Operand::Text(text) => Value::text(text),
            Operand::List(of) => Value::List(of.iter().map(|of| of.value(row, ctx)).collect()),
            Operand::Made(call) => call.value(row, ctx),
        }
    }
}

/// The transformer whose name and parenthesis `text` starts with.
fn transformer(text: &str) -> Option<&'static Transformer> {
    TRANSFORMERS.iter().find(|t| text.strip_prefix(t.name).is_some_and(|rest| rest.starts_with('(')))
}

/// The call that `text` starts with and what is behind it; `None` if it starts with none. `at` is where it stands.
pub(super) fn call(text: &str, at: usize, depth: usize) -> Option<Result<(Call, &str), Error>> {
    let by = transformer(text)?;
    Some(arguments(by, &text[by.name.len() + 1..], at, depth))
}

fn arguments<'t>(by: &'static Transformer, text: &'t str, at: usize, depth: usize) -> Result<(Call, &'t str), Error> {
    if depth >= MAX_DEPTH {
        return Err(Error::Call {
            at,
            what: format!("expected at most {MAX_DEPTH} transformers in each other, found more"),
        });
    }
    let (of, rest) = operands(text, at, depth)?;
    let least = by.takes.len();
    if of.len() < least || (of.len() > least && !by.repeats) {
        let what = format!("expected {least} arguments for `{}`, found {}", by.name, of.len());
        return Err(Error::Call { at, what });
    }
    for (of, takes) in of.iter().zip(by.takes) {
        if matches!((of, takes), (Operand::List(_), Takes::Text | Takes::Bytes)) {
            let what = format!("expected a text for `{}`, found a list", by.name);
            return Err(Error::Call { at, what });
        }
    }
    let option = rest.strip_prefix('[').filter(|_| by.gives_list).and_then(|rest| rest.split_once(']'));
    let (option, rest) = option.map_or((None, rest), |(letter, rest)| (Some(letter.as_bytes().to_vec()), rest));
    Ok((Call { by, of, option }, rest))
}

/// Arguments up to the closing parenthesis, and what is behind it.
fn operands(mut text: &str, at: usize, depth: usize) -> Result<(Vec<Operand>, &str), Error> {
    let mut all = Vec::new();
    loop {
        text = text.trim_start();
        if let (Some(rest), true) = (text.strip_prefix(')'), all.is_empty()) {
            return Ok((all, rest));
        }
        let (one, rest) = operand(text, at, depth)?;
        all.push(one);
        let rest = rest.trim_start();
        if let Some(rest) = rest.strip_prefix(')') {
            return Ok((all, rest));
        }
        let Some(next) = rest.strip_prefix(',') else {
            let found = rest.chars().next().map_or("the end".to_owned(), |c| format!("`{c}`"));
            return Err(Error::Call { at, what: format!("expected `,` or `)`, found {found}") });
        };
        text = next;
    }
}

fn operand(text: &str, at: usize, depth: usize) -> Result<(Operand, &str), Error> {
    if let Some(made) = call(text, at, depth + 1) {
        return made.map(|(call, rest)| (Operand::Made(Box::new(call)), rest));
    }
    if let Some(inside) = text.strip_prefix('(') {
        if depth >= MAX_DEPTH {
            return Err(Error::Call {
                at,
                what: format!("expected at most {MAX_DEPTH} lists in each other, found more"),
            });
        }
        return operands(inside, at, depth + 1).map(|(list, rest)| (Operand::List(list), rest));
    }
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inside = &text[1..];
        let Some(end) = inside.find(quote) else {
            return Err(Error::Call { at, what: format!("expected `{quote}` behind a text, found the end") });
        };
        return Ok((Operand::Text(inside.as_bytes()[..end].to_vec()), &inside[end + 1..]));
    }
    let name = text.strip_prefix('%').unwrap_or(text);
    if let Some((field, used)) = lookup_prefix(name) {
        return Ok((Operand::Field(field), &name[used..]));
    }
    let end = name.find([',', ')', ' ']).unwrap_or(name.len());
    if end > 0 && name[..end].bytes().all(|b| b.is_ascii_digit()) {
        return Ok((Operand::Text(name.as_bytes()[..end].to_vec()), &name[end..]));
    }
    Err(match crate::field::lookup(&name[..end]) {
        Err(cause) => Error::field(at, cause),
        Ok(_) => Error::Call { at, what: "expected a field, a text in quotes or a transformer".to_owned() },
    })
}
