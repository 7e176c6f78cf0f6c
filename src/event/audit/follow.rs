//! The way of an event whose form is known: one pass from mark to mark.

use super::part::{AuditPart, MARK, RECEIVED, STAGE_TIME};
use super::shapes::{ROOT, Shapes, Step};
use super::split::{FIXED, Splitter, Value, uuid};
use super::stamp::LENGTH;
use crate::value::{JsonItem, json_end};

impl Splitter {
    /// Takes a text apart if its form is known, and says whether it is. What is found is what reading it anew would find.
    pub(super) fn follow(&mut self, text: &[u8]) -> bool {
        self.known.clear();
        let mut shapes = std::mem::take(&mut self.shapes);
        let end = self.walk(&mut shapes, text);
        if let Some(node) = end {
            self.form.extend_from_slice(shapes.form(node));
        }
        self.shapes = shapes;
        let is_told = self.received.is_none() || self.duration().is_some();
        end.is_some() && is_told && !self.odd
    }

    fn walk(&mut self, shapes: &mut Shapes, text: &[u8]) -> Option<u32> {
        let (mut node, mut at) = (ROOT, 0);
        loop {
            match shapes.step(node, text, at)? {
                Step::End(end) => return Some(end),
                Step::Value(next, letter, start) => (node, at) = (next, self.take(letter, text, start)?),
            }
        }
    }

    /// Takes the value that begins at an offset; the offset behind it.
    fn take(&mut self, letter: u8, text: &[u8], start: usize) -> Option<usize> {
        if matches!(letter, STAGE_TIME | RECEIVED) {
            let end = start + LENGTH;
            let (time, same) = self.clock.read(text.get(start..end)?)?;
            *if letter == STAGE_TIME { &mut self.stage_time } else { &mut self.received } = Some(time);
            return same.then_some(end);
        }
        let (part, is_html) = AuditPart::of_letter(letter)?;
        match part {
            AuditPart::Form | AuditPart::Code => None,
            AuditPart::Id => self.take_id(text, start),
            AuditPart::Rest => self.take_rest(text, start),
            part if part.is_string() => self.take_string(part, is_html, text, start),
            part => self.take_json(part, text, start),
        }
    }

    fn take_id(&mut self, text: &[u8], start: usize) -> Option<usize> {
        let end = start + 36;
        if text.get(end) != Some(&b'"') {
            return None;
        }
        let id = uuid(&text[start..end])?;
        let made = self.made.len();
        self.made.extend_from_slice(&id);
        self.values[AuditPart::Id.place()] = Value::Made(made..made + id.len());
        Some(end)
    }

    fn take_rest(&mut self, text: &[u8], start: usize) -> Option<usize> {
        let end = value_end(text, start)?;
        if end - start <= FIXED {
            return None;
        }
        if !self.rest.is_empty() {
            self.rest.push(MARK);
        }
        self.rest.extend_from_slice(&text[start..end]);
        Some(end)
    }

    fn take_string(&mut self, part: AuditPart, is_html: bool, text: &[u8], start: usize) -> Option<usize> {
        let length = memchr::memchr2(b'"', b'\\', text.get(start..)?)?;
        let end = start + length;
        if text[end] == b'\\' {
            // The quote before the value is where the string begins.
            let end = json_end(text, start.checked_sub(1)?).ok()? - 1;
            let (value, mark) = self.content(text, part, start..end);
            self.values[part.place()] = value;
            return (mark == Some(part.mark(is_html))).then_some(end);
        }
        let said = &text[start..end];
        // A fold and no search, so that it runs on whole registers.
        let (controls, signs) = said.iter().fold((0, 0), |(controls, signs), &b| {
            let is_sign = u8::from(b == b'<') | u8::from(b == b'>') | u8::from(b == b'&');
            (controls | u8::from(b < 0x20), signs | is_sign)
        });
        self.values[part.place()] = Value::Raw(start..end);
        (controls == 0 && (signs == 0) == is_html).then_some(end)
    }

    fn take_json(&mut self, part: AuditPart, text: &[u8], start: usize) -> Option<usize> {
        if let Some(entry) = self.known.find(part, text.get(start..)?) {
            let end = start + entry.raw.len();
            let mut value = Value::Raw(start..end);
            if !entry.made.is_empty() {
                let made = self.made.len();
                self.made.extend_from_slice(&entry.made);
                value = Value::Made(made..self.made.len());
                self.values[AuditPart::User.place()] = Value::Raw(start + entry.user.start..start + entry.user.end);
            }
            if let Some(code) = entry.code {
                self.values[AuditPart::Code.place()] = Value::Int(code);
            }
            self.values[part.place()] = value;
            return Some(end);
        }
        let end = value_end(text, start)?;
        let item = JsonItem { key: b"", value: &text[start..end], start };
        let value = match part {
            AuditPart::Account => self.account_value(text, &item),
            AuditPart::Status => self.status_value(text, &item),
            _ => Value::Raw(start..end),
        };
        self.values[part.place()] = value;
        self.remember(part, text, &item);
        Some(end)
    }

    fn remember(&mut self, part: AuditPart, text: &[u8], item: &JsonItem<'_>) {
        debug_assert!(text[item.start..].starts_with(item.value));
        let (user, value) = (&self.values[AuditPart::User.place()], &self.values[part.place()]);
        let is_plain = matches!((user, value), (Value::Raw(_), Value::Made(_)) | (Value::None, Value::Raw(_)));
        if part == AuditPart::Account && !is_plain {
            // A name with escapes: made anew each time.
            return;
        }
        let Some(entry) = self.known.keep(part, item.value) else { return };
        match (part, user, value, &self.values[AuditPart::Code.place()]) {
            (AuditPart::Status, _, _, Value::Int(code)) => entry.code = Some(*code),
            (AuditPart::Account, Value::Raw(user), Value::Made(made), _) => {
                entry.user = user.start - item.start..user.end - item.start;
                entry.made.extend_from_slice(&self.made[made.clone()]);
            }
            _ => {}
        }
    }
}

/// The offset behind the value that begins at an offset, and not behind blanks there.
fn value_end(text: &[u8], start: usize) -> Option<usize> {
    let is_blank = matches!(text.get(start)?, b' ' | b'\t' | b'\n' | b'\r');
    if is_blank { None } else { json_end(text, start).ok() }
}
