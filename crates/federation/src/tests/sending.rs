//! Transactions to another server.

mod states;

use std::{collections::BTreeSet, sync::Arc};

use axum::body::Bytes;
use serde_json::Value;

use super::{
    peer::Peer,
    world::{Certificate, Here},
};

/// The texts of the messages in transactions, in order; each transaction counts once.
fn texts(tries: &[(String, Bytes)]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut texts = Vec::new();
    for (id, body) in tries {
        if !seen.insert(id.clone()) {
            continue;
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let pdus = body["pdus"].as_array().unwrap();
        assert!(pdus.len() <= 50, "{}", pdus.len());
        texts.extend(pdus.iter().filter_map(|it| Some(it["content"]["body"].as_str()?.to_owned())));
    }
    texts
}

async fn joined() -> (Here, Peer, rookery_domain::OwnedRoomId) {
    let certificate = Arc::new(Certificate::new());
    let (here, peer) = (Here::open(&certificate).await, Peer::open(&certificate).await);
    let room = here.public_room().await;
    here.say(&room, "before the join").await;
    peer.join(&here, &room).await;
    (here, peer, room)
}

#[tokio::test]
async fn messages_reach_a_server_once_and_in_order() {
    let (here, peer, room) = joined().await;
    let expected: Vec<_> = (0..120).map(|number| format!("m{number}")).collect();
    for text in &expected {
        here.say(&room, text).await;
    }
    peer.taken.until(|tries| texts(tries).len() >= expected.len()).await;
    assert_eq!(texts(&peer.taken.tries.lock()), expected);
}

#[tokio::test]
async fn transactions_to_a_server_share_a_connection() {
    let (here, peer, room) = joined().await;
    for number in 0..20 {
        let text = format!("m{number}");
        here.say(&room, &text).await;
        peer.taken.until(|tries| texts(tries).contains(&text)).await;
    }
    let connections: BTreeSet<_> = peer.taken.connections.lock().iter().copied().collect();
    assert!(peer.taken.tries.lock().len() >= 20);
    // Each made one before, so there were as many handshakes as tries. An answer may end just after the next request.
    assert!(connections.len() <= 3, "{connections:?}");
}

#[tokio::test]
async fn each_try_of_a_transaction_is_the_same_also_after_a_kill() {
    let (mut here, peer, room) = joined().await;
    *peer.taken.is_down.lock() = true;
    here.say(&room, "one").await;
    peer.taken.until(|tries| tries.len() >= 2).await;
    here.restart_sender().await;
    let before = peer.taken.tries.lock().len();
    here.say(&room, "two").await;
    peer.taken.until(|tries| tries.len() >= before + 2).await;
    *peer.taken.is_down.lock() = false;
    peer.taken.until(|tries| texts(tries).len() >= 2).await;
    let tries = peer.taken.tries.lock().clone();
    assert_eq!(texts(&tries), ["one", "two"]);
    let first = &tries[0];
    assert!(tries.iter().filter(|it| it.0 == first.0).all(|it| it.1 == first.1));
    // One transaction at a time: the first is repeated until it is taken.
    let second = tries.iter().position(|it| it.0 != first.0).unwrap();
    assert!(tries[second..].iter().all(|it| it.0 != first.0));
}

#[tokio::test]
async fn a_server_that_was_away_for_long_gets_the_last_event_of_each_room() {
    let (here, peer, room) = joined().await;
    *peer.taken.is_down.lock() = true;
    let many = crate::sender::PENDING_MAX + 100;
    for number in 0..many {
        here.say(&room, &format!("m{number}")).await;
    }
    let status = || here.federation.status().into_iter().find(|it| it.server == peer.name);
    peer.taken.until(|_| status().is_some_and(|it| it.is_behind)).await;
    *peer.taken.is_down.lock() = false;
    let last = format!("m{}", many - 1);
    peer.taken.until(|tries| texts(tries).contains(&last)).await;
    assert!(texts(&peer.taken.tries.lock()).len() < many / 2);
    // It follows again.
    here.say(&room, "after").await;
    peer.taken.until(|tries| texts(tries).contains(&"after".to_owned())).await;
}

/// Waits until the sender has routed everything, and returns the position in its file.
async fn stored(here: &Here) -> u64 {
    let home = here.federation.home();
    let end = *here.server.log.tail().borrow();
    while home.sender.routed().await < end {
        tokio::task::yield_now().await;
    }
    home.store.routed().await.unwrap().unwrap().0
}

#[tokio::test]
async fn messages_in_rooms_of_this_server_alone_seldom_write_to_the_file() {
    let (mut here, peer, room) = joined().await;
    here.say(&room, "first").await;
    peer.taken.until(|tries| texts(tries).len() == 1).await;
    let alone = here.public_room().await;
    let before = stored(&here).await;
    for number in 0..100 {
        here.say(&alone, &format!("m{number}")).await;
    }
    assert_eq!(stored(&here).await, before);
    // A restart routes them again, and sends nothing twice.
    here.restart_sender().await;
    here.say(&room, "second").await;
    peer.taken.until(|tries| texts(tries).len() >= 2).await;
    assert_eq!(texts(&peer.taken.tries.lock()), ["first", "second"]);
    for number in 0..crate::sender::STORED_EVERY {
        here.say(&alone, &format!("n{number}")).await;
    }
    assert!(stored(&here).await > before);
}

#[tokio::test]
async fn the_join_of_another_server_is_passed_on_after_a_kill() {
    let (mut here, peer, room) = joined().await;
    *peer.taken.is_down.lock() = true;
    here.say(&room, "one").await;
    peer.taken.until(|tries| !tries.is_empty()).await;
    let other = Peer::open(&here.certificate).await;
    other.join(&here, &room).await;
    stored(&here).await;
    // The join waits in memory, behind the transaction that is not taken.
    here.restart_sender().await;
    *peer.taken.is_down.lock() = false;
    let user = other.user();
    let has_join = |tries: &[(String, Bytes)]| {
        let bodies = tries.iter().map(|(_, body)| String::from_utf8_lossy(body).into_owned());
        bodies.into_iter().any(|body| body.contains(&format!("\"state_key\":\"{user}\"")))
    };
    peer.taken.until(has_join).await;
}
