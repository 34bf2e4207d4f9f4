//! Cursors of a sync's pages.
//!
//! **Invariant:** any text except a cursor of this server is refused. A cursor of another log, or
//! from before a restore, is refused like such a position.
//! **Invariant:** the text reveals nothing about the place; see [`rookery_log::TokenKey`].

use rookery_log::{Epoch, Position, Sealed, TokenKey, TokenKind};

use crate::token;

/// Version 1 was not sealed, and version 2 had no pages of invites.
const VERSION: u8 = 3;
const PLAIN: usize = 8 * 4;

/// A place among the pages of one sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncPlace {
    /// The position of all pages: that of the first one.
    pub at: Position,
    /// For a delta: the position of its beginning; otherwise the origin.
    pub since: Position,
    /// Only rooms whose last activity was before this.
    pub before: Position,
    /// Only invites before this.
    pub invites_before: Position,
}

/// The place in the form for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncCursor(Sealed<PLAIN>);

/// The text is not a sync cursor, or it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use the `next` of the previous page exactly as the server sent it")]
pub struct MalformedCursor;

impl SyncPlace {
    /// The cursor of the place, sealed under `key`.
    #[must_use]
    pub fn seal(self, key: &TokenKey, epoch: Epoch) -> SyncCursor {
        let mut plain = [0; PLAIN];
        let numbers = [self.at, self.since, self.before, self.invites_before];
        for (place, number) in plain.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.0.to_be_bytes());
        }
        SyncCursor(key.seal(TokenKind::Sync, epoch, plain))
    }
}

impl SyncCursor {
    /// The place; `None` if the cursor is of another log.
    #[must_use]
    pub fn open(&self, key: &TokenKey, epoch: Epoch) -> Option<SyncPlace> {
        let plain = key.open(TokenKind::Sync, epoch, &self.0)?;
        let position = |index: usize| {
            let bytes = plain.iter().skip(index * 8).take(8);
            Position(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
        };
        let (at, since, before, invites_before) =
            (position(0), position(1), position(2), position(3));
        let is_one = since <= at && before <= at && invites_before <= at;
        is_one.then_some(SyncPlace { at, since, before, invites_before })
    }
}

impl std::str::FromStr for SyncCursor {
    type Err = MalformedCursor;

    fn from_str(text: &str) -> Result<Self, MalformedCursor> {
        token::read(VERSION, text).map(Self).ok_or(MalformedCursor)
    }
}

impl std::fmt::Display for SyncCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        token::write(VERSION, &self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_round_trip_and_a_changed_one_is_refused() {
        let key = TokenKey::derive(&[1; 32]);
        let (since, before, invites_before) = (Position(3), Position(800), Position(700));
        let place = SyncPlace { at: Position(900), since, before, invites_before };
        let cursor = place.seal(&key, Epoch(7));
        let text = cursor.to_string();
        assert_eq!(text.parse(), Ok(cursor));
        assert_eq!(cursor.open(&key, Epoch(7)), Some(place));
        assert_eq!(cursor.open(&key, Epoch(8)), None, "another log");
        assert_eq!(cursor.open(&TokenKey::derive(&[2; 32]), Epoch(7)), None, "another server");
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("letters");
            assert_eq!(changed.parse::<SyncCursor>(), Err(MalformedCursor), "letter {place}");
        }
    }
}
