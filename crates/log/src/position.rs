//! Places in the whole log, inside the server ([`Position`]) and in the hands of clients
//! ([`PositionToken`]).
//!
//! **Invariant:** a token of another log, or of this log before a restore, never parses into a
//! position of this one: it names the epoch it comes from.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// The number of a commit in the log: 1, 2, 3 ... without holes.
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

/// Names one history: drawn at random when a log is created, and again when one is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A position as clients keep it: opaque text that also names the history it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PositionToken {
    /// The history that the position belongs to.
    pub epoch: Epoch,
    /// The position.
    pub position: Position,
}

/// The text is no position token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it has 22 letters, digits, `-` and `_`")]
pub struct ParseTokenError;

impl fmt::Display for PositionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.epoch.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.position.0.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for PositionToken {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, ParseTokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ParseTokenError)?;
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| ParseTokenError)?;
        let (epoch, position) = bytes.split_at(8);
        let number =
            |half: &[u8]| half.try_into().map(u64::from_be_bytes).map_err(|_| ParseTokenError);
        Ok(Self { epoch: Epoch(number(epoch)?), position: Position(number(position)?) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn token_survives_the_round_trip(epoch: u64, position: u64) {
            let token = PositionToken { epoch: Epoch(epoch), position: Position(position) };
            prop_assert_eq!(token.to_string().parse(), Ok(token));
        }

        #[test]
        fn any_text_parses_or_is_refused(text: String) {
            let _: Result<PositionToken, _> = text.parse();
        }
    }

    #[test]
    fn shorter_and_longer_texts_are_refused() {
        let token = PositionToken { epoch: Epoch(7), position: Position(9) }.to_string();
        assert_eq!(token[1..].parse::<PositionToken>(), Err(ParseTokenError));
        assert_eq!(format!("{token}A").parse::<PositionToken>(), Err(ParseTokenError));
    }
}
