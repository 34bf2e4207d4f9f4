//! Sorted runs of the event index: files that are written once and then only read.
//!
//! Pages of 128 entries of 35 bytes, each page with its checksum. The first key of each page stays
//! in memory, about half a byte for each event.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use rookery_log::Position;
use serde::{Deserialize, Serialize};

use crate::models::StreamKey;

/// The first 16 bytes of the BLAKE3 hash of an event ID: uniform for any form of ID.
pub(crate) type IdHash = [u8; 16];

/// The place of an event in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The commit.
    pub position: Position,
    /// The index in the commit.
    pub index: u16,
    /// The sequence number in the stream.
    pub sequence: u64,
    /// The stream.
    pub stream: StreamKey,
}

pub(crate) type Entry = (IdHash, Place);

const ENTRY_BYTES: usize = 35;
const PAGE_ENTRIES: usize = 128;
const PAGE_BYTES: usize = PAGE_ENTRIES * ENTRY_BYTES + 4;

/// A run: its file, and the first key of each page.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) len: u64,
    file: Arc<File>,
    fences: Arc<[u64]>,
}

impl Run {
    /// Writes sorted entries into a new file.
    pub(crate) fn write(
        dir: &Path,
        name: String,
        entries: impl Iterator<Item = io::Result<Entry>>,
    ) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(256 * 1024, File::create(dir.join(&name))?);
        let (mut fences, mut len) = (Vec::new(), 0);
        let mut page = Vec::with_capacity(PAGE_BYTES);
        for entry in entries {
            let entry = entry?;
            if page.is_empty() {
                fences.push(fence(&entry.0));
            }
            encode(&mut page, &entry);
            len += 1;
            if page.len() == PAGE_ENTRIES * ENTRY_BYTES {
                finish(&mut page, &mut file)?;
            }
        }
        if !page.is_empty() {
            finish(&mut page, &mut file)?;
        }
        drop(file.into_inner().map_err(io::IntoInnerError::into_error)?);
        Ok(Self { file: Arc::new(File::open(dir.join(&name))?), name, len, fences: fences.into() })
    }

    /// Opens the file of a run that has `len` entries.
    pub(crate) fn open(dir: &Path, name: String, len: u64) -> io::Result<Self> {
        let file = Arc::new(File::open(dir.join(&name))?);
        let mut run = Self { name, len, file, fences: Arc::new([]) };
        let mut fences = Vec::with_capacity(run.pages());
        for page in 0..run.pages() {
            let mut key = [0; 8];
            run.file.read_exact_at(&mut key, (page * PAGE_BYTES) as u64)?;
            fences.push(u64::from_be_bytes(key));
        }
        run.fences = fences.into();
        Ok(run)
    }

    pub(crate) fn handle(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    fn pages(&self) -> usize {
        usize::try_from(self.len).unwrap_or(usize::MAX).div_ceil(PAGE_ENTRIES)
    }

    pub(crate) fn get(&self, key: &IdHash) -> io::Result<Option<Place>> {
        // Equal fences may hide the key in any page that starts with them.
        let end = self.fences.partition_point(|first| *first <= fence(key));
        for page in (0..end).rev() {
            let entries = self.page(page)?;
            if let Ok(found) = entries.binary_search_by(|entry| entry.0.cmp(key)) {
                return Ok(Some(entries[found].1));
            }
            if self.fences[page] < fence(key) {
                break;
            }
        }
        Ok(None)
    }

    /// All entries in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = io::Result<Entry>> + '_ {
        (0..self.pages()).flat_map(|page| {
            let (entries, error) = match self.page(page) {
                Ok(entries) => (entries, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            error.into_iter().chain(entries.into_iter().map(Ok))
        })
    }

    fn page(&self, page: usize) -> io::Result<Vec<Entry>> {
        let before = (page * PAGE_ENTRIES) as u64;
        let count = usize::try_from(self.len - before).unwrap_or(usize::MAX).min(PAGE_ENTRIES);
        let mut bytes = vec![0; count * ENTRY_BYTES + 4];
        self.file.read_exact_at(&mut bytes, (page * PAGE_BYTES) as u64)?;
        let (entries, checksum) = bytes.split_at(count * ENTRY_BYTES);
        if crc32fast::hash(entries).to_le_bytes() != checksum {
            let text = format!("page {page} of {}: the checksum does not match", self.name);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(entries.chunks_exact(ENTRY_BYTES).map(decode).collect())
    }
}

fn finish(page: &mut Vec<u8>, file: &mut impl Write) -> io::Result<()> {
    page.extend_from_slice(&crc32fast::hash(page).to_le_bytes());
    file.write_all(page)?;
    page.clear();
    Ok(())
}

fn fence(key: &IdHash) -> u64 {
    number(&key[..8])
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn encode(page: &mut Vec<u8>, (key, place): &Entry) {
    page.extend_from_slice(key);
    page.extend_from_slice(&place.position.0.to_be_bytes()[2..]);
    page.extend_from_slice(&place.index.to_be_bytes());
    page.extend_from_slice(&place.sequence.to_be_bytes()[3..]);
    page.extend_from_slice(&place.stream.0.to_be_bytes()[2..]);
}

fn decode(bytes: &[u8]) -> Entry {
    let mut key = IdHash::default();
    key.copy_from_slice(&bytes[..16]);
    let place = Place {
        position: Position(number(&bytes[16..22])),
        index: u16::from_be_bytes([bytes[22], bytes[23]]),
        sequence: number(&bytes[24..29]),
        stream: StreamKey(number(&bytes[29..])),
    };
    (key, place)
}

/// Merges sorted sources. For equal keys the first source wins.
pub(crate) fn merge<'a>(
    sources: Vec<Box<dyn Iterator<Item = io::Result<Entry>> + 'a>>,
) -> impl Iterator<Item = io::Result<Entry>> + 'a {
    let mut sources: Vec<_> = sources.into_iter().map(Iterator::peekable).collect();
    let mut last: Option<IdHash> = None;
    std::iter::from_fn(move || {
        loop {
            let smallest = sources.iter_mut().enumerate().filter_map(|(number, source)| {
                // An error sorts before everything, so it is returned at once.
                let key = source.peek()?.as_ref().ok().map(|entry| entry.0);
                Some((key, number))
            });
            let (_, number) = smallest.min()?;
            match sources[number].next()? {
                Ok((key, _)) if last == Some(key) => {}
                Ok(entry) => {
                    last = Some(entry.0);
                    return Some(Ok(entry));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    })
}
