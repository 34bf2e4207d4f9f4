//! Writes a run.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use crate::{RunError, Shape, filter::Filter, footer::Footer, shape::entries_of_block};

/// Bytes that are handed to the operating system at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// The parts of a run beside its entries.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The tables.
    pub shape: Shape,
    /// The number of entries. It sets the size of the filter, so it need not be exact.
    pub count: u64,
    /// Bytes of the owner.
    pub note: &'a [u8],
}

/// Writes `entries`, which are sorted, to a new file at `path`. The file is not synced; an owner that needs it on
/// stable storage syncs the returned file.
///
/// # Errors
/// [`RunError::Io`] if the file cannot be written, and the error of `entries` if they end in one.
pub fn write<const N: usize, E: From<RunError>>(
    path: &Path,
    contents: Contents<'_>,
    entries: impl Iterator<Item = Result<[u8; N], E>>,
) -> Result<File, E> {
    let io = RunError::io(path);
    let Contents { shape, count, note } = contents;
    let (fence, filtered) = (usize::from(shape.fence), usize::from(shape.filtered));
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path).map_err(&io)?);
    let mut filter = (filtered > 0).then(|| Filter::for_entries(count));
    let (mut tables, mut block, mut written) = (Vec::new(), Vec::with_capacity(4_096 + 4), 0_u64);
    let mut end_block = |block: &mut Vec<u8>| {
        let checksum = crc32fast::hash(block).to_le_bytes();
        block.extend_from_slice(&checksum);
        let done = file.write_all(block).map_err(&io);
        block.clear();
        done
    };
    for entry in entries {
        let entry = entry?;
        if block.is_empty() {
            tables.extend_from_slice(&entry[..fence]);
        }
        if let Some(filter) = &mut filter {
            filter.add(&entry[..filtered]);
        }
        block.extend_from_slice(&entry);
        written += 1;
        if block.len() == entries_of_block::<N>() * N {
            end_block(&mut block)?;
        }
    }
    if !block.is_empty() {
        end_block(&mut block)?;
    }
    let filter = filter.as_ref().map_or(&[][..], Filter::bytes);
    tables.extend_from_slice(filter);
    tables.extend_from_slice(note);
    let footer = Footer {
        count: written,
        entry_bytes: u16::try_from(N).unwrap_or(u16::MAX),
        shape,
        filter_bytes: filter.len() as u64,
        note_bytes: note.len() as u64,
    };
    file.write_all(&tables).map_err(&io)?;
    file.write_all(&footer.encode(&tables)).map_err(&io)?;
    Ok(file.into_inner().map_err(|error| io(error.into_error()))?)
}
