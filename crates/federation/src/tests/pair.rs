//! Two servers of this program, one of which joins a room of the other.

use std::sync::Arc;

use rookery_command::{Received, StatedState, testing::history};
use rookery_domain::{
    Incoming, Origin, OwnedEventId, OwnedRoomId, Pdu, Room, RoomEvent, RoomVersionId, sign,
};
use rookery_log::Millis;
use rookery_pdu::Unsealed;
use ruma_common::{CanonicalJsonValue, MilliSecondsSinceUnixEpoch};
use serde_json::{Value, json, value::RawValue};

use super::world::{Here, now};
use crate::signing::{Signed, sign_request};

/// All events of a room, in order of arrival.
pub(super) async fn log_of(here: &Here, room: &OwnedRoomId) -> Vec<RoomEvent> {
    let commits = history(&*here.server.log, room).await;
    commits.into_iter().flat_map(|(_, events)| events).collect()
}

/// Joins a room of another server by the two requests, as `zoe`.
pub(super) async fn join(here: &Here, there: &Here, room: &OwnedRoomId) -> OwnedEventId {
    join_as(here, there, room, "zoe").await
}

pub(super) async fn join_as(
    here: &Here,
    there: &Here,
    room: &OwnedRoomId,
    name: &str,
) -> OwnedEventId {
    let remote = here.federation.remote();
    let user = here.server.user(name);
    let versions = [RoomVersionId::V11, RoomVersionId::V12];
    let template = remote.make_join(&there.name, room, &user, &versions).await.unwrap();
    let version = template.room_version.unwrap();
    let event: Value = serde_json::from_str(template.event.get()).unwrap();
    let (pdu, json) = complete(here, &version, &event);
    let joined = remote.send_join(&there.name, room, &pdu.event_id, &json).await.unwrap();
    let stated = StatedState {
        origin: &there.name,
        room_id: room,
        version: &version,
        state: &joined.state,
        auth_chain: &joined.auth_chain,
        holders: &[],
    };
    let from = Origin::Local { device: None, action: None, fingerprint: None, deliver: None };
    let keys = here.federation.keys();
    let taken = here
        .server
        .commands
        .accept_join(&*keys, &stated, &json, from, Millis(now()))
        .await
        .unwrap();
    assert!(matches!(taken.received, Received::Accepted { .. }), "{taken:?}");
    pdu.event_id
}

/// Makes an event of a user of `here` out of a template.
pub(super) fn complete(
    here: &Here,
    version: &RoomVersionId,
    event: &Value,
) -> (Pdu, Box<RawValue>) {
    let ids = |name: &str| serde_json::from_value(event[name].clone()).unwrap();
    let room: OwnedRoomId = serde_json::from_value(event["room_id"].clone()).unwrap();
    let content: CanonicalJsonValue = event["content"].clone().try_into().unwrap();
    let sender = event["sender"].as_str().unwrap().try_into().unwrap();
    let pdu = Unsealed {
        room_id: Some(&room),
        sender,
        kind: event["type"].as_str().unwrap(),
        state_key: event["state_key"].as_str(),
        redacts: None,
        content: serde_json::to_string(&content).unwrap(),
        prev_events: ids("prev_events"),
        auth_events: ids("auth_events"),
        depth: event["depth"].as_u64().unwrap(),
        origin_server_ts: MilliSecondsSinceUnixEpoch(now().try_into().unwrap()),
    }
    .seal(&version.rules().unwrap())
    .unwrap();
    let signed = sign(&pdu, &here.server.key, &here.name, version).unwrap();
    (pdu, RawValue::from_string(signed).unwrap())
}

/// The bytes of an event of `there` for other servers.
pub(super) async fn signed(there: &Here, room: &OwnedRoomId, pdu: &Pdu) -> Value {
    let look = |room: Option<&Room>| room.and_then(|room| room.version().cloned());
    let version = there.server.commands.look_at_room(room, look).await.unwrap().unwrap();
    let json = sign(pdu, &there.server.key, &there.name, &version).unwrap();
    let id = Incoming::read(&RawValue::from_string(json.clone()).unwrap(), &version).unwrap();
    assert_eq!(id.event_id(), pdu.event_id);
    serde_json::from_str(&json).unwrap()
}

/// Sends a transaction with these events from `there`. Returns the answer.
pub(super) async fn send(there: &Here, here: &Here, id: &str, events: Vec<Value>) -> (u16, Value) {
    let path = format!("/_matrix/federation/v1/send/{id}");
    let body = json!({
        "origin": there.name, "origin_server_ts": now(), "pdus": events, "edus": [],
    });
    let content: CanonicalJsonValue = body.try_into().unwrap();
    let signed = Signed {
        method: "PUT",
        uri: &path,
        origin: &there.name,
        destination: &here.name,
        content: Some(&content),
    };
    let header = sign_request(&signed, &there.server.key).unwrap().to_string();
    let body = serde_json::to_vec(&content).unwrap();
    super::peer::request(&here.certificate.client(), here, ("PUT", &path, body), Some(&header))
        .await
}

/// Waits until the room has this event at `here`.
pub(super) async fn until_known(here: &Here, id: &OwnedEventId) {
    loop {
        let found = here.reader.view().event(id).unwrap();
        if found.is_some() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

/// The texts of the messages of a room, in order of arrival.
pub(super) async fn texts(here: &Here, room: &OwnedRoomId) -> Vec<String> {
    let text = |event: RoomEvent| {
        let content: Value = serde_json::from_str(event.pdu.content.get()).unwrap();
        Some(content["body"].as_str()?.to_owned())
    };
    log_of(here, room).await.into_iter().filter_map(text).collect()
}

/// Opens two servers that trust the same certificate.
pub(super) async fn two() -> (Here, Here) {
    let certificate = Arc::new(super::world::Certificate::new());
    (Here::open(&certificate).await, Here::open(&certificate).await)
}
