//! The ID and the body of a batch.
//!
//! **Invariant:** both follow from the batch alone: not from the time, and not from the number of the try.

use rookery_accounts::OutgoingWebhook;
use rookery_delivery::{BatchPlace, PushedBatch, PushedEvent};
use rookery_domain::{JsonObject, Pdu};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The body of a request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    webhook_id: &'a str,
    batch_id: &'a str,
    events: Vec<Value>,
}

/// The ID of a batch: a hash, so that it does not tell how busy the server is.
pub(crate) fn batch_id(hook: &str, batch: &PushedBatch) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"rookery batch of an outgoing webhook 1\0");
    hasher.update(hook);
    hasher.update(batch.incarnation.to_be_bytes());
    match &batch.place {
        BatchPlace::After(begin) => hasher.update(begin.0.to_be_bytes()),
        BatchPlace::Retry(event) => hasher.update(event.as_str()),
    }
    let hash = hasher.finalize();
    hash.iter().take(16).fold("batch_".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

/// The body of a batch, as JSON.
pub(crate) fn body(hook: &OutgoingWebhook, id: &str, batch: &PushedBatch) -> Vec<u8> {
    let events = batch.events.iter().filter_map(shown).collect();
    let body = Body { webhook_id: &hook.id, batch_id: id, events };
    serde_json::to_vec(&body).unwrap_or_else(|_| unreachable!("plain data serialises"))
}

/// An event in the form of Matrix' client-server API, with its number in the room.
fn shown(event: &PushedEvent) -> Option<Value> {
    let pdu = event.pdu()?;
    let mut shown = event_of(pdu);
    shown["sequence"] = event.committed.sequence(event.at.index).into();
    Some(shown)
}

fn event_of(pdu: &Pdu) -> Value {
    let content = pdu.content_as::<JsonObject>().map_or_else(|| json!({}), Value::Object);
    let kind = pdu.kind.to_string();
    let mut event = json!({
        "type": kind,
        "event_id": pdu.event_id,
        "room_id": pdu.room_id,
        "sender": pdu.sender,
        "origin_server_ts": u64::from(pdu.origin_server_ts.get()),
        "content": content,
    });
    if let Some(state_key) = &pdu.state_key {
        event["state_key"] = state_key.as_str().into();
    }
    if kind == "m.room.redaction" {
        let redacts = pdu.redacts.clone().or_else(|| pdu.redacts_in_content());
        event["redacts"] = json!(redacts);
    }
    event
}
