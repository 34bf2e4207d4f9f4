//! Servers that share a room, and clients of one of them that follow it through the schema.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod client;
mod home;

use proptest::prelude::*;
use rookery_command::testing::Folded;
use rookery_domain::RoomVersionId;
use serde_json::{Value, json};

use self::{client::Client, home::Home};

const VERSIONS: [RoomVersionId; 3] = [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12];

/// Users of the home server, each with a client that asks for late events and one that does not.
fn clients(home: &Home) -> Vec<Client> {
    let users = ["ann", "ben", "cat"].map(|name| home.world.servers[0].user(name));
    let clients = users.into_iter().flat_map(|user| [(user.clone(), false), (user, true)]);
    clients.map(|(user, late)| Client::new(user, late)).collect()
}

/// Plays and checks a history. Returns whether each client asked for late events, how many it
/// received, and the log at the end.
async fn servers_meet(
    seed: u64,
    version: RoomVersionId,
    rounds: usize,
    rogue: bool,
) -> (Vec<(bool, usize)>, Folded) {
    let mut home = Home::open(seed, version).await;
    let mut clients = clients(&home);
    home.world.join_all().await;
    if rogue {
        home.world.invite_rogue().await;
    }
    for round in 0..rounds {
        home.world.run(6).await;
        home.settle().await;
        // One of them reads, as often as the seed says, and resumes where it was.
        let which = (usize::try_from(seed).unwrap() + round * 5) % clients.len();
        clients[which].poll(&home, 1 + (round * 7) % 40).await;
    }
    home.world.settle().await;
    home.settle().await;
    let truth = home.truth().await;
    for client in &mut clients {
        while client.poll(&home, 100).await {}
        client.check(&home, &truth).await;
    }
    home.check_timeline(&truth).await;
    assert_eq!(home.models.verify(|_| {}).await.unwrap(), []);
    home.close().await;
    (clients.iter().map(|client| (client.late, client.told_late)).collect(), truth)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn clients_end_with_the_state_that_all_servers_come_to(
        seed: u32, version in 0usize..3, rounds in 4usize..14, rogue: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(servers_meet(seed.into(), VERSIONS[version].clone(), rounds, rogue));
    }
}

/// A history with all cases, so that the property above is not empty.
#[tokio::test]
async fn late_events_are_told_to_those_alone_who_asked() {
    let (told, truth) = servers_meet(3, RoomVersionId::V12, 14, true).await;
    let (asked, others): (Vec<_>, Vec<_>) = told.iter().partition(|(late, _)| *late);
    assert!(asked.iter().any(|(_, count)| *count > 0), "some asked, and were told");
    assert!(others.iter().all(|(_, count)| *count == 0));
    assert!(!truth.rejected.is_empty() && !truth.soft_failed.is_empty(), "{truth:?}");
}

#[tokio::test]
async fn a_room_names_its_servers_and_users_say_whether_they_are_of_another_one() {
    let mut home = Home::open(1, RoomVersionId::V12).await;
    home.world.join_all().await;
    home.world.settle().await;
    home.settle().await;
    let ann = home.world.servers[0].user("ann");
    let document = "query($room: RoomID!, $after: String) { room(by: { roomId: $room }) {
        servers(first: 2, after: $after) {
            nodes { name memberCount isRemote } pageInfo { hasNextPage endCursor } }
        members(first: 100) { nodes { user { userId isRemote } } } } }";
    let mut variables = json!({ "room": home.world.room_id });
    let first = home.ask(&ann, document, variables.clone()).await["room"].take();
    assert_eq!(first["servers"]["pageInfo"]["hasNextPage"], true, "{first}");
    variables["after"] = first["servers"]["pageInfo"]["endCursor"].clone();
    let second = home.ask(&ann, document, variables.clone()).await["room"].take();
    let nodes = |page: &Value| page["servers"]["nodes"].as_array().unwrap().clone();
    let servers = [nodes(&first), nodes(&second)].concat();
    let members = first["members"]["nodes"].as_array().unwrap();
    let of = |server: &str| {
        let end = format!(":{server}");
        let of = members.iter().map(|member| &member["user"]);
        let of = of.filter(|user| user["userId"].as_str().unwrap().ends_with(&end));
        let is_remote = server != "one.example";
        (of.clone().count(), of.clone().all(|user| user["isRemote"] == is_remote))
    };
    let expected: Vec<_> = ["one.example", "three.example", "two.example"]
        .map(|server| {
            let (count, is_right) = of(server);
            assert!(is_right && count > 0, "{server}: {members:?}");
            json!({ "name": server, "memberCount": count, "isRemote": server != "one.example" })
        })
        .into();
    assert_eq!(servers, expected);
    // A user outside of the room learns nothing of its servers.
    let stranger = home.world.servers[0].user("nobody");
    let seen = home.ask(&stranger, document, variables).await;
    assert!(seen["room"].is_null() || nodes(&seen["room"]).is_empty(), "{seen}");
    home.close().await;
}
