//! The code that shows who sent a message.

use hmac::{Hmac, Mac as _};
use md5::{Digest as _, Md5};
use sha1::Sha1;

use crate::wire::message::HEADER_BYTES;

/// The length of MESSAGE-INTEGRITY with its own header.
const ATTRIBUTE_BYTES: usize = 24;

/// The key of a user, by the long-term mechanism.
///
/// Source: RFC 8489, section 9.2.2.
#[derive(Clone)]
pub(crate) struct Key([u8; 16]);

impl Key {
    pub(crate) fn new(username: &str, realm: &str, credential: &str) -> Self {
        Self(Md5::digest(format!("{username}:{realm}:{credential}")).into())
    }

    /// Whether `code` is that of the message that begins with `bytes`, which end before MESSAGE-INTEGRITY.
    pub(super) fn verifies(&self, bytes: &[u8], code: &[u8]) -> bool {
        self.mac(bytes).is_some_and(|mac| mac.verify_slice(code).is_ok())
    }

    /// The code of the message that begins with `bytes`.
    pub(super) fn sign(&self, bytes: &[u8]) -> Option<[u8; 20]> {
        Some(self.mac(bytes)?.finalize().into_bytes().into())
    }

    /// The code covers a header whose length ends with MESSAGE-INTEGRITY itself.
    fn mac(&self, bytes: &[u8]) -> Option<Hmac<Sha1>> {
        let length = (bytes.len() + ATTRIBUTE_BYTES).checked_sub(HEADER_BYTES)?;
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).ok()?;
        mac.update(bytes.get(..2)?);
        mac.update(&u16::try_from(length).ok()?.to_be_bytes());
        mac.update(bytes.get(4..)?);
        Some(mac)
    }
}
