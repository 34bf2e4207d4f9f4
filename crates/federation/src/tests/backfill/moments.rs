//! The events closest to a moment.

use std::sync::Arc;

use rookery_domain::{HistoryVisibility, OwnedEventId, OwnedRoomId};
use rookery_log::Millis;
use rookery_view::{Anchor, Unmetered, Viewer, Wanted};
use serde_json::Value;

use super::{
    super::{
        pair::{self, log_of, two, until_known},
        peer::Peer,
        world::{Certificate, Here},
    },
    page, room_with,
};
use crate::paths::percent;

/// The time and the ID of each event of a room.
async fn times(here: &Here, room: &OwnedRoomId) -> Vec<(u64, OwnedEventId)> {
    let events = log_of(here, room).await.into_iter();
    events.map(|it| (it.pdu.origin_server_ts.0.into(), it.pdu.event_id.clone())).collect()
}

async fn ask(peer: &Peer, here: &Here, room: &OwnedRoomId, query: &str) -> (u16, Value) {
    let path =
        format!("/_matrix/federation/v1/timestamp_to_event/{}{query}", percent(room.as_str()));
    peer.ask(here, "GET", &path, None).await
}

#[tokio::test]
async fn a_server_gets_the_event_closest_to_a_moment_in_each_direction() {
    let certificate = Arc::new(Certificate::new());
    let (here, peer) = (Here::open(&certificate).await, Peer::open(&certificate).await);
    let room = here.public_room().await;
    for number in 0..20 {
        here.say(&room, &format!("m{number}")).await;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let (status, body) = ask(&peer, &here, &room, "?ts=1&dir=f").await;
    assert_eq!((status, body["errcode"].as_str()), (403, Some("M_FORBIDDEN")), "{body}");
    let (join, _) = peer.join(&here, &room).await;
    until_known(&here, &join).await;
    let times = times(&here, &room).await;
    let at = times[times.len() / 2].0;
    let from = times.iter().filter(|(time, _)| *time >= at).map(|it| it.0).min().unwrap();
    let until = times.iter().filter(|(time, _)| *time <= at).map(|it| it.0).max().unwrap();
    for (direction, expected) in [("f", from), ("b", until)] {
        let (status, body) = ask(&peer, &here, &room, &format!("?ts={at}&dir={direction}")).await;
        assert_eq!((status, body["origin_server_ts"].as_u64()), (200, Some(expected)), "{body}");
        let id = body["event_id"].as_str().unwrap();
        assert!(times.iter().any(|(time, it)| *time == expected && it == id));
    }
    let far = u64::MAX / 4;
    for (query, status, code) in [
        (format!("?ts={far}&dir=f"), 404, "M_NOT_FOUND"),
        ("?ts=1&dir=b".to_owned(), 404, "M_NOT_FOUND"),
        ("?dir=b".to_owned(), 400, "M_MISSING_PARAM"),
        ("?ts=1".to_owned(), 400, "M_MISSING_PARAM"),
        ("?ts=-1&dir=b".to_owned(), 400, "M_INVALID_PARAM"),
        ("?ts=1&dir=x".to_owned(), 400, "M_INVALID_PARAM"),
    ] {
        let (found, body) = ask(&peer, &here, &room, &query).await;
        assert_eq!((found, body["errcode"].as_str()), (status, Some(code)), "{query}: {body}");
    }
}

#[tokio::test]
async fn a_server_gets_no_event_that_it_may_not_see() {
    let certificate = Arc::new(Certificate::new());
    let (here, peer) = (Here::open(&certificate).await, Peer::open(&certificate).await);
    let room = room_with(&here, HistoryVisibility::Joined).await;
    here.say(&room, "hidden").await;
    let hidden = log_of(&here, &room).await.pop().unwrap().pdu;
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let (join, _) = peer.join(&here, &room).await;
    until_known(&here, &join).await;
    let at = u64::from(hidden.origin_server_ts.0);
    let (status, body) = ask(&peer, &here, &room, &format!("?ts={at}&dir=f")).await;
    assert_eq!(status, 200, "{body}");
    assert_ne!(body["event_id"].as_str(), Some(hidden.event_id.as_str()));
}

#[tokio::test]
async fn a_moment_before_a_join_is_reached_by_asking_for_history() {
    let (here, there) = two().await;
    let room = room_with(&there, HistoryVisibility::Shared).await;
    for number in 0..240 {
        there.say(&room, &format!("m{number}")).await;
        if number == 60 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    let join = pair::join(&here, &there, &room).await;
    until_known(&here, &join).await;
    let zoe = here.server.user("zoe");
    let all = log_of(&there, &room).await;
    let wanted = all.iter().find(|it| it.pdu.content.get().contains("\"m61\"")).unwrap();
    let at = Millis(wanted.pdu.origin_server_ts.0.into());
    let stranger = here.server.user("stranger");
    here.reader.reach_back(&room, &stranger, at, &here.federation).await.unwrap();
    let alone = page(&here, &room, (&zoe, Anchor::Start, 10), false).await;
    assert_eq!(alone.events.len(), 1, "only members ask");
    here.reader.reach_back(&room, &zoe, at, &here.federation).await.unwrap();
    let moment = here.reader.moment(&room, at, &Unmetered).await.unwrap();
    let first = Wanted { anchor: moment.from, limit: 1, filter: None, until: None };
    let found = here.reader.timeline(&room, &Viewer::User(zoe.clone()), first).await.unwrap();
    let found = &found.events[0].event().pdu;
    assert_eq!(found.origin_server_ts, wanted.pdu.origin_server_ts);
    // Pages beyond it are left for those who scroll there.
    assert!(!here.server.commands.missing_before(&room, &[], 1).await.unwrap().is_empty());
    // A moment that is here asks for nothing.
    let before = log_of(&here, &room).await.len();
    here.reader.reach_back(&room, &zoe, at, &here.federation).await.unwrap();
    assert_eq!(log_of(&here, &room).await.len(), before);
}
