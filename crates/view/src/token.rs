//! The text of cursors: a version, the sealed place and a checksum.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_log::Sealed;

/// Bytes of the tag of a sealed place.
const TAG: usize = 8;

/// Bytes of the checksum.
const CHECKSUM: usize = 4;

/// Most bytes of a cursor.
const BYTES_MAX: usize = 64;

/// Writes the text of a place that was sealed in this version.
pub(crate) fn write<const N: usize>(
    version: u8,
    sealed: &Sealed<N>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    const { assert!(1 + TAG + N + CHECKSUM <= BYTES_MAX) };
    let (tag, hidden) = sealed.to_bytes();
    let (mut bytes, end) = ([0; BYTES_MAX], 1 + TAG + N);
    bytes[0] = version;
    bytes[1..=TAG].copy_from_slice(&tag);
    bytes[1 + TAG..end].copy_from_slice(&hidden);
    let checksum = check(&bytes[..end]);
    bytes[end..end + CHECKSUM].copy_from_slice(&checksum);
    f.write_str(&URL_SAFE_NO_PAD.encode(&bytes[..end + CHECKSUM]))
}

/// Reads the sealed place; `None` if the text is not of this version or was changed.
pub(crate) fn read<const N: usize>(version: u8, text: &str) -> Option<Sealed<N>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (body, checksum) = bytes.split_at_checked(1 + TAG + N)?;
    if body[0] != version || check(body) != *checksum {
        return None;
    }
    let (tag, hidden) = body[1..].split_at(TAG);
    Some(Sealed::from_bytes(tag.try_into().ok()?, hidden.try_into().ok()?))
}

/// Distinguishes a changed text from one of another log (FNV-1a). The seal protects against malice.
fn check(body: &[u8]) -> [u8; CHECKSUM] {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    body.iter().fold(0x811c_9dc5, step).to_be_bytes()
}
