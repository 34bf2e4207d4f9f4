//! The input files of `rookery room receive`.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Map, Value, json};

use super::Sent;
use crate::TrustedKeys;

/// The events as lines of JSON.
#[must_use]
pub fn event_file<'a>(sent: impl IntoIterator<Item = &'a Sent>) -> String {
    sent.into_iter().fold(String::new(), |mut text, sent| {
        let (origin, pdu) = (&sent.origin, sent.json.get());
        writeln!(text, "{{\"origin\":\"{origin}\",\"pdu\":{pdu}}}").expect("memory takes it");
        text
    })
}

/// The keys as one JSON object.
#[must_use]
pub fn key_file(keys: &TrustedKeys) -> String {
    let mut servers = Map::new();
    for (server, key_id, key) in keys.iter() {
        let keys = servers.entry(server.as_str()).or_insert_with(|| json!({}));
        keys[key_id] = STANDARD_NO_PAD.encode(key).into();
    }
    Value::Object(servers).to_string()
}
