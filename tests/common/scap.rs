//! A scap file put together by hand, as the format is written down: independent of the reader that is tested with it.

/// Bytes of a capture so far.
#[derive(Default, Clone)]
pub struct Scap {
    /// The bytes.
    pub bytes: Vec<u8>,
}

fn counted(text: &[u8]) -> Vec<u8> {
    let mut out = (text.len() as u16).to_le_bytes().to_vec();
    out.extend_from_slice(text);
    out
}

/// A value of 8 bytes, as results, descriptors and threads have.
pub fn wide(value: i64) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// A value of 4 bytes.
pub fn word(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// Text with its NUL.
pub fn text(value: &str) -> Vec<u8> {
    [value.as_bytes(), b"\0"].concat()
}

impl Scap {
    /// A section header of a minor version, and a machine.
    pub fn section(mut self, minor: u16) -> Scap {
        let mut body = 0x1A2B_3C4D_u32.to_le_bytes().to_vec();
        body.extend(1u16.to_le_bytes());
        body.extend(minor.to_le_bytes());
        body.extend([0xff; 8]);
        self.block(0x0A0D_0D0A, &body);
        let mut machine = vec![0; 180];
        machine[..4].copy_from_slice(&4u32.to_le_bytes());
        machine[20..24].copy_from_slice(b"node");
        self.block(0x201, &machine);
        self
    }

    /// A block, padded.
    pub fn block(&mut self, code: u32, body: &[u8]) {
        let length = (12 + body.len().next_multiple_of(4)) as u32;
        self.bytes.extend(code.to_le_bytes());
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend_from_slice(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.bytes.extend(length.to_le_bytes());
    }

    /// A list of one process of a version, thread 100, named `first`, with a descriptor 3 on `/var/log/x`.
    pub fn process(mut self, version: u8) -> Scap {
        let mut entry = Vec::new();
        for id in [100u64, 100, 1] {
            entry.extend(id.to_le_bytes());
        }
        entry.extend(if version >= 6 { 90u64.to_le_bytes().to_vec() } else { Vec::new() });
        entry.extend(if version >= 8 { 90u64.to_le_bytes().to_vec() } else { Vec::new() });
        entry.extend(counted(b"first"));
        entry.extend(counted(b"/bin/first"));
        entry.extend(if version >= 7 { counted(b"/usr/bin/first") } else { Vec::new() });
        entry.extend(counted(b"-x\0"));
        entry.extend(counted(b"/home/"));
        entry.extend(1024u64.to_le_bytes());
        for number in [0u32, 1000, 1001] {
            entry.extend(number.to_le_bytes());
        }
        entry.extend(if version >= 2 { vec![0; 28] } else { Vec::new() });
        entry.extend(if version >= 3 { counted(b"A=1\0") } else { Vec::new() });
        if version >= 4 {
            entry.extend([100u64, 100].map(u64::to_le_bytes).concat());
            entry.extend(counted(b"cpu=/docker/3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e\0"));
        }
        entry.extend(if version >= 5 { counted(b"/") } else { Vec::new() });
        let codes = [0x202, 0x207, 0x209, 0x210, 0x211, 0x212, 0x213, 0x214, 0x215];
        if version >= 9 {
            // Only the login user is appended: what an early writer of this version did.
            entry.extend(500u32.to_le_bytes());
            entry = [&(entry.len() as u32 + 4).to_le_bytes()[..], &entry].concat();
        }
        self.block(codes[usize::from(version) - 1], &entry);
        let mut descriptors = 100u64.to_le_bytes().to_vec();
        descriptors.extend(3u64.to_le_bytes());
        descriptors.extend(7u64.to_le_bytes());
        descriptors.push(1);
        descriptors.extend(counted(b"/var/log/x"));
        self.block(0x203, &descriptors);
        self
    }

    /// An event of the second version.
    pub fn event(self, number: u16, time: u64, tid: u64, params: &[Vec<u8>]) -> Scap {
        self.of_block(0x216, &[], number, time, tid, params)
    }

    /// One that changes the state only.
    pub fn state(self, number: u16, time: u64, tid: u64, params: &[Vec<u8>]) -> Scap {
        self.of_block(0x217, &1u32.to_le_bytes(), number, time, tid, params)
    }

    /// One of the first version, which does not say how many parameters it has.
    pub fn old(self, number: u16, time: u64, tid: u64, params: &[Vec<u8>]) -> Scap {
        self.of_block(0x204, &[], number, time, tid, params)
    }

    fn of_block(mut self, code: u32, flags: &[u8], number: u16, time: u64, tid: u64, params: &[Vec<u8>]) -> Scap {
        let mut table = if code == 0x204 { Vec::new() } else { (params.len() as u32).to_le_bytes().to_vec() };
        table.extend(params.iter().flat_map(|p| (p.len() as u16).to_le_bytes()));
        table.extend(params.concat());
        let mut body = 2u16.to_le_bytes().to_vec();
        body.extend_from_slice(flags);
        body.extend(time.to_le_bytes());
        body.extend(tid.to_le_bytes());
        body.extend((22 + table.len() as u32).to_le_bytes());
        body.extend(number.to_le_bytes());
        body.extend(table);
        self.block(code, &body);
        self
    }
}

/// A capture in which something of everything happens.
pub fn story() -> Scap {
    Scap::default()
        .section(2)
        .process(9)
        .event(2, 1_000, 100, &[text("/etc/passwd"), word(1), word(0)])
        .event(3, 1_500, 100, &[wide(4), text("/etc/passwd"), word(0x1001), word(0), word(5), wide(9)])
        .old(6, 2_000, 100, &[wide(4), word(100)])
        .old(7, 2_300, 100, &[wide(5), b"hello".to_vec()])
        .event(222, 3_000, 100, &[])
        .event(234, 3_100, 100, &[wide(3), wide(4)])
        .event(186, 4_000, 100, &[wide(0)])
}
