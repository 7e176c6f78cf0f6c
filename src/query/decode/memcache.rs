//! memcached's text protocol: commands with keys, and the words that answer them.

use super::{Message, number, words};

/// Commands that have keys, and those of them whose fourth word behind the command is the size of what follows.
const COMMANDS: &[&str] = &[
    "get", "gets", "gat", "gats", "set", "add", "replace", "append", "prepend", "cas", "delete", "incr", "decr",
    "touch",
];

const STORES: &[&str] = &["set", "add", "replace", "append", "prepend", "cas"];

const ANSWERS: &[&str] = &[
    "STORED",
    "NOT_STORED",
    "EXISTS",
    "NOT_FOUND",
    "DELETED",
    "TOUCHED",
    "OK",
    "ERROR",
    "CLIENT_ERROR",
    "SERVER_ERROR",
];

pub(super) fn message(data: &[u8]) -> Option<Message> {
    let line = data.split(|&b| b == b'\n').next()?;
    let is_whole = line.len() < data.len();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = words(line);
    let first = std::str::from_utf8(words.next()?).ok()?;
    if COMMANDS.contains(&first) {
        let rest: Vec<&[u8]> = words.collect();
        let key = rest.first()?;
        let is_get = first.starts_with("get");
        let target = if is_get { rest.join(&b' ') } else { key.to_vec() };
        let size = rest.get(3).filter(|_| STORES.contains(&first)).and_then(|size| number(size));
        return Some(Message::Request { method: first.into(), target, size });
    }
    let answer = |result: &str, size| Some(Message::Answer { result: result.into(), size });
    match first {
        "VALUE" => answer("hit", words.nth(2).and_then(number)),
        "END" => answer("miss", None),
        _ if ANSWERS.contains(&first) => answer(&first.to_ascii_lowercase(), None),
        // incr and decr answer with the number alone.
        _ if is_whole && number(first.as_bytes()).is_some() && words.next().is_none() => answer(first, None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_answers_are_told_from_anything_else() {
        let request = |method: &str, target: &str, size| {
            Some(Message::Request { method: method.into(), target: target.into(), size })
        };
        let answer = |result: &str, size| Some(Message::Answer { result: result.into(), size });
        for (data, want) in [
            ("get a\r\n", request("get", "a", None)),
            ("get a b c\r\n", request("get", "a b c", None)),
            ("set k 0 60 5\r\nalice\r\n", request("set", "k", Some(5))),
            ("incr n 1\r\n", request("incr", "n", None)),
            ("VALUE a 0 5\r\nalice\r\nEND\r\n", answer("hit", Some(5))),
            ("END\r\n", answer("miss", None)),
            ("NOT_STORED\r\n", answer("not_stored", None)),
            ("7\r\n", answer("7", None)),
            ("get\r\n", None),
            ("getting there\r\n", None),
            ("", None),
        ] {
            assert_eq!(message(data.as_bytes()), want, "{data:?}");
        }
    }
}
