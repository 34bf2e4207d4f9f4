//! Requests that nobody should send.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, http::header::LOCATION, response::AppendHeaders, routing::get};
use rookery_domain::{OwnedServerName, Room, SigningKey};
use serde_json::{Value, json};

use super::{
    peer::Peer,
    world::{Certificate, Here},
};
use crate::{
    Listener, OwnKeys,
    discovery::follow,
    inbound::{BODY_BYTES_MAX, EDUS_MAX, PDUS_MAX, STRANGER_REJECTED_PACE},
};

const SEND: &str = "/_matrix/federation/v1/send/1";

async fn both() -> (Here, Peer) {
    let certificate = Arc::new(Certificate::new());
    (Here::open(&certificate).await, Peer::open(&certificate).await)
}

fn code((status, body): &(u16, Value)) -> (u16, &str) {
    (*status, body["errcode"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_transaction_beyond_its_bounds_is_refused() {
    let (here, peer) = both().await;
    let many = |pdus: usize, edus: usize| {
        Some(json!({ "pdus": vec![json!({}); pdus], "edus": vec![json!({}); edus] }))
    };
    for (pdus, edus, status) in
        [(PDUS_MAX + 1, 0, 400), (0, EDUS_MAX + 1, 400), (PDUS_MAX, EDUS_MAX, 200)]
    {
        let answer = peer.ask(&here, "PUT", SEND, many(pdus, edus)).await;
        assert_eq!(answer.0, status, "{pdus} {edus}: {}", answer.1);
    }
    let body = Some(json!({ "x": "y".repeat(1024 * 1024) }));
    let answer = peer.ask(&here, "PUT", "/_matrix/federation/v1/invite/x", body).await;
    assert_eq!(code(&answer), (404, "M_UNRECOGNIZED"));
    let body = Some(json!({ "x": "y".repeat(1024 * 1024) }));
    let gap = "/_matrix/federation/v1/get_missing_events/%21x%3Aone.example";
    assert_eq!(code(&peer.ask(&here, "POST", gap, body).await), (413, "M_TOO_LARGE"));
}

#[tokio::test]
async fn nothing_is_answered_without_a_valid_signature() {
    let (here, peer) = both().await;
    let path = "/_matrix/federation/v1/query/profile?user_id=%40ann%3Aone.example";
    let unsigned = peer.send(&here, ("GET", path, Vec::new()), None).await;
    assert_eq!(code(&unsigned), (401, "M_UNAUTHORIZED"));
    let elsewhere = OwnedServerName::try_from("two.example").unwrap();
    let astray = peer.ask_as(&here, ("GET", path, None), &elsewhere).await;
    assert_eq!(code(&astray), (401, "M_UNAUTHORIZED"));
    let forged = format!(
        "X-Matrix origin=\"{}\",destination=\"{}\",key=\"ed25519:peer\",sig=\"AAAA\"",
        peer.name, here.name
    );
    let forged = peer.send(&here, ("GET", path, Vec::new()), Some(&forged)).await;
    assert_eq!(code(&forged), (401, "M_UNAUTHORIZED"));
    let own = format!("X-Matrix origin=\"{}\",key=\"ed25519:sim\",sig=\"AAAA\"", here.name);
    let own = peer.send(&here, ("GET", path, Vec::new()), Some(&own)).await;
    assert_eq!(code(&own), (401, "M_UNAUTHORIZED"));
    // The signed request is answered: there is no such user.
    assert_eq!(code(&peer.ask(&here, "GET", path, None).await), (404, "M_NOT_FOUND"));
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_by_name() {
    let (here, peer) = both().await;
    let header = format!(
        "X-Matrix origin=\"{}\",destination=\"{}\",key=\"ed25519:peer\",sig=\"AAAA\"",
        peer.name, here.name
    );
    let deep = [vec![b'['; 5_000], vec![b']'; 5_000]].concat();
    for body in [b"{".to_vec(), b"{\"a\":1.5}".to_vec(), deep] {
        let answer = peer.send(&here, ("PUT", SEND, body), Some(&header)).await;
        assert_eq!(code(&answer), (400, "M_NOT_JSON"));
    }
}

#[tokio::test]
async fn a_transaction_that_comes_again_gets_its_first_answer_and_changes_nothing() {
    let (here, peer) = both().await;
    let room = here.public_room().await;
    let (id, mut joined) = peer.join(&here, &room).await;
    joined["id"] = json!(id);
    let message = peer.message(&joined, &id, "once");
    let body = || Some(json!({ "pdus": [message.clone()], "edus": [] }));
    let first = peer.ask(&here, "PUT", SEND, body()).await;
    let own = message["unsigned"]["id"].as_str().unwrap();
    assert_eq!((first.0, &first.1["pdus"][own]), (200, &json!({})), "{}", first.1);
    let length = || here.server.log.tail().borrow().0;
    let before = length();
    assert_eq!(peer.ask(&here, "PUT", SEND, body()).await, first);
    // The answer is that of the transaction, whatever the body says the second time.
    let other = Some(json!({ "pdus": [], "edus": [] }));
    assert_eq!(peer.ask(&here, "PUT", SEND, other).await, first);
    // The same event in another transaction is known.
    let again = peer.ask(&here, "PUT", "/_matrix/federation/v1/send/2", body()).await;
    assert_eq!(again.1["pdus"], first.1["pdus"]);
    assert_eq!(length(), before);
}

#[tokio::test]
async fn a_redirect_to_an_address_that_may_not_be_reached_ends_there() {
    let certificate = Certificate::new();
    let files = certificate.files();
    let hidden = Listener::bind("127.0.0.1:0".parse().unwrap(), Some(&files)).await.unwrap();
    let to = format!("https://{}/secret", hidden.address().unwrap());
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let secret = get(move || async move {
        counted.fetch_add(1, Ordering::Relaxed);
        "{\"m.server\":\"two.example\"}"
    });
    tokio::spawn(hidden.serve(Router::new().route("/secret", secret)));
    let open = Listener::bind("127.0.0.2:0".parse().unwrap(), Some(&files)).await.unwrap();
    let url = format!("https://{}/x", open.address().unwrap());
    let there = to.clone();
    let redirect = get(move || async move {
        (axum::http::StatusCode::FOUND, AppendHeaders([(LOCATION, there)]))
    });
    tokio::spawn(open.serve(Router::new().route("/x", redirect)));
    let second: IpAddr = "127.0.0.2".parse().unwrap();
    let refused = follow(&certificate.client_for(move |it| it == second), url.clone()).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("127.0.0.1"), "{refused}");
    assert_eq!(reached.load(Ordering::Relaxed), 0);
    // A client that may reach both follows.
    let followed = follow(&certificate.client(), url).await.unwrap();
    assert_eq!((followed.server.as_str(), reached.load(Ordering::Relaxed)), ("two.example", 1));
}

#[tokio::test]
async fn keys_of_another_server_or_without_its_signature_do_not_count() {
    let (here, peer) = both().await;
    let path = "/_matrix/federation/v1/query/profile?user_id=%40ann%3Aone.example";
    let published = peer.taken.keys.lock().clone();
    // The peer gives the keys of another name, which is not its own.
    let other = OwnKeys {
        server_name: "other.example".try_into().unwrap(),
        current: Arc::new(SigningKey::from_seed([3; 32], "peer").unwrap()),
        old: Vec::new(),
    };
    let foreign = other.published(super::world::now()).unwrap();
    let altered = published.replace("\"valid_until_ts\":1", "\"valid_until_ts\":2");
    let endless = format!("{{\"x\":\"{}\"}}", "y".repeat(300 * 1024));
    for keys in [foreign, altered, endless, "[]".to_owned()] {
        // Another server that asks for the first time.
        let here = Here::open(&here.certificate).await;
        *peer.taken.keys.lock() = keys;
        let answer = peer.ask(&here, "GET", path, None).await;
        assert_eq!(code(&answer), (401, "M_UNAUTHORIZED"), "{}", answer.1);
    }
    *peer.taken.keys.lock() = published;
    assert_eq!(code(&peer.ask(&here, "GET", path, None).await), (404, "M_NOT_FOUND"));
}

#[tokio::test]
async fn a_stranger_fills_the_log_with_a_bounded_number_of_rejected_events() {
    let (here, peer) = both().await;
    let room = here.public_room().await;
    let look = |room: Option<&Room>| {
        let room = room.unwrap();
        let levels = room.state("m.room.power_levels", "").unwrap().event_id.clone();
        (room.forward_extremities().to_vec(), levels, room.version().unwrap().to_string())
    };
    let (ends, levels, version) = here.server.commands.look_at_room(&room, look).await.unwrap();
    let mut number = 0;
    let mut forged = || {
        number += 1;
        let event = json!({
            "room_id": room, "type": "m.room.message", "depth": 100, "prev_events": ends,
            "auth_events": [levels], "content": { "msgtype": "m.text", "body": number.to_string() },
        });
        peer.complete(&json!({ "room_version": version, "event": event })).1
    };
    let before = here.server.log.tail().borrow().0;
    let mut last = Value::Null;
    for transaction in 0..6 {
        let pdus: Vec<_> = (0..PDUS_MAX).map(|_| forged()).collect();
        let path = format!("/_matrix/federation/v1/send/{transaction}");
        let (status, answer) =
            peer.ask(&here, "PUT", &path, Some(json!({ "pdus": pdus, "edus": [] }))).await;
        assert_eq!(status, 200, "{answer}");
        let outcomes = answer["pdus"].as_object().unwrap();
        assert_eq!(outcomes.len(), PDUS_MAX);
        assert!(outcomes.values().all(|it| it["error"].is_string()), "{answer}");
        last = outcomes.values().next().unwrap()["error"].clone();
    }
    assert!(last.as_str().unwrap().contains("too many"), "{last}");
    let kept = kept_after(&here, before).await;
    let most = usize::try_from(STRANGER_REJECTED_PACE.burst).unwrap() + PDUS_MAX;
    assert!((1..=most).contains(&kept), "{kept}");
    // The room goes on.
    here.say(&room, "still here").await;
    peer.join(&here, &room).await;
}

/// How many events the log took after a position.
async fn kept_after(here: &Here, position: u64) -> usize {
    let after = rookery_log::Position(position);
    let records = here.server.log.read(&rookery_log::Scope::All, after, 1_000).await.unwrap();
    records.iter().map(|record| record.commit.events.len()).sum()
}

#[tokio::test]
async fn bodies_have_a_bound_for_each_endpoint() {
    let (here, peer) = both().await;
    let body = |bytes: usize| Some(json!({ "x": "y".repeat(bytes) }));
    let join = "/_matrix/federation/v2/send_join/%21x%3Aone.example/%24x";
    let large = peer.ask(&here, "PUT", join, body(BODY_BYTES_MAX)).await;
    assert_eq!(code(&large), (413, "M_TOO_LARGE"));
    assert_ne!(peer.ask(&here, "PUT", join, body(BODY_BYTES_MAX / 2)).await.0, 413);
    // A long body is checked in another thread, with the same answers.
    let (long, short) = (body(2 * BODY_BYTES_MAX), body(1));
    assert_eq!(peer.ask(&here, "PUT", SEND, long.clone()).await.0, 200);
    let forged = format!(
        "X-Matrix origin=\"{}\",destination=\"{}\",key=\"ed25519:peer\",sig=\"AAAA\"",
        peer.name, here.name
    );
    for body in [long, short] {
        let bytes = serde_json::to_vec(&body.unwrap()).unwrap();
        let answer = peer.send(&here, ("PUT", SEND, bytes), Some(&forged)).await;
        assert_eq!(code(&answer), (401, "M_UNAUTHORIZED"));
    }
    let cut = vec![b'['; 2 * BODY_BYTES_MAX];
    let answer = peer.send(&here, ("PUT", SEND, cut), Some(&forged)).await;
    assert_eq!(code(&answer), (400, "M_NOT_JSON"));
}
