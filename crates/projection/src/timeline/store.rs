//! The files that hold the sealed blocks of timelines.
//!
//! A block is never changed: a change writes a new block at the end, and the snapshot of the model
//! lists the valid blocks. So a crash only leaves a file that is longer than the snapshot knows;
//! the surplus is overwritten.
//!
//! **Invariant:** a snapshot refers to blocks that were synced before it.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    RoomTimeline, RowKey, TimelineRow,
    row::{Block, decode},
};
use crate::models::{Fold, Rows, Shared, StreamKey};

/// Bytes that wait in memory for one larger write.
const PENDING_BYTES_MAX: usize = 256 * 1024;

/// The place of a sealed block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BlockRef {
    pub(crate) first: RowKey,
    pub(crate) count: u32,
    file: u16,
    offset: u64,
    len_bytes: u32,
    checksum: u32,
}

/// Append-only files of blocks. There are several only after a parallel rebuild.
pub(crate) struct BlockStore {
    files: Vec<BlockFile>,
}

struct BlockFile {
    file: Arc<File>,
    name: String,
    written: u64,
    pending: Vec<u8>,
}

impl BlockFile {
    fn create(dir: &Path, name: String) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(true);
        let file = options.open(dir.join(&name))?;
        Ok(Self { file: Arc::new(file), name, written: 0, pending: Vec::new() })
    }

    /// A file that a snapshot knows, with its length there.
    fn open(dir: &Path, name: String, written: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(dir.join(&name))?;
        let len = file.metadata()?.len();
        if len < written {
            let text = format!("{name} has {len} bytes, the snapshot knows {written}");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        file.set_len(written)?;
        Ok(Self { file: Arc::new(file), name, written, pending: Vec::new() })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.pending, self.written)?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let Some(start) = offset.checked_sub(self.written) else {
            return self.file.read_exact_at(bytes, offset);
        };
        let start = usize::try_from(start).map_err(io::Error::other)?;
        let pending = self.pending.get(start..start + bytes.len());
        bytes.copy_from_slice(pending.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl BlockStore {
    /// An empty store of the model `name`, of worker `part` if a rebuild has several.
    pub(crate) fn create_for(name: &str, dir: &Path, part: usize) -> io::Result<Self> {
        let file = BlockFile::create(dir, format!("{name}-{part}.blocks"))?;
        Ok(Self { files: vec![file] })
    }

    /// The store with these files, each with its length.
    pub(crate) fn of_files(dir: &Path, files: Vec<(String, u64)>) -> io::Result<Self> {
        let files = files.into_iter().map(|(name, len)| BlockFile::open(dir, name, len));
        Ok(Self { files: files.collect::<io::Result<_>>()? })
    }

    /// Takes over the files of `other`, in which `blocks` are.
    pub(crate) fn take_over<'a>(
        &mut self,
        other: Self,
        blocks: impl Iterator<Item = &'a mut BlockRef>,
    ) {
        let before = u16::try_from(self.files.len()).expect("there are a few files");
        self.files.extend(other.files);
        for block in blocks {
            block.file += before;
        }
    }

    /// Writes the pending bytes, but keeps them pending: the write is the same each time.
    pub(crate) fn write_pending(&self) -> io::Result<Vec<(String, u64)>> {
        let save = |file: &BlockFile| {
            file.file.write_all_at(&file.pending, file.written)?;
            Ok((file.name.clone(), file.written + file.pending.len() as u64))
        };
        self.files.iter().map(save).collect()
    }

    /// Handles of the files, to sync them.
    pub(crate) fn handles(&self) -> Vec<Arc<File>> {
        self.files.iter().map(|file| Arc::clone(&file.file)).collect()
    }

    /// Stores a block. After an error nothing is stored, and the caller still has the rows.
    pub(crate) fn write(&mut self, block: &Block) -> io::Result<BlockRef> {
        let first = block.first().ok_or(io::ErrorKind::InvalidInput)?;
        let number = 0;
        let file = &mut self.files[number];
        if file.pending.len() >= PENDING_BYTES_MAX {
            file.flush()?;
        }
        let offset = file.written + file.pending.len() as u64;
        file.pending.extend_from_slice(&block.bytes);
        Ok(BlockRef {
            first,
            count: block.count,
            file: 0,
            offset,
            len_bytes: u32::try_from(block.bytes.len()).map_err(io::Error::other)?,
            checksum: crc32fast::hash(&block.bytes),
        })
    }

    /// Reads a block, and checks its checksum.
    pub(crate) fn read(&self, block: &BlockRef) -> io::Result<Vec<TimelineRow>> {
        let damaged = |what: &str| {
            let text = format!("block at {} of file {}: {what}", block.offset, block.file);
            io::Error::new(io::ErrorKind::InvalidData, text)
        };
        let file =
            self.files.get(usize::from(block.file)).ok_or_else(|| damaged("no such file"))?;
        let mut bytes = vec![0; block.len_bytes as usize];
        file.read(block.offset, &mut bytes)?;
        if crc32fast::hash(&bytes) != block.checksum {
            return Err(damaged("the checksum does not match"));
        }
        decode(&bytes, block.count).ok_or_else(|| damaged("not rows"))
    }

    /// The parts that can be read while the store continues: the files, and the pending bytes.
    pub(crate) fn frozen(&self) -> Self {
        let files = self.files.iter().map(|file| BlockFile {
            file: Arc::clone(&file.file),
            name: file.name.clone(),
            written: file.written,
            pending: file.pending.clone(),
        });
        Self { files: files.collect() }
    }
}

impl Shared<RoomTimeline> for BlockStore {
    type Saved = Vec<(String, u64)>;

    fn create(dir: &Path, part: usize) -> io::Result<Self> {
        Self::create_for(RoomTimeline::NAME, dir, part)
    }

    fn open(dir: &Path, saved: Self::Saved) -> io::Result<Self> {
        Self::of_files(dir, saved)
    }

    fn added(&mut self, _: StreamKey, _: &RoomTimeline) {}
    fn removed(&mut self, _: StreamKey, _: Option<&RoomTimeline>) {}

    fn merge(&mut self, other: Self, rows: &mut Rows<RoomTimeline>) {
        self.take_over(other, rows.values_mut().flat_map(|row| row.value.blocks_mut()));
    }

    fn save(&self) -> io::Result<Self::Saved> {
        self.write_pending()
    }

    fn files(&self) -> Vec<Arc<File>> {
        self.handles()
    }
}
