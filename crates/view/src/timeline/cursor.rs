//! Cursors: places in one room's timeline, for clients.
//!
//! **Invariant:** a cursor of another room, of another log or with a changed letter never opens
//! into a place of this room: the error names the reason. (A cursor gives no access: visibility is
//! decided event by event.)
//! **Invariant:** the text reveals nothing about the place; see [`rookery_log::TokenKey`].

use rookery_domain::RoomId;
use rookery_log::{Epoch, Position, Sealed, TokenKey, TokenKind};
use rookery_projection::RowKey;

use crate::token;

/// Version 1 was not sealed.
const VERSION: u8 = 2;
const PLAIN: usize = 8 + 8 + 8 + 2;

/// A place in the timeline of one room, at an event, as clients keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimelineCursor(Sealed<PLAIN>);

/// A text is not a cursor of this timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// The text is not a cursor, or it was changed.
    #[error("the cursor is malformed; use one that the server sent")]
    Malformed,
    /// A cursor of another room.
    #[error("the cursor belongs to another room")]
    OtherRoom,
    /// A cursor of another log, or from before a restore.
    #[error("the cursor belongs to another log, or to this one before it was restored")]
    OtherLog,
}

impl TimelineCursor {
    /// The cursor at `row` in the timeline of `room`, sealed under `key`.
    #[must_use]
    pub fn new(key: &TokenKey, epoch: Epoch, room: &RoomId, row: RowKey) -> Self {
        let mut plain = [0; PLAIN];
        plain[..8].copy_from_slice(&tag(room));
        plain[8..16].copy_from_slice(&row.depth.to_be_bytes());
        plain[16..24].copy_from_slice(&row.position.0.to_be_bytes());
        plain[24..].copy_from_slice(&row.index.to_be_bytes());
        Self(key.seal(TokenKind::Timeline, epoch, plain))
    }

    /// The place, if the cursor belongs to `room` in the log of `epoch`.
    ///
    /// # Errors
    /// [`CursorError`], which says where it belongs.
    pub fn at(&self, key: &TokenKey, epoch: Epoch, room: &RoomId) -> Result<RowKey, CursorError> {
        let plain = key.open(TokenKind::Timeline, epoch, &self.0).ok_or(CursorError::OtherLog)?;
        if plain[..8] != tag(room) {
            return Err(CursorError::OtherRoom);
        }
        let number = |at: usize| {
            plain[at..at + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        Ok(RowKey {
            depth: number(8),
            position: Position(number(16)),
            index: u16::from_be_bytes([plain[24], plain[25]]),
        })
    }
}

impl std::str::FromStr for TimelineCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        token::read(VERSION, text).map(Self).ok_or(CursorError::Malformed)
    }
}

impl std::fmt::Display for TimelineCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        token::write(VERSION, &self.0, f)
    }
}

fn tag(room: &RoomId) -> [u8; 8] {
    let mut tag = [0; 8];
    tag.copy_from_slice(&blake3::hash(room.as_bytes()).as_bytes()[..8]);
    tag
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
            let secret = TokenKey::derive(&[1; 32]);
            let cursor = TimelineCursor::new(&secret, Epoch(epoch), room("!a:b"), key);
            let parsed: TimelineCursor = cursor.to_string().parse().expect("what was printed");
            prop_assert_eq!(parsed, cursor);
            prop_assert_eq!(parsed.at(&secret, Epoch(epoch), room("!a:b")), Ok(key));
        }

        #[test]
        fn any_text_parses_or_is_refused(text: String) {
            prop_assert_eq!(text.parse::<TimelineCursor>(), Err(CursorError::Malformed));
        }
    }

    #[test]
    fn what_is_wrong_with_a_cursor_is_named() {
        let (secret, other) = (TokenKey::derive(&[1; 32]), TokenKey::derive(&[2; 32]));
        let row = RowKey::default();
        let cursor = TimelineCursor::new(&secret, Epoch(1), room("!a:b"), row);
        assert_eq!(cursor.at(&other, Epoch(1), room("!a:b")), Err(CursorError::OtherLog));
        let cursor = cursor.to_string();
        let parse = |text: &str, epoch, name| {
            text.parse::<TimelineCursor>()
                .and_then(|cursor| cursor.at(&secret, Epoch(epoch), room(name)))
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
