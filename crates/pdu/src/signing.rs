//! The server's signature on its events. The server signs an event when another server first needs
//! it.
//!
//! **Invariant:** a signature changes neither the ID of an event nor any of its other bytes.
//! **Invariant:** the secret is never shown by `Debug`.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ruma_common::{
    CanonicalJsonObject, CanonicalJsonValue, RoomVersionId, ServerName, SigningKeyAlgorithm,
    canonical_json::redact, serde::Base64,
};
use ruma_signatures::{Ed25519KeyPair, sign_json, verify_canonical_json_bytes, verify_json};

use crate::Pdu;

/// PKCS#8 version 1 around the 32 bytes of an Ed25519 seed.
///
/// Source: RFC 8410, section 7.
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// An Ed25519 key of the server.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    seed: [u8; 32],
}

/// The text is not a signing key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a signing key has this form: ed25519, a name of letters, digits or _, and 32 bytes as base64"
)]
pub struct ParseKeyError;

/// An event cannot be signed: its bytes are not canonical JSON, or its room's version is unknown.
#[derive(Debug, thiserror::Error)]
#[error("the event {event_id} cannot be signed: {reason}")]
pub struct SignError {
    event_id: ruma_common::OwnedEventId,
    reason: String,
}

impl SigningKey {
    /// The key of a seed, which the caller draws at random. The name distinguishes it from the
    /// server's other keys. It may hold letters, digits and `_`.
    ///
    /// # Errors
    /// [`ParseKeyError`] if the name is empty or has other characters.
    pub fn from_seed(seed: [u8; 32], name: &str) -> Result<Self, ParseKeyError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_plain) {
            return Err(ParseKeyError);
        }
        let document = [&PKCS8_HEAD[..], &seed].concat();
        let pair = Ed25519KeyPair::from_der(&document, name.to_owned());
        Ok(Self { pair: pair.map_err(|_| ParseKeyError)?, seed })
    }

    /// Reads the line that [`SigningKey::to_line`] wrote.
    ///
    /// # Errors
    /// [`ParseKeyError`] if it is not such a line.
    pub fn from_line(line: &str) -> Result<Self, ParseKeyError> {
        let mut words = line.split_ascii_whitespace();
        let (Some("ed25519"), Some(name), Some(seed), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(ParseKeyError);
        };
        let seed = STANDARD_NO_PAD.decode(seed).map_err(|_| ParseKeyError)?;
        Self::from_seed(seed.try_into().map_err(|_| ParseKeyError)?, name)
    }

    /// The key with its secret, as a line for a file that only the server may read: `ed25519`, the
    /// name, and the seed as base64. Synapse keeps its keys in the same form.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("ed25519 {} {}", self.name(), STANDARD_NO_PAD.encode(self.seed))
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.pair.version()
    }

    /// Derives a secret of the server for `purpose`, a globally unique text. The secret reveals
    /// nothing about the key or about other secrets.
    #[must_use]
    pub fn derive_secret(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.seed)
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.pair.public_key()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// The event, for a room of this version, as canonical JSON with the server's signature.
///
/// The signature covers the redacted form and the original content hash. So it stays the same when
/// the content is erased.
///
/// # Errors
/// [`SignError`] if the stored event is not canonical JSON or the version is unknown.
pub fn sign(
    event: &Pdu,
    key: &SigningKey,
    server_name: &ServerName,
    version: &RoomVersionId,
) -> Result<String, SignError> {
    let fail = |reason: String| SignError { event_id: event.event_id.clone(), reason };
    let rules = version.rules().ok_or_else(|| fail(format!("unknown room version {version}")))?;
    let mut object: CanonicalJsonObject =
        serde_json::from_slice(&event.json).map_err(|error| fail(error.to_string()))?;
    let redacted = redact(object.clone(), &rules.redaction, None);
    let mut redacted = redacted.map_err(|error| fail(error.to_string()))?;
    sign_json(server_name.as_str(), &key.pair, &mut redacted)
        .map_err(|error| fail(error.to_string()))?;
    object.extend(redacted.remove_entry("signatures"));
    serde_json::to_string(&object).map_err(|error| fail(error.to_string()))
}

impl SigningKey {
    /// Adds the server's signature to an object that is not an event: a request, or a list of keys.
    ///
    /// # Errors
    /// If `signatures` of the object is no object.
    pub fn sign_object(
        &self,
        server_name: &ServerName,
        object: &mut CanonicalJsonObject,
    ) -> Result<(), ObjectError> {
        sign_json(server_name.as_str(), &self.pair, object)
            .map_err(|error| ObjectError(error.to_string()))
    }
}

/// Checks the signature of a server on an object that is not an event.
///
/// # Errors
/// If the object has no valid signature of this server by this key.
pub fn verify_object(
    mut object: CanonicalJsonObject,
    server_name: &ServerName,
    key_id: &str,
    key: [u8; 32],
) -> Result<(), ObjectError> {
    let failed = |reason: &str| ObjectError(reason.to_owned());
    let signatures = object.get("signatures").and_then(CanonicalJsonValue::as_object);
    let made = signatures.and_then(|it| it.get(server_name.as_str())?.as_object());
    let made = made.and_then(|it| it.get(key_id));
    let made = made.ok_or_else(|| failed("it has no signature by this key"))?;
    // Other signatures of the object do not count.
    let entity = CanonicalJsonObject::from([(key_id.to_owned(), made.clone())]);
    let only =
        CanonicalJsonObject::from([(server_name.to_string(), CanonicalJsonValue::Object(entity))]);
    object.insert("signatures".to_owned(), CanonicalJsonValue::Object(only));
    let keys = [(key_id.to_owned(), Base64::new(key.to_vec()))].into();
    let keys = [(server_name.to_string(), keys)].into();
    verify_json(&keys, &object).map_err(|error| ObjectError(error.to_string()))
}

/// Checks a signature on bytes, which are an object in canonical JSON.
///
/// # Errors
/// If the signature was not made by this key, or is not one in base64.
pub fn verify_bytes(
    bytes: &[u8],
    signature: &str,
    key_id: &str,
    key: [u8; 32],
) -> Result<(), ObjectError> {
    let signature = Base64::<ruma_common::serde::base64::Standard>::parse(signature)
        .map_err(|error| ObjectError(error.to_string()))?;
    let algorithm = SigningKeyAlgorithm::from(key_id.split(':').next().unwrap_or_default());
    verify_canonical_json_bytes(&algorithm, &key, signature.as_bytes(), bytes)
        .map_err(|error| ObjectError(error.to_string()))
}

/// An object cannot be signed, or its signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ObjectError(String);
