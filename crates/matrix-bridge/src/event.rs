//! Events in the form of the client-server API.

use rookery_domain::{JsonObject, Pdu};
use serde_json::{Value, json};

/// An event as clients of Matrix get it. `replaced` is the state event whose place it took.
///
/// The same event has the same form at any time, as long as it is not redacted: there is no `age`.
///
/// Source: Matrix client-server specification, "Room event format".
#[must_use]
pub fn client_event(pdu: &Pdu, replaced: Option<&Pdu>) -> Value {
    let mut event = json!({
        "type": pdu.kind.to_string(),
        "event_id": pdu.event_id,
        "room_id": pdu.room_id,
        "sender": pdu.sender,
        "origin_server_ts": u64::from(pdu.origin_server_ts.get()),
        "content": content_of(pdu),
    });
    let mut unsigned = JsonObject::new();
    if let Some(replaced) = replaced {
        unsigned.insert("prev_content".to_owned(), content_of(replaced));
        unsigned.insert("replaces_state".to_owned(), replaced.event_id.as_str().into());
        unsigned.insert("prev_sender".to_owned(), replaced.sender.as_str().into());
    }
    event["unsigned"] = Value::Object(unsigned);
    if let Some(state_key) = &pdu.state_key {
        event["state_key"] = state_key.as_str().into();
    }
    if pdu.kind.to_string() == "m.room.redaction" {
        // Libraries read either place, whatever the version of the room is.
        let redacts = pdu.redacts.clone().or_else(|| pdu.redacts_in_content());
        event["redacts"] = json!(redacts);
    }
    event
}

/// The content; empty if it is not an object.
pub(crate) fn content_of(pdu: &Pdu) -> Value {
    pdu.content_as::<JsonObject>().map_or_else(|| json!({}), Value::Object)
}
