//! Which events a server may see.
//!
//! Source: Matrix client-server specification, "Room History Visibility", for the users of a server together.

use rookery_domain::{HistoryVisibility, Membership, RoomId, ServerName};
use rookery_view::Reader;

use super::KnownPdu;

/// Whether a server may see the content of each of these events. A server without members in the room sees only what
/// everybody may read.
pub(crate) fn visible(
    reader: &Reader,
    room: &RoomId,
    server: &ServerName,
    events: &[KnownPdu],
) -> Vec<bool> {
    let view = reader.view();
    let Some(room) = view.room(room) else { return vec![false; events.len()] };
    let own = room.server(server);
    let was = |event: &KnownPdu, wanted: &[Membership]| {
        own.is_some_and(|own| wanted.contains(&own.membership_at(event.position)))
    };
    let sees = |event: &KnownPdu| {
        // A server needs these events to check joins, whatever the history visibility is.
        if event.pdu.state_key.is_some() && is_needed(&event.pdu.kind.to_string()) {
            return own.is_some();
        }
        if event.pdu.sender.server_name() == server {
            return true;
        }
        match room.history_visibility_at(event.sequence) {
            HistoryVisibility::WorldReadable => true,
            HistoryVisibility::Shared => own.is_some(),
            HistoryVisibility::Invited => was(event, &[Membership::Join, Membership::Invite]),
            HistoryVisibility::Joined => was(event, &[Membership::Join]),
        }
    };
    events.iter().map(sees).collect()
}

/// The types of state by which events are authorised. Redaction keeps what matters of them anyway.
fn is_needed(kind: &str) -> bool {
    matches!(kind, "m.room.create" | "m.room.member" | "m.room.power_levels" | "m.room.join_rules")
}
