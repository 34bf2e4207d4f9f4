//! The body of a transaction, made from the log.

use rookery_domain::{OwnedRoomId, RoomVersionId};
use ruma_common::CanonicalJsonValue;
use serde::Serialize;
use serde_json::value::RawValue;

use super::routing::Shared;
use crate::store::Outstanding;

#[derive(Serialize)]
struct Body {
    origin: String,
    origin_server_ts: u64,
    pdus: Vec<Box<RawValue>>,
    edus: Vec<Box<RawValue>>,
}

/// The body of a transaction: its events are the same each time, unless content was redacted in between. Messages go with
/// the first try alone.
pub(super) async fn body(
    shared: &Shared,
    outstanding: &Outstanding,
    edus: Vec<Box<RawValue>>,
) -> Result<CanonicalJsonValue, String> {
    let mut pdus = Vec::with_capacity(outstanding.events.len());
    for event in shared.events.at(&outstanding.events).await? {
        let Some(version) = version(shared, &event.pdu.room_id) else {
            tracing::warn!(event = %event.pdu.event_id, "the version of its room is not known: not sent");
            continue;
        };
        pdus.push(shared.events.bytes(&event.pdu, &version)?);
    }
    canonical(shared, outstanding.made, pdus, edus)
}

/// The body of a transaction without events.
pub(super) fn messages(
    shared: &Shared,
    edus: Vec<Box<RawValue>>,
) -> Result<CanonicalJsonValue, String> {
    canonical(shared, (shared.clock)(), Vec::new(), edus)
}

fn canonical(
    shared: &Shared,
    origin_server_ts: u64,
    pdus: Vec<Box<RawValue>>,
    edus: Vec<Box<RawValue>>,
) -> Result<CanonicalJsonValue, String> {
    let body = Body { origin: shared.own_name.to_string(), origin_server_ts, pdus, edus };
    let text = serde_json::to_vec(&body).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

fn version(shared: &Shared, room: &OwnedRoomId) -> Option<RoomVersionId> {
    let view = shared.events.reader.view();
    let version = view.room(room)?.summary().version.clone()?;
    RoomVersionId::try_from(version).ok()
}
