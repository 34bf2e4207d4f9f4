//! Places in the log: [`Position`] inside the server, [`PositionToken`] for clients.
//!
//! **Invariant:** a token of another log, or of this log before a restore, never opens into a
//! position of this one. It is sealed together with its epoch.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Sealed, TokenKey, TokenKind};

/// The number of a commit in the log: 1, 2, 3 ... without gaps.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// The place before the first commit.
    pub const ORIGIN: Self = Self(0);

    /// The position that follows this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The ID of one history: drawn at random when a log is created, and again when one is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A position for a client. Its text is opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PositionToken {
    /// The epoch of the position.
    pub epoch: Epoch,
    /// The position.
    pub position: Position,
    /// The key that seals the text.
    pub key: TokenKey,
}

/// A position as clients keep and return it: opaque text of 22 letters.
pub type SealedPosition = Sealed<8>;

impl PositionToken {
    /// The text for clients.
    #[must_use]
    pub fn seal(&self) -> SealedPosition {
        self.key.seal(TokenKind::Position, self.epoch, self.position.0.to_be_bytes())
    }

    /// The position in `sealed`; `None` if it is of another epoch or was sealed under another key.
    #[must_use]
    pub fn open(key: &TokenKey, epoch: Epoch, sealed: &SealedPosition) -> Option<Position> {
        let plain = key.open(TokenKind::Position, epoch, sealed)?;
        Some(Position(u64::from_be_bytes(plain)))
    }
}

impl fmt::Display for PositionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seal().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn token_survives_the_round_trip(epoch: u64, position: u64, secret: [u8; 32]) {
            let (epoch, position, key) = (Epoch(epoch), Position(position), TokenKey::derive(&secret));
            let text = PositionToken { epoch, position, key }.to_string();
            prop_assert_eq!(text.len(), 22);
            let sealed = text.parse().expect("what was printed");
            prop_assert_eq!(PositionToken::open(&key, epoch, &sealed), Some(position));
            prop_assert_eq!(PositionToken::open(&key, Epoch(!epoch.0), &sealed), None);
        }

        #[test]
        fn any_text_parses_or_is_refused(text: String) {
            let _: Result<SealedPosition, _> = text.parse();
        }
    }

    #[test]
    fn shorter_and_longer_texts_are_refused() {
        let key = TokenKey::derive(&[1; 32]);
        let token = PositionToken { epoch: Epoch(7), position: Position(9), key }.to_string();
        let error = token[1..].parse::<SealedPosition>().expect_err("too short");
        assert_eq!(error.to_string(), "it has 22 letters, digits, `-` and `_`");
        assert!(format!("{token}A").parse::<SealedPosition>().is_err());
    }
}
