//! What of HTTP/1.1 the API server's webhook needs: a request's head and body in, a short answer out.

use std::io::{self, Read, Write};
use std::time::Instant;

/// Most bytes of a request's head, and most headers of it.
const MAX_HEAD: usize = 16 << 10;
const MAX_HEADERS: usize = 64;

/// How long the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Known(u64),
    Chunked,
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) length: Length,
    pub(super) is_gzip: bool,
    /// The client waits for a word before it sends the body.
    pub(super) asks_first: bool,
    pub(super) keeps_alive: bool,
}

/// Why a request cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The connection failed, or took too long.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Status, and what was expected.
    #[error("{1}")]
    Status(u16, &'static str),
    /// The body has more bytes than allowed.
    #[error("the body is too large")]
    TooLarge,
}

/// A connection, with what was read of it and not taken yet.
pub(super) struct Connection<S> {
    pub(super) stream: S,
    buffer: Vec<u8>,
    /// Until when the request at hand must have come.
    pub(super) deadline: Instant,
}

impl<S: Read + Write> Connection<S> {
    pub(super) fn new(stream: S, deadline: Instant) -> Connection<S> {
        Connection { stream, buffer: Vec::new(), deadline }
    }

    fn fill(&mut self) -> Result<usize, Fault> {
        if Instant::now() >= self.deadline {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        let mut more = [0; 16 << 10];
        let read = self.stream.read(&mut more)?;
        self.buffer.extend_from_slice(&more[..read]);
        Ok(read)
    }

    /// Waits until a request begins; `false`: the client has gone.
    pub(super) fn begins(&mut self) -> Result<bool, Fault> {
        Ok(!self.buffer.is_empty() || self.fill()? > 0)
    }

    /// The head of the request that comes next; `None`: there is none.
    pub(super) fn head(&mut self) -> Result<Option<Head>, Fault> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut request = httparse::Request::new(&mut headers);
            let parsed = request.parse(&self.buffer).map_err(|_| Fault::Status(400, "expected an HTTP request"))?;
            if let httparse::Status::Complete(length) = parsed {
                let head = head(&request)?;
                self.buffer.drain(..length);
                return Ok(Some(head));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(Fault::Status(431, "expected a head of at most 16 KiB"));
            }
            if self.fill()? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(Fault::Status(400, "expected a whole head"))
                };
            }
        }
    }

    /// The body of a request, of `limit` bytes at most.
    pub(super) fn body(&mut self, head: &Head, limit: usize) -> Result<Vec<u8>, Fault> {
        if head.asks_first {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            self.stream.flush()?;
        }
        let mut body = Vec::new();
        match head.length {
            Length::Known(length) if length > limit as u64 => return Err(Fault::TooLarge),
            Length::Known(length) => {
                // Pages are the system's until something comes.
                body.reserve_exact(length as usize);
                self.take(length as usize, &mut body)?;
            }
            Length::Chunked => loop {
                let length = self.chunk()?;
                if length > (limit - body.len()) as u64 {
                    return Err(Fault::TooLarge);
                }
                self.take(length as usize, &mut body)?;
                if length == 0 {
                    while !self.line()?.is_empty() {}
                    break;
                }
                self.line()?;
            },
        }
        if !head.is_gzip {
            return Ok(body);
        }
        let mut plain = Vec::new();
        let unpacked =
            flate2::read::MultiGzDecoder::new(body.as_slice()).take(limit as u64 + 1).read_to_end(&mut plain);
        unpacked.map_err(|_| Fault::Status(400, "expected gzip"))?;
        if plain.len() > limit { Err(Fault::TooLarge) } else { Ok(plain) }
    }

    /// Length of the next chunk.
    fn chunk(&mut self) -> Result<u64, Fault> {
        let line = self.line()?;
        let digits = line.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
        let number = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'));
        number
            .and_then(|text| u64::from_str_radix(text, 16).ok())
            .ok_or(Fault::Status(400, "expected the length of a chunk"))
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(line.trim_ascii_end().to_vec());
            }
            if self.buffer.len() > MAX_HEAD || self.fill()? == 0 {
                return Err(Fault::Status(400, "expected the end of a line"));
            }
        }
    }

    fn take(&mut self, length: usize, body: &mut Vec<u8>) -> Result<(), Fault> {
        let there = length.min(self.buffer.len());
        body.extend(self.buffer.drain(..there));
        let mut left = length - there;
        while left > 0 {
            if Instant::now() >= self.deadline {
                return Err(io::Error::from(io::ErrorKind::TimedOut).into());
            }
            // What is announced is not believed before it comes.
            let (start, step) = (body.len(), left.min(256 << 10));
            body.resize(start + step, 0);
            let read = self.stream.read(&mut body[start..])?;
            body.truncate(start + read);
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            left -= read;
        }
        Ok(())
    }

    /// Answers; `after`: when to try again, seconds.
    pub(super) fn answer(&mut self, status: u16, text: &str, after: Option<u32>, closes: bool) -> io::Result<()> {
        let reason = match status {
            200 => "OK",
            400 => "Bad Request",
            405 => "Method Not Allowed",
            413 => "Content Too Large",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            503 => "Service Unavailable",
            _ => "Error",
        };
        let mut answer = format!("HTTP/1.1 {status} {reason}\r\nContent-Length: {}\r\n", text.len());
        if status == 405 {
            answer.push_str("Allow: POST\r\n");
        }
        if let Some(after) = after {
            answer.push_str(&format!("Retry-After: {after}\r\n"));
        }
        if !text.is_empty() {
            answer.push_str("Content-Type: text/plain; charset=utf-8\r\n");
        }
        answer.push_str(if closes { "Connection: close\r\n\r\n" } else { "\r\n" });
        answer.push_str(text);
        self.stream.write_all(answer.as_bytes())?;
        self.stream.flush()
    }
}

fn head(request: &httparse::Request<'_, '_>) -> Result<Head, Fault> {
    let find = |name: &str| {
        let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| std::str::from_utf8(header.value).unwrap_or("?").trim().to_ascii_lowercase())
    };
    let lengths = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("content-length")).count();
    let length = match (find("transfer-encoding"), find("content-length")) {
        (None, None) => Length::Known(0),
        (Some(coding), None) if coding == "chunked" => Length::Chunked,
        (None, Some(length)) if lengths == 1 && length.bytes().all(|b| b.is_ascii_digit()) => {
            Length::Known(length.parse().map_err(|_| Fault::TooLarge)?)
        }
        // Two lengths are how one request is made to look like two.
        _ => return Err(Fault::Status(400, "expected one length of the body")),
    };
    let is_gzip = match find("content-encoding").as_deref() {
        None | Some("" | "identity") => false,
        Some("gzip") => true,
        Some(_) => return Err(Fault::Status(400, "expected no content encoding but gzip")),
    };
    Ok(Head {
        method: request.method.unwrap_or_default().to_owned(),
        path: request.path.unwrap_or_default().to_owned(),
        length,
        is_gzip,
        asks_first: find("expect").is_some_and(|expects| expects == "100-continue"),
        keeps_alive: request.version == Some(1) && find("connection").is_none_or(|word| word != "close"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    struct Both {
        input: io::Cursor<Vec<u8>>,
        output: Vec<u8>,
    }

    impl Read for Both {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            // In pieces, as a network gives them.
            let most = into.len().min(7);
            self.input.read(&mut into[..most])
        }
    }

    impl Write for Both {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.output.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn connection(text: &[u8]) -> Connection<Both> {
        let both = Both { input: io::Cursor::new(text.to_vec()), output: Vec::new() };
        Connection::new(both, Instant::now() + Duration::from_secs(600))
    }

    fn body(text: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
        let mut connection = connection(text);
        let head = connection.head()?.unwrap();
        connection.body(&head, limit)
    }

    #[test]
    fn bodies_come_with_a_length_or_in_chunks_and_packed_or_not() {
        assert_eq!(body(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloPOST", 5).unwrap(), b"hello");
        let chunked = b"POST /x?timeout=30s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX: y\r\n\r\n";
        assert_eq!(body(chunked, 5).unwrap(), b"hello");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"hello").unwrap();
        let packed = packed.finish().unwrap();
        let head = format!("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len());
        let text = [head.as_bytes(), &packed].concat();
        assert_eq!(body(&text, 100).unwrap(), b"hello");
        assert!(matches!(body(&text, packed.len() - 1), Err(Fault::TooLarge)));
    }

    #[test]
    fn what_is_too_large_or_unclear_is_refused() {
        let status = |text: &str| match body(text.as_bytes(), 10) {
            Err(Fault::Status(status, _)) => status,
            Err(Fault::TooLarge) => 413,
            other => panic!("{other:?}"),
        };
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"), 413);
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"), 413);
        assert_eq!(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n"), 413);
        assert_eq!(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
        assert_eq!(status("\u{1}\u{2}\r\n\r\n"), 400);
        assert_eq!(status(&format!("POST / HTTP/1.1\r\nX: {}", "x".repeat(MAX_HEAD + 100))), 431);
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Encoding: br\r\n\r\n"), 400);
        assert!(connection(b"").head().unwrap().is_none());
    }
}
