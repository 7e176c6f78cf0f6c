//! The example of `docs/format.md`.

use super::sample::{header, read, small};
use crate::reel::HEADER_BYTES;

/// A reel of one kind and two events, all of whose bodies are too small to be compressed.
fn example() -> Vec<u8> {
    small(&header())
}

/// The bytes of the example at the end of `docs/format.md`: all lines of its `hex` block that are no remark.
fn documented() -> Vec<u8> {
    let text = include_str!("../../../docs/format.md");
    let block = text.split("```hex\n").nth(1).and_then(|t| t.split("```").next()).unwrap_or_default();
    let lines = block.lines().filter(|l| !l.starts_with('#'));
    lines.flat_map(str::split_whitespace).map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
}

#[test]
fn the_example_of_the_documented_format_is_read_as_it_says() {
    let reader = read(&documented()).unwrap();
    assert!(reader.verify().is_intact());
    assert_eq!(reader.header().host, "node");
    let batch = reader.batches(0).next().unwrap().unwrap();
    assert_eq!(batch.kind_info(0).name, "read");
    assert_eq!(batch.time().unwrap(), [1_000, 1_250]);
    assert_eq!(batch.ret(0).unwrap(), [2, -9]);
    assert_eq!(batch.int(0, 0).unwrap(), [3, 4]);
    assert_eq!(batch.data(0, 0, 0).unwrap(), b"hi");
    assert_eq!(batch.dict().text(batch.thread_row(0).comm), b"cat");
}

#[test]
fn the_example_of_the_documented_format_is_what_is_written() {
    if std::env::var_os("BLESS").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/format.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, block) = text.split_once("```hex\n").unwrap();
        let (_, after) = block.split_once("```").unwrap();
        return std::fs::write(path, format!("{before}```hex\n{}```{after}", dump(&example()))).unwrap();
    }
    assert!(documented() == example(), "docs/format.md should hold\n{}", dump(&example()));
}

/// Bytes as the documentation shows them: a remark before each frame's header and body.
fn dump(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let mut rest = bytes;
    let mut line = |what: &str, bytes: &[u8]| {
        writeln!(text, "# {what}").unwrap();
        for row in bytes.chunks(24) {
            let row: Vec<String> = row.iter().map(|b| format!("{b:02x}")).collect();
            writeln!(text, "{}", row.join(" ")).unwrap();
        }
    };
    while let Some(header) = crate::reel::frame::FrameHeader::parse(rest) {
        let (head, tail) = rest.split_at(HEADER_BYTES);
        let (body, after) = tail.split_at(header.length as usize);
        line(&format!("{:?} frame: header", header.kind), head);
        line("body", body);
        rest = after;
    }
    text
}
