//! [`FlameQuery`]: what is summed up of events, by the processes that stand above each other and the call on top: what
//! programs that draw flame graphs read.

use super::{Aggregate, Key, Operator, Order, Span, TableQuery, TableWorker, View};
use crate::batch::{Batch, Error};
use crate::field::{ArgRule, Extract, Field, FieldArg, FieldRef, lookup};
use crate::filter::Selection;
use crate::report::{Cell, Column, Report, Table};
use crate::value::{Type, Value};
use crate::world::{Dict, ThreadRow};

/// The most processes above each other; a dictionary that claims more is damaged or made to hurt.
const MAX_DEPTH: usize = 64;

/// Names of a process and of those above it, the eldest first.
static STACK: Field = Field {
    name: "stack",
    ty: Type::Text,
    arg: ArgRule::No,
    doc: "Names of a process and of those above it, the eldest first.",
    example: "stack contains sshd",
    extract: Extract::Thread(stack),
};

fn stack<'a>(dict: &'a Dict, thread: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    let process = if thread.leader == 0 { thread } else { dict.thread(thread.leader) };
    let mut names = vec![dict.text(process.comm)];
    let mut above = process.parent;
    while above != 0 && names.len() < MAX_DEPTH {
        let row = dict.thread(above);
        names.push(dict.text(row.comm));
        // Row numbers must fall, so that a hostile dictionary cannot loop.
        above = if row.parent < above { row.parent } else { 0 };
    }
    let frames: Vec<Vec<u8>> = names.into_iter().rev().map(frame).collect();
    Value::owned(frames.join(&b';'))
}

/// A name as a frame: what stands between frames and before numbers is no part of one.
fn frame(name: &[u8]) -> Vec<u8> {
    name.iter().map(|&b| if matches!(b, b';' | b' ' | b'\n') { b'_' } else { b }).collect()
}

/// What is summed up of events, by the processes that stand above each other and the call on top.
#[derive(Clone)]
pub struct FlameQuery {
    table: TableQuery,
}

impl FlameQuery {
    /// Sums `value`, an aggregate that counts or sums.
    pub fn new(title: String, about: String, value: Aggregate) -> Result<FlameQuery, crate::field::Error> {
        let stack = FieldRef { field: &STACK, arg: FieldArg::None, ty: Type::Text, alias: None };
        let keys = vec![
            Key { name: "Stack".to_owned(), field: stack },
            Key { name: "Call".to_owned(), field: lookup("evt.type")? },
        ];
        let order = Order { column: 0, descending: true };
        Ok(FlameQuery { table: TableQuery { title, about, keys, values: vec![value], order, top: None } })
    }
}

impl Operator for FlameQuery {
    type Partial = Option<TableWorker>;

    fn begin(&self) -> Option<TableWorker> {
        Some(self.table.worker())
    }

    fn fields(&self, each: &mut dyn FnMut(&FieldRef)) {
        self.table.for_each_field(each);
    }

    fn add(
        &self,
        partial: &mut Option<TableWorker>,
        batch: &Batch,
        selection: &Selection,
        view: View<'_>,
    ) -> Result<(), Error> {
        partial.as_mut().map_or(Ok(()), |worker| worker.add(batch, selection, view.in_flight, view.ctx))
    }

    fn finish(&self, partials: Vec<Option<TableWorker>>, span: Span, notes: Vec<String>) -> Report {
        let workers: Vec<TableWorker> = partials.into_iter().flatten().collect();
        let mut report = self.table.finish(&workers, span, notes);
        let fold = |row: Vec<Cell>| match <[Cell; 3]>::try_from(row) {
            // Rows of processor time are about no call.
            Ok([value, stack, Cell::Text(call)]) if call == b"cputime" => vec![stack, value],
            Ok([value, Cell::Text(stack), Cell::Text(call)]) => {
                vec![Cell::Text([stack, frame(&call)].join(&b';')), value]
            }
            Ok([value, stack, _]) => vec![stack, value],
            Err(row) => row,
        };
        for table in &mut report.tables {
            let rows: Vec<Vec<Cell>> = std::mem::take(&mut table.rows).into_iter().map(fold).collect();
            let value = table.columns.first().cloned().unwrap_or_else(|| Column::text("Value"));
            *table = Table { title: String::new(), columns: vec![Column::text("Stack"), value], rows };
        }
        report
    }
}
