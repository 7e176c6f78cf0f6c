//! A reel in memory, for what is imported from fuzzed bytes.

use std::io::Write;
use std::sync::{Arc, Mutex};
use sysreel::engine::Error;
use sysreel::reel::{Header, Reader, Writer};

/// A file in memory.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().map_or(Ok(0), |mut all| all.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Memory {
    /// Begins a reel in it.
    pub fn create(&self, header: &Header) -> Result<Writer, Error> {
        Writer::new(self.clone(), header).map_err(|error| Error::Write { path: "memory".into(), error })
    }

    /// The reel in it, which is whole.
    pub fn whole(&self) -> Reader {
        let reel = self.0.lock().map(|all| all.clone()).unwrap_or_default();
        let reader = Reader::of_bytes(Arc::new(reel)).expect("an import is a reel");
        assert!(reader.verify().damages.is_empty(), "an import is a whole reel");
        reader
    }
}
