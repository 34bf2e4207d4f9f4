//! Events in the form of the client-server API.

use rookery_domain::{Elsewhere, JsonObject, Pdu, UserId};
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

/// The invite of a user to a room that this server is not in. `invite_room_state` is what the invite says of the room.
///
/// Source: Matrix client-server specification, "Stripped state".
pub(crate) fn invite_event(user: &UserId, invite: &Elsewhere) -> Value {
    let preview = &invite.preview;
    let mut content = json!({ "membership": "invite" });
    if preview.is_direct {
        content["is_direct"] = true.into();
    }
    if let Some(reason) = &preview.reason {
        content["reason"] = reason.as_str().into();
    }
    let alias = preview.canonical_alias.as_ref().map(|alias| alias.as_str());
    let settings = [
        ("m.room.join_rules", "join_rule", Some(preview.join_rule.as_str())),
        ("m.room.name", "name", preview.name.as_deref()),
        ("m.room.topic", "topic", preview.topic.as_deref()),
        ("m.room.avatar", "url", preview.avatar_url.as_deref()),
        ("m.room.canonical_alias", "alias", alias),
        ("m.room.create", "type", preview.room_type.as_deref()),
    ];
    let state = settings.into_iter().filter_map(|(kind, key, value)| {
        let content = json!({ key: value? });
        let sender = &preview.inviter;
        Some(json!({ "type": kind, "state_key": "", "sender": sender, "content": content }))
    });
    json!({
        "type": "m.room.member",
        "event_id": invite.event_id,
        "room_id": preview.room_id,
        "sender": preview.inviter,
        "state_key": user,
        "origin_server_ts": invite.sent,
        "content": content,
        "unsigned": { "invite_room_state": state.collect::<Vec<_>>() },
    })
}
