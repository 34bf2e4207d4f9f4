//! Writing of messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::wire::{
    Class, Key, Transaction, attribute,
    message::{COOKIE, FINGERPRINT_XOR, HEADER_BYTES},
};

/// Attributes end at a multiple of this many bytes.
pub(crate) const PADDING: usize = 4;

/// A message in the making.
pub(crate) struct Draft {
    bytes: Vec<u8>,
    transaction: Transaction,
}

impl Draft {
    pub(crate) fn new(class: Class, method: u16, transaction: Transaction) -> Self {
        let mut bytes = Vec::with_capacity(160);
        bytes.extend(kind(class, method).to_be_bytes());
        bytes.extend([0; 2]);
        bytes.extend(COOKIE.to_be_bytes());
        bytes.extend(transaction);
        Self { bytes, transaction }
    }

    /// Adds an attribute.
    pub(crate) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.push(kind, value);
        self
    }

    /// Adds a number of four bytes.
    pub(crate) fn number(self, kind: u16, number: u32) -> Self {
        self.with(kind, &number.to_be_bytes())
    }

    /// Adds an address.
    pub(crate) fn address(self, kind: u16, address: SocketAddr) -> Self {
        let transaction = self.transaction;
        let mut value = [0; 20];
        let length = write_address(address, &transaction, &mut value);
        self.with(kind, &value[..length])
    }

    /// Adds an error code.
    pub(crate) fn error(self, code: u16, reason: &str) -> Self {
        let [class, number] = [code / 100, code % 100].map(|part| u8::try_from(part).unwrap_or(0));
        let mut value = vec![0, 0, class, number];
        value.extend(reason.as_bytes());
        self.with(attribute::ERROR_CODE, &value)
    }

    /// Adds MESSAGE-INTEGRITY.
    pub(crate) fn signed(mut self, key: &Key) -> Self {
        let code = key.sign(&self.bytes);
        self.push(attribute::MESSAGE_INTEGRITY, &code.unwrap_or_default());
        self
    }

    /// Adds FINGERPRINT and returns the message.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        // The fingerprint covers a header whose length ends with the fingerprint itself.
        self.set_length(8);
        let code = crc32fast::hash(&self.bytes) ^ FINGERPRINT_XOR;
        self.push(attribute::FINGERPRINT, &code.to_be_bytes());
        self.bytes
    }

    fn push(&mut self, kind: u16, value: &[u8]) {
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(PADDING), 0);
        self.set_length(0);
    }

    fn set_length(&mut self, more: usize) {
        let length = u16::try_from(self.bytes.len() - HEADER_BYTES + more).unwrap_or(u16::MAX);
        self.bytes[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

/// The first two bytes of a message.
pub(super) fn kind(class: Class, method: u16) -> u16 {
    let class = match class {
        Class::Request => 0,
        Class::Indication => 0x0010,
        Class::Success => 0x0100,
        Class::Error => 0x0110,
    };
    class | method & 0x000f | (method & 0x0070) << 1 | (method & 0x0f80) << 2
}

/// Writes the value of an attribute that is an address, and returns its length.
pub(super) fn write_address(
    address: SocketAddr,
    transaction: &Transaction,
    value: &mut [u8; 20],
) -> usize {
    let address = xor_address(address, transaction);
    value[2..4].copy_from_slice(&address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            value[1] = 1;
            value[4..8].copy_from_slice(&ip.octets());
            8
        }
        IpAddr::V6(ip) => {
            value[1] = 2;
            value[4..].copy_from_slice(&ip.octets());
            20
        }
    }
}

/// Hides an address from devices that rewrite addresses in packets, or shows a hidden one.
///
/// Source: RFC 8489, section 14.2.
pub(crate) fn xor_address(address: SocketAddr, transaction: &Transaction) -> SocketAddr {
    let [high, low, ..] = COOKIE.to_be_bytes();
    let port = address.port() ^ u16::from_be_bytes([high, low]);
    let ip = match address.ip() {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() ^ COOKIE).into(),
        IpAddr::V6(ip) => {
            let mut mask = [0; 16];
            mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
            mask[4..].copy_from_slice(transaction);
            Ipv6Addr::from_bits(ip.to_bits() ^ u128::from_be_bytes(mask)).into()
        }
    };
    SocketAddr::new(ip, port)
}
