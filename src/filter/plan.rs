//! A filter arranged for batches: parts that ask about the same level become one leaf, cheap leaves stand first.

use super::ast::Expr;
use super::interval::Intervals;
use crate::field::{Column, Extract, FieldRef};

/// What a leaf is evaluated over. Ordered by what evaluating it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Over {
    /// Kinds of the schema.
    Kind,
    /// Thread rows of the dictionary.
    Thread,
    /// Descriptor rows of the dictionary.
    Descriptor,
    /// One column.
    Column(ColumnOrder),
    /// Whole events.
    Event,
}

/// A column, as a key of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ColumnOrder(u8);

const COLUMNS: [Column; 6] = [Column::Num, Column::Cpu, Column::Flags, Column::Return, Column::Duration, Column::Time];

impl ColumnOrder {
    fn of(column: Column) -> ColumnOrder {
        ColumnOrder(COLUMNS.iter().position(|c| *c == column).unwrap_or(0) as u8)
    }

    pub(super) fn column(self) -> Column {
        COLUMNS[usize::from(self.0) % COLUMNS.len()]
    }
}

/// A part of a filter that asks about one level only; answered once per row of that level.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// Its place in the memo.
    pub id: usize,
    pub over: Over,
    pub expr: Expr,
    /// The same as numbers, if it asks about a column's numbers.
    pub intervals: Option<Intervals>,
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Leaf(Leaf),
}

impl Node {
    pub(super) fn of(expr: &Expr, leaves: &mut usize) -> Node {
        if let Some(over) = over(expr) {
            return leaf(expr.clone(), over, leaves);
        }
        match expr {
            Expr::And(parts) => Node::And(group(parts, Expr::and, leaves)),
            Expr::Or(parts) => Node::Or(group(parts, Expr::or, leaves)),
            Expr::Not(part) => Node::Not(Box::new(Node::of(part, leaves))),
            // Of several levels.
            Expr::Check(_) | Expr::Relation(_) => leaf(expr.clone(), Over::Event, leaves),
        }
    }

    /// The dearest thing it asks about; trees cost more than a leaf of the same sort.
    fn cost(&self) -> (Over, bool) {
        match self {
            Node::Leaf(leaf) => (leaf.over, false),
            Node::Not(part) => (part.cost().0, true),
            Node::And(parts) | Node::Or(parts) => (parts.iter().map(|p| p.cost().0).max().unwrap_or(Over::Kind), true),
        }
    }
}

fn leaf(expr: Expr, over: Over, leaves: &mut usize) -> Node {
    *leaves += 1;
    Node::Leaf(Leaf { id: *leaves - 1, over, intervals: Intervals::of(&expr), expr })
}

/// Joins parts that ask about the same level, and puts the cheap ones first.
fn group(parts: &[Expr], join: fn(Vec<Expr>) -> Expr, leaves: &mut usize) -> Vec<Node> {
    let mut same: Vec<(Over, Vec<Expr>)> = Vec::new();
    let mut nodes = Vec::new();
    for part in parts {
        match over(part) {
            Some(over) => match same.iter_mut().find(|(o, _)| *o == over) {
                Some((_, list)) => list.push(part.clone()),
                None => same.push((over, vec![part.clone()])),
            },
            None => nodes.push(Node::of(part, leaves)),
        }
    }
    nodes.extend(same.into_iter().map(|(over, list)| leaf(join(list), over, leaves)));
    nodes.sort_by_key(Node::cost);
    nodes
}

/// What all fields of a tree ask about, if it is the same.
fn over(expr: &Expr) -> Option<Over> {
    let mut common = None;
    let mut same = true;
    expr.for_each_field(&mut |field| {
        let over = over_field(field);
        same &= *common.get_or_insert(over) == over;
    });
    common.filter(|_| same)
}

fn over_field(field: &FieldRef) -> Over {
    match field.field.extract {
        Extract::Kind(_) => Over::Kind,
        Extract::Thread(_) => Over::Thread,
        Extract::Descriptor(_) => Over::Descriptor,
        Extract::Number(column) | Extract::Column(column, _) => Over::Column(ColumnOrder::of(column)),
        Extract::Audit(_) | Extract::Text(..) | Extract::Event(_) => Over::Event,
    }
}
