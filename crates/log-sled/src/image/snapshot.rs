//! The files `snap.*`: the places of the parts of each page, as of a place in the sequence.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    cursor::Cursor,
    pages::{Page, Pages, PartPlace},
};

/// The content of a snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// The next place in the sequence.
    pub(super) stable: Option<i64>,
    /// The place in the file of the segment that was not full.
    pub(super) active: Option<u64>,
    pub(super) pages: Pages,
}

/// The snapshot in `folder` that the engine would read, if there is one; `Err` if the file is
/// damaged.
pub(crate) fn newest(
    folder: &Path,
    but: &[PathBuf],
) -> io::Result<Option<Result<Snapshot, PathBuf>>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let half_written = name.ends_with(".generating") || name.ends_with(".in___motion");
        if name.starts_with("snap.") && !half_written && !but.contains(&path) {
            found.push(path);
        }
    }
    let Some(path) = found.into_iter().max() else { return Ok(None) };
    let bytes = fs::read(&path)?;
    Ok(Some(read(&bytes).ok_or(path)))
}

fn read(bytes: &[u8]) -> Option<Snapshot> {
    let (body, footer) = bytes.split_at_checked(bytes.len().checked_sub(12)?)?;
    let checksum = u32::from_le_bytes(*footer.last_chunk()?);
    if body.is_empty() || crc32fast::hash(body) != checksum {
        return None;
    }
    let mut cursor = Cursor(body);
    let stable = match cursor.i64()? {
        0 => None,
        negative if negative < 0 => Some(negative),
        shifted => Some(shifted - 1),
    };
    let active = cursor.number()?.checked_sub(1);
    let mut pages = Vec::new();
    while !cursor.0.is_empty() {
        pages.push(page(&mut cursor)?);
    }
    Some(Snapshot { stable, active, pages: Pages(pages) })
}

fn page(cursor: &mut Cursor<'_>) -> Option<Page> {
    let parts = cursor.byte()?;
    if parts == 0 {
        return Some(Page::Free(place(cursor)?));
    }
    let mut part = || {
        let place = place(cursor)?;
        cursor.number()?;
        Some(place)
    };
    let base = part()?;
    let added = (1..parts).map(|_| part()).collect::<Option<_>>()?;
    Some(Page::Present { base, added })
}

fn place(cursor: &mut Cursor<'_>) -> Option<PartPlace> {
    let lsn = cursor.i64()?;
    let blob = match cursor.byte()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let offset = cursor.number()?;
    if blob {
        cursor.i64()?;
    }
    Some(PartPlace { lsn, offset, blob })
}
