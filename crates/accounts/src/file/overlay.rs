//! A copy-on-write view of a file, for a check before it is opened: writes stay in memory.
//!
//! redb repairs a file while it opens it, for example after a crash. Without this view, a file that
//! is then refused would already be changed.
//!
//! **Invariant:** the file is never written to.

use std::{collections::BTreeMap, fs::OpenOptions, io, ops::Bound, path::Path};

use parking_lot::Mutex;
use redb::{BackendError, StorageBackend, backends::FileBackend};

/// The size of a block.
const BLOCK_BYTES: usize = 4096;

/// A file with the writes over it.
#[derive(Debug)]
pub(crate) struct Overlay {
    file: FileBackend,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    /// The length with the writes.
    len: u64,
    /// How much of the file is still visible. A part that was cut off does not come back.
    file_len: u64,
    /// Blocks with writes, by number.
    blocks: BTreeMap<u64, Box<[u8]>>,
}

impl Overlay {
    /// Makes a view of the file at `path`.
    pub(crate) fn over(path: &Path) -> io::Result<Self> {
        // Nothing is written, but only a file that may be written can be locked against others.
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let len = file.metadata()?.len();
        let file = FileBackend::new(file).map_err(io::Error::other)?;
        let written = Written { len, file_len: len, blocks: BTreeMap::new() };
        Ok(Self { file, written: Mutex::new(written) })
    }

    /// The present content of a block.
    fn block(&self, written: &Written, number: u64) -> io::Result<Box<[u8]>> {
        if let Some(block) = written.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = vec![0; BLOCK_BYTES].into_boxed_slice();
        let start = number * BLOCK_BYTES as u64;
        let there = written.file_len.saturating_sub(start).min(BLOCK_BYTES as u64);
        if there > 0 {
            let there = usize::try_from(there).unwrap_or(BLOCK_BYTES);
            self.file.read(start, &mut block[..there])?;
        }
        Ok(block)
    }

    /// Calls `with` for each block that overlaps the `len` bytes from `offset` on. The arguments
    /// are the number of the block, the begin and end of the overlap within the block, and its
    /// begin within the request.
    fn each_block(
        offset: u64,
        len: usize,
        mut with: impl FnMut(u64, usize, usize, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut done = 0;
        while done < len {
            let at = offset + done as u64;
            let begin = usize::try_from(at % BLOCK_BYTES as u64).unwrap_or_default();
            let end = BLOCK_BYTES.min(begin + len - done);
            with(at / BLOCK_BYTES as u64, begin, end, done)?;
            done += end - begin;
        }
        Ok(())
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written.lock().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written.lock();
        if offset.saturating_add(out.len() as u64) > written.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let len = out.len();
        Self::each_block(offset, len, |number, begin, end, done| {
            let block = self.block(&written, number)?;
            out[done..done + end - begin].copy_from_slice(&block[begin..end]);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written.lock();
        written.file_len = written.file_len.min(len);
        let kept = len.div_ceil(BLOCK_BYTES as u64);
        written.blocks.split_off(&kept);
        let within = usize::try_from(len % BLOCK_BYTES as u64).unwrap_or_default();
        if within > 0
            && let Some(last) = written.blocks.get_mut(&(kept - 1))
        {
            last[within..].fill(0);
        }
        written.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written.lock();
        written.len = written.len.max(offset.saturating_add(data.len() as u64));
        Self::each_block(offset, data.len(), |number, begin, end, done| {
            let mut block = self.block(&written, number)?;
            block[begin..end].copy_from_slice(&data[done..done + end - begin]);
            written.blocks.insert(number, block);
            Ok(())
        })
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let write = (0..20_000_u64, prop::collection::vec(any::<u8>(), 0..9_000))
            .prop_map(|(offset, data)| Step::Write(offset, data));
        prop::collection::vec(prop_oneof![write, (0..25_000_u64).prop_map(Step::SetLen)], 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn overlay_reads_as_the_file_would_and_leaves_it_alone(
            before in prop::collection::vec(any::<u8>(), 0..15_000),
            steps in steps(),
        ) {
            let file = tempfile::NamedTempFile::new().expect("a file");
            fs::write(file.path(), &before).expect("writes");
            let overlay = Overlay::over(file.path()).expect("opens");
            let mut expected = before.clone();
            for step in steps {
                match step {
                    Step::Write(offset, data) => {
                        overlay.write(offset, &data).expect("writes");
                        let from = usize::try_from(offset).expect("fits");
                        let to = from + data.len();
                        expected.resize(expected.len().max(to), 0);
                        expected[from..to].copy_from_slice(&data);
                    }
                    Step::SetLen(len) => {
                        overlay.set_len(len).expect("cuts");
                        expected.resize(usize::try_from(len).expect("fits"), 0);
                    }
                }
            }
            prop_assert_eq!(overlay.len().expect("has a length"), expected.len() as u64);
            let mut read = vec![0; expected.len()];
            overlay.read(0, &mut read).expect("reads");
            prop_assert!(read == expected);
            prop_assert!(overlay.read(1, &mut read).is_err() || read.is_empty());
            prop_assert_eq!(fs::read(file.path()).expect("reads"), before);
        }
    }
}
