//! Data on a channel: four bytes instead of a whole message.
//!
//! Source: RFC 8656, section 12.

use std::ops::{Range, RangeInclusive};

/// The numbers of channels. RFC 8656 allows fewer; clients of RFC 5766, such as those of coturn, take all of these.
pub(crate) const CHANNELS: RangeInclusive<u16> = 0x4000..=0x7fff;

/// The number of the channel, and where the data is in `bytes`. Bytes behind the data are padding.
pub(crate) fn read_channel_data(bytes: &[u8]) -> Option<(u16, Range<usize>)> {
    let number = u16::from_be_bytes(*bytes.first_chunk()?);
    let length = usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?));
    let data = 4..4 + length;
    (CHANNELS.contains(&number) && data.end <= bytes.len()).then_some((number, data))
}
