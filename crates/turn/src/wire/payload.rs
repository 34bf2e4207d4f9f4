//! Data on its way through the relay.

use std::{net::SocketAddr, ops::Range};

use crate::wire::{
    Class, PADDING, Transaction, attribute,
    message::{COOKIE, HEADER_BYTES},
    method,
    write::{kind, write_address},
};

/// Bytes that have to be free before the data: the longest header, which is that of a message to IPv6 clients.
pub(crate) const HEADROOM: usize = HEADER_BYTES + 4 + 20 + 4;

/// Bytes that have to be free behind the data, for padding.
pub(crate) const TAILROOM: usize = PADDING;

/// Data within a buffer that has room for a header before it, so that the relay copies no data.
pub(crate) struct Payload<'a> {
    buffer: &'a mut [u8],
    data: Range<usize>,
}

impl<'a> Payload<'a> {
    /// The bytes `data` of `buffer`. `None` if there is no room around them.
    pub(crate) fn new(buffer: &'a mut [u8], data: Range<usize>) -> Option<Self> {
        let has_room = data.start >= HEADROOM
            && data.start <= data.end
            && data.end.checked_add(TAILROOM)? <= buffer.len();
        has_room.then_some(Self { buffer, data })
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.buffer[self.data.clone()]
    }

    /// The data as a message on a channel. `padded` is for streams.
    pub(crate) fn on_channel(&mut self, number: u16, padded: bool) -> &[u8] {
        let start = self.data.start - 4;
        let length = u16::try_from(self.data.len()).unwrap_or(u16::MAX);
        self.buffer[start..start + 2].copy_from_slice(&number.to_be_bytes());
        self.buffer[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
        let end = if padded { self.pad() } else { self.data.end };
        &self.buffer[start..end]
    }

    /// The data as a Data indication.
    pub(crate) fn as_indication(&mut self, peer: SocketAddr, transaction: Transaction) -> &[u8] {
        let mut address = [0; 20];
        let address_bytes = write_address(peer, &transaction, &mut address);
        let end = self.pad();
        let start = self.data.start - HEADER_BYTES - 4 - address_bytes - 4;
        let length = u16::try_from(end - start - HEADER_BYTES).unwrap_or(u16::MAX);
        let data_bytes = u16::try_from(self.data.len()).unwrap_or(u16::MAX);
        let mut at = start;
        let mut write = |bytes: &[u8]| {
            self.buffer[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        write(&kind(Class::Indication, method::DATA).to_be_bytes());
        write(&length.to_be_bytes());
        write(&COOKIE.to_be_bytes());
        write(&transaction);
        write(&attribute::XOR_PEER_ADDRESS.to_be_bytes());
        write(&u16::try_from(address_bytes).unwrap_or(u16::MAX).to_be_bytes());
        write(&address[..address_bytes]);
        write(&attribute::DATA.to_be_bytes());
        write(&data_bytes.to_be_bytes());
        &self.buffer[start..end]
    }

    /// Writes the padding and returns its end.
    fn pad(&mut self) -> usize {
        let end = self.data.start + self.data.len().next_multiple_of(PADDING);
        self.buffer[self.data.end..end].fill(0);
        end
    }
}
