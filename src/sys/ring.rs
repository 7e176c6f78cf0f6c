//! [`Rings`]: the probe's rings, one per processor, mapped into our memory.
//!
//! The kernel writes records between `tail` and `head` and never touches that part again until we release it, so it
//! may be lent out as plain bytes. The layout of a ring's header is `struct ring` in `probe/layout.h`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes behind each ring, so that no record wraps; `SLACK` in the probe.
pub const SLACK: usize = 61_440;

const HEADER: usize = 128;
const HEAD: usize = 0;
const DROPS: usize = 16;
const NESTED: usize = 24;
const EVENTS: usize = 32;
const TAIL: usize = 64;
const SLEEP: usize = 72;

#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping is memory of the process, not of a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(fd: BorrowedFd<'_>, len: usize, protection: libc::c_int) -> io::Result<Mapping> {
        // SAFETY: asks for a new mapping at a place of the kernel's choice, which overlaps nothing of ours.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, libc::MAP_SHARED, fd.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Mapping { start, len })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `start` and `len` are of a mapping that we made, and nothing borrowed from it outlives us.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// Counts of one processor since the probe was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RingCounters {
    /// Records written.
    pub events: u64,
    /// Records not written because the ring was full.
    pub drops: u64,
    /// Records not written because one was being written there already.
    pub nested: u64,
}

/// What is to wake a reader that goes to sleep: `enum asleep` in the probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeOn {
    /// A ring that is a quarter full, or a program that is executed in another control group than the last ones.
    Filling = 1,
    /// That, or any program that is executed.
    Programs = 2,
}

/// Records that wait in a ring.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// Records end to end, perhaps followed by stale bytes.
    pub bytes: &'a [u8],
    /// A record begins only below this offset; the last one may reach past it.
    pub starts: usize,
}

/// The mapped rings of all processors.
#[derive(Debug)]
pub struct Rings {
    headers: Mapping,
    data: Mapping,
    processors: usize,
    ring_bytes: usize,
}

impl Rings {
    /// Maps the rings of `processors` processors: `headers` and `data` are the probe's maps of that name, whose
    /// elements are a header and `ring_bytes` (a power of two) + [`SLACK`] bytes.
    ///
    /// # Errors
    /// The system's; `EINVAL` if a map is smaller than that.
    pub fn map(
        headers: BorrowedFd<'_>,
        data: BorrowedFd<'_>,
        processors: usize,
        ring_bytes: usize,
    ) -> io::Result<Rings> {
        let page = super::page_size();
        if !ring_bytes.is_power_of_two() || processors == 0 {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let header_len = (processors * HEADER).next_multiple_of(page);
        let data_len = (processors * (ring_bytes + SLACK)).next_multiple_of(page);
        Ok(Rings {
            headers: Mapping::new(headers, header_len, libc::PROT_READ | libc::PROT_WRITE)?,
            data: Mapping::new(data, data_len, libc::PROT_READ)?,
            processors,
            ring_bytes,
        })
    }

    /// Number of rings.
    pub fn processors(&self) -> usize {
        self.processors
    }

    /// Bytes of one ring.
    pub fn ring_bytes(&self) -> usize {
        self.ring_bytes
    }

    fn word(&self, processor: usize, offset: usize) -> &AtomicU64 {
        let at = processor.min(self.processors - 1) * HEADER + offset;
        // SAFETY: `at` is inside the mapping: the processor is below the number that was mapped, the offset below HEADER.
        let word = unsafe { self.headers.start.add(at) };
        // SAFETY: aligned to 8 (the mapping to a page, HEADER and the offsets to 8), valid as long as `self`, and both
        // sides access it only as whole 8-byte words.
        unsafe { AtomicU64::from_ptr(word.as_ptr().cast()) }
    }

    /// Bytes that wait in a processor's ring.
    pub fn waiting(&self, processor: usize) -> usize {
        let head = self.word(processor, HEAD).load(Ordering::Acquire);
        let tail = self.word(processor, TAIL).load(Ordering::Relaxed);
        (head.wrapping_sub(tail) as usize).min(self.ring_bytes)
    }

    /// The records that wait at the front of a processor's ring, as far as they lie end to end: at the ring's end it stops, and the rest comes after a [`Rings::release`].
    pub fn window(&self, processor: usize) -> Window<'_> {
        let waiting = self.waiting(processor);
        let tail = self.word(processor, TAIL).load(Ordering::Relaxed);
        let start = tail as usize & (self.ring_bytes - 1);
        let stride = self.ring_bytes + SLACK;
        let len = waiting.min(stride - start);
        let at = processor.min(self.processors - 1) * stride + start;
        // SAFETY: `at` is inside the mapping: its element is below the number of processors, `start` below `stride`.
        let first = unsafe { self.data.start.add(at) };
        // SAFETY: `len` bytes from there stay inside the element. The kernel writes none of them before they are
        // released, which takes `&mut self` and so ends this borrow.
        let bytes = unsafe { std::slice::from_raw_parts(first.as_ptr(), len) };
        Window { bytes, starts: waiting.min(self.ring_bytes - start) }
    }

    /// Gives the first `bytes` of a processor's window back to the kernel.
    pub fn release(&mut self, processor: usize, bytes: usize) {
        let bytes = bytes.min(self.waiting(processor));
        let tail = self.word(processor, TAIL);
        tail.store(tail.load(Ordering::Relaxed).wrapping_add(bytes as u64), Ordering::Release);
    }

    /// Says that the reader goes to sleep, and what is to wake it. Whatever comes between this and its sleep does too.
    pub fn falls_asleep(&self, wake_on: WakeOn) {
        for processor in 0..self.processors {
            self.word(processor, SLEEP).store(wake_on as u64, Ordering::Release);
        }
    }

    /// What a processor has written and dropped.
    pub fn counters(&self, processor: usize) -> RingCounters {
        let read = |offset| self.word(processor, offset).load(Ordering::Relaxed);
        RingCounters { events: read(EVENTS), drops: read(DROPS), nested: read(NESTED) }
    }
}
