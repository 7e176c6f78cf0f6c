//! Filter text → [`Expr`], with every error that can be told at once.
//!
//! The grammar is sysdig's: what a word means depends on where it stands, so there is no separate tokenizer.

use super::ast::{Expr, Quantifier};
use super::binding::{Binding, Bindings};
use super::diagnostic::{Diagnostic, Diagnostics};
use super::operand::Written;
use super::operator::{OPERATORS, Operator};
use super::relation::Operand;
use crate::event::SPECS;
use crate::field::{ArgRule, FieldArg, FieldRef, lookup};
use std::ops::Range;

/// The deepest nesting of parentheses.
const MAX_DEPTH: usize = 100;

/// Longer filters are refused, bytes.
const MAX_LENGTH: usize = 1 << 20;

/// Errors after this many are not told.
const MAX_ERRORS: usize = 20;

/// Reads a filter. With `bindings`, even if there are none, `$name` is a parameter; without, `$` is a character.
pub(super) fn parse(source: &str, bindings: Option<&Bindings>) -> Result<(Expr, Vec<Diagnostic>), Diagnostics> {
    let fail = |errors| Diagnostics { source: source.to_owned(), errors };
    let mut parser = Parser { source, bindings, at: 0, depth: 0, errors: Vec::new(), warnings: Vec::new() };
    if source.len() > MAX_LENGTH {
        parser.error(0..0, format!("expected at most {MAX_LENGTH} bytes, found {}", source.len()), None);
        return Err(Diagnostics { source: String::new(), errors: parser.errors });
    }
    parser.blanks();
    if parser.at == source.len() {
        parser.error(0..0, "expected a filter, found nothing".to_owned(), Some("such as `evt.type = open`".to_owned()));
        return Err(fail(parser.errors));
    }
    if let Some(at) = source.find('\0') {
        parser.error(at..at + 1, "expected a filter without NUL, found one".to_owned(), None);
        return Err(fail(parser.errors));
    }
    let expr = parser.or();
    parser.trailing();
    match expr {
        Some(expr) if parser.errors.is_empty() => Ok((expr, parser.warnings)),
        _ => {
            parser.errors.sort_by_key(|e| e.span.start);
            Err(fail(parser.errors))
        }
    }
}

pub(super) struct Parser<'s> {
    pub(super) source: &'s str,
    bindings: Option<&'s Bindings>,
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

/// What a `$name` is.
enum Parameter<'s> {
    /// No `$` stands here, or it is a character like others.
    Absent,
    /// Nobody declared it, and that has been told.
    Unknown,
    /// This.
    Bound(&'s Binding),
}

pub(super) fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 8)
}

/// Ends a bare word.
fn is_delimiter(b: u8) -> bool {
    is_blank(b) || b"()\"'=,".contains(&b)
}

/// Where the bracket of a field's argument closes; a quoted argument may hold brackets.
fn end_of_argument(text: &str) -> Option<usize> {
    match text.as_bytes().get(1) {
        Some(&quote @ (b'"' | b'\'')) => {
            let end = 2 + text[2..].find(char::from(quote))?;
            text[end..].find(']').map(|at| end + at)
        }
        _ => text.find(']'),
    }
}

/// The most similar of `candidates`, if one is similar.
pub(super) fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let (distance, best) =
        candidates.map(|c| (strsim::damerau_levenshtein(text, c), c)).min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + text.len() / 4).then_some(best)
}

pub(super) fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

impl<'s> Parser<'s> {
    pub(super) fn error(&mut self, span: Range<usize>, message: String, help: Option<String>) {
        // A second error at the same place is a consequence of the first.
        if self.errors.len() < MAX_ERRORS && self.errors.iter().all(|e| e.span.start != span.start) {
            self.errors.push(Diagnostic { span, message, help });
        }
    }

    pub(super) fn warning(&mut self, span: Range<usize>, message: String, help: Option<String>) {
        if self.warnings.len() < MAX_ERRORS {
            self.warnings.push(Diagnostic { span, message, help });
        }
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    pub(super) fn blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes a word that a blank, a parenthesis or the end follows.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let found = self
            .rest()
            .strip_prefix(word)
            .is_some_and(|rest| rest.bytes().next().is_none_or(|b| is_blank(b) || b == b'('));
        if found {
            self.at += word.len();
        }
        found
    }

    /// The run of characters up to a delimiter.
    fn word(&self) -> Range<usize> {
        let length = self.rest().bytes().take_while(|&b| !is_delimiter(b)).count();
        self.at..self.at + length
    }

    /// What stands here, for an error message.
    fn found(&self) -> (Range<usize>, String) {
        let word = self.word();
        if self.at == self.source.len() {
            return (self.at..self.at, "the end".to_owned());
        }
        let end =
            if word.is_empty() { self.at + self.rest().chars().next().map_or(0, char::len_utf8) } else { word.end };
        let text: String = self.source[self.at..end].chars().take(40).filter(|c| !c.is_control()).collect();
        (self.at..end, format!("`{text}`"))
    }

    pub(super) fn expected(&mut self, what: &str, help: Option<String>) {
        let (span, found) = self.found();
        self.error(span, format!("expected {what}, found {found}"), help);
    }

    /// Skips to the next `and`, `or`, closing parenthesis or the end, so that what follows is checked too.
    fn resync(&mut self) {
        let mut open = 0usize;
        while let Some(b) = self.peek() {
            match b {
                b'(' => open += 1,
                b')' if open == 0 => return,
                b')' => open -= 1,
                b'"' | b'\'' => {
                    let quote = self.rest()[1..].find(char::from(b));
                    self.at += quote.map_or(self.rest().len() - 1, |end| end + 1);
                }
                b if is_blank(b) && open == 0 => {
                    self.blanks();
                    let here = self.at;
                    if self.keyword("and") || self.keyword("or") {
                        self.at = here;
                        return;
                    }
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            while !self.source.is_char_boundary(self.at) {
                self.at += 1;
            }
        }
    }

    /// What is left over behind a whole filter.
    fn trailing(&mut self) {
        while self.at < self.source.len() {
            if self.peek() == Some(b')') {
                self.error(
                    self.at..self.at + 1,
                    "expected `and`, `or` or the end, found `)`".to_owned(),
                    Some("no `(` belongs to it".to_owned()),
                );
                self.at += 1;
            } else {
                let help = self.instead_of_and();
                self.expected("`and`, `or` or the end", help);
                self.resync();
            }
            self.blanks();
            if self.keyword("and") || self.keyword("or") {
                self.blanks();
                self.or();
            }
        }
    }

    /// What was probably meant by a word that stands where only `and` and `or` may.
    fn instead_of_and(&self) -> Option<String> {
        let word = &self.source[self.word()];
        let before = self.source[..self.at].trim_end();
        let value = before.bytes().rposition(is_delimiter).map_or(before, |at| &before[at + 1..]);
        let is_text =
            |text: &str| text.starts_with(|c: char| c.is_alphabetic() || c == '/') && !text.contains(char::is_control);
        match word {
            "&&" | "AND" | "&" => Some("write `and`".to_owned()),
            "||" | "OR" | "|" => Some("write `or`".to_owned()),
            _ if lookup(word).is_ok() => Some("put `and` or `or` before it".to_owned()),
            _ if is_text(word) && is_text(value) => Some(format!("a text with blanks is quoted: `'{value} {word}'`")),
            _ => None,
        }
    }

    fn or(&mut self) -> Option<Expr> {
        self.chain("or", Self::and, Expr::or)
    }

    fn and(&mut self) -> Option<Expr> {
        self.chain("and", Self::not, Expr::and)
    }

    /// Parts with a word between them; `None` if one of them is wrong.
    fn chain(&mut self, word: &str, part: fn(&mut Self) -> Option<Expr>, make: fn(Vec<Expr>) -> Expr) -> Option<Expr> {
        let mut parts = vec![part(self)];
        self.blanks();
        while self.keyword(word) {
            self.blanks();
            parts.push(part(self));
            self.blanks();
        }
        parts.into_iter().collect::<Option<Vec<_>>>().map(make)
    }

    fn not(&mut self) -> Option<Expr> {
        let mut negated = false;
        while self.keyword("not") {
            negated = !negated;
            self.blanks();
        }
        let part = if self.peek() == Some(b'(') { self.group() } else { self.check() };
        if part.is_none() {
            self.resync();
        }
        part.map(|p| if negated { Expr::not(p) } else { p })
    }

    /// Goes one deeper; `false`: that is too deep, and has been told.
    pub(super) fn enter(&mut self) -> bool {
        if self.depth == MAX_DEPTH {
            let message = format!("expected at most {MAX_DEPTH} nested parentheses, found more");
            self.error(self.at..self.at + 1, message, None);
            self.at = self.source.len();
            return false;
        }
        self.depth += 1;
        true
    }

    fn group(&mut self) -> Option<Expr> {
        let open = self.at;
        if !self.enter() {
            return None;
        }
        self.at += 1;
        self.blanks();
        let inner = self.or();
        self.depth -= 1;
        self.blanks();
        if self.take(b')') {
            return inner;
        }
        if self.at == self.source.len() {
            self.error(open..open + 1, "expected `)`, found the end".to_owned(), Some("never closed".to_owned()));
        } else {
            self.expected("`and`, `or` or `)`", None);
        }
        None
    }

    /// The parameter whose `$name` stands here.
    fn parameter(&mut self) -> Parameter<'s> {
        let Some(bindings) = self.bindings.filter(|_| self.peek() == Some(b'$')) else { return Parameter::Absent };
        let name = &self.rest()[1..];
        let name = &name[..name.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()];
        let span = self.at..self.at + 1 + name.len();
        self.at = span.end;
        if let Some(found) = bindings.get(name) {
            return Parameter::Bound(found);
        }
        let near = nearest(name, bindings.keys().map(String::as_str)).map(|near| did_you_mean(&format!("${near}")));
        let help = near.or(Some("declare it with [[arg]]".to_owned()));
        self.error(span, format!("unknown argument `${name}`"), help);
        Parameter::Unknown
    }

    /// A parameter stands where something else belongs.
    fn misplaced(&mut self, start: usize, expected: &str) {
        let found = format!("expected {expected}, found the argument `{}`", &self.source[start..self.at]);
        self.error(start..self.at, found, Some("its `type` says what it stands for".to_owned()));
    }

    fn check(&mut self) -> Option<Expr> {
        let start = self.at;
        let field = match self.parameter() {
            Parameter::Bound(Binding::Filter(filter)) => return Some(filter.expr().clone()),
            Parameter::Bound(Binding::Field(field)) => Ok(field.clone()),
            Parameter::Bound(Binding::Constant(_)) => {
                self.misplaced(start, "a field");
                return None;
            }
            Parameter::Unknown => return None,
            Parameter::Absent => match self.left() {
                Ok(None) => self.field(),
                Ok(Some(operand)) => {
                    self.blanks();
                    return self.comparison(operand);
                }
                Err(()) => return None,
            },
        };
        self.blanks();
        if let Ok(field) = field {
            return self.comparison(Operand::Field(field));
        }
        // What stands behind it is checked all the same.
        let op = self.operator(None)?;
        self.right(op);
        None
    }

    /// What is compared has been read; the rest follows.
    fn comparison(&mut self, left: Operand) -> Option<Expr> {
        let op = self.operator(Some(&left))?;
        let given = self.right(op)?;
        self.compared(left, op, given)
    }

    /// Reads the field; the outer `Err` says that an error has been told, and parsing goes on behind its name.
    pub(super) fn field(&mut self) -> Result<FieldRef, ()> {
        let start = self.at;
        let name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'.';
        self.at += self.rest().bytes().take_while(|b| name(b)).count();
        let is_word = ["and", "or", "in", "exists"].contains(&&self.source[start..self.at]);
        if self.at == start || is_word {
            self.at = start;
            let is_not = self.peek() == Some(b'!');
            self.expected("a field", Some(if is_not { "write `not`" } else { "such as `proc.name`" }.to_owned()));
            return Err(());
        }
        if self.peek() == Some(b'[') {
            let Some(length) = end_of_argument(self.rest()) else {
                let message = "expected `]`, found the end".to_owned();
                self.error(self.at..self.at + 1, message, Some("never closed".to_owned()));
                self.at = self.source.len();
                return Err(());
            };
            self.at += length + 1;
        }
        let found = lookup(&self.source[start..self.at]).map_err(|error| {
            let help = error.suggestion().map(|_| error.help());
            self.error(start..self.at, error.to_string(), help);
        })?;
        if let Some(alias) = found.alias.filter(|alias| !alias.deprecated.is_empty()) {
            let message = format!("`{}` is deprecated: {}", alias.name, alias.deprecated);
            self.warning(start..self.at, message, Some(format!("use `{}`", alias.field)));
        }
        self.known_parameter(&found, start);
        Ok(found)
    }

    /// A parameter that no event of this version has may be one of the file's; more likely it is a slip.
    fn known_parameter(&mut self, field: &FieldRef, start: usize) {
        let (true, FieldArg::Name(name)) = (field.field.arg == ArgRule::Required, &field.arg) else { return };
        let names = || SPECS.iter().flat_map(|s| s.params.iter().map(|p| p.name).chain(s.ret.iter().map(|r| r.name)));
        if matches!(field.field.name, "evt.arg" | "evt.rawarg") && !names().any(|known| known == name) {
            let help = nearest(name, names()).map(|near| did_you_mean(&format!("{}.{near}", field.field.name)));
            self.warning(start..self.at, format!("no event has a parameter `{name}`"), help);
        }
    }

    /// Reads the operator. `None`: an error has been told.
    fn operator(&mut self, left: Option<&Operand>) -> Option<&'static Operator> {
        let rest = self.rest();
        let found = OPERATORS.iter().filter(|op| rest.starts_with(op.name)).find(|op| {
            let next = rest.as_bytes().get(op.name.len());
            !op.is_word() || next.is_none_or(|&b| is_blank(b) || matches!(b, b'(' | b')' | b'"' | b'\''))
        });
        let Some(op) = found else {
            let word = &self.source[self.word()];
            let names = OPERATORS.iter().map(|op| op.name);
            let help = match nearest(word, names.filter(|n| n.len() > 2)) {
                Some(name) => did_you_mean(name),
                None if Quantifier::NAMES.iter().any(|(name, _)| *name == word) => {
                    format!("it stands behind an operator: `= {word} (a, b)`")
                }
                None => "such as `=`, `!=`, `contains`, `in` or `exists`".to_owned(),
            };
            // Behind a misspelt field only what looks like an operator is worth a word.
            if left.is_some() || help.starts_with("did") {
                self.expected("an operator", Some(help));
            }
            return None;
        };
        let span = self.at..self.at + op.name.len();
        self.at = span.end;
        let none_of = |operand: &&Operand| !op.allows(operand.ty()) || operand.is_made_list() && !op.takes_lists();
        if let Some(operand) = left.filter(none_of) {
            let message = format!("operator `{}` does not work on `{operand}`", op.name);
            let usable = OPERATORS.iter().filter(|o| o.allows(operand.ty()));
            let usable: Vec<_> =
                usable.filter(|o| !operand.is_made_list() || o.takes_lists()).map(|o| o.name).collect();
            self.error(span, message, Some(format!("expected one of {}", usable.join(" "))));
        }
        Some(op)
    }

    pub(super) fn list(&mut self) -> Option<Vec<Written>> {
        self.blanks();
        if !self.take(b'(') {
            self.expected("`(` and a list", Some("write `in (a, b)`".to_owned()));
            return None;
        }
        let mut items = Vec::new();
        self.blanks();
        if self.take(b')') {
            return Some(items);
        }
        loop {
            self.blanks();
            let Some(item) = self.constant() else {
                self.at += self.rest().find(')').map_or(0, |end| end + 1);
                return None;
            };
            items.push(item);
            self.blanks();
            if self.take(b')') {
                return Some(items);
            }
            if !self.take(b',') {
                self.expected("`,` or `)`", None);
                // The list's own parenthesis closes nothing else.
                self.at += self.rest().find(')').map_or(0, |end| end + 1);
                return None;
            }
        }
    }

    pub(super) fn constant(&mut self) -> Option<Written> {
        let start = self.at;
        match self.parameter() {
            Parameter::Bound(Binding::Constant(value)) => return Some((start..self.at, value.clone())),
            Parameter::Bound(_) => {
                self.misplaced(start, "a value");
                return None;
            }
            Parameter::Unknown => return None,
            Parameter::Absent => {}
        }
        if let Some(quote @ (b'"' | b'\'')) = self.peek() {
            let text = self.quoted(quote)?;
            return Some((start..self.at, text));
        }
        let word = self.word();
        if word.is_empty() {
            self.expected("a value", Some("texts with blanks or `( ) = ,` need quotes".to_owned()));
            return None;
        }
        self.at = word.end;
        Some((word.clone(), self.source[word].as_bytes().to_vec()))
    }

    /// A quoted text, its escapes resolved.
    fn quoted(&mut self, quote: u8) -> Option<Vec<u8>> {
        let open = self.at;
        let mut text = Vec::new();
        self.at += 1;
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b if b == quote => return Some(text),
                b'\\' => self.escape(quote, &mut text),
                b => text.push(b),
            }
        }
        self.error(
            open..open + 1,
            "expected a closing quote, found the end".to_owned(),
            Some("opened here".to_owned()),
        );
        None
    }

    fn escape(&mut self, quote: u8, text: &mut Vec<u8>) {
        let start = self.at - 1;
        let Some(b) = self.peek() else { return };
        let plain = match b {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'\\' | b'/' => b,
            b if b == quote => b,
            // Old filters have such backslashes; they stand for themselves.
            b' ' => {
                text.push(b'\\');
                b' '
            }
            b'x' => {
                let digits = self.rest().get(1..3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
                    Some(0) => {
                        self.error(start..start + 4, "expected a text without NUL, found `\\x00`".to_owned(), None);
                    }
                    Some(byte) => text.push(byte),
                    None => {
                        self.error(start..start + 2, "expected two hexadecimal digits after `\\x`".to_owned(), None);
                    }
                }
                self.at += if digits.is_some() { 3 } else { 1 };
                return;
            }
            _ => {
                let c = self.rest().chars().next().unwrap_or(' ');
                let found = format!("unknown escape `\\{c}`");
                self.error(start..self.at + c.len_utf8(), found, Some("write `\\\\` for a backslash".to_owned()));
                self.at += c.len_utf8();
                return;
            }
        };
        self.at += 1;
        text.push(plain);
    }

    /// Names of event types that no event has are slips.
    pub(super) fn known_type(&mut self, field: &FieldRef, op: &Operator, span: &Range<usize>, text: &[u8]) {
        let names_types = matches!(field.field.name, "evt.type" | "syscall.type");
        if !names_types
            || !matches!(op.name, "=" | "==" | "!=" | "in")
            || SPECS.iter().any(|s| s.name.as_bytes() == text)
        {
            return;
        }
        let name = String::from_utf8_lossy(text);
        let help = nearest(&name, SPECS.iter().map(|s| s.name)).map(did_you_mean);
        self.error(span.clone(), format!("unknown event type `{name}`"), help);
    }
}
