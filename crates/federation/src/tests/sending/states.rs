//! Typing, read receipts and presence, both ways.

use std::sync::Arc;

use axum::body::Bytes;
use rookery_command::{Actor, ReadMark};
use rookery_domain::{
    MessageKind, OwnedEventId, OwnedRoomId, OwnedUserId, RoomCommand, RoomId, UserId,
};
use rookery_ephemeral::Presence;
use rookery_log::Millis;
use serde_json::{Value, json};

use super::super::{
    peer::Peer,
    world::{Certificate, Here, now},
};

async fn joined() -> (Here, Peer, OwnedRoomId) {
    let certificate = Arc::new(Certificate::new());
    let (here, peer) = (Here::open(&certificate).await, Peer::open(&certificate).await);
    let room = here.public_room().await;
    peer.join(&here, &room).await;
    caught_up(&here).await;
    (here, peer, room)
}

async fn caught_up(here: &Here) {
    let tail = *here.server.log.tail().borrow();
    here.reader.wait_for(tail, std::time::Duration::from_mins(1)).await.unwrap();
}

async fn said(here: &Here, room: &RoomId, body: &str) -> OwnedEventId {
    let (kind, body) = (MessageKind::Text, body.to_owned());
    let (formatted_body, relation, mentions) = (None, None, None);
    let said = RoomCommand::SendMessage { kind, body, formatted_body, relation, mentions };
    let outcome = here.server.act("ann", room, &said, now()).await.unwrap();
    caught_up(here).await;
    outcome.events[0].event_id.clone()
}

/// Sends messages beside events, which have to be taken.
async fn tells(peer: &Peer, here: &Here, id: &str, edus: Value) {
    let path = format!("/_matrix/federation/v1/send/{id}");
    let body = json!({ "pdus": [], "edus": edus });
    let answer = peer.ask(here, "PUT", &path, Some(body)).await;
    assert_eq!(answer, (200, json!({ "pdus": {} })));
    caught_up(here).await;
}

fn typing(room: &RoomId, user: &UserId, is_typing: bool) -> Value {
    let content = json!({ "room_id": room, "user_id": user, "typing": is_typing });
    json!({ "edu_type": "m.typing", "content": content })
}

fn receipt(room: &RoomId, user: &UserId, event: &str, data: &Value) -> Value {
    let of = json!({ "event_ids": [event], "data": data });
    json!({ "edu_type": "m.receipt", "content": { room.as_str(): { "m.read": { user.as_str(): of } } } })
}

fn presence(user: &UserId, presence: &str) -> Value {
    let of = json!({
        "user_id": user, "presence": presence, "status_msg": "tea", "last_active_ago": 5_000,
        "currently_active": true,
    });
    json!({ "edu_type": "m.presence", "content": { "push": [of] } })
}

fn read_up_to(here: &Here, room: &RoomId, user: &UserId) -> Option<String> {
    let view = here.reader.view();
    let marks = view.room(room)?.read_marks(user)?.clone();
    assert_eq!(marks.private, None);
    Some(marks.public?.event_id.to_string())
}

#[tokio::test]
async fn typing_of_a_member_of_the_sending_server_is_shown() {
    let (here, peer, room) = joined().await;
    let (bob, eve) = (peer.user(), OwnedUserId::try_from("@eve:two.example").unwrap());
    let ann = here.server.user("ann");
    let stranger: OwnedUserId = format!("@carl:{}", peer.name).try_into().unwrap();
    let elsewhere = here.server.create("ann", &rookery_domain::CreateRoom::default(), now()).await;
    let edus = json!([
        typing(&room, &eve, true), typing(&room, &ann, true), typing(&room, &stranger, true),
        typing(&elsewhere, &bob, true),
        { "edu_type": "m.typing", "content": { "room_id": room, "user_id": 7, "typing": true } },
        { "edu_type": "m.typing" }, { "content": {} }, 7, "x", null, [],
        { "edu_type": "org.example.unknown", "content": { "a": 1 } },
    ]);
    tells(&peer, &here, "1", edus).await;
    assert!(here.ephemeral.typing_rooms().is_empty());
    tells(&peer, &here, "2", json!([typing(&room, &bob, true)])).await;
    assert_eq!(here.ephemeral.typing(&room), std::slice::from_ref(&bob));
    tells(&peer, &here, "3", json!([typing(&room, &bob, false)])).await;
    assert!(here.ephemeral.typing(&room).is_empty());
}

#[tokio::test]
async fn receipts_of_another_server_are_kept_and_never_move_back() {
    let (here, peer, room) = joined().await;
    let bob = peer.user();
    let (first, second) = (said(&here, &room, "1").await, said(&here, &room, "2").await);
    let elsewhere = here.server.create("ann", &rookery_domain::CreateRoom::default(), now()).await;
    let hidden = said(&here, &elsewhere, "hidden").await;
    let mut number = 0;
    let mut tell = async |edu: Value| {
        number += 1;
        tells(&peer, &here, &number.to_string(), json!([edu])).await;
        read_up_to(&here, &room, &bob)
    };
    let ann = here.server.user("ann");
    assert_eq!(tell(receipt(&room, &ann, second.as_str(), &json!({ "ts": 1 }))).await, None);
    assert_eq!(tell(receipt(&room, &bob, "$unknown", &json!({ "ts": 1 }))).await, None);
    assert_eq!(tell(receipt(&room, &bob, hidden.as_str(), &json!({ "ts": 1 }))).await, None);
    let thread = json!({ "ts": 1, "thread_id": "$thread" });
    assert_eq!(tell(receipt(&room, &bob, second.as_str(), &thread)).await, None);
    let private = json!({ "m.read.private": { bob.as_str(): { "event_ids": [second] } } });
    let private = json!({ "edu_type": "m.receipt", "content": { room.as_str(): private } });
    assert_eq!(tell(private).await, None);
    let at = |event: &OwnedEventId| Some(event.to_string());
    assert_eq!(tell(receipt(&room, &bob, first.as_str(), &json!({}))).await, at(&first));
    let main = json!({ "ts": 2, "thread_id": "main" });
    assert_eq!(tell(receipt(&room, &bob, second.as_str(), &main)).await, at(&second));
    let length = *here.server.log.tail().borrow();
    assert_eq!(tell(receipt(&room, &bob, first.as_str(), &json!({}))).await, at(&second));
    assert_eq!(*here.server.log.tail().borrow(), length);
    assert_eq!(read_up_to(&here, &room, &ann), None);
    // It is in the log, so it survives a restart.
    let log: Arc<dyn rookery_log::EventLog> = here.server.log.clone();
    let (folder, options) = (tempfile::tempdir().unwrap(), rookery_projection::Options::default());
    let models = rookery_projection::ReadModels::open(log, folder.path(), options, |_| {}).await;
    let reader = rookery_view::Reader::new(models.unwrap());
    reader.models().catch_up().await.unwrap();
    let view = reader.view();
    let marks = view.room(&room).unwrap().read_marks(&bob).unwrap();
    assert_eq!(marks.public.as_ref().unwrap().event_id, second);
}

#[tokio::test]
async fn more_receipts_than_the_bound_of_a_transaction_are_left_out() {
    let (here, peer, room) = joined().await;
    let event = said(&here, &room, "1").await;
    let of = |number: usize| format!("@user{number}:{}", peer.name);
    let mut read = serde_json::Map::new();
    for number in 0..crate::edus::RECEIPTS_MAX {
        read.insert(of(number), json!({ "event_ids": ["$x"] }));
    }
    // Its ID is the last one.
    read.insert(format!("@z:{}", peer.name), json!({ "event_ids": [event] }));
    let content = json!({ room.as_str(): { "m.read": read } });
    let edus = json!([{ "edu_type": "m.receipt", "content": content },
        receipt(&room, &peer.user(), event.as_str(), &json!({}))]);
    tells(&peer, &here, "1", edus).await;
    assert_eq!(read_up_to(&here, &room, &peer.user()), None);
    let edus = json!([receipt(&room, &peer.user(), event.as_str(), &json!({}))]);
    tells(&peer, &here, "2", edus).await;
    assert_eq!(read_up_to(&here, &room, &peer.user()), Some(event.to_string()));
}

#[tokio::test]
async fn presence_of_a_member_of_the_sending_server_is_shown() {
    let (here, peer, _room) = joined().await;
    let bob = peer.user();
    let stranger: OwnedUserId = format!("@carl:{}", peer.name).try_into().unwrap();
    let ann = here.server.user("ann");
    let edus =
        json!([presence(&stranger, "online"), presence(&ann, "online"), presence(&bob, "dancing")]);
    tells(&peer, &here, "1", edus).await;
    for user in [&stranger, &ann, &bob] {
        assert_eq!(here.ephemeral.presence(user).presence, Presence::Offline);
    }
    tells(&peer, &here, "2", json!([presence(&bob, "unavailable")])).await;
    let shown = here.ephemeral.presence(&bob);
    assert_eq!(shown.presence, Presence::Unavailable);
    assert_eq!(shown.status_message.as_deref(), Some("tea"));
    assert!(shown.last_active_millis.is_some_and(|active| active <= now() - 5_000));
}

/// The messages beside events that came, in order.
fn messages(tries: &[(String, Bytes)]) -> Vec<(String, Value)> {
    let bodies = tries.iter().map(|(_, body)| serde_json::from_slice::<Value>(body).unwrap());
    let mut all = Vec::new();
    for body in bodies {
        for edu in body["edus"].as_array().unwrap() {
            all.push((edu["edu_type"].as_str().unwrap().to_owned(), edu["content"].clone()));
        }
    }
    all
}

async fn until(peer: &Peer, is_wanted: impl Fn(&str, &Value) -> bool) {
    let has = |tries: &[(String, Bytes)]| messages(tries).iter().any(|it| is_wanted(&it.0, &it.1));
    peer.taken.until(has).await;
}

#[tokio::test]
async fn typing_receipts_and_presence_of_our_users_reach_the_servers_of_their_rooms() {
    let (here, peer, room) = joined().await;
    let ann = here.server.user("ann");
    let event = said(&here, &room, "1").await;
    here.ephemeral.type_in(&room, &ann, "phone", Some(std::time::Duration::from_secs(20)));
    let is_typing =
        |wanted: bool| move |kind: &str, it: &Value| kind == "m.typing" && it["typing"] == wanted;
    until(&peer, is_typing(true)).await;
    here.ephemeral.type_in(&room, &ann, "phone", None);
    until(&peer, is_typing(false)).await;
    reads(&here, &room, &event, true).await;
    reads(&here, &room, &event, false).await;
    until(&peer, |kind, it| {
        let of = &it[room.as_str()]["m.read"][ann.as_str()];
        kind == "m.receipt" && of["event_ids"] == json!([event])
    })
    .await;
    here.ephemeral.choose(&ann, "phone", Presence::Unavailable, Some("tea".to_owned()));
    until(&peer, |kind, it| {
        let of = &it["push"][0];
        kind == "m.presence" && of["presence"] == "unavailable" && of["status_msg"] == "tea"
    })
    .await;
    let kinds = messages(&peer.taken.tries.lock());
    let receipts = kinds.iter().filter(|(kind, _)| kind == "m.receipt").count();
    assert_eq!(receipts, 1, "a private receipt left: {kinds:?}");
}

async fn reads(here: &Here, room: &RoomId, event: &OwnedEventId, private: bool) {
    let sequence = here.reader.view().event(event).unwrap().unwrap().sequence;
    let user = here.server.user("ann");
    let actor = Actor::for_server(user, Millis(now()));
    let mark = ReadMark { room_id: room.to_owned(), event_id: event.clone(), private };
    here.server.commands.note_receipt(&actor, &mark, sequence).await.unwrap();
}

#[tokio::test]
async fn rooms_without_the_server_tell_it_nothing() {
    let (here, peer, room) = joined().await;
    let (ann, carl) = (here.server.user("ann"), here.server.user("carl"));
    let other = here.server.create("carl", &rookery_domain::CreateRoom::default(), now()).await;
    caught_up(&here).await;
    let how_long = Some(std::time::Duration::from_secs(20));
    here.ephemeral.type_in(&other, &carl, "phone", how_long);
    here.ephemeral.choose(&carl, "phone", Presence::Online, None);
    here.ephemeral.type_in(&room, &ann, "phone", how_long);
    until(&peer, |kind, _| kind == "m.typing").await;
    let all = messages(&peer.taken.tries.lock());
    assert!(all.iter().all(|(_, it)| !it.to_string().contains("@carl")), "{all:?}");
}

#[tokio::test]
async fn a_server_that_joins_learns_who_is_there() {
    let certificate = Arc::new(Certificate::new());
    let (here, peer) = (Here::open(&certificate).await, Peer::open(&certificate).await);
    let room = here.public_room().await;
    let ann = here.server.user("ann");
    here.ephemeral.choose(&ann, "phone", Presence::Online, None);
    peer.join(&here, &room).await;
    until(&peer, |kind, it| kind == "m.presence" && it["push"][0]["user_id"] == ann.as_str()).await;
}

#[tokio::test]
async fn states_for_a_server_that_is_away_are_dropped() {
    let (here, peer, room) = joined().await;
    let ann = here.server.user("ann");
    *peer.taken.is_down.lock() = true;
    here.say(&room, "one").await;
    peer.taken.until(|tries| tries.len() >= 2).await;
    let how_long = Some(std::time::Duration::from_secs(20));
    here.ephemeral.type_in(&room, &ann, "phone", how_long);
    here.ephemeral.choose(&ann, "phone", Presence::Online, None);
    *peer.taken.is_down.lock() = false;
    let event = said(&here, &room, "two").await;
    let has_two = |tries: &[(String, Bytes)]| {
        tries.iter().any(|(_, body)| String::from_utf8_lossy(body).contains("\"two\""))
    };
    peer.taken.until(has_two).await;
    // The peer is back, so it gets the next receipt.
    reads(&here, &room, &event, false).await;
    until(&peer, |kind, _| kind == "m.receipt").await;
    let away = messages(&peer.taken.tries.lock());
    assert!(away.iter().all(|(kind, _)| kind == "m.receipt"), "{away:?}");
}

#[tokio::test]
async fn states_that_are_not_answered_do_not_delay_events() {
    let (here, peer, room) = joined().await;
    *peer.taken.stalls_messages.lock() = true;
    let ann = here.server.user("ann");
    here.ephemeral.type_in(&room, &ann, "phone", Some(std::time::Duration::from_secs(20)));
    until(&peer, |kind, _| kind == "m.typing").await;
    let began = std::time::Instant::now();
    here.say(&room, "overtakes").await;
    let is_there = |tries: &[(String, Bytes)]| {
        tries.iter().any(|(_, body)| String::from_utf8_lossy(body).contains("overtakes"))
    };
    peer.taken.until(is_there).await;
    // The states alone would have kept the connection for this long.
    assert!(began.elapsed() < crate::sender::MESSAGES_TIME_MAX, "{:?}", began.elapsed());
    let status = here.federation.status();
    assert!(status.iter().all(|it| it.failures == 0), "{status:?}");
}
