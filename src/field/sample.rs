//! Batches for tests, made by hand.

use crate::batch::{Batch, Columns, DataColumn, Row, Schema, Table};
use crate::event::{Arg, Class, Flags, kind_by_name};
use crate::world::dict::Endpoint;
use crate::world::{DescKind, DescRow, Dict, ImageRow, L4, Role, StrId, ThreadRow};
use std::sync::Arc;

/// A row to be.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub kind: &'static str,
    pub thread: u32,
    pub time: u64,
    pub cpu: u16,
    pub ret: i64,
    /// Plus one; 0 unknown.
    pub duration: u64,
    pub desc: u32,
    pub flags: Flags,
    /// By name; the others are missing.
    pub args: Vec<(&'static str, SampleArg)>,
}

#[derive(Debug, Clone)]
pub(crate) enum SampleArg {
    Int(i64),
    Bytes(Vec<u8>),
}

impl Sample {
    pub(crate) fn new(kind: &'static str, thread: u32) -> Sample {
        Sample {
            kind,
            thread,
            time: 1_534_527_348_514_632_619,
            cpu: 0,
            ret: 0,
            duration: 1001,
            desc: 0,
            flags: Flags::default(),
            args: Vec::new(),
        }
    }

    pub(crate) fn int(mut self, name: &'static str, v: i64) -> Sample {
        self.args.push((name, SampleArg::Int(v)));
        self
    }

    pub(crate) fn bytes(mut self, name: &'static str, v: &[u8]) -> Sample {
        self.args.push((name, SampleArg::Bytes(v.to_vec())));
        self
    }
}

/// Threads 1 (bash, 100) <- 2 (nginx, 200) <- 3 (nginx thread 201) and 4 (a placeholder, 999); descriptors 1 file
/// /etc/passwd, 2 TCP 10.0.0.1:40000->10.0.0.2:443, 3 listening on port 80, 4 pipe, 5 directory /var.
pub(crate) fn dict() -> Dict {
    let mut d = Dict::new();
    let mut s = |text: &[u8]| d.strings.push(text);
    let (bash, nginx, worker) = (s(b"bash"), s(b"nginx"), s(b"worker"));
    let (exe, args, cwd) = (s(b"/usr/sbin/nginx"), s(b"-g\0daemon off;\0"), s(b"/var/www"));
    let cgroup = s(b"/docker/3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e");
    let (home, lang, root, www) = (s(b"HOME=/root"), s(b"LANG=C"), s(b"root"), s(b"www\x1b[31m"));
    let (passwd, pipe, var) = (s(b"/etc/passwd"), s(b"pipe:[77]"), s(b"/var"));
    d.images.push(ImageRow { exe: bash, exepath: bash, args: StrId::NONE, ..ImageRow::default() });
    d.images.push(ImageRow { exe, exepath: exe, args, env: [home, lang].into_iter().collect(), ..ImageRow::default() });
    let shell = ThreadRow {
        tid: 100,
        pid: 100,
        vtid: 100,
        vpid: 100,
        ppid: 1,
        comm: bash,
        image: 1,
        sid: 100,
        pgid: 100,
        tty: 34816,
        loginuid: 1000,
        start: 1_534_527_000_000_000_000,
        ..ThreadRow::default()
    };
    let server = ThreadRow {
        tid: 200,
        pid: 200,
        vtid: 1,
        vpid: 1,
        ppid: 100,
        comm: nginx,
        image: 2,
        cwd,
        sid: 100,
        pgid: 200,
        uid: 33,
        euid: 33,
        gid: 33,
        egid: 33,
        loginuid: u32::MAX,
        cgroup,
        parent: 1,
        creator: 1,
        ..shell.clone()
    };
    let thread = ThreadRow { tid: 201, vtid: 2, comm: worker, leader: 2, ..server.clone() };
    d.threads.extend([
        shell,
        server,
        thread,
        ThreadRow { tid: 999, pid: 999, placeholder: true, ..ThreadRow::default() },
    ]);
    let end = |ip: &str, port| Some(Endpoint { ip: ip.parse().unwrap(), port });
    d.descs.push(DescRow { kind: DescKind::File, name: passwd, dev: 0x801, ino: 42, ..DescRow::default() });
    d.descs.push(DescRow {
        kind: DescKind::Ipv4,
        client: end("10.0.0.1", 40000),
        server: end("10.0.0.2", 443),
        l4: L4::Tcp,
        role: Role::Client,
        ..DescRow::default()
    });
    d.descs.push(DescRow {
        kind: DescKind::Ipv6,
        server: end("::", 80),
        l4: L4::Tcp,
        role: Role::Server,
        ..DescRow::default()
    });
    d.descs.push(DescRow { kind: DescKind::Pipe, name: pipe, ino: 77, ..DescRow::default() });
    d.descs.push(DescRow { kind: DescKind::Directory, name: var, ..DescRow::default() });
    d.users.insert(0, root);
    d.users.insert(33, www);
    d
}

/// A batch of the rows over [`dict`].
pub(crate) fn batch(rows: &[Sample]) -> Batch {
    let mut dict = dict();
    let columns = columns(rows, &mut dict);
    Batch::of_columns(columns, Arc::new(Schema::current()), Arc::new(dict))
}

fn columns(rows: &[Sample], dict: &mut Dict) -> Columns {
    let mut columns = Columns { first_num: 1, ..Columns::default() };
    for row in rows {
        let kind = kind_by_name(row.kind).unwrap_or_else(|| panic!("no kind {}", row.kind));
        let spec = kind.spec();
        let local = columns.tables.iter().position(|t| t.kind == kind.0).unwrap_or_else(|| {
            let count = |class| spec.params.iter().filter(|p| p.class == class).count();
            columns.tables.push(Table {
                kind: kind.0,
                ints: vec![vec![]; count(Class::Int)],
                texts: vec![vec![]; count(Class::Text)],
                data: vec![DataColumn::default(); count(Class::Data)],
                ..Table::default()
            });
            columns.tables.len() - 1
        });
        columns.time.push(row.time);
        columns.cpu.push(row.cpu);
        columns.thread.push(row.thread);
        columns.kind.push(local as u8);
        push(&mut columns.tables[local], spec, row, dict);
    }
    for table in &mut columns.tables {
        if table.desc.iter().all(|&d| d == 0) {
            table.desc.clear();
        }
        if table.flags.iter().all(|&f| f == 0) {
            table.flags.clear();
        }
    }
    columns
}

fn push(table: &mut Table, spec: &crate::event::Spec, row: &Sample, dict: &mut Dict) {
    if spec.ret.is_some() {
        table.ret.push(row.ret);
    }
    table.duration.push(row.duration);
    table.desc.push(row.desc);
    table.flags.push(row.flags.0);
    let (mut missing, mut slots) = (0u64, [0usize; 3]);
    for (name, _) in &row.args {
        assert!(spec.params.iter().any(|p| p.name == *name), "{} has no {name}", spec.name);
    }
    for (n, param) in spec.params.iter().enumerate() {
        let given = row.args.iter().find(|(name, _)| *name == param.name).map(|(_, arg)| match arg {
            SampleArg::Int(v) => Arg::Int(*v),
            SampleArg::Bytes(b) => Arg::Bytes(b),
        });
        missing |= u64::from(given.is_none()) << n;
        let mut next = |class: usize| {
            slots[class] += 1;
            slots[class] - 1
        };
        match param.class {
            Class::Int => table.ints[next(0)].push(given.and_then(Arg::int).unwrap_or(0)),
            Class::Text => {
                let id = given.and_then(Arg::bytes).map_or(StrId::NONE, |b| dict.strings.push(b));
                table.texts[next(1)].push(id.0);
            }
            Class::Data => {
                let column = &mut table.data[next(2)];
                let bytes = given.and_then(Arg::bytes).unwrap_or_default();
                column.lengths.push(bytes.len() as u32);
                column.bytes.extend_from_slice(bytes);
            }
            Class::Env => {}
        }
    }
    table.missing.push(missing);
}

/// All rows of a batch, in order.
pub(crate) fn rows(batch: &Batch) -> Vec<Row<'_>> {
    let (kind, positions) = (batch.kind().unwrap(), batch.positions().unwrap());
    let threads = batch.thread().unwrap().iter().flat_map(|(thread, n)| std::iter::repeat_n(thread, n));
    let rows = kind.iter().zip(positions).zip(threads).enumerate();
    rows.map(|(index, ((&kind, &position), thread))| Row {
        batch,
        index,
        kind: usize::from(kind),
        position: position as usize,
        thread,
    })
    .collect()
}
