//! What recording costs after the rings: event → world → columns → zstd, nanoseconds per event and bytes per event.
//!
//! `cargo bench --bench write`. The load is made up: 50 processes that open, read, map and close files, with
//! the mix of a build (names repeat, most data do too). Stages are timed apart, in one run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a bench that cannot go on stops, and its figures go to standard output"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use sysreel::batch::{Columns, Encoder, Schema};
use sysreel::engine::{Assembler, Piece, SegmentLimits};
use sysreel::event::{Arg, Args, Event, Flags, Kind, kind_by_name};

const EVENTS: usize = 2_000_000;

struct Load {
    state: u64,
    time: u64,
    kinds: [Kind; 8],
    name: String,
}

impl Load {
    fn new() -> Load {
        let kinds = ["openat", "read", "close", "fstat", "mmap", "newfstatat", "write", "lseek"]
            .map(|n| kind_by_name(n).expect("kind"));
        Load { state: 88_172_645_463_325_252, time: 1_700_000_000_000_000_000, kinds, name: String::new() }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % below
    }

    fn next<'a>(&'a mut self, i: usize, data: &'a [u8]) -> Event<'a> {
        let tid = 100 + (i / 40 % 50) as u32;
        self.time += 800 + self.random(4000);
        let which = i % 8;
        let fd = 3 + (i / 8 % 5) as i64;
        let size = [832, 4096, 1, 64][self.random(4) as usize];
        let file = self.random(2000);
        self.name.clear();
        std::fmt::Write::write_fmt(
            &mut self.name,
            format_args!("/usr/include/project/module{}/header{file}.h", file % 37),
        )
        .expect("text");
        let duration = Some(200 + self.random(3000));
        let mut args = Args::new();
        let ret = match which {
            0 => {
                args.extend([Arg::Int(-100), Arg::Bytes(self.name.as_bytes()), Arg::Int(0o2_000_000), Arg::Int(0)]);
                fd
            }
            1 | 6 => {
                let kept = (size as usize).min(80);
                let start = (file as usize * 16) % (data.len() - 80);
                args.extend([Arg::Bytes(&data[start..start + kept]), Arg::Int(fd), Arg::Int(size)]);
                size
            }
            2 | 3 => {
                args.push(Arg::Int(fd));
                0
            }
            4 => {
                let address = 0x7f00_0000_0000 + (file as i64) * 0x21000;
                args.extend([Arg::Int(0), Arg::Int(size), Arg::Int(1), Arg::Int(2), Arg::Int(fd), Arg::Int(0)]);
                address
            }
            5 => {
                args.extend([Arg::Int(-100), Arg::Bytes(self.name.as_bytes()), Arg::Int(0)]);
                if file.is_multiple_of(3) { -2 } else { 0 }
            }
            _ => {
                args.extend([Arg::Int(fd), Arg::Int(0), Arg::Int(1)]);
                0
            }
        };
        Event {
            kind: self.kinds[which],
            time: self.time,
            duration,
            cpu: (i / 400 % 2) as u16,
            tid,
            pid: tid,
            ret,
            flags: Flags::default(),
            args,
        }
    }
}

fn main() {
    let data: Vec<u8> = (0..64_000u32)
        .map(|i| b"int main(void) { return 0; } /* text of a source file */\n"[i as usize % 57] ^ (i / 5700) as u8)
        .collect();
    let batches: Arc<Mutex<(Vec<Columns>, Vec<Columns>, Duration, u64)>> = Arc::default();
    let sink = Arc::clone(&batches);
    let schema = Schema::current();
    let mut encoder = Encoder::new();
    let hand_on = Box::new(move |piece| {
        if let Piece::Batch(columns) = piece {
            let begun = Instant::now();
            let encoded = encoder.encode(&columns, &schema).map_err(|e| e.to_string())?;
            let mut sums = sink.lock().map_err(|e| e.to_string())?;
            sums.2 += begun.elapsed();
            sums.3 += encoded.body.len() as u64;
            sums.0.push(columns);
        }
        Ok::<(), String>(())
    });
    let mut assembler = Assembler::new(SegmentLimits::default(), hand_on);
    let mut load = Load::new();
    let begun = Instant::now();
    let mut made = 0u64;
    for i in 0..EVENTS {
        made = made.wrapping_add(load.next(i, &data).time);
    }
    let making = begun.elapsed();
    let mut load = Load::new();
    let begun = Instant::now();
    for i in 0..EVENTS {
        assembler.event(&load.next(i, &data)).expect("pieces are taken");
        if i % 65_536 == 0 {
            while let Some(columns) = batches.lock().expect("one thread").0.pop() {
                assembler.recycle(columns);
            }
        }
    }
    assembler.finish(u64::MAX).expect("pieces are taken");
    let all = begun.elapsed();
    let sums = batches.lock().expect("one thread");
    let per = |d: Duration| d.as_nanos() as f64 / EVENTS as f64;
    let report = format!(
        "events {EVENTS} ({made:x}): making {:.1} ns, world and columns {:.1} ns, encode {:.1} ns, {:.2} B per event",
        per(making),
        per(all.saturating_sub(making).saturating_sub(sums.2)),
        per(sums.2),
        sums.3 as f64 / EVENTS as f64
    );
    std::io::Write::write_all(&mut std::io::stdout(), format!("{report}\n").as_bytes()).expect("stdout");
}
