//! From where the pages of a sync go on.
//!
//! **Invariant:** what is not exactly what the server gave is refused; a cursor of another log, or
//! from before a restore, is refused as a position would be.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_log::{Epoch, Position};

const VERSION: u8 = 1;
const LEN: usize = 1 + 8 * 4 + 4;

/// A place among the pages of one sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyncCursor {
    /// The log.
    pub(crate) epoch: Epoch,
    /// As of when all pages are: the position of the first one.
    pub(crate) at: Position,
    /// Of a delta: since when; else the origin.
    pub(crate) since: Position,
    /// Only rooms that were last active before this.
    pub(crate) before: Position,
}

/// Not the text of a sync cursor, or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give the `next` of the page before exactly as the server gave it")]
pub(crate) struct Malformed;

impl std::str::FromStr for SyncCursor {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Malformed)?;
        let bytes: [u8; LEN] = bytes.try_into().map_err(|_| Malformed)?;
        let (body, checksum) = bytes.split_at(LEN - 4);
        if body[0] != VERSION || check(body) != checksum {
            return Err(Malformed);
        }
        let number = |index: usize| {
            let at = 1 + index * 8;
            body[at..at + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let position = |index| Position(number(index));
        let (at, since, before) = (position(1), position(2), position(3));
        if since > at || before > at {
            return Err(Malformed);
        }
        Ok(Self { epoch: Epoch(number(0)), at, since, before })
    }
}

impl std::fmt::Display for SyncCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = Vec::with_capacity(LEN);
        bytes.push(VERSION);
        for number in [self.epoch.0, self.at.0, self.since.0, self.before.0] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        let checksum = check(&bytes);
        bytes.extend_from_slice(&checksum);
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

fn check(body: &[u8]) -> [u8; 4] {
    // It guards against mistakes, not against malice: a cursor grants nothing.
    body.iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
        .to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_round_trip_and_a_changed_one_is_refused() {
        let cursor = SyncCursor {
            epoch: Epoch(7),
            at: Position(900),
            since: Position(3),
            before: Position(800),
        };
        let text = cursor.to_string();
        assert_eq!(text.parse(), Ok(cursor));
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("letters");
            assert_eq!(changed.parse::<SyncCursor>(), Err(Malformed), "letter {place}");
        }
    }
}
