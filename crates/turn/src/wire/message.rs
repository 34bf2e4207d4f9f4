//! Reading of messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::wire::{Class, Key, attribute, write::xor_address};

pub(super) const HEADER_BYTES: usize = 20;
pub(super) const COOKIE: u32 = 0x2112_a442;
pub(super) const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// The identity of a request, which its answer repeats.
pub(crate) type Transaction = [u8; 12];

/// A message whose shape is right: its lengths agree, and its fingerprint too if it has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) class: Class,
    pub(crate) method: u16,
    pub(crate) transaction: Transaction,
    bytes: &'a [u8],
    /// Where MESSAGE-INTEGRITY begins, or else where the attributes end. Nothing behind it counts.
    end: usize,
    integrity: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// Reads a whole datagram or frame. `None` if it is no message.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let kind = u16::from_be_bytes(*bytes.first_chunk()?);
        let length = usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?));
        let cookie = u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
        let transaction = *bytes.get(8..)?.first_chunk()?;
        let fits = length % 4 == 0 && HEADER_BYTES + length == bytes.len();
        if kind >> 14 != 0 || cookie != COOKIE || !fits {
            return None;
        }
        let class = match (kind >> 8 & 1, kind >> 4 & 1) {
            (0, 0) => Class::Request,
            (0, _) => Class::Indication,
            (_, 0) => Class::Success,
            _ => Class::Error,
        };
        let method = kind & 0x000f | kind >> 1 & 0x0070 | kind >> 2 & 0x0f80;
        let (mut end, mut integrity) = (None, None);
        let mut attributes = Attributes { bytes, at: HEADER_BYTES };
        while attributes.at < bytes.len() {
            let at = attributes.at;
            let (kind, value) = attributes.next()?;
            match kind {
                attribute::MESSAGE_INTEGRITY if end.is_none() => {
                    (end, integrity) = (Some(at), Some(value));
                }
                attribute::FINGERPRINT => {
                    let expected = crc32fast::hash(&bytes[..at]) ^ FINGERPRINT_XOR;
                    let is_right = value == expected.to_be_bytes() && attributes.at == bytes.len();
                    is_right.then_some(())?;
                    end = end.or(Some(at));
                }
                _ => {}
            }
        }
        let end = end.unwrap_or(bytes.len());
        Some(Self { class, method, transaction, bytes, end, integrity })
    }

    /// The attributes that count, in their order.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        Attributes { bytes: &self.bytes[..self.end], at: HEADER_BYTES }
    }

    /// The first attribute of a kind; a later one does not count.
    pub(crate) fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    /// The first attribute of a kind, as text.
    pub(crate) fn text(&self, kind: u16) -> Option<&'a str> {
        str::from_utf8(self.attribute(kind)?).ok()
    }

    /// The first attribute of a kind, as a number of four bytes.
    pub(crate) fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.attribute(kind)?.try_into().ok()?))
    }

    /// The first attribute of a kind, as an address.
    pub(crate) fn address(&self, kind: u16) -> Option<SocketAddr> {
        self.read_address(self.attribute(kind)?)
    }

    /// The address in the value of an attribute of this message.
    pub(crate) fn read_address(&self, value: &[u8]) -> Option<SocketAddr> {
        let family = *value.get(1)?;
        let port = u16::from_be_bytes(*value.get(2..)?.first_chunk()?);
        let ip: IpAddr = match (family, value.len()) {
            (1, 8) => Ipv4Addr::from(*value[4..].first_chunk::<4>()?).into(),
            (2, 20) => Ipv6Addr::from(*value[4..].first_chunk::<16>()?).into(),
            _ => return None,
        };
        Some(xor_address(SocketAddr::new(ip, port), &self.transaction))
    }

    /// The error code and its reason.
    pub(crate) fn error(&self) -> Option<(u16, String)> {
        let value = self.attribute(attribute::ERROR_CODE)?;
        let [_, _, class, number, reason @ ..] = value else { return None };
        let code = u16::from(class & 7) * 100 + u16::from(*number);
        Some((code, String::from_utf8_lossy(reason).into_owned()))
    }

    /// Whether the message has MESSAGE-INTEGRITY.
    pub(crate) fn is_signed(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether MESSAGE-INTEGRITY is there and was made with `key`.
    pub(crate) fn is_signed_by(&self, key: &Key) -> bool {
        self.integrity.is_some_and(|code| key.verifies(&self.bytes[..self.end], code))
    }
}

struct Attributes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..)?;
        let kind = u16::from_be_bytes(*rest.first_chunk()?);
        let length = usize::from(u16::from_be_bytes(*rest.get(2..)?.first_chunk()?));
        let value = rest.get(4..4 + length)?;
        self.at += 4 + length.next_multiple_of(4);
        Some((kind, value))
    }
}
