//! Which events a server may see.
//!
//! Source: Matrix client-server specification, "Room History Visibility", for the users of a server together.

use std::collections::HashMap;

use rookery_command::{Commands, HandleError};
use rookery_domain::{HistoryVisibility, Membership, RoomId, ServerName};
use rookery_view::Reader;

use super::KnownPdu;

/// Whether a server may see the content of each of these events. A server without members in the room sees only what
/// everybody may read. An event that was fetched after events that follow it is seen by the memberships of the room's
/// graph, any other by those at its arrival.
pub(crate) async fn visible(
    (reader, commands): (&Reader, &Commands),
    room: &RoomId,
    server: &ServerName,
    events: &[KnownPdu],
) -> Result<Vec<bool>, HandleError> {
    let past = {
        let view = reader.view();
        let past = view.room(room).map(|room| &room.summary().past);
        let needs = |event: &&KnownPdu| {
            let setting = past.and_then(|past| past.visibility(event.sequence));
            setting.is_some_and(|setting| setting < HistoryVisibility::Shared)
        };
        events.iter().filter(needs).map(|event| event.pdu.event_id.clone()).collect::<Vec<_>>()
    };
    let members = if past.is_empty() {
        HashMap::new()
    } else {
        let members = commands.members_at(room, &past, server).await?;
        past.into_iter().zip(members).collect::<HashMap<_, _>>()
    };
    let view = reader.view();
    let Some(room) = view.room(room) else { return Ok(vec![false; events.len()]) };
    let own = room.server(server);
    let was = |event: &KnownPdu, wanted: &[Membership]| {
        if let Some((was_joined, was_invited)) = members.get(&event.pdu.event_id) {
            return (*was_joined && wanted.contains(&Membership::Join))
                || (*was_invited && wanted.contains(&Membership::Invite));
        }
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
    Ok(events.iter().map(sees).collect())
}

/// The types of state by which events are authorised. Redaction keeps what matters of them anyway.
fn is_needed(kind: &str) -> bool {
    matches!(kind, "m.room.create" | "m.room.member" | "m.room.power_levels" | "m.room.join_rules")
}
