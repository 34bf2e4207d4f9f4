//! Values of the log in bytes that are not part of a tree.
//!
//! A value of the log has a version and a checksum, and the engine writes its length before it. So
//! it can be recognised anywhere.

use std::{fs::File, io, ops::Range};

use super::message::{Kind, Message, SEGMENT, SEGMENT_HEADER, SegmentHeader, load_segment};
use crate::format::{VALUE_BYTES_MAX, is_sealed};

/// A part of a segment: from a place in it to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Residue {
    /// The segment in the file.
    pub(super) offset: u64,
    /// The place in the segment.
    pub(super) at: usize,
}

impl Residue {
    /// Calls `each` with every value of the log in it.
    pub(crate) fn values(&self, file: &File, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let segment = load_segment(file, self.offset)?;
        scan(&segment, self.at.min(segment.len())..segment.len(), |_, value| each(value));
        Ok(())
    }
}

/// A value of the log at some place in the engine's file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Its place in the sequence of all writes; `None` if that is unknown, when it may be older
    /// than all others.
    pub(crate) lsn: Option<i64>,
    /// Its place in the file.
    pub(crate) offset: u64,
}

/// Calls `each` with every value of the log in the segment at `offset` of the file.
pub(crate) fn values(
    file: &File,
    offset: u64,
    mut each: impl FnMut(Found, &[u8]),
) -> io::Result<()> {
    let segment = load_segment(file, offset)?;
    let lsn = SegmentHeader::read(&segment).map(|header| header.lsn).or_else(|| {
        let (_, message) = Message::after(&segment, SEGMENT_HEADER - 1, &(0..=NUMBER_MAX))?;
        Some(i64::try_from(message.segment).ok()? * SEGMENT)
    });
    // After its last message, the segment holds bytes of its earlier use.
    let own = lsn.map_or(0, |lsn| end_of_own(&segment, lsn));
    scan(&segment, 0..segment.len(), |at, value| {
        let place = i64::try_from(at).ok().zip(lsn).map(|(at, lsn)| lsn + at);
        let lsn = place.filter(|_| at < own);
        each(Found { lsn, offset: offset + at as u64 }, value);
    });
    Ok(())
}

/// The sequence is counted in 63 bits.
const NUMBER_MAX: u64 = (i64::MAX / SEGMENT) as u64 - 1;

/// The end of the last message of the segment at `lsn`.
fn end_of_own(segment: &[u8], lsn: i64) -> usize {
    let number = u64::try_from(lsn / SEGMENT).unwrap_or(0);
    let numbers = number..=number;
    let mut at = SEGMENT_HEADER;
    let mut end = at;
    loop {
        match Message::read(segment, at, &numbers) {
            Ok(message) => {
                at += message.bytes;
                end = at;
                if message.kind == Kind::Cap {
                    return end;
                }
            }
            Err(_) => match Message::after(segment, at, &numbers) {
                Some((next, _)) => at = next,
                None => return end,
            },
        }
    }
}

/// Calls `each` with the place and the bytes of every value of the log in a part of a segment.
fn scan(segment: &[u8], part: Range<usize>, mut each: impl FnMut(usize, &[u8])) {
    let mut at = part.start;
    while at < part.end {
        let known = matches!(segment[at], 1 | 2);
        let value = known.then(|| lengths(&segment[..at])).into_iter().flatten().flatten();
        let mut value = value.filter_map(|length| segment.get(at..at + length));
        match value.find(|value| is_sealed(value)) {
            Some(value) => {
                each(at, value);
                at += value.len();
            }
            None => at += 1,
        }
    }
}

/// The possible lengths in the bytes before a value, in the engine's encoding of numbers.
fn lengths(before: &[u8]) -> [Option<usize>; 3] {
    let byte =
        |from_end: usize| before.iter().rev().nth(from_end - 1).map(|byte| usize::from(*byte));
    let one = byte(1).filter(|first| *first <= 240);
    let two = byte(2).filter(|first| (241..=248).contains(first)).zip(byte(1));
    let three = byte(3).filter(|first| *first == 249).and(byte(2).zip(byte(1)));
    [
        one,
        two.map(|(first, second)| 240 + 256 * (first - 241) + second),
        three.map(|(second, third)| 2_288 + 256 * second + third),
    ]
    .map(|length| length.filter(|length| *length <= VALUE_BYTES_MAX))
}
