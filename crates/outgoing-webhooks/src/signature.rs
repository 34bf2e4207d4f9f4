//! The headers of a request, as the Standard Webhooks specification says.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use rookery_outgoing::{HeaderMap, HeaderValue, header};
use sha2::Sha256;

/// The headers of the batch `id`, which is sent at `seconds` since 1970 with this body.
pub(crate) fn headers(key: &[u8; 32], id: &str, seconds: u64, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let signature = format!("v1,{}", STANDARD.encode(sign(key, id, seconds, body)));
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", &seconds.to_string()),
        ("webhook-signature", &signature),
    ] {
        // All three are letters, digits and signs.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers
}

fn sign(key: &[u8; 32], id: &str, seconds: u64, body: &[u8]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // From Python: hmac.new(key, b'msg_1.1700000000.{"a":1}', sha256), with the secret
        // "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".
        let key: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let headers = headers(&key, "msg_1", 1_700_000_000, br#"{"a":1}"#);
        assert_eq!(headers["webhook-id"], "msg_1");
        assert_eq!(headers["webhook-timestamp"], "1700000000");
        assert_eq!(headers["webhook-signature"], "v1,AMaOha7DUT/0J0JMycRuYOBSvbx3WtwLd2khXXbaVj4=");
    }
}
