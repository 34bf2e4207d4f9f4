//! Walks through messages in their order, as the engine does during recovery.

use std::{collections::BTreeMap, fs::File};

use super::{
    cursor::Cursor,
    message::{Kind, Message, SEGMENT, SEGMENT_HEADER, Unread, has_room, load_segment},
    pages::{Flaw, PartPlace},
};

/// The place where the messages of a segment end early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tear {
    /// The place of the segment in the sequence.
    pub(super) lsn: i64,
    /// The segment in the file.
    pub(super) offset: u64,
    /// The place in the segment.
    pub(super) at: usize,
}

impl Tear {
    /// The byte of the file.
    pub(super) const fn byte(&self) -> u64 {
        self.offset + self.at as u64
    }
}

/// The end of a walk.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The next place in the sequence; `None` if there is no segment.
    pub(super) next: Option<i64>,
    /// The place in the file of the segment in which it ended.
    pub(super) segment: Option<u64>,
    /// Segments that were not reached.
    pub(super) left: BTreeMap<i64, u64>,
    /// Places where messages were skipped up to the next segment.
    pub(super) tears: Vec<Tear>,
    /// The place where the file ends within a message.
    pub(super) short: Option<Tear>,
}

/// Calls `each` with the messages of `segments` (place in the sequence, place in the file) up to
/// `limit`. At bytes that are not a message it continues with the next segment if `skip` is set,
/// and ends otherwise.
pub(super) fn walk(
    file: &File,
    segments: BTreeMap<i64, u64>,
    limit: Option<i64>,
    skip: bool,
    mut each: impl FnMut(&Message<'_>, PartPlace) -> Result<(), Flaw>,
) -> Result<Walked, Flaw> {
    let mut walked = Walked { left: segments, ..Walked::default() };
    loop {
        let Some((lsn, offset)) = walked.left.first_key_value().map(|(lsn, at)| (*lsn, *at)) else {
            return Ok(walked);
        };
        if limit.is_some_and(|limit| lsn > limit) {
            return Ok(walked);
        }
        walked.left.remove(&lsn);
        let segment = load_segment(file, offset)?;
        walked.segment = Some(offset);
        let number = u64::try_from(lsn / SEGMENT).unwrap_or(0);
        let mut at = SEGMENT_HEADER;
        loop {
            let place = lsn + i64::try_from(at).unwrap_or(SEGMENT);
            walked.next = Some(place);
            if !has_room(at) {
                walked.segment = None;
                break;
            }
            if limit.is_some_and(|limit| place > limit) {
                return Ok(walked);
            }
            let tear = Tear { lsn, offset, at };
            let message = match Message::read(&segment, at, &(number..=number)) {
                Ok(message) => message,
                Err(Unread::Torn) if skip => {
                    walked.tears.push(tear);
                    walked.segment = None;
                    break;
                }
                Err(Unread::Torn) => return Ok(walked),
                Err(Unread::Short) => {
                    walked.short = Some(tear);
                    return Ok(walked);
                }
            };
            match message.kind {
                Kind::Cap => {
                    walked.segment = None;
                    break;
                }
                Kind::Batch if ends_beyond(&message, limit) => return Ok(walked),
                Kind::Canceled | Kind::Batch => {}
                Kind::Free | Kind::Replace | Kind::Link | Kind::BlobReplace | Kind::BlobLink => {
                    let blob = matches!(message.kind, Kind::BlobReplace | Kind::BlobLink);
                    each(&message, PartPlace { lsn: place, offset: tear.byte(), blob })?;
                }
            }
            at += message.bytes;
        }
    }
}

fn ends_beyond(message: &Message<'_>, limit: Option<i64>) -> bool {
    let last = Cursor(message.body).i64();
    limit.zip(last).is_some_and(|(limit, last)| last > limit)
}
