//! Reads the keys that a server, or a notary, answered.
//!
//! **Invariant:** a key counts only if the answer names the right server and that key has signed the answer. Old keys
//! count if any such key has signed it.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use rookery_domain::{OwnedServerName, ServerName};
use rookery_pdu::verify_object;
use ruma_common::CanonicalJsonObject;
use serde::Deserialize;

use crate::store::StoredKey;

/// How long a key is taken for valid at most, whatever its server says, in milliseconds: seven days.
///
/// Source: Matrix server-server specification, "Publishing Keys", `valid_until_ts`.
const VALID_MILLIS_MAX: u64 = 7 * 24 * 60 * 60 * 1_000;

/// Most keys of an answer.
const KEYS_MAX: usize = 64;

/// Reads base64 with and without padding, as servers write it.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[derive(Deserialize)]
struct Answer {
    server_name: OwnedServerName,
    verify_keys: BTreeMap<String, Key>,
    #[serde(default)]
    old_verify_keys: BTreeMap<String, OldKey>,
    valid_until_ts: u64,
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

#[derive(Deserialize)]
struct OldKey {
    key: String,
    expired_ts: u64,
}

/// The keys in an answer about `server`.
pub(super) fn read_answer(
    object: &CanonicalJsonObject,
    server: &ServerName,
    now: u64,
) -> Result<Vec<StoredKey>, String> {
    let text = serde_json::to_vec(object).map_err(|error| error.to_string())?;
    let answer: Answer = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    if answer.server_name != server {
        return Err(format!("these are the keys of {}", answer.server_name));
    }
    if answer.verify_keys.len() + answer.old_verify_keys.len() > KEYS_MAX {
        return Err(format!("it has more than {KEYS_MAX} keys"));
    }
    let valid_until = answer.valid_until_ts.min(now.saturating_add(VALID_MILLIS_MAX));
    let mut keys = Vec::new();
    for (key_id, key) in &answer.verify_keys {
        let Some(key) = decode(key_id, &key.key) else { continue };
        if verify_object(object.clone(), server, key_id, key).is_ok() {
            keys.push(StoredKey { key_id: key_id.clone(), key, valid_until, is_old: false });
        }
    }
    if keys.is_empty() {
        return Err("none of its keys has signed it".to_owned());
    }
    for (key_id, old) in &answer.old_verify_keys {
        let Some(key) = decode(key_id, &old.key) else { continue };
        let valid_until = old.expired_ts.min(now);
        keys.push(StoredKey { key_id: key_id.clone(), key, valid_until, is_old: true });
    }
    Ok(keys)
}

fn decode(key_id: &str, key: &str) -> Option<[u8; 32]> {
    let is_ours = key_id.starts_with("ed25519:") && key_id.len() <= 255;
    is_ours.then(|| BASE64.decode(key).ok()?.try_into().ok()).flatten()
}
