//! The forms of the messages.

use std::collections::BTreeMap;

use rookery_domain::{OwnedEventId, OwnedRoomId, OwnedUserId};
use rookery_ephemeral::{Presence, Shown};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Any message.
#[derive(Deserialize)]
pub(super) struct Edu<'a> {
    pub(super) edu_type: String,
    #[serde(borrow)]
    pub(super) content: &'a RawValue,
}

/// `m.typing`.
#[derive(Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the specification")]
pub(super) struct Typing {
    pub(super) room_id: OwnedRoomId,
    pub(super) user_id: OwnedUserId,
    pub(super) typing: bool,
}

/// `m.presence`.
#[derive(Serialize, Deserialize)]
pub(super) struct Presences {
    pub(super) push: Vec<PresenceOf>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PresenceOf {
    pub(super) user_id: OwnedUserId,
    pub(super) presence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status_msg: Option<String>,
    /// In milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_active_ago: Option<u64>,
    #[serde(default)]
    pub(super) currently_active: bool,
}

/// `m.receipt`: by room, by kind, by user.
pub(super) type Receipts = BTreeMap<OwnedRoomId, ReceiptsInRoom>;

#[derive(Default, Serialize, Deserialize)]
pub(super) struct ReceiptsInRoom {
    #[serde(rename = "m.read", default)]
    pub(super) read: BTreeMap<OwnedUserId, ReceiptOf>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ReceiptOf {
    pub(super) event_ids: Vec<OwnedEventId>,
    #[serde(default)]
    pub(super) data: ReceiptData,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct ReceiptData {
    #[serde(default)]
    pub(super) ts: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) thread_id: Option<String>,
}

#[derive(Serialize)]
struct Message<T> {
    edu_type: &'static str,
    content: T,
}

fn message(edu_type: &'static str, content: impl Serialize) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(&Message { edu_type, content }).ok()
}

/// Whether a user is typing in a room.
pub(crate) fn typing(
    room_id: OwnedRoomId,
    user_id: OwnedUserId,
    typing: bool,
) -> Option<Box<RawValue>> {
    message("m.typing", Typing { room_id, user_id, typing })
}

/// The presence of users at `now`, in milliseconds since 1970.
pub(crate) fn presences(
    users: impl Iterator<Item = (OwnedUserId, Shown)>,
    now: u64,
) -> Option<Box<RawValue>> {
    let of = |(user_id, shown): (OwnedUserId, Shown)| PresenceOf {
        user_id,
        presence: name(shown.presence).to_owned(),
        status_msg: shown.status_message,
        last_active_ago: shown.last_active_millis.map(|active| now.saturating_sub(active)),
        currently_active: shown.presence == Presence::Online,
    };
    let push: Vec<_> = users.map(of).collect();
    if push.is_empty() { None } else { message("m.presence", Presences { push }) }
}

/// Public read receipts: room, user, event, and the time in milliseconds since 1970.
pub(crate) fn receipts(
    all: impl Iterator<Item = (OwnedRoomId, OwnedUserId, OwnedEventId, u64)>,
) -> Option<Box<RawValue>> {
    let mut rooms = Receipts::new();
    for (room, user, event, ts) in all {
        let data = ReceiptData { ts, thread_id: None };
        let receipt = ReceiptOf { event_ids: vec![event], data };
        rooms.entry(room).or_default().read.insert(user, receipt);
    }
    if rooms.is_empty() { None } else { message("m.receipt", rooms) }
}

fn name(presence: Presence) -> &'static str {
    match presence {
        Presence::Online => "online",
        Presence::Unavailable => "unavailable",
        Presence::Offline => "offline",
    }
}

/// The presence of this name, if there is one.
pub(super) fn presence(name: &str) -> Option<Presence> {
    match name {
        "online" => Some(Presence::Online),
        "unavailable" => Some(Presence::Unavailable),
        "offline" => Some(Presence::Offline),
        _ => None,
    }
}
