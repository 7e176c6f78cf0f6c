//! HTTP/1: the first line and the headers that name the host and the length (RFC 9112).

use super::{Message, number, words};

/// The longest method that is believed to be one.
const MAX_METHOD: usize = 16;

pub(super) fn message(data: &[u8]) -> Option<Message> {
    let mut lines = data.split(|&b| b == b'\n');
    let first = lines.next()?;
    let is_whole = first.len() < data.len();
    let first = first.strip_suffix(b"\r").unwrap_or(first);
    let mut first_words = words(first);
    let (method, target) = (first_words.next()?, first_words.next()?);
    // The last line may be cut, unless nothing stands behind its end.
    let headers: Vec<&[u8]> = lines.collect();
    let whole = &headers[..headers.len().saturating_sub(1)];
    let header = |name: &[u8]| {
        whole.iter().find_map(|line| {
            let (found, value) = line.split_at_checked(name.len())?;
            let value = value.strip_prefix(b":").filter(|_| found.eq_ignore_ascii_case(name))?;
            Some(value.trim_ascii())
        })
    };
    let size = header(b"content-length").and_then(number);
    if method.starts_with(b"HTTP/1.") {
        let code = number(target).filter(|code| (100..600).contains(code))?;
        return Some(Message::Answer { result: code.to_string().into_bytes(), size });
    }
    let is_method = method.len() <= MAX_METHOD && method.iter().all(u8::is_ascii_uppercase);
    // A line that is there as a whole ends in the version; one that was cut begins with a path or a URL at least.
    let is_request = if is_whole {
        first_words.next().is_some_and(|version| version.starts_with(b"HTTP/1."))
    } else {
        target.starts_with(b"/") || target.starts_with(b"http://")
    };
    if !is_method || !is_request {
        return None;
    }
    let host = if target.starts_with(b"/") { header(b"host").unwrap_or_default() } else { b"" };
    Some(Message::Request { method: method.to_vec(), target: [host, target].concat(), size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_are_told_from_anything_else() {
        let request = |method: &str, target: &str, size| {
            Some(Message::Request { method: method.into(), target: target.into(), size })
        };
        let answer = |code: &str, size| Some(Message::Answer { result: code.into(), size });
        for (data, want) in [
            ("GET /a?b=1 HTTP/1.1\r\nHost: x.y:80\r\nAccept: *", request("GET", "x.y:80/a?b=1", None)),
            ("POST / HTTP/1.0\r\ncontent-length: 12\r\n\r\nGET / HTTP/1.1", request("POST", "/", Some(12))),
            // The host may be cut, and is left out then.
            ("GET / HTTP/1.1\r\nHost: long.exam", request("GET", "/", None)),
            ("GET /very/long/pa", request("GET", "/very/long/pa", None)),
            ("GET http://h/p HTTP/1.1\r\nHost: h\r\n\r\n", request("GET", "http://h/p", None)),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", answer("404", Some(9))),
            ("HTTP/1.1 200", answer("200", None)),
            ("HTTP/1.1 999 No\r\n", None),
            ("HTTP/1.1", None),
            ("get / HTTP/1.1\r\n", None),
            ("GET / SMTP\r\n", None),
            ("HELO mail", None),
            ("", None),
        ] {
            assert_eq!(message(data.as_bytes()), want, "{data:?}");
        }
    }
}
