//! Segments and the messages in them.
//!
//! The header of a segment: CRC-32 (4 bytes), its place in the sequence (8), the place up to which
//! all was stable when the segment was begun (8). The header of a message: CRC-32 of body and rest
//! of the header (4), kind (1), length of the body, number of the segment, page. The last three are
//! numbers of variable length.

use std::{fs::File, io, ops::RangeInclusive, os::unix::fs::FileExt};

use super::cursor::Cursor;

/// The size of a segment, as in the file `conf`. This crate opens no other size.
pub(crate) const SEGMENT_BYTES: usize = 512 * 1024;
/// [`SEGMENT_BYTES`] as a distance in the sequence.
pub(super) const SEGMENT: i64 = 512 * 1024;
pub(super) const SEGMENT_HEADER: usize = 20;
/// No message begins this close to the end of a segment.
pub(super) const MESSAGE_HEADER_MAX: usize = 32;

const XOR: i64 = i64::MAX;
/// The header of a message is at most 32 bytes long.
const HEADER_ROOM: usize = 32;

/// The header of a segment, with a valid checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    /// The place of the segment in the sequence of all writes.
    pub(super) lsn: i64,
    /// Everything before this place was on disk when the segment was begun.
    pub(super) stable: i64,
}

impl SegmentHeader {
    pub(super) fn read(segment: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(segment.get(..SEGMENT_HEADER)?);
        let checksum = cursor.u32()?;
        if crc32fast::hash(cursor.0) ^ u32::MAX != checksum {
            return None;
        }
        let header = Self { lsn: cursor.i64()? ^ XOR, stable: cursor.i64()? ^ XOR };
        (header.lsn >= 0 && header.lsn % SEGMENT == 0 && header.lsn < i64::MAX - SEGMENT)
            .then_some(header)
    }

    /// Reads the header of the segment at `offset` of the file.
    pub(super) fn load(file: &File, offset: u64) -> io::Result<Option<Self>> {
        let mut bytes = [0; SEGMENT_HEADER];
        match file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(Self::read(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The effect of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// None: its write was cancelled.
    Canceled,
    /// Fills the segment.
    Cap,
    /// Marks the end of a batch.
    Batch,
    /// Frees the page.
    Free,
    /// Replaces the page.
    Replace,
    /// Adds to the page.
    Link,
    /// Replaces the page by a file of its own.
    BlobReplace,
    /// Adds a file of its own to the page.
    BlobLink,
}

/// A message with a valid checksum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: Kind,
    /// The segment, as a place in the sequence divided by [`SEGMENT`].
    pub(super) segment: u64,
    pub(super) page: u64,
    pub(super) body: &'a [u8],
    /// Header and body.
    pub(super) bytes: usize,
}

/// The reason why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The bytes are not a message of the engine.
    Torn,
    /// The file ends before the message.
    Short,
}

/// The header of a message, before its checksum is verified.
struct Head {
    checksum: u32,
    kind: Option<Kind>,
    length: u64,
    segment: u64,
    page: u64,
    bytes: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        let (checksum, kind) = (cursor.u32()?, kind(cursor.byte()?));
        let (length, segment, page) = (cursor.number()?, cursor.number()?, cursor.number()?);
        Some(Self { checksum, kind, length, segment, page, bytes: bytes.len() - cursor.0.len() })
    }
}

impl<'a> Message<'a> {
    /// Reads the message at `at` of a segment with one of `numbers`. The end of the file may cut
    /// the segment short.
    pub(super) fn read(
        segment: &'a [u8],
        at: usize,
        numbers: &RangeInclusive<u64>,
    ) -> Result<Self, Unread> {
        let rest = segment.get(at..).ok_or(Unread::Short)?;
        Self::first(rest, SEGMENT_BYTES.saturating_sub(at), numbers)
    }

    /// Reads the message at the start of `bytes`. The segment ends `room` bytes after it.
    pub(super) fn first(
        bytes: &'a [u8],
        room: usize,
        numbers: &RangeInclusive<u64>,
    ) -> Result<Self, Unread> {
        let kind = bytes
            .get(4)
            .copied()
            .map_or(Err(Unread::Torn), |byte| kind(byte).ok_or(Unread::Torn))?;
        // The engine reads zeros beyond the end of the file when it reads a header.
        let mut padded = [0; HEADER_ROOM];
        let known = bytes.len().min(HEADER_ROOM);
        padded[..known].copy_from_slice(&bytes[..known]);
        let head = Head::read(&padded).ok_or(Unread::Torn)?;
        let body_max = room.checked_sub(head.bytes).ok_or(Unread::Torn)?;
        let length = usize::try_from(head.length).ok().filter(|length| *length <= body_max);
        let length = length.ok_or(Unread::Torn)?;
        if !numbers.contains(&head.segment) {
            return Err(Unread::Torn);
        }
        let header = bytes.get(4..head.bytes).ok_or(Unread::Short)?;
        let body = bytes.get(head.bytes..head.bytes + length).ok_or(Unread::Short)?;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(body);
        hasher.update(header);
        if hasher.finalize() ^ u32::MAX != head.checksum {
            return Err(Unread::Torn);
        }
        let bytes = head.bytes + length;
        Ok(Self { kind, segment: head.segment, page: head.page, body, bytes })
    }

    /// The page in the header at `at`, if the header looks like one of segment `number`.
    pub(super) fn page_of_torn(segment: &[u8], at: usize, number: u64) -> Option<u64> {
        let head = Head::read(segment.get(at..)?)?;
        (head.kind.is_some() && head.segment == number).then_some(head.page)
    }

    /// The first message behind `at` of a segment with one of `numbers`, with its place.
    pub(super) fn after(
        segment: &'a [u8],
        at: usize,
        numbers: &RangeInclusive<u64>,
    ) -> Option<(usize, Self)> {
        let places = (at + 1).max(SEGMENT_HEADER)..segment.len().min(SEGMENT_BYTES);
        places
            .filter(|at| has_room(*at))
            .find_map(|at| Some((at, Self::read(segment, at, numbers).ok()?)))
    }
}

const fn kind(byte: u8) -> Option<Kind> {
    Some(match byte {
        1 => Kind::Canceled,
        2 => Kind::Cap,
        3 => Kind::Batch,
        4 => Kind::Free,
        5 | 6 | 8 => Kind::Replace,
        7 | 9 => Kind::BlobReplace,
        10 => Kind::Link,
        11 => Kind::BlobLink,
        _ => return None,
    })
}

/// Reads the segment at `offset` of the file, up to the end of the file.
pub(super) fn load_segment(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    load(file, offset, SEGMENT_BYTES)
}

/// Reads `length` bytes of the file from `offset`, up to the end of the file.
pub(super) fn load(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Whether the engine may begin a message at `at` of a segment.
pub(super) const fn has_room(at: usize) -> bool {
    at >= SEGMENT_HEADER && at <= SEGMENT_BYTES - MESSAGE_HEADER_MAX
}
