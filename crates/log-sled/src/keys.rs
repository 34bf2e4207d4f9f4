//! Names of the trees in the engine, and the bytes of their keys.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `commits` | position, big-endian | a record ([`crate::format`]) |
//! | `chunks` | position, number of the part, big-endian | a part of a large record |
//! | `streams` | 16 bytes of BLAKE3 of the stream's name, position | nothing |
//! | `commands` | command ID | position, big-endian |
//!
//! **Invariant:** `streams` and `commands` are derived from `commits`: whoever follows an entry
//! looks at the record before trusting it.

use rookery_log::{Position, StreamId};

pub(crate) const COMMITS: &str = "commits";
pub(crate) const CHUNKS: &str = "chunks";
pub(crate) const STREAMS: &str = "streams";
pub(crate) const COMMANDS: &str = "commands";

pub(crate) fn position(position: Position) -> [u8; 8] {
    position.0.to_be_bytes()
}

/// Reads back what [`position`] gave, or the position at the end of a key of `streams`.
pub(crate) fn read_position(bytes: &[u8]) -> Option<Position> {
    let (_, last) = bytes.split_last_chunk::<8>()?;
    Some(Position(u64::from_be_bytes(*last)))
}

pub(crate) fn chunk(position: Position, index: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&position.0.to_be_bytes());
    key[8..].copy_from_slice(&index.to_be_bytes());
    key
}

/// The part of a key of `streams` that names the stream.
#[derive(Clone, Copy)]
pub(crate) struct StreamKey([u8; 16]);

impl StreamKey {
    pub(crate) fn of(stream: &StreamId) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(stream.as_str().as_bytes()).as_bytes()[..16]);
        Self(key)
    }

    pub(crate) fn at(self, position: Position) -> [u8; 24] {
        let mut key = [0; 24];
        key[..16].copy_from_slice(&self.0);
        key[16..].copy_from_slice(&position.0.to_be_bytes());
        key
    }

    pub(crate) fn names(self, key: &[u8]) -> bool {
        key.starts_with(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rookery_log::StreamKind;

    use super::*;

    proptest! {
        #[test]
        fn keys_sort_as_positions_do(a: u64, b: u64) {
            let stream = StreamKey::of(&StreamId::new(StreamKind::Room, "!a"));
            let (a, b) = (Position(a), Position(b));
            prop_assert_eq!(a.cmp(&b), position(a).cmp(&position(b)));
            prop_assert_eq!(a.cmp(&b), stream.at(a).cmp(&stream.at(b)));
            prop_assert_eq!(read_position(&position(a)), Some(a));
            prop_assert_eq!(read_position(&stream.at(b)), Some(b));
            prop_assert!(stream.names(&stream.at(b)));
        }
    }
}
