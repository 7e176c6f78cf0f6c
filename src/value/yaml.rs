//! YAML as a tree with places, so that whoever reads a file can say where something is wrong. Anchors and aliases are
//! resolved; what a mapping has twice stands in it twice.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::HashMap;

/// Nodes of a file at most, those of aliases included: a few lines can stand for very many.
const MAX_NODES: usize = 200_000;
/// How deep they may be nested.
const MAX_DEPTH: usize = 100;

/// A place in a YAML file, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlNode {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What stands there.
    pub value: YamlValue,
}

/// What stands at a place in a YAML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum YamlValue {
    /// Text; `plain`: without quotes, so that it may be meant as a number, a truth or nothing.
    Scalar {
        /// The text.
        text: String,
        /// It has no quotes.
        plain: bool,
    },
    /// A sequence.
    List(Vec<YamlNode>),
    /// A mapping: keys and values in order.
    Map(Vec<(YamlNode, YamlNode)>),
}

/// Why a text is no YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct YamlFault {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

impl YamlNode {
    /// Whether it says nothing: an empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, YamlValue::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            _ if self.is_null() => "nothing",
            YamlValue::Scalar { text, plain: true } if is_truth(text) => "a truth",
            YamlValue::Scalar { text, plain: true } if is_number(text) => "a number",
            YamlValue::Scalar { .. } => "a text",
            YamlValue::List(_) => "a list",
            YamlValue::Map(_) => "a mapping",
        }
    }
}

/// Whether plain text is a truth in YAML 1.1, which Go reads.
fn is_truth(text: &str) -> bool {
    ["true", "false", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit()) && digits.replace('_', "").parse::<f64>().is_ok()
}

/// The documents of a YAML file.
///
/// # Errors
/// It is no YAML, or larger than a file that people write.
pub fn parse_yaml(text: &str) -> Result<Vec<YamlNode>, YamlFault> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| YamlFault {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            what: error.info().to_owned(),
        })?;
        builder.take(event, span)?;
    }
    Ok(builder.documents)
}

#[derive(Default)]
struct Builder {
    documents: Vec<YamlNode>,
    open: Vec<Open>,
    anchors: HashMap<usize, YamlNode>,
    nodes: usize,
}

/// A sequence or mapping that is not closed yet.
struct Open {
    node: YamlNode,
    anchor: usize,
    key: Option<YamlNode>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlFault> {
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let node = |value| YamlNode { line, column, value };
        let fault = |what: &str| YamlFault { line, column, what: what.to_owned() };
        if self.open.len() > MAX_DEPTH {
            return Err(fault("expected a file that is nested less deeply"));
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                self.put(node(YamlValue::Scalar { text: text.into_owned(), plain }), anchor);
            }
            Event::SequenceStart(anchor, _) => {
                self.open.push(Open { node: node(YamlValue::List(Vec::new())), anchor, key: None });
            }
            Event::MappingStart(anchor, _) => {
                self.open.push(Open { node: node(YamlValue::Map(Vec::new())), anchor, key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { node, anchor, .. }) = self.open.pop() {
                    self.put(node, anchor);
                }
            }
            Event::Alias(anchor) => {
                let known =
                    self.anchors.get(&anchor).cloned().ok_or_else(|| fault("expected an anchor that is there"))?;
                self.nodes += count(&known);
                self.put(known, 0);
            }
            _ => {}
        }
        if self.nodes > MAX_NODES { Err(fault("expected a smaller file")) } else { Ok(()) }
    }

    fn put(&mut self, node: YamlNode, anchor: usize) {
        self.nodes += 1;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else { return self.documents.push(node) };
        match &mut open.node.value {
            YamlValue::List(items) => items.push(node),
            YamlValue::Map(members) => match open.key.take() {
                Some(key) => members.push((key, node)),
                None => open.key = Some(node),
            },
            YamlValue::Scalar { .. } => {}
        }
    }
}

fn count(node: &YamlNode) -> usize {
    match &node.value {
        YamlValue::Scalar { .. } => 1,
        YamlValue::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        YamlValue::Map(members) => 1 + members.iter().map(|(key, value)| count(key) + count(value)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_places_and_keeps_what_stands_twice() {
        let nodes = parse_yaml("a: 1\nb:\n- \"x\"\n- &k {c: yes}\n- *k\na:\n").unwrap();
        let YamlValue::Map(members) = &nodes[0].value else { panic!("{nodes:?}") };
        let keys: Vec<(usize, &YamlValue)> = members.iter().map(|(key, _)| (key.line, &key.value)).collect();
        assert_eq!(keys.iter().map(|k| k.0).collect::<Vec<_>>(), [1, 2, 6]);
        assert_eq!((members[0].1.kind(), members[2].1.kind()), ("a number", "nothing"));
        let YamlValue::List(items) = &members[1].1.value else { panic!() };
        assert_eq!((items[0].line, items[0].column, items[0].kind()), (3, 3, "a text"));
        assert_eq!(items[1].value, items[2].value);
    }

    #[test]
    fn what_is_no_yaml_or_stands_for_too_much_is_told() {
        assert_eq!(parse_yaml("a: [1\nb: 2\n").unwrap_err().line, 2);
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..8 {
            let of = format!("*a{}", n - 1);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![of; 10].join(", ")));
        }
        assert!(parse_yaml(&bomb).unwrap_err().what.contains("smaller"));
        assert!(parse_yaml(&"[".repeat(5000)).is_err());
    }
}
