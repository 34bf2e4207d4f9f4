//! An open run.

use std::{
    fs::{self, File},
    ops::RangeInclusive,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    RunError, Shape,
    filter::Filter,
    footer::{FOOTER_BYTES, Footer},
    shape::entries_of_block,
};

/// A run of entries of `N` bytes.
pub struct Run<const N: usize> {
    path: PathBuf,
    file: Arc<File>,
    count: u64,
    shape: Shape,
    blocks: usize,
    /// The fences of all blocks, one after the other.
    fences: Vec<u8>,
    filter: Filter,
    note: Vec<u8>,
    /// Set once a damaged block was read.
    damaged: AtomicBool,
}

impl<const N: usize> Run<N> {
    /// Opens the run at `path`, and reads its tables.
    ///
    /// # Errors
    /// [`RunError::Damaged`] if the file is no whole run of entries of `N` bytes; [`RunError::Io`] if it cannot be
    /// read.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let io = RunError::io(path);
        let damaged = || RunError::Damaged { path: path.to_owned(), block: None };
        let file = File::open(path).map_err(&io)?;
        let length = file.metadata().map_err(&io)?.len();
        let footer_at = length.checked_sub(FOOTER_BYTES as u64).ok_or_else(damaged)?;
        let mut stored = [0; FOOTER_BYTES];
        file.read_exact_at(&mut stored, footer_at).map_err(&io)?;
        let footer = Footer::decode(&stored).ok_or_else(damaged)?;
        let Shape { fence, filtered } = footer.shape;
        let fits = usize::from(footer.entry_bytes) == N
            && (1..=N).contains(&usize::from(fence))
            && usize::from(filtered) <= N;
        let sizes = footer.sizes(entries_of_block::<N>()).filter(|_| fits);
        let (blocks, block_bytes, fence_bytes) = sizes.ok_or_else(damaged)?;
        let tables_bytes = footer_at.checked_sub(block_bytes).ok_or_else(damaged)?;
        let parts = [fence_bytes, footer.filter_bytes, footer.note_bytes];
        let sum = parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part));
        if sum != Some(tables_bytes) {
            return Err(damaged());
        }
        let size = |bytes: u64| usize::try_from(bytes).map_err(|_| damaged());
        let mut fences = vec![0; size(tables_bytes)?];
        file.read_exact_at(&mut fences, block_bytes).map_err(&io)?;
        if !Footer::checks(&stored, &fences) {
            return Err(damaged());
        }
        let mut filter = fences.split_off(size(fence_bytes)?);
        let note = filter.split_off(size(footer.filter_bytes)?);
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            count: footer.count,
            shape: footer.shape,
            blocks,
            fences,
            filter: Filter::stored(filter),
            note,
            damaged: AtomicBool::new(false),
        })
    }

    /// The file of the run.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A handle of the file, to sync it without a lock on the run's owner.
    #[must_use]
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// The number of entries.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The bytes of the owner.
    #[must_use]
    pub fn note(&self) -> &[u8] {
        &self.note
    }

    /// Whether a damaged block was read.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Whether an entry may begin with `key`, which has the length that the filter covers. A run without a filter
    /// may have any.
    #[must_use]
    pub fn may_have(&self, key: &[u8]) -> bool {
        self.filter.may_have(key)
    }

    /// The entries within `range`, in order. After an error there are no more.
    pub fn range(
        &self,
        range: RangeInclusive<[u8; N]>,
    ) -> impl Iterator<Item = Result<[u8; N], RunError>> + '_ {
        let (start, end) = range.into_inner();
        let mut next = self.block_before(&start);
        let mut entries = Vec::new().into_iter();
        std::iter::from_fn(move || {
            loop {
                match entries.next() {
                    Some(entry) if entry > end => next = self.blocks,
                    Some(entry) if entry >= start => return Some(Ok(entry)),
                    Some(_) => {}
                    None if next >= self.blocks => return None,
                    None => match self.block(next) {
                        Ok(block) => (entries, next) = (block.into_iter(), next + 1),
                        Err(error) => {
                            next = self.blocks;
                            return Some(Err(error));
                        }
                    },
                }
            }
        })
    }

    /// All entries in order. After an error there are no more.
    pub fn iter(&self) -> impl Iterator<Item = Result<[u8; N], RunError>> + '_ {
        self.range([0; N]..=[u8::MAX; N])
    }

    /// The last entry within `range`.
    ///
    /// # Errors
    /// [`RunError`] if a block cannot be read.
    pub fn last(&self, range: &RangeInclusive<[u8; N]>) -> Result<Option<[u8; N]>, RunError> {
        let fence = usize::from(self.shape.fence);
        let mut block = self.fence_count(|stored| stored <= &range.end()[..fence]);
        // A short fence also names blocks that begin behind the range.
        while let Some(before) = block.checked_sub(1) {
            block = before;
            let last = self.block(block)?.into_iter().rfind(|entry| entry <= range.end());
            if let Some(last) = last {
                return Ok(Some(last).filter(|entry| entry >= range.start()));
            }
        }
        Ok(None)
    }

    /// Removes the file. Readers of the open run go on.
    ///
    /// # Errors
    /// [`RunError::Io`]; the file then only wastes space.
    pub fn remove(&self) -> Result<(), RunError> {
        fs::remove_file(&self.path).map_err(RunError::io(&self.path))
    }

    /// The last block that begins before `entry`; the first one if none does.
    fn block_before(&self, entry: &[u8; N]) -> usize {
        let fence = usize::from(self.shape.fence);
        self.fence_count(|stored| stored < &entry[..fence]).saturating_sub(1)
    }

    /// The number of fences from the first on for which `before` holds. It holds for none after one for which it
    /// does not hold.
    fn fence_count(&self, before: impl Fn(&[u8]) -> bool) -> usize {
        let fence = usize::from(self.shape.fence);
        let (mut low, mut high) = (0, self.blocks);
        while low < high {
            let middle = usize::midpoint(low, high);
            if before(&self.fences[middle * fence..(middle + 1) * fence]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn block(&self, index: usize) -> Result<Vec<[u8; N]>, RunError> {
        let whole = entries_of_block::<N>();
        let left = usize::try_from(self.count).unwrap_or(usize::MAX) - index * whole;
        let mut bytes = vec![0; left.min(whole) * N + 4];
        let at = (index * (whole * N + 4)) as u64;
        self.file.read_exact_at(&mut bytes, at).map_err(RunError::io(&self.path))?;
        let checksum = bytes.split_off(bytes.len() - 4);
        if crc32fast::hash(&bytes).to_le_bytes() != *checksum {
            self.damaged.store(true, Ordering::Relaxed);
            return Err(RunError::Damaged { path: self.path.clone(), block: Some(index) });
        }
        Ok(bytes.as_chunks().0.to_vec())
    }
}
