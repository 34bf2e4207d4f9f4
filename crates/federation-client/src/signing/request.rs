//! Signs and verifies requests.
//!
//! The signed object holds method, path with query, origin, destination and the body, if there is one.
//!
//! **Invariant:** a changed method, path, query, destination or body makes the signature invalid.

use rookery_domain::{OwnedServerName, ServerName, SigningKey};
use rookery_pdu::{ObjectError, verify_bytes};
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue};

use super::XMatrix;

/// The signed parts of a request.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path with the query, as it stands in the request.
    pub uri: &'a str,
    /// The server that sends it.
    pub origin: &'a ServerName,
    /// The server that it is for.
    pub destination: &'a ServerName,
    /// The body.
    pub content: Option<&'a CanonicalJsonValue>,
}

impl Signed<'_> {
    fn object(&self) -> CanonicalJsonObject {
        let text = |text: &str| CanonicalJsonValue::String(text.to_owned());
        let mut object = CanonicalJsonObject::from([
            ("method".to_owned(), text(self.method)),
            ("uri".to_owned(), text(self.uri)),
            ("origin".to_owned(), text(self.origin.as_str())),
            ("destination".to_owned(), text(self.destination.as_str())),
        ]);
        if let Some(content) = self.content {
            object.insert("content".to_owned(), content.clone());
        }
        object
    }
}

/// The header of a request of this server.
///
/// # Errors
/// If it cannot be signed.
pub fn sign_request(signed: &Signed<'_>, key: &SigningKey) -> Result<XMatrix, ObjectError> {
    let mut object = signed.object();
    key.sign_object(signed.origin, &mut object)?;
    let key_id = format!("ed25519:{}", key.name());
    let signatures = object.get("signatures").and_then(CanonicalJsonValue::as_object);
    let made = signatures.and_then(|it| it.get(signed.origin.as_str())?.as_object());
    let signature = made.and_then(|it| it.get(&key_id)?.as_str()).unwrap_or_default().to_owned();
    Ok(XMatrix {
        origin: signed.origin.to_owned(),
        destination: Some(OwnedServerName::from(signed.destination)),
        key: key_id,
        signature,
    })
}

/// Checks the signature of a request by the public key that its header names.
///
/// # Errors
/// If the signature does not hold.
pub fn verify_request(
    signed: &Signed<'_>,
    header: &XMatrix,
    key: [u8; 32],
) -> Result<(), ObjectError> {
    let content = signed.content.map(|content| serde_json::to_string(content).unwrap_or_default());
    verify_with(signed, content.as_deref(), header, key)
}

/// Checks the signature of a request with the bytes of its body in place of the content. It holds if the body came in
/// canonical JSON, so most bodies are never taken apart and put together for it.
///
/// **Invariant:** the signature holds for one division into body and other parts. The text after the body, with the
/// destination, occurs nowhere in a part that follows it, since texts are escaped.
///
/// # Errors
/// If the signature does not hold.
pub fn verify_as_sent(
    signed: &Signed<'_>,
    body: &str,
    header: &XMatrix,
    key: [u8; 32],
) -> Result<(), ObjectError> {
    verify_with(signed, Some(body), header, key)
}

/// The signed object is written here, with its keys in order.
fn verify_with(
    signed: &Signed<'_>,
    content: Option<&str>,
    header: &XMatrix,
    key: [u8; 32],
) -> Result<(), ObjectError> {
    let quoted = |text: &str| CanonicalJsonValue::String(text.to_owned()).to_string();
    let mut object = String::from("{");
    if let Some(content) = content {
        object += "\"content\":";
        object += content;
        object += ",";
    }
    // A request that names no destination was signed without one.
    if header.destination.is_some() {
        object += "\"destination\":";
        object += &quoted(signed.destination.as_str());
        object += ",";
    }
    object += "\"method\":";
    object += &quoted(signed.method);
    object += ",\"origin\":";
    object += &quoted(signed.origin.as_str());
    object += ",\"uri\":";
    object += &quoted(signed.uri);
    object += "}";
    verify_bytes(object.as_bytes(), &header.signature, &header.key, key)
}

#[cfg(test)]
mod tests;
