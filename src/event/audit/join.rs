//! [`join_audit`]: an audit event as its text again.

use super::part::{AuditPart, INNER, MARK, RECEIVED, STAGE_TIME};
use super::stamp::write_stamp;
use crate::event::Arg;
use crate::value::{write_go_json, write_i64};

/// Appends the text of an audit event; `part` gives its parameters, `time` and `duration` (ns) are the event's. Marks
/// without a value, which only a damaged reel has, become `null`.
pub fn join_audit<'a>(part: impl Fn(AuditPart) -> Arg<'a>, time: u64, duration: Option<u64>, out: &mut Vec<u8>) {
    let rest = part(AuditPart::Rest).bytes().unwrap_or_default();
    let mut join = Join { part: &part, time, duration, rest: rest.split(|&b| b == MARK), out };
    let form = part(AuditPart::Form).bytes().unwrap_or_default();
    join.write(form, MARK);
}

struct Join<'o, F, R> {
    part: F,
    time: u64,
    duration: Option<u64>,
    rest: R,
    out: &'o mut Vec<u8>,
}

impl<'a, F: Fn(AuditPart) -> Arg<'a>, R: Iterator<Item = &'a [u8]>> Join<'_, F, R> {
    /// `mark` begins the marks of this text: those of the form itself, or of a part in it.
    fn write(&mut self, form: &[u8], mark: u8) {
        let mut left = form;
        while let Some(at) = memchr::memchr(mark, left) {
            self.out.extend_from_slice(&left[..at]);
            let Some(&letter) = left.get(at + 1) else { return };
            left = &left[at + 2..];
            self.mark(letter, mark == MARK);
        }
        self.out.extend_from_slice(left);
    }

    fn mark(&mut self, letter: u8, is_whole: bool) {
        match letter {
            STAGE_TIME => write_stamp(self.out, self.time),
            RECEIVED => write_stamp(self.out, self.time.saturating_sub(self.duration.unwrap_or(0))),
            letter => match AuditPart::of_letter(letter) {
                Some((AuditPart::Rest, _)) => {
                    let piece = self.rest.next().unwrap_or(b"null");
                    self.out.extend_from_slice(piece);
                }
                Some((AuditPart::Form, _)) | None => self.out.extend_from_slice(b"null"),
                Some((part, is_html)) => self.part(part, is_html, is_whole),
            },
        }
    }

    fn part(&mut self, part: AuditPart, is_html: bool, is_whole: bool) {
        match (self.part)(part) {
            Arg::Missing => self.out.extend_from_slice(b"null"),
            Arg::Int(number) => write_i64(self.out, number),
            Arg::Bytes(text) if part.is_string() => write_go_json(self.out, text, is_html),
            Arg::Bytes(id) if part == AuditPart::Id => write_audit_id(self.out, id),
            Arg::Bytes(text) if part == AuditPart::Account && is_whole => {
                self.write(text, INNER);
            }
            Arg::Bytes(text) => self.out.extend_from_slice(text),
        }
    }
}

/// Appends an audit id as [`AuditPart::Id`] has it: 16 bytes are a UUID, anything else is text, behind a zero if that is as long.
pub fn write_audit_id(out: &mut Vec<u8>, id: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    if id.len() != 16 {
        return out.extend_from_slice(id.strip_prefix(&[0]).unwrap_or(id));
    }
    for (n, b) in id.iter().enumerate() {
        if matches!(n, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
    }
}
