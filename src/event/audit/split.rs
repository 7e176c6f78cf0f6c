//! [`Splitter`]: the text of an audit event taken apart.

use super::join::join_audit;
use super::known::Known;
use super::part::{AuditPart, INNER, MARK, RECEIVED, STAGE_TIME};
use super::shapes::Shapes;
use super::stamp::Clock;
use crate::event::{Arg, Args, Event, Flags, kinds};
use crate::value::{JsonFault, JsonItem, JsonItems, json_unescape, write_go_json};
use std::ops::Range;

/// Values without a parameter that stay in the form if they are no longer than this: they are the same in most events.
pub(super) const FIXED: usize = 40;

/// Why a text is no audit event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// It is no JSON.
    #[error("expected {}, found something else", .0.expected)]
    Json(JsonFault),
    /// It is another JSON value.
    #[error("expected an audit event (`auditID`), found other JSON")]
    Other,
    /// It has no time that can be read.
    #[error("expected a `stageTimestamp` (RFC 3339), found none")]
    Time,
}

/// An audit event that was taken apart.
pub struct Taken<'a> {
    /// The event.
    pub event: Event<'a>,
    /// When the request came, ns UTC, if that was told.
    pub received: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Value {
    #[default]
    None,
    Int(i64),
    /// A piece of the text.
    Raw(Range<usize>),
    /// A piece of what was made.
    Made(Range<usize>),
}

/// Takes texts apart; keeps its buffers from one to the next.
#[derive(Default)]
pub struct Splitter {
    pub(super) values: [Value; 25],
    pub(super) made: Vec<u8>,
    pub(super) form: Vec<u8>,
    pub(super) rest: Vec<u8>,
    /// How much of the text the form has.
    done: usize,
    /// Something has two values, so marks are not enough.
    pub(super) odd: bool,
    /// A value stands in the form itself, because it would not be written as it is there.
    is_fixed: bool,
    pub(super) stage_time: Option<u64>,
    pub(super) received: Option<u64>,
    /// The mark of when it was received is only right with a duration.
    marked: [Option<bool>; 2],
    pub(super) clock: Clock,
    again: Vec<u8>,
    pub(super) shapes: Shapes,
    pub(super) known: Known,
}

impl Splitter {
    /// Takes one event (JSON object, nothing around it) apart. `before` is the time of the event before it, ns UTC: for one
    /// that has none.
    ///
    /// # Errors
    /// It is no JSON object, or no audit event.
    pub fn split<'a>(&'a mut self, text: &'a [u8]) -> Result<Taken<'a>, AuditFault> {
        self.clear();
        if !self.follow(text) {
            self.clear();
            self.read(text)?;
        }
        let time = self.stage_time.or(self.received).ok_or(AuditFault::Time)?;
        let event = self.event(text, time, self.duration());
        Ok(Taken { event, received: self.received })
    }

    /// How long after the request it was, ns.
    pub(super) fn duration(&self) -> Option<u64> {
        let time = self.stage_time.or(self.received)?;
        self.received.and_then(|received| time.checked_sub(received))
    }

    /// Reads a text whose form is not known, and keeps that.
    fn read(&mut self, text: &[u8]) -> Result<(), AuditFault> {
        self.members(text)?;
        let time = self.stage_time.or(self.received).ok_or(AuditFault::Time)?;
        if self.values[AuditPart::Id.place()] == Value::None {
            return Err(AuditFault::Other);
        }
        let duration = self.duration();
        let wrong = self.marked[0] == Some(false) || (self.marked[1].is_some() && duration.is_none());
        if !self.odd && !wrong {
            self.form.extend_from_slice(&text[self.done..]);
            let mut again = std::mem::take(&mut self.again);
            again.clear();
            join_audit(|part| self.arg(text, part), time, duration, &mut again);
            self.odd = again != text;
            self.again = again;
        }
        if self.odd || wrong {
            self.keep(text);
        } else if !self.is_fixed {
            self.shapes.keep(&self.form);
        }
        Ok(())
    }

    /// Takes one event apart whose time (ns UTC) somebody else told: if it tells another one itself, its text is kept as it is.
    ///
    /// # Errors
    /// It is no JSON object, or no audit event.
    pub fn split_at<'a>(&'a mut self, text: &'a [u8], time: u64) -> Result<Event<'a>, AuditFault> {
        let (own, duration) = self.split(text).map(|taken| (taken.event.time, taken.event.duration))?;
        if own != time {
            self.keep(text);
        }
        Ok(self.event(text, time, duration))
    }

    /// What does not come back byte for byte keeps its text.
    pub(super) fn keep(&mut self, text: &[u8]) {
        self.form.clear();
        self.form.extend_from_slice(&AuditPart::Rest.mark(true));
        self.rest.clear();
        self.rest.extend_from_slice(text);
    }

    /// The event of what was found.
    pub(super) fn event<'a>(&'a self, text: &'a [u8], time: u64, duration: Option<u64>) -> Event<'a> {
        let mut event = audit_head(time, duration);
        event.args = AuditPart::all().map(|part| self.arg(text, part)).collect();
        event
    }

    pub(super) fn clear(&mut self) {
        self.values.fill(Value::None);
        self.made.clear();
        self.form.clear();
        self.rest.clear();
        (self.done, self.odd, self.is_fixed) = (0, false, false);
        (self.stage_time, self.received, self.marked) = (None, None, [None; 2]);
    }

    fn arg<'a>(&'a self, text: &'a [u8], part: AuditPart) -> Arg<'a> {
        match part {
            AuditPart::Form => return Arg::Bytes(&self.form),
            AuditPart::Rest if !self.rest.is_empty() => return Arg::Bytes(&self.rest),
            _ => {}
        }
        match &self.values[part.place()] {
            Value::None => Arg::Missing,
            Value::Int(number) => Arg::Int(*number),
            Value::Raw(range) => Arg::Bytes(&text[range.clone()]),
            Value::Made(range) => Arg::Bytes(&self.made[range.clone()]),
        }
    }

    fn members(&mut self, text: &[u8]) -> Result<(), AuditFault> {
        if text.first() != Some(&b'{') {
            return Err(AuditFault::Other);
        }
        let mut items = JsonItems::of(text, 0);
        for item in items.by_ref() {
            self.member(text, &item);
        }
        match items.fault() {
            Some(fault) if !fault.expected.is_empty() => Err(AuditFault::Json(fault)),
            _ if items.end() != text.len() => {
                Err(AuditFault::Json(JsonFault { at: items.end(), expected: "nothing behind the event" }))
            }
            _ => Ok(()),
        }
    }

    fn member(&mut self, text: &[u8], item: &JsonItem<'_>) {
        use AuditPart as P;
        match item.key {
            b"level" => self.string(text, P::Level, item),
            b"stage" => self.string(text, P::Stage, item),
            b"verb" => self.string(text, P::Verb, item),
            b"requestURI" => self.string(text, P::Uri, item),
            b"userAgent" => self.string(text, P::Agent, item),
            b"auditID" => self.id(text, item),
            b"stageTimestamp" => self.time(text, item, 0),
            b"requestReceivedTimestamp" => self.time(text, item, 1),
            b"user" => self.account(text, item),
            b"objectRef" => self.object(text, item),
            b"responseStatus" => self.status(text, item),
            b"sourceIPs" => self.raw(text, P::Ips, item),
            b"impersonatedUser" => self.raw(text, P::As, item),
            b"annotations" => self.raw(text, P::Notes, item),
            b"requestObject" => self.raw(text, P::Request, item),
            b"responseObject" => self.raw(text, P::Response, item),
            _ => self.other(text, item),
        }
    }

    /// Sets a part; of two values of one the last one counts, as Go has it.
    fn set(&mut self, part: AuditPart, value: Value) {
        self.odd |= std::mem::replace(&mut self.values[part.place()], value) != Value::None;
    }

    /// Puts a mark into the form in place of a piece of the text.
    fn mark(&mut self, text: &[u8], at: Range<usize>, mark: [u8; 2]) {
        self.form.extend_from_slice(&text[self.done..at.start]);
        self.form.extend_from_slice(&mark);
        self.done = at.end;
    }

    /// What a string says, and its mark if it can be written again.
    pub(super) fn content(&mut self, text: &[u8], part: AuditPart, content: Range<usize>) -> (Value, Option<[u8; 2]>) {
        let bytes = &text[content.clone()];
        if memchr::memchr(b'\\', bytes).is_none() {
            let html = memchr::memchr3(b'<', b'>', b'&', bytes).is_none();
            return (Value::Raw(content), Some(part.mark(html)));
        }
        let said = json_unescape(bytes);
        let start = self.made.len();
        self.made.extend_from_slice(&said);
        let end = self.made.len();
        let mut is_written = |html: bool| {
            self.made.truncate(end);
            write_go_json(&mut self.made, &said, html);
            &self.made[end..] == bytes
        };
        let mark = [true, false].into_iter().find(|&html| is_written(html)).map(|html| part.mark(html));
        self.made.truncate(end);
        (Value::Made(start..end), mark)
    }

    fn string(&mut self, text: &[u8], part: AuditPart, item: &JsonItem<'_>) {
        let Some(inside) = inside(item) else { return self.other(text, item) };
        let (value, mark) = self.content(text, part, inside.clone());
        self.set(part, value);
        match mark {
            Some(mark) => self.mark(text, inside, mark),
            None => self.is_fixed = true,
        }
    }

    fn id(&mut self, text: &[u8], item: &JsonItem<'_>) {
        let Some(inside) = inside(item) else { return self.other(text, item) };
        self.set_id(text, inside.clone());
        self.mark(text, inside, AuditPart::Id.mark(true));
    }

    /// Sets the audit id to what stands at a place.
    pub(super) fn set_id(&mut self, text: &[u8], inside: Range<usize>) {
        let bytes = &text[inside];
        let start = self.made.len();
        if let Some(id) = uuid(bytes) {
            self.made.extend_from_slice(&id);
        } else {
            let said = json_unescape(bytes);
            if said.len() == 16 {
                // Told from the 16 bytes of a UUID.
                self.made.push(0);
            }
            self.made.extend_from_slice(&said);
            // Escapes are not written again.
            self.odd |= said.as_ref() != bytes;
        }
        self.set(AuditPart::Id, Value::Made(start..self.made.len()));
    }

    fn time(&mut self, text: &[u8], item: &JsonItem<'_>, which: usize) {
        let Some(inside) = inside(item) else { return self.other(text, item) };
        let Some((time, same)) = self.clock.read(&text[inside.clone()]) else {
            return;
        };
        let (slot, letter) =
            if which == 0 { (&mut self.stage_time, STAGE_TIME) } else { (&mut self.received, RECEIVED) };
        self.odd |= slot.replace(time).is_some();
        if same {
            self.marked[which] = Some(true);
            self.mark(text, inside, [MARK, letter]);
        } else {
            self.is_fixed = true;
        }
    }

    fn raw(&mut self, text: &[u8], part: AuditPart, item: &JsonItem<'_>) {
        let at = item.start..item.start + item.value.len();
        self.set(part, Value::Raw(at.clone()));
        self.mark(text, at, part.mark(true));
    }

    /// A value without a parameter: in the form if it is short, among the rest otherwise.
    fn other(&mut self, text: &[u8], item: &JsonItem<'_>) {
        if item.value.len() > FIXED {
            if !self.rest.is_empty() {
                self.rest.push(MARK);
            }
            self.rest.extend_from_slice(item.value);
            self.mark(text, item.start..item.start + item.value.len(), AuditPart::Rest.mark(true));
        }
    }

    fn object(&mut self, text: &[u8], item: &JsonItem<'_>) {
        use AuditPart as P;
        if item.value.first() != Some(&b'{') {
            return self.other(text, item);
        }
        for inner in JsonItems::of(text, item.start) {
            let part = match inner.key {
                b"resource" => P::Resource,
                b"namespace" => P::Namespace,
                b"name" => P::Name,
                b"subresource" => P::Subresource,
                b"apiGroup" => P::Group,
                b"apiVersion" => P::Version,
                b"uid" => P::Uid,
                b"resourceVersion" => P::Revision,
                _ => {
                    self.other(text, &inner);
                    continue;
                }
            };
            self.string(text, part, &inner);
        }
    }

    fn account(&mut self, text: &[u8], item: &JsonItem<'_>) {
        let value = self.account_value(text, item);
        self.set(AuditPart::Account, value);
        self.mark(text, item.start..item.start + item.value.len(), AuditPart::Account.mark(true));
    }

    /// The user without its name, which is a part of its own and is set.
    pub(super) fn account_value(&mut self, text: &[u8], item: &JsonItem<'_>) -> Value {
        let at = item.start..item.start + item.value.len();
        let named = JsonItems::of(text, item.start).find(|inner| inner.key == b"username");
        let Some(inside) = named.as_ref().and_then(inside) else { return Value::Raw(at) };
        let (value, mark) = self.content(text, AuditPart::User, inside.clone());
        self.set(AuditPart::User, value);
        let Some([_, letter]) = mark.filter(|_| memchr::memchr(INNER, item.value).is_none()) else {
            self.odd |= memchr::memchr(INNER, item.value).is_some();
            return Value::Raw(at);
        };
        let start = self.made.len();
        self.made.extend_from_slice(&text[at.start..inside.start]);
        self.made.extend_from_slice(&[INNER, letter]);
        self.made.extend_from_slice(&text[inside.end..at.end]);
        Value::Made(start..self.made.len())
    }

    fn status(&mut self, text: &[u8], item: &JsonItem<'_>) {
        let value = self.status_value(text, item);
        self.set(AuditPart::Status, value);
        self.mark(text, item.start..item.start + item.value.len(), AuditPart::Status.mark(true));
    }

    /// The status as it is; its code is a part of its own and is set.
    pub(super) fn status_value(&mut self, text: &[u8], item: &JsonItem<'_>) -> Value {
        let code = JsonItems::of(text, item.start).find(|inner| inner.key == b"code");
        let number = code.and_then(|code| std::str::from_utf8(code.value).ok()?.parse().ok());
        self.set(AuditPart::Code, number.map_or(Value::None, Value::Int));
        Value::Raw(item.start..item.start + item.value.len())
    }
}

/// Where the content of a string stands, if a value is one.
fn inside(item: &JsonItem<'_>) -> Option<Range<usize>> {
    (item.value.first() == Some(&b'"')).then(|| item.start + 1..item.start + item.value.len() - 1)
}

/// The bytes of a UUID in small letters.
pub(super) fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    // What is no digit sets a high bit, which is looked at once, behind all of them.
    let (mut id, mut all) = ([0; 16], 0);
    for (byte, at) in id.iter_mut().zip(UUID_BYTES) {
        let (high, low) = (DIGITS[usize::from(text[at])], DIGITS[usize::from(text[at + 1])]);
        all |= high | low;
        *byte = high << 4 | low;
    }
    let is_parted = [8, 13, 18, 23].iter().all(|&at| text[at] == b'-');
    (is_parted && all < 16).then_some(id)
}

/// Where the bytes of a UUID stand in its text.
const UUID_BYTES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// What a byte is as a digit of a UUID; what is none is over 15.
const DIGITS: [u8; 256] = {
    let mut digits = [0xf0; 256];
    let mut n = 0;
    while n < 16 {
        digits[b"0123456789abcdef"[n] as usize] = n as u8;
        n += 1;
    }
    digits
};

/// An audit event without its parts, of its time and how long after the request it was (ns).
pub fn audit_head(time: u64, duration: Option<u64>) -> Event<'static> {
    Event {
        kind: kinds::K8SAUDIT,
        time,
        duration,
        cpu: 0,
        tid: 0,
        pid: 0,
        ret: 0,
        flags: Flags::default(),
        args: Args::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_uuid_is_36_bytes_in_small_letters() {
        let id = "00112233-4455-6677-8899-aabbccddeeff";
        let bytes = [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
        assert_eq!(uuid(id.as_bytes()), Some(bytes));
        let mut broken = vec![id.to_uppercase(), format!("{id}0"), id[1..].to_owned(), String::new()];
        broken.extend((0..36).map(|at| format!("{}g{}", &id[..at], &id[at + 1..])));
        broken.extend(
            (0..36).filter(|at| id.as_bytes()[*at] != b'-').map(|at| format!("{}-{}", &id[..at], &id[at + 1..])),
        );
        for text in broken {
            assert_eq!(uuid(text.as_bytes()), None, "{text}");
        }
    }

    fn back(taken: &Taken<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        let event = &taken.event;
        join_audit(|part| event.args[part.place()], event.time, event.duration, &mut out);
        out
    }

    #[test]
    fn every_text_comes_back_byte_for_byte() {
        let id = r#""auditID":"b77a85db-ec31-4cca-8086-72523cd31145""#;
        let time = r#""stageTimestamp":"2026-11-21T21:22:15.278764Z""#;
        let received = r#""requestReceivedTimestamp":"2026-11-21T21:22:15.278000Z""#;
        let mut splitter = Splitter::default();
        for text in [
            format!("{{{id},{time}}}"),
            format!("{{{id},{time},{received},\"verb\":\"get\",\"requestURI\":\"/a?b=1\\u0026c=2\"}}"),
            format!("{{{id},{time},{received},\"verb\":\"a\",\"verb\":\"b\"}}"),
            format!("{{{time}, {id} ,\"requestURI\":\"/a?b=1&c=2\",\"userAgent\":\"\\/\\u0041\"}}"),
            format!(
                "{{{id},{time},\"user\":{{\"username\":\"a\\\"b\",\"groups\":[\"x\"]}},\"responseStatus\":{{\"code\":404}}}}"
            ),
            format!("{{{id},{time},\"user\":{{\"username\":\"a\u{7f}E\",\"uid\":\"x\"}}}}"),
            format!("{{{id},{time},\"user\":{{}},\"responseStatus\":null,\"objectRef\":[1],\"verb\":3}}"),
            format!(
                "{{{id},{time},\"responseStatus\":{{\"code\":0404}},\"level\":null,\"new\":{{\"a\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14]}}}}"
            ),
            format!("{{{id},{received},\"stageTimestamp\":\"2026-11-21T21:22:14Z\"}}"),
            format!("{{\"auditID\":\"sixteen letters.\",{time}}}"),
            format!("{{\"auditID\":\"not-a-uuid <lab> 1\",{time},\"a\":\"{0}\",\"b\":\"{0}\"}}", "x".repeat(50)),
        ] {
            // The second time its form is known.
            for _ in 0..2 {
                let taken = splitter.split(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
                assert_eq!(String::from_utf8(back(&taken)).unwrap(), text);
            }
        }
    }

    /// JSON text as it may stand in a log, also such as no program writes.
    fn json(depth: u32) -> BoxedStrategy<String> {
        let string = prop_oneof![
            "[a-zA-Z0-9:/._ -]{0,60}",
            r#"([a-z<>&]|\\"|\\\\|\\/|\\u00[0-9a-f]{2}|\\ud83d\\ude00|é|){0,12}"#,
        ];
        let string = string.prop_map(|text| format!("\"{text}\""));
        let number =
            prop_oneof!["-?(0|[1-9][0-9]{0,30})", "[1-9]\\.[0-9]{1,9}[eE][+-]?[0-9]{1,3}", Just("0404".to_owned())];
        let leaf = prop_oneof![string, number, Just("null".to_owned()), Just("true".to_owned())].boxed();
        if depth == 0 {
            return leaf;
        }
        let blank = || prop_oneof![4 => Just(String::new()), 1 => "[ \t\r]{1,2}"];
        let list = proptest::collection::vec((blank(), json(depth - 1)), 0..4);
        let list = list.prop_map(|items| {
            let items: Vec<String> = items.into_iter().map(|(blank, item)| blank + &item).collect();
            format!("[{}]", items.join(","))
        });
        let object = proptest::collection::vec((key(), json(depth - 1), blank()), 0..4).prop_map(object);
        prop_oneof![3 => leaf, 1 => list, 2 => object].boxed()
    }

    fn object(members: Vec<(String, String, String)>) -> String {
        let members: Vec<String> = members
            .into_iter()
            .map(|(key, value, blank)| format!("{blank}\"{key}\"{blank}:{blank}{value}{blank}"))
            .collect();
        format!("{{{}}}", members.join(","))
    }

    /// Keys of events, of what is in them, and others; the same one may come twice.
    fn key() -> impl Strategy<Value = String> {
        let keys = "level stage verb requestURI userAgent auditID stageTimestamp requestReceivedTimestamp user objectRef \
            responseStatus sourceIPs impersonatedUser annotations requestObject responseObject username groups resource \
            name namespace apiGroup apiVersion uid resourceVersion subresource code kind new \\u0076erb";
        proptest::sample::select(keys.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    /// An event: what every one has, and anything behind it.
    fn event() -> impl Strategy<Value = String> {
        let id = prop_oneof![
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[a-z0-9.]{16}",
            "[A-F0-9-]{36}",
            "[a-z]{0,40}"
        ];
        let time = "2026-11-[0-2][0-9]T21:22:1[0-9](\\.[0-9]{1,9})?Z";
        let user = ("[a-z:\\\\/<]{0,9}", json(1)).prop_map(|(name, groups)| {
            let name = name.replace('\\', "\\\\");
            format!("{{\"username\":\"{name}\",\"groups\":{groups}}}")
        });
        let more = proptest::collection::vec((key(), json(2), Just(String::new())), 0..6);
        (id, time, time, user, more).prop_map(|(id, stage, received, user, more)| {
            let mut members = vec![
                ("auditID".to_owned(), format!("\"{id}\""), String::new()),
                ("user".to_owned(), user, String::new()),
            ];
            members.extend(more);
            members.push(("requestReceivedTimestamp".to_owned(), format!("\"{received}\""), String::new()));
            members.push(("stageTimestamp".to_owned(), format!("\"{stage}\""), String::new()));
            object(members)
        })
    }

    proptest! {
        /// Whatever came before: forms that are known do not change what is found.
        #[test]
        fn arbitrary_events_come_back_and_known_forms_find_what_reading_finds(
            texts in proptest::collection::vec(event(), 1..8),
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..4),
        ) {
            let mut known = Splitter::default();
            for text in texts.iter().chain(&texts) {
                let mut text = text.clone().into_bytes();
                if let Some(at) = memchr::memchr(b'/', &text) {
                    // Strings may have bytes that are no UTF-8.
                    text.splice(at..at, bytes.iter().map(|b| b | 0x80));
                }
                let mut fresh = Splitter::default();
                let (known, fresh) = (known.split(&text), fresh.split(&text));
                match (known, fresh) {
                    (Ok(known), Ok(fresh)) => {
                        prop_assert_eq!(back(&known), text.clone());
                        prop_assert_eq!(known.event, fresh.event);
                        prop_assert_eq!(known.received, fresh.received);
                    }
                    (known, fresh) => prop_assert_eq!(known.err(), fresh.err()),
                }
            }
        }

        /// Values other than those of the form's first event, in the places of its marks.
        #[test]
        fn values_in_a_known_form_are_found_as_reading_finds_them(
            first in "[a-z<&\\\\\"]{0,8}", second in "[a-z<&\\\\\"\u{1}\u{7f}]{0,8}", inner in json(2), code in json(1),
        ) {
            let text = |name: &str, inner: &str, code: &str| {
                let mut written = Vec::new();
                write_go_json(&mut written, name.as_bytes(), name.len().is_multiple_of(2));
                let written = String::from_utf8(written).unwrap();
                format!(
                    "{{\"auditID\":\"b77a85db-ec31-4cca-8086-72523cd31145\",\"requestURI\":\"{written}\",\
                     \"user\":{{\"username\":\"{written}\",\"x\":{inner}}},\"responseStatus\":{{\"code\":{code}}},\
                     \"annotations\":{inner},\"stageTimestamp\":\"2026-11-21T21:22:15.278764Z\"}}"
                )
            };
            let mut known = Splitter::default();
            prop_assert!(known.split(text(&first, "[]", "200").as_bytes()).is_ok());
            for (name, inner, code) in [(&second, inner.as_str(), code.as_str()), (&first, "[]", "200"), (&second, &inner, &code)] {
                let text = text(name, inner, code);
                let mut fresh = Splitter::default();
                let (known, fresh) = (known.split(text.as_bytes()), fresh.split(text.as_bytes()));
                match (known, fresh) {
                    (Ok(known), Ok(fresh)) => {
                        prop_assert_eq!(back(&known), text.as_bytes());
                        prop_assert_eq!(known.event, fresh.event);
                    }
                    (known, fresh) => prop_assert_eq!(known.err(), fresh.err()),
                }
            }
        }
    }

    #[test]
    fn parts_say_what_the_json_says() {
        let text = br#"{"auditID":"b77a85db-ec31-4cca-8086-72523cd31145","stage":"ResponseComplete","requestURI":"/a?b\u0026c","user":{"username":"carol"},"responseStatus":{"metadata":{},"code":403},"requestReceivedTimestamp":"2026-11-21T21:22:15.278000Z","stageTimestamp":"2026-11-21T21:22:15.278764Z"}"#;
        let mut splitter = Splitter::default();
        let taken = splitter.split(text).unwrap();
        let part = |part: AuditPart| taken.event.args[part.place()];
        assert_eq!(part(AuditPart::Uri), Arg::Bytes(b"/a?b&c"));
        assert_eq!(part(AuditPart::User), Arg::Bytes(b"carol"));
        assert_eq!(part(AuditPart::Code), Arg::Int(403));
        assert_eq!(part(AuditPart::Rest), Arg::Missing);
        assert_eq!(taken.event.duration, Some(764_000));
        assert_eq!(taken.event.time, 1_795_296_135_278_764_000);
        assert!(part(AuditPart::Form).bytes().is_some_and(|form| form.len() < 250));
    }

    #[test]
    fn what_is_no_audit_event_is_told() {
        let mut splitter = Splitter::default();
        let mut fault = |text: &str| splitter.split(text.as_bytes()).err().map(|e| e.to_string());
        assert_eq!(fault("[]"), Some("expected an audit event (`auditID`), found other JSON".to_owned()));
        assert!(fault(r#"{"auditID":"x"}"#).is_some_and(|e| e.contains("stageTimestamp")));
        assert!(fault(r#"{"auditID":"x","#).is_some_and(|e| e.contains("a key")));
        assert!(fault("{\"auditID\":\"a\u{1}b\"}").is_some_and(|e| e.contains("a string")));
    }
}
