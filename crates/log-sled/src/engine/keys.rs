//! The names of the engine's trees, and the bytes of their keys.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `commits` | position, big-endian | a record ([`crate::format`]) |
//! | `chunks` | position, number of the part, big-endian | a part of a large record |

use rookery_log::Position;

pub(crate) const COMMITS: &str = "commits";
pub(crate) const CHUNKS: &str = "chunks";

pub(crate) fn position(position: Position) -> [u8; 8] {
    position.0.to_be_bytes()
}

/// Parses the bytes of [`position`].
pub(crate) fn read_position(bytes: &[u8]) -> Option<Position> {
    bytes.try_into().ok().map(|bytes| Position(u64::from_be_bytes(bytes)))
}

pub(crate) fn chunk(position: Position, index: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&position.0.to_be_bytes());
    key[8..].copy_from_slice(&index.to_be_bytes());
    key
}

/// The number of the part in the bytes of [`chunk`].
pub(crate) fn read_chunk(bytes: &[u8]) -> Option<u32> {
    bytes.last_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_sort_as_positions_do(a: u64, b: u64) {
            let (a, b) = (Position(a), Position(b));
            prop_assert_eq!(a.cmp(&b), position(a).cmp(&position(b)));
            prop_assert_eq!(a.cmp(&b).then(1.cmp(&2)), chunk(a, 1).cmp(&chunk(b, 2)));
            prop_assert_eq!(read_position(&position(a)), Some(a));
        }
    }
}
