//! [`Shapes`]: forms that were met, as a tree, so that an event of a known form is taken apart in one pass.
//!
//! A log has few forms. Where an event's text is that of a known form with complete values in the places of its marks, it is
//! JSON because the form's first event was, and it comes back byte for byte because it was compared with what is written.

use super::part::MARK;
use std::ops::Range;

/// Nodes and bytes of forms that are kept; a log whose forms never come again must not fill the memory.
const MAX_NODES: usize = 4096;
const MAX_BYTES: usize = 1 << 20;

/// Alternatives behind one value; more are a sign of text that differs each time.
const MAX_BRANCHES: usize = 24;

/// Place of the tree's root.
pub(super) const ROOT: u32 = 0;

/// What stands between two values, and the mark behind it; without a mark it is the end.
#[derive(Default)]
struct Node {
    literal: Range<u32>,
    letter: Option<u8>,
    next: Vec<u32>,
    /// The whole form, where this is the end.
    form: Range<u32>,
}

/// What follows at a place of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A value with the mark of this letter begins at an offset; the node.
    Value(u32, u8, usize),
    /// The text ends as the form of this node does.
    End(u32),
}

/// A tree of forms.
pub(super) struct Shapes {
    nodes: Vec<Node>,
    bytes: Vec<u8>,
}

impl Default for Shapes {
    fn default() -> Self {
        Shapes { nodes: vec![Node::default()], bytes: Vec::new() }
    }
}

impl Shapes {
    /// What follows the value of a node in a text, of which `at` is the offset behind that value.
    pub(super) fn step(&mut self, node: u32, text: &[u8], at: usize) -> Option<Step> {
        let rest = text.get(at..)?;
        let (nodes, bytes) = (&self.nodes, &self.bytes);
        let fits = |&next: &u32| {
            let node = &nodes[next as usize];
            let literal = &bytes[node.literal.start as usize..node.literal.end as usize];
            rest.starts_with(literal) && (node.letter.is_some() || rest.len() == literal.len())
        };
        let place = nodes[node as usize].next.iter().position(fits)?;
        let found = nodes[node as usize].next[place];
        if place > 0 {
            // What is met often moves to the front.
            self.nodes[node as usize].next.swap(place, place - 1);
        }
        let met = &self.nodes[found as usize];
        let length = (met.literal.end - met.literal.start) as usize;
        Some(met.letter.map_or(Step::End(found), |letter| Step::Value(found, letter, at + length)))
    }

    /// The form whose end a node is.
    pub(super) fn form(&self, node: u32) -> &[u8] {
        let form = &self.nodes[node as usize].form;
        &self.bytes[form.start as usize..form.end as usize]
    }

    /// Keeps a form.
    pub(super) fn keep(&mut self, form: &[u8]) {
        if self.nodes.len() >= MAX_NODES || self.bytes.len() + form.len() > MAX_BYTES {
            *self = Shapes::default();
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(form);
        let (mut node, mut at) = (ROOT, 0);
        loop {
            let mark = memchr::memchr(MARK, &form[at..]).map(|n| at + n);
            let letter = mark.and_then(|mark| form.get(mark + 1)).copied();
            let end = mark.unwrap_or(form.len());
            let literal = (start + at) as u32..(start + end) as u32;
            let Some(next) = self.child(node, literal, letter) else { return };
            node = next;
            let (Some(_), Some(mark)) = (letter, mark) else { break };
            at = mark + 2;
        }
        self.nodes[node as usize].form = start as u32..(start + form.len()) as u32;
    }

    /// The node behind another one with this literal and letter, which is made if there is none.
    fn child(&mut self, node: u32, literal: Range<u32>, letter: Option<u8>) -> Option<u32> {
        let text = |range: &Range<u32>| &self.bytes[range.start as usize..range.end as usize];
        let is_it = |&&next: &&u32| {
            let node = &self.nodes[next as usize];
            node.letter == letter && text(&node.literal) == text(&literal)
        };
        let known = self.nodes[node as usize].next.iter().find(is_it).copied();
        if known.is_some() || self.nodes[node as usize].next.len() >= MAX_BRANCHES {
            return known;
        }
        let made = self.nodes.len() as u32;
        self.nodes.push(Node { literal, letter, ..Node::default() });
        self.nodes[node as usize].next.push(made);
        Some(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_followed_through_the_forms_that_begin_like_it() {
        let mut shapes = Shapes::default();
        for form in [&b"{\"a\":\"\x01A\"}"[..], b"{\"a\":\"\x01A\",\"b\":\x01B}", b"{\"a\":\"\x01A\"}"] {
            shapes.keep(form);
        }
        assert_eq!(shapes.nodes.len(), 5, "what they have in common is kept once");
        let Some(Step::Value(first, b'A', 6)) = shapes.step(ROOT, b"{\"a\":\"xy\",\"b\":3}", 0) else { panic!() };
        let Some(Step::Value(second, b'B', 14)) = shapes.step(first, b"{\"a\":\"xy\",\"b\":3}", 8) else { panic!() };
        let Some(Step::End(end)) = shapes.step(second, b"{\"a\":\"xy\",\"b\":3}", 15) else { panic!() };
        assert_eq!(shapes.form(end), b"{\"a\":\"\x01A\",\"b\":\x01B}");
        assert_eq!(shapes.step(second, b"{\"a\":\"xy\",\"b\":3},", 15), None, "nothing may follow the end");
        assert_eq!(shapes.step(ROOT, b"{\"b\":", 0), None);
    }

    #[test]
    fn forms_that_never_come_again_do_not_pile_up() {
        let mut shapes = Shapes::default();
        for n in 0..100_000 {
            shapes.keep(format!("{{\"x{n}\":\x01A}}").as_bytes());
            assert!(shapes.nodes.len() <= MAX_NODES + 32 && shapes.bytes.len() <= MAX_BYTES);
        }
    }
}
