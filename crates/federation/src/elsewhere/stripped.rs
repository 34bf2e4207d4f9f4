//! The stripped state of a room, which invited users see.

use std::sync::Arc;

use rookery_domain::{InvitePreview, OwnedUserId, Pdu};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

/// Most events of a stripped state that are read.
const EVENTS_MAX: usize = 64;

/// Longest text of a room that is kept, in characters.
const TEXT_CHARS_MAX: usize = 1_000;

#[derive(Deserialize)]
struct Stripped {
    #[serde(rename = "type")]
    kind: String,
    state_key: String,
    sender: OwnedUserId,
    content: Box<RawValue>,
}

/// The preview that a stripped state gives of a room, to a user for whom `member` was made: an invite, or a request
/// to join. Nothing in the state is signed, so it is only shown. Parts of another form are left out.
pub(crate) fn preview_of(member: &Pdu, state: &[Box<RawValue>]) -> InvitePreview {
    let read = |raw: &RawValue| {
        let stripped: Stripped = serde_json::from_str(raw.get()).ok()?;
        let whole = json!({
            "type": stripped.kind, "state_key": stripped.state_key, "sender": stripped.sender,
            "content": stripped.content, "room_id": member.room_id, "depth": 0,
            "origin_server_ts": 0,
        });
        let pdu = Pdu::parse(member.event_id.clone(), whole.to_string().into()).ok()?;
        Some((stripped.kind, stripped.state_key, Arc::new(pdu)))
    };
    let events: Vec<_> = state.iter().take(EVENTS_MAX).filter_map(|raw| read(raw)).collect();
    let mut preview = InvitePreview::read(member, |kind, key| {
        let found = events.iter().find(|(of, with, _)| of == kind && with == key);
        found.map(|(_, _, pdu)| Arc::clone(pdu))
    });
    let shorten = |text: &mut Option<String>| {
        if let Some(text) = text {
            *text = text.chars().take(TEXT_CHARS_MAX).collect();
        }
    };
    let profile = &mut preview.inviter_profile;
    for text in [
        &mut preview.reason,
        &mut preview.name,
        &mut preview.topic,
        &mut preview.avatar_url,
        &mut preview.room_type,
        &mut profile.displayname,
        &mut profile.avatar_url,
    ] {
        shorten(text);
    }
    preview
}
