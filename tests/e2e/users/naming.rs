//! IDs of every kind, refusals with their fields, and what a client asks about rooms, users and its own account.

use serde_json::{Value, json};

use crate::{
    client::{Client, two},
    server::Server,
};

/// The message of the only error of an answer.
fn error(client: &Client, document: &str, variables: &Value) -> String {
    let answer = client.post(document, variables).body;
    answer["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn an_id_of_the_wrong_kind_names_the_field_that_takes_it() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, _, room) = two(&server);
    let by_id = "query($room: RoomID!) { room(by: { roomId: $room }) { id } }";
    let global = alice.run(by_id, &json!({ "room": room }))["room"]["id"].clone();
    let wrong = error(&alice, by_id, &json!({ "room": global }));
    assert!(wrong.contains("this is a global ID: use `node(id:)`"), "{wrong}");
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(alice.run(node, &json!({ "id": global }))["node"]["id"], global);
    for (id, field) in [(json!(room), "room(by:"), (json!(alice.user_id), "user(userId:")] {
        let wrong = error(&alice, node, &json!({ "id": id }));
        assert!(wrong.contains(field), "{wrong}");
    }
    for by in [json!({}), json!({ "roomId": room, "alias": "#x:localhost" })] {
        let document = "query($by: RoomBy!) { room(by: $by) { id } }";
        let wrong = error(&alice, document, &json!({ "by": by }));
        assert!(wrong.contains("RoomBy"), "{wrong}");
    }
}

#[test]
fn nodes_come_in_order_and_hidden_ones_are_null() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let hidden = alice.create_room(json!({}));
    let id = |client: &Client, room: &str| {
        let document = "query($room: RoomID!) { room(by: { roomId: $room }) { id } }";
        client.run(document, &json!({ "room": room }))["room"]["id"].clone()
    };
    let ids = [id(&alice, &hidden), id(&alice, &room)];
    let document = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let nodes = |client: &Client| client.run(document, &json!({ "ids": ids }))["nodes"].clone();
    let shown = |id: &Value| json!({ "__typename": "Room", "id": id });
    assert_eq!(nodes(&alice), json!([shown(&ids[0]), shown(&ids[1])]));
    assert_eq!(nodes(&bob), json!([null, shown(&ids[1])]));
    let many = vec![ids[0].clone(); 101];
    assert_eq!(alice.fail(document, &json!({ "ids": many })), "BAD_USER_INPUT");
}

#[test]
fn a_refusal_names_the_field_that_it_is_about() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let said = alice.say(&room, "hello");
    let elsewhere = alice.create_room(json!({}));
    let refusal = |client: &Client, name: &str, kind: &str, input: Value| {
        let document = format!(
            "mutation($input: {kind}!) {{ it: {name}(input: $input) {{ __typename
                ... on ActionPayload {{ refusal {{ code field retryAfter }} }} }} }}"
        );
        let answer = client.run(&document, &json!({ "input": input }))["it"].clone();
        assert!(answer["__typename"].as_str().unwrap().ends_with("Payload"), "{answer}");
        (answer["refusal"]["code"].clone(), answer["refusal"]["field"].clone())
    };
    for (name, kind, input, code, field) in [
        (
            "sendMessage",
            "SendMessageInput",
            json!({ "roomId": elsewhere, "body": "x" }),
            "NO_SUCH_ROOM",
            "roomId",
        ),
        (
            "joinRoom",
            "JoinRoomInput",
            json!({ "room": { "roomId": elsewhere } }),
            "NO_SUCH_ROOM",
            "room",
        ),
        (
            "sendMessage",
            "SendMessageInput",
            json!({ "roomId": room, "body": "x", "edits": said }),
            "EVENT_NOT_YOURS",
            "edits",
        ),
        (
            "inviteUser",
            "InviteUserInput",
            json!({ "roomId": room, "userId": "@nobody:localhost" }),
            "NO_SUCH_USER",
            "userId",
        ),
        (
            "sendEvent",
            "SendEventInput",
            json!({ "roomId": room, "type": "m.room.x", "content": {} }),
            "RESERVED_TYPE",
            "type",
        ),
    ] {
        let refused = refusal(&bob, name, kind, input);
        assert_eq!(refused, (json!(code), json!(field)), "{name}");
    }
    let kick = json!({ "roomId": room, "userId": alice.user_id });
    let (code, field) = refusal(&bob, "kickUser", "KickUserInput", kick);
    assert_eq!((code, field), (json!("INSUFFICIENT_POWER"), Value::Null), "it is about no field");
}

#[test]
fn a_room_says_what_its_viewer_may_do() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) {
        can { sendMessages kick setName setPowerLevels } } }";
    let can =
        |client: &Client| client.run(document, &json!({ "room": room }))["room"]["can"].clone();
    let all =
        |is: bool| json!({ "sendMessages": true, "kick": is, "setName": is, "setPowerLevels": is });
    assert_eq!((can(&alice), can(&bob)), (all(true), all(false)));
    let levels = json!({ "users": [{ "userId": bob.user_id, "level": 50 }] });
    alice.act("setPowerLevels", json!({ "roomId": room, "powerLevels": levels }));
    assert_eq!(can(&bob)["kick"], true);
    let carol = Client::register(&server, "carol");
    assert_eq!(can(&carol), Value::Null, "she has not joined");
}

#[test]
fn a_room_without_a_name_is_shown_by_its_members() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) { displayName } }";
    let shown = |client: &Client| {
        client.run(document, &json!({ "room": room }))["room"]["displayName"].clone()
    };
    assert_eq!((shown(&alice), shown(&bob)), (json!("bob"), json!("alice")));
    alice.act("setRoomAliases", json!({ "roomId": room, "canonical": "#tower:localhost" }));
    assert_eq!(shown(&bob), "#tower:localhost");
    alice.act("setRoomName", json!({ "roomId": room, "name": "The Tower" }));
    assert_eq!(shown(&bob), "The Tower");
}

#[test]
fn a_conversation_of_two_names_the_other_user_until_a_third_one_comes() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let carol = Client::register(&server, "carol");
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) { peer { userId } } }";
    let peer = |client: &Client| {
        client.run(document, &json!({ "room": room }))["room"]["peer"]["userId"].clone()
    };
    let all = || (peer(&alice), peer(&bob), peer(&carol));
    assert_eq!(all(), (json!(bob.user_id), json!(alice.user_id), Value::Null));
    alice.act("inviteUser", json!({ "roomId": room, "userId": carol.user_id }));
    assert_eq!(all(), (Value::Null, Value::Null, Value::Null));
    alice.act("kickUser", json!({ "roomId": room, "userId": carol.user_id }));
    assert_eq!(all(), (json!(bob.user_id), json!(alice.user_id), Value::Null));
    bob.act("leaveRoom", json!({ "roomId": room }));
    assert_eq!(peer(&alice), Value::Null);
}

#[test]
fn users_are_found_by_the_beginning_of_their_name() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let names = ["anna", "annika", "anton", "bert"];
    let [anna, ..] = names.map(|name| Client::register(&server, name));
    let document = "query($search: String!, $after: String) {
        users(search: $search, first: 2, after: $after) {
            nodes { userId } pageInfo { hasNextPage endCursor } } }";
    let page = |search: &str, after: Value| {
        anna.run(document, &json!({ "search": search, "after": after }))["users"].clone()
    };
    let ids = |page: &Value| {
        let nodes = page["nodes"].as_array().unwrap().iter();
        nodes.map(|user| user["userId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = page("an", Value::Null);
    assert_eq!(ids(&first), ["@anna:localhost", "@annika:localhost"]);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = page("an", first["pageInfo"]["endCursor"].clone());
    assert_eq!(ids(&second), ["@anton:localhost"]);
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    assert_eq!(ids(&page("anni", Value::Null)), ["@annika:localhost"]);
    assert_eq!(ids(&page("zz", Value::Null)), [""; 0]);
    let user = "query($user: UserID!) { user(userId: $user) { userId } }";
    let user = |id: &str| anna.run(user, &json!({ "user": id }))["user"].clone();
    assert_eq!(user("@bert:localhost"), json!({ "userId": "@bert:localhost" }));
    assert_eq!(user("@nobody:localhost"), Value::Null);
    assert_eq!(user("@nobody:elsewhere.example"), Value::Null);
}

#[test]
fn the_rooms_of_the_viewer_come_page_by_page() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let rooms: Vec<_> = (0..5).map(|_| alice.create_room(json!({}))).collect();
    let invited = bob.create_room(json!({ "invite": [alice.user_id] }));
    let document = "query($after: String, $membership: Membership!) { viewer {
        rooms(first: 2, after: $after, membership: $membership) {
            nodes { roomId } pageInfo { hasNextPage endCursor } } } }";
    let page = |after: &Value, membership: &str| {
        let variables = json!({ "after": after, "membership": membership });
        alice.run(document, &variables)["viewer"]["rooms"].clone()
    };
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = page(&after, "JOIN");
        let nodes = page["nodes"].as_array().unwrap();
        found.extend(nodes.iter().map(|room| room["roomId"].as_str().unwrap().to_owned()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let newest_first: Vec<_> = rooms.into_iter().rev().collect();
    assert_eq!(found, newest_first);
    assert_eq!(page(&Value::Null, "INVITE")["nodes"], json!([{ "roomId": invited }]));
}

#[test]
fn a_thread_has_its_messages_page_by_page() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let begun = alice.say(&room, "the question");
    for number in 0..5 {
        let answer = json!({ "roomId": room, "body": number.to_string(), "threadRoot": begun });
        bob.act("sendMessage", answer);
        alice.say(&room, "something else");
    }
    let document = "query($event: EventID!, $last: Int, $before: Cursor, $first: Int, $after: Cursor) {
        event(eventId: $event) { thread { count
            messages(last: $last, before: $before, first: $first, after: $after) {
                nodes { text } pageInfo { hasPreviousPage startCursor hasNextPage endCursor } } } } }";
    let page = |mut variables: Value| {
        variables["event"] = json!(begun);
        let page = alice.run(document, &variables)["event"]["thread"]["messages"].clone();
        let nodes = page["nodes"].as_array().unwrap().iter();
        let texts: Vec<_> = nodes.map(|it| it["text"].as_str().unwrap().to_owned()).collect();
        (texts, page["pageInfo"].clone())
    };
    let (newest, info) = page(json!({ "last": 2 }));
    assert_eq!(newest, ["3", "4"]);
    let (older, _) = page(json!({ "last": 2, "before": info["startCursor"] }));
    assert_eq!(older, ["1", "2"]);
    let (oldest, info) = page(json!({ "first": 3 }));
    assert_eq!(oldest, ["0", "1", "2"]);
    let (newer, _) = page(json!({ "first": 3, "after": info["endCursor"] }));
    assert_eq!(newer, ["3", "4"]);
    assert_eq!(page(json!({})).0, ["0", "1", "2", "3", "4"]);
}

const CHANGE: &str = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) {
    deviceIds refusal { code field } } }";

#[test]
fn a_password_changes_with_the_old_one_and_logs_others_out() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let login = alice.log_in("correct horse");
    let phone = Client::with_token(&server, "alice", login["token"].as_str().unwrap());
    let change = |old: &str, new: &str| {
        let input = json!({ "password": old, "newPassword": new });
        alice.run(CHANGE, &json!({ "input": input }))["changePassword"].clone()
    };
    let wrong = json!({ "code": "WRONG_CREDENTIALS", "field": "password" });
    assert_eq!(change("wrong horse", "battery staple")["refusal"], wrong);
    let short = json!({ "code": "PASSWORD_TOO_SHORT", "field": null });
    assert_eq!(change("correct horse", "x")["refusal"], short);
    let changed = change("correct horse", "battery staple");
    assert_eq!(changed, json!({ "deviceIds": [login["deviceId"]], "refusal": null }));
    let who = "{ viewer { user { userId } } }";
    assert_eq!(alice.run(who, &json!({}))["viewer"]["user"]["userId"], alice.user_id);
    let gone = phone.post(who, &json!({})).body;
    assert_ne!(gone["data"]["viewer"]["user"]["userId"], alice.user_id, "it is logged out");
    assert!(alice.log_in("battery staple")["token"].is_string());
    assert!(alice.log_in("correct horse")["token"].is_null());
}

const CLOSE: &str = "mutation($input: DeactivateAccountInput!) { deactivateAccount(input: $input) {
    isDeactivated rooms refusal { code field } } }";

#[test]
fn an_account_closes_once_its_rooms_have_a_successor() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, _) = two(&server);
    // In older rooms a creator has a level that others may get.
    let room = alice.create_room(json!({ "preset": "PUBLIC", "roomVersion": "11" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let close = |password: &str, successor: Value| {
        let input = json!({ "password": password, "successor": successor });
        alice.run(CLOSE, &json!({ "input": input }))["deactivateAccount"].clone()
    };
    assert_eq!(close("wrong horse", Value::Null)["refusal"]["code"], "WRONG_CREDENTIALS");
    let locked = close("correct horse", Value::Null);
    assert_eq!(locked["refusal"], json!({ "code": "WOULD_LOCK_OUT", "field": "successor" }));
    assert!(locked["rooms"].as_array().unwrap().contains(&json!(room)), "{locked}");
    let closed = close("correct horse", json!(bob.user_id));
    assert_eq!((&closed["isDeactivated"], &closed["refusal"]), (&json!(true), &Value::Null));
    let document = "query($room: RoomID!, $user: UserID!) { room(by: { roomId: $room }) {
        can { setPowerLevels } member(userId: $user) { membership } } }";
    let seen = bob.run(document, &json!({ "room": room, "user": alice.user_id }))["room"].clone();
    assert_eq!(
        seen,
        json!({ "can": { "setPowerLevels": true }, "member": { "membership": "LEAVE" } })
    );
    assert!(alice.log_in("correct horse")["token"].is_null());
}
