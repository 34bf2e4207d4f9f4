//! Joins of another server, and what it may read then.

use std::sync::Arc;

use rookery_domain::{CreateRoom, JoinRule, OwnedEventId, OwnedRoomId};
use serde_json::{Value, json};

use super::{
    peer::Peer,
    world::{Certificate, Here, now},
};
use crate::paths::percent;

async fn both() -> (Here, Peer) {
    let certificate = Arc::new(Certificate::new());
    (Here::open(&certificate).await, Peer::open(&certificate).await)
}

fn kinds(events: &Value) -> Vec<&str> {
    events.as_array().unwrap().iter().filter_map(|event| event["type"].as_str()).collect()
}

#[tokio::test]
async fn another_server_joins_and_gets_the_state_and_what_authorises_it() {
    let (here, peer) = both().await;
    let room = here.public_room().await;
    let (id, joined) = peer.join(&here, &room).await;
    let state = kinds(&joined["state"]);
    for kind in ["m.room.create", "m.room.power_levels", "m.room.join_rules", "m.room.member"] {
        assert!(state.contains(&kind), "{kind}: {state:?}");
    }
    // The create event of such a room is implied, so no event names it.
    assert!(kinds(&joined["auth_chain"]).contains(&"m.room.power_levels"));
    let signed = joined["state"].as_array().unwrap().iter();
    assert!(signed.clone().all(|it| it["signatures"][here.name.as_str()].is_object()));
    // The same join again gets the same answer.
    let (segment, event) = (percent(room.as_str()), percent(id.as_str()));
    let path = format!("/_matrix/federation/v2/send_join/{segment}/{event}");
    let again = peer.ask(&here, "PUT", &path, Some(joined["event"].clone())).await;
    assert_eq!((again.0, kinds(&again.1["state"])), (200, state));
}

#[tokio::test]
async fn a_server_reads_only_rooms_that_it_is_in() {
    let (here, peer) = both().await;
    let room = here.public_room().await;
    let segment = percent(room.as_str());
    let paths = |event: &OwnedEventId| {
        let event = percent(event.as_str());
        [
            format!("/_matrix/federation/v1/event/{event}"),
            format!("/_matrix/federation/v1/event_auth/{segment}/{event}"),
            format!("/_matrix/federation/v1/state/{segment}?event_id={event}"),
            format!("/_matrix/federation/v1/state_ids/{segment}?event_id={event}"),
            format!("/_matrix/federation/v1/backfill/{segment}?v={event}&limit=10"),
            format!("/_matrix/federation/v1/timestamp_to_event/{segment}?ts=1&dir=f"),
        ]
    };
    let create: OwnedEventId = room.as_str().replacen('!', "$", 1).try_into().unwrap();
    let gap = format!("/_matrix/federation/v1/get_missing_events/{segment}");
    let asked = json!({ "earliest_events": [], "latest_events": [create], "limit": 10 });
    for path in paths(&create) {
        let (status, body) = peer.ask(&here, "GET", &path, None).await;
        assert!(matches!(status, 403 | 404), "{path}: {status} {body}");
        assert!(matches!(body["errcode"].as_str(), Some("M_FORBIDDEN" | "M_NOT_FOUND")), "{body}");
    }
    assert_eq!(peer.ask(&here, "POST", &gap, Some(asked.clone())).await.0, 403);
    let (id, _) = peer.join(&here, &room).await;
    for path in paths(&id) {
        let (status, body) = peer.ask(&here, "GET", &path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    let asked = json!({ "earliest_events": [], "latest_events": [id], "limit": 100 });
    let (status, body) = peer.ask(&here, "POST", &gap, Some(asked)).await;
    assert_eq!((status, kinds(&body["events"])[0]), (200, "m.room.create"));
}

/// The template of a membership of the peer's user, completed.
async fn completed(
    here: &Here,
    peer: &Peer,
    (room, what): (&OwnedRoomId, &str),
) -> (OwnedEventId, Value) {
    let (segment, user) = (percent(room.as_str()), percent(peer.user().as_str()));
    let make = format!("/_matrix/federation/v1/make_{what}/{segment}/{user}?ver=11&ver=12");
    let (status, template) = peer.ask(here, "GET", &make, None).await;
    assert_eq!(status, 200, "{template}");
    peer.complete(&template)
}

/// The answer to a completed membership.
async fn handed_in(
    here: &Here,
    peer: &Peer,
    (room, what): (&OwnedRoomId, &str),
    (id, event): &(OwnedEventId, Value),
) -> (u16, Value) {
    let (segment, id) = (percent(room.as_str()), percent(id.as_str()));
    let path = format!("/_matrix/federation/v2/send_{what}/{segment}/{id}");
    peer.ask(here, "PUT", &path, Some(event.clone())).await
}

#[tokio::test]
async fn a_user_who_left_the_allowed_room_is_not_let_in_with_an_older_template() {
    let (here, peer) = both().await;
    let lobby = here.public_room().await;
    let rule = Some(JoinRule::Restricted(vec![lobby.clone()]));
    let create = CreateRoom { join_rule: rule, ..CreateRoom::default() };
    let room = here.server.create("ann", &create, now()).await;
    peer.join(&here, &lobby).await;
    let join = completed(&here, &peer, (&room, "join")).await;
    assert!(join.1["content"]["join_authorised_via_users_server"].is_string(), "{}", join.1);
    let leave = completed(&here, &peer, (&lobby, "leave")).await;
    assert_eq!(handed_in(&here, &peer, (&lobby, "leave"), &leave).await.0, 200);
    let (status, body) = handed_in(&here, &peer, (&room, "join"), &join).await;
    assert_eq!((status, body["errcode"].as_str()), (403, Some("M_FORBIDDEN")), "{body}");
    peer.join(&here, &lobby).await;
    let (status, body) = handed_in(&here, &peer, (&room, "join"), &join).await;
    assert_eq!(status, 200, "{body}");
    assert!(body["event"]["signatures"][here.name.as_str()].is_object(), "{body}");
}

#[tokio::test]
async fn a_join_that_is_not_what_its_path_says_is_refused() {
    let (here, peer) = both().await;
    let room = here.public_room().await;
    let (segment, user) = (percent(room.as_str()), percent(peer.user().as_str()));
    let make = format!("/_matrix/federation/v1/make_join/{segment}/{user}");
    let (status, body) = peer.ask(&here, "GET", &format!("{make}?ver=1"), None).await;
    assert_eq!((status, body["errcode"].as_str()), (400, Some("M_INCOMPATIBLE_ROOM_VERSION")));
    assert!(body["room_version"].is_string(), "{body}");
    let stranger = percent("@eve:other.example");
    let other = format!("/_matrix/federation/v1/make_join/{segment}/{stranger}?ver=12&ver=11");
    assert_eq!(peer.ask(&here, "GET", &other, None).await.0, 403);
    let (_, template) = peer.ask(&here, "GET", &format!("{make}?ver=11&ver=12"), None).await;
    let (id, event) = peer.complete(&template);
    let path = |id: &str| format!("/_matrix/federation/v2/send_join/{segment}/{}", percent(id));
    let wrong = "$wrongwrongwrongwrongwrongwrongwrongwrongwrongw";
    let (status, _) = peer.ask(&here, "PUT", &path(wrong), Some(event.clone())).await;
    assert_eq!(status, 400);
    let leave = format!("/_matrix/federation/v2/send_leave/{segment}/{}", percent(id.as_str()));
    assert_eq!(peer.ask(&here, "PUT", &leave, Some(event.clone())).await.0, 400);
    let mut unsigned = event;
    unsigned["signatures"] = json!({});
    assert_eq!(peer.ask(&here, "PUT", &path(id.as_str()), Some(unsigned)).await.0, 403);
}
