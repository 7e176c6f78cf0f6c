//! The families joined into one table, and lookups in it.

use super::descriptor::DESCRIPTOR;
use super::file::FILE;
use super::imported::IMPORTED;
use super::io::IO;
use super::ipc::IPC;
use super::made::MADE;
use super::memory::MEMORY;
use super::net::NET;
use super::process::{PROCESS, SIGNAL, USER};
use super::system::{SYSTEM, TIME};
use crate::event::spec::{Kind, Spec};

const FAMILIES: &[&[Spec]] =
    &[MADE, IO, DESCRIPTOR, NET, PROCESS, USER, SIGNAL, FILE, MEMORY, IPC, TIME, SYSTEM, IMPORTED];

const COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

/// One more than the highest call number that has a place in [`BY_NR`].
const NUMBERS: usize = 512;

/// "No kind has this number".
const NOBODY: u16 = u16::MAX;

static ALL: [Spec; COUNT] = {
    let mut all = [FAMILIES[0][0]; COUNT];
    let (mut at, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut i = 0;
        while i < FAMILIES[family].len() {
            all[at] = FAMILIES[family][i];
            at += 1;
            i += 1;
        }
        family += 1;
    }
    all
};

static BY_NR: [u16; NUMBERS] = {
    let mut table = [NOBODY; NUMBERS];
    let mut kind = 0;
    while kind < COUNT {
        if let Some(nr) = ALL[kind].x86_64 {
            table[nr as usize] = kind as u16;
        }
        kind += 1;
    }
    table
};

/// All kinds; a [`Kind`] is an index here.
pub static SPECS: &[Spec] = &ALL;

/// The kind with this `evt.type`.
pub fn kind_by_name(name: &str) -> Option<Kind> {
    SPECS.iter().position(|s| s.name == name).map(|i| Kind(i as u16))
}

/// The kind of a system call by its number on x86-64.
pub fn kind_by_nr(nr: u16) -> Option<Kind> {
    BY_NR.get(usize::from(nr)).copied().filter(|&kind| kind != NOBODY).map(Kind)
}

/// The kind with this name, found when the program is compiled, which fails if there is none.
pub(in crate::event) const fn find(name: &str) -> Kind {
    let mut kind = 0;
    while kind < COUNT {
        if same(ALL[kind].name.as_bytes(), name.as_bytes()) {
            return Kind(kind as u16);
        }
        kind += 1;
    }
    assert!(kind < COUNT, "no kind has this name");
    Kind(NOBODY)
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}
