//! Directories and profiles, both ways.

use std::sync::Arc;

use rookery_domain::{CreateRoom, OwnedServerName, OwnedUserId, Preset};
use rookery_view::{OtherServers, WantedElsewhere};
use serde_json::{Value, json};

use super::{
    peer::Peer,
    world::{Certificate, Here, now},
};
use crate::lookups::LOOKUPS_PACE;

const PATH: &str = "/_matrix/federation/v1/publicRooms";

async fn both() -> (Here, Peer) {
    let certificate = Arc::new(Certificate::new());
    (Here::open(&certificate).await, Peer::open(&certificate).await)
}

async fn listed(here: &Here, names: &[&str]) {
    for name in names {
        let create = CreateRoom {
            preset: Preset::Public,
            listed: true,
            name: Some((*name).to_owned()),
            ..CreateRoom::default()
        };
        here.server.create("ann", &create, now()).await;
    }
    let tail = *here.server.log.tail().borrow();
    here.reader.wait_for(tail, std::time::Duration::from_mins(1)).await.unwrap();
}

/// The peer answers each request with this from now on.
fn answers(peer: &Peer, status: u16, answer: Value) {
    *peer.taken.answers.lock() = Some(Box::new(move |_| (status, answer.clone())));
}

fn names(page: &Value) -> Vec<&str> {
    page["chunk"].as_array().unwrap().iter().map(|room| room["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn other_servers_read_the_public_directory_in_pages_and_search_it() {
    let (here, peer) = both().await;
    listed(&here, &["garden", "kitchen", "garage"]).await;
    here.public_room().await;
    let (status, first) = peer.ask(&here, "GET", &format!("{PATH}?limit=2"), None).await;
    assert_eq!((status, names(&first).len()), (200, 2), "{first}");
    assert_eq!(first["total_room_count_estimate"], 3);
    let room = &first["chunk"][0];
    assert_eq!((&room["num_joined_members"], &room["join_rule"]), (&json!(1), &json!("public")));
    let since = first["next_batch"].as_str().unwrap();
    let path = format!("{PATH}?limit=2&since={since}");
    let (_, second) = peer.ask(&here, "GET", &path, None).await;
    assert_eq!((names(&second).len(), second.get("next_batch")), (1, None), "{second}");
    let mut all = [names(&first), names(&second)].concat();
    all.sort_unstable();
    assert_eq!(all, ["garage", "garden", "kitchen"]);
    let search = json!({ "limit": 10, "filter": { "generic_search_term": "GAR" } });
    let (status, found) = peer.ask(&here, "POST", PATH, Some(search)).await;
    assert_eq!((status, names(&found).len()), (200, 2), "{found}");
    for (wrong, body) in [
        (format!("{PATH}?limit=x"), None),
        (format!("{PATH}?since=abc"), None),
        (PATH.to_owned(), Some(json!({ "since": "x" }))),
    ] {
        let method = if body.is_some() { "POST" } else { "GET" };
        let (status, answer) = peer.ask(&here, method, &wrong, body).await;
        assert_eq!((status, answer["errcode"].as_str()), (400, Some("M_INVALID_PARAM")), "{wrong}");
    }
}

#[tokio::test]
async fn the_directory_is_not_shown_unless_the_operator_says_so() {
    let certificate = Arc::new(Certificate::new());
    let here = Here::open_hiding(&certificate).await;
    let peer = Peer::open(&certificate).await;
    let (status, answer) = peer.ask(&here, "GET", PATH, None).await;
    assert_eq!((status, answer["errcode"].as_str()), (403, Some("M_FORBIDDEN")), "{answer}");
}

#[tokio::test]
async fn users_read_the_directory_of_another_server() {
    let (here, peer) = both().await;
    let room = |number: usize| {
        json!({
            "room_id": format!("!room{number}:elsewhere.example"), "name": format!("room {number}"),
            "num_joined_members": number, "world_readable": number == 1, "guest_can_join": true,
            "canonical_alias": "#alias:elsewhere.example", "topic": "x".repeat(5_000),
        })
    };
    let page = json!({
        "chunk": (0..5).map(room).collect::<Vec<_>>(), "next_batch": "more",
        "total_room_count_estimate": 7,
    });
    answers(&peer, 200, page);
    let ann = here.server.user("ann");
    let wanted = WantedElsewhere { search: Some("room"), after: Some("here & there"), limit: 3 };
    let found = here.federation.public_rooms(&ann, &peer.name, wanted).await.unwrap();
    assert_eq!((found.rooms.len(), found.next.as_deref(), found.total), (3, Some("more"), Some(7)));
    let (id, described) = &found.rooms[1];
    assert_eq!(id.as_str(), "!room1:elsewhere.example");
    assert_eq!((described.name.as_deref(), described.member_count), (Some("room 1"), Some(1)));
    // A text that is too long is left out.
    assert_eq!((described.topic.as_deref(), described.canonical_alias.is_some()), (None, true));
    let (_, _, asked) = peer.taken.asked.lock().last().unwrap().clone();
    let asked: Value = serde_json::from_slice(&asked).unwrap();
    assert_eq!(asked["filter"]["generic_search_term"], "room");
    assert_eq!((&asked["since"], &asked["limit"]), (&json!("here & there"), &json!(3)));
    // Answers that are no directory, and those that never end, are named.
    for wrong in [json!([]), json!({}), json!({ "chunk": "x".repeat(2 * 1024 * 1024) })] {
        answers(&peer, 200, wrong);
        let refused = here.federation.public_rooms(&ann, &peer.name, wanted).await.unwrap_err();
        assert!(refused.to_string().contains(peer.name.as_str()), "{refused}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_and_each_user_has_a_rate() {
    let (here, peer) = both().await;
    let nobody = OwnedServerName::try_from("localhost:1").unwrap();
    let (ann, carl) = (here.server.user("ann"), here.server.user("carl"));
    answers(&peer, 200, json!({ "chunk": [] }));
    let wanted = WantedElsewhere { search: None, after: None, limit: 3 };
    let ask = async |user, server| {
        let asked = here.federation.public_rooms(user, server, wanted).await;
        asked.map(drop).map_err(|error| error.to_string())
    };
    let refused = ask(&ann, &nobody).await.unwrap_err();
    assert!(refused.starts_with("localhost:1: "), "{refused}");
    let mut answered = 0;
    while ask(&ann, &peer.name).await.is_ok_and(|()| answered < LOOKUPS_PACE.burst * 2) {
        answered += 1;
    }
    assert!((LOOKUPS_PACE.burst - 1..LOOKUPS_PACE.burst * 2).contains(&answered), "{answered}");
    assert_eq!(ask(&carl, &peer.name).await, Ok(()));
}

#[tokio::test]
async fn profiles_of_users_of_other_servers_are_asked_for_once() {
    let (here, peer) = both().await;
    let (ann, bob) = (here.server.user("ann"), peer.user());
    answers(&peer, 200, json!({ "displayname": "Bob", "avatar_url": 7 }));
    let found = here.federation.profile(&ann, &bob).await.unwrap();
    assert_eq!((found.displayname.as_deref(), found.avatar_url), (Some("Bob"), None));
    answers(&peer, 404, json!({ "errcode": "M_NOT_FOUND" }));
    assert!(here.federation.profile(&ann, &bob).await.is_some());
    let nobody: OwnedUserId = format!("@nobody:{}", peer.name).try_into().unwrap();
    assert_eq!(here.federation.profile(&ann, &nobody).await, None);
    answers(&peer, 200, json!({}));
    assert_eq!(here.federation.profile(&ann, &nobody).await, None);
}
