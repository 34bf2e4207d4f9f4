//! Places in one room's timeline, in the hands of clients.
//!
//! **Invariant:** a cursor of another room, of another log or with a changed letter never parses
//! into a place of this room: the error names what is wrong. (A cursor is not a secret and grants
//! nothing: who may see what is decided event by event.)

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::RoomId;
use rookery_log::{Epoch, Position};

use super::RowKey;

const VERSION: u8 = 1;
const LEN: usize = 1 + 8 + 8 + 8 + 8 + 2 + 4;

/// A place in the timeline of one room: at the event it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimelineCursor {
    epoch: Epoch,
    room: [u8; 8],
    key: RowKey,
}

/// Why a text is not a cursor of this timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// Not the text of a cursor, or changed.
    #[error("it was changed, or is none")]
    Malformed,
    /// A cursor of another room.
    #[error("the cursor belongs to another room")]
    OtherRoom,
    /// A cursor of another log, or from before a restore.
    #[error("the cursor belongs to another log, or to this one before it was restored")]
    OtherLog,
}

impl TimelineCursor {
    /// The cursor at `key` in the timeline of `room`.
    #[must_use]
    pub fn new(epoch: Epoch, room: &RoomId, key: RowKey) -> Self {
        Self { epoch, room: tag(room), key }
    }

    /// The place, if the cursor is one of `room` in the log of `epoch`.
    ///
    /// # Errors
    /// [`CursorError`], saying to what else it belongs.
    pub fn at(&self, epoch: Epoch, room: &RoomId) -> Result<RowKey, CursorError> {
        if self.epoch != epoch {
            return Err(CursorError::OtherLog);
        }
        if self.room != tag(room) {
            return Err(CursorError::OtherRoom);
        }
        Ok(self.key)
    }
}

impl std::str::FromStr for TimelineCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Malformed)?;
        let bytes: [u8; LEN] = bytes.try_into().map_err(|_| CursorError::Malformed)?;
        let (body, checksum) = bytes.split_at(LEN - 4);
        if body[0] != VERSION || check(body) != checksum {
            return Err(CursorError::Malformed);
        }
        let number = |at: usize| {
            body[at..at + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let key = RowKey {
            depth: number(17),
            position: Position(number(25)),
            index: u16::from_be_bytes([body[33], body[34]]),
        };
        Ok(Self { epoch: Epoch(number(1)), room: number(9).to_be_bytes(), key })
    }
}

impl std::fmt::Display for TimelineCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = Vec::with_capacity(LEN);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&self.room);
        bytes.extend_from_slice(&self.key.depth.to_be_bytes());
        bytes.extend_from_slice(&self.key.position.0.to_be_bytes());
        bytes.extend_from_slice(&self.key.index.to_be_bytes());
        let checksum = check(&bytes);
        bytes.extend_from_slice(&checksum);
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

fn tag(room: &RoomId) -> [u8; 8] {
    let mut tag = [0; 8];
    tag.copy_from_slice(&blake3::hash(room.as_bytes()).as_bytes()[..8]);
    tag
}

fn check(body: &[u8]) -> [u8; 4] {
    let mut hasher = blake3::Hasher::new_derive_key("rookery timeline cursor 1");
    let hash = hasher.update(body).finalize();
    let mut check = [0; 4];
    check.copy_from_slice(&hash.as_bytes()[..4]);
    check
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn room(name: &str) -> &RoomId {
        <&RoomId>::try_from(name).expect("a room ID")
    }

    proptest! {
        #[test]
        fn cursor_survives_the_round_trip(epoch: u64, depth: u64, position: u64, index: u16) {
            let key = RowKey { depth, position: Position(position), index };
            let cursor = TimelineCursor::new(Epoch(epoch), room("!a:b"), key);
            let parsed: TimelineCursor = cursor.to_string().parse().expect("what was printed");
            prop_assert_eq!(parsed, cursor);
            prop_assert_eq!(parsed.at(Epoch(epoch), room("!a:b")), Ok(key));
        }

        #[test]
        fn any_text_parses_or_is_refused(text: String) {
            prop_assert_eq!(text.parse::<TimelineCursor>(), Err(CursorError::Malformed));
        }
    }

    #[test]
    fn what_is_wrong_with_a_cursor_is_named() {
        let cursor = TimelineCursor::new(Epoch(1), room("!a:b"), RowKey::default()).to_string();
        let parse = |text: &str, epoch, name| {
            text.parse::<TimelineCursor>().and_then(|cursor| cursor.at(Epoch(epoch), room(name)))
        };
        assert_eq!(parse(&cursor, 1, "!other:b"), Err(CursorError::OtherRoom));
        assert_eq!(parse(&cursor, 2, "!a:b"), Err(CursorError::OtherLog));
        for place in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("letters");
            assert_eq!(parse(&changed, 1, "!a:b"), Err(CursorError::Malformed), "letter {place}");
        }
    }
}
