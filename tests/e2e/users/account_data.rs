//! Account data: content of a user's clients, seen by the user alone.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{Client, two},
    server::{Server, run},
};

fn set(client: &Client, input: &Value) -> Value {
    let document = "mutation($input: SetAccountDataInput!) { setAccountData(input: $input) {
        accountData { type content } position refusal { code field } } }";
    client.run(document, &json!({ "input": input }))["setAccountData"].clone()
}

fn delete(client: &Client, input: &Value) -> Value {
    let document = "mutation($input: DeleteAccountDataInput!) { deleteAccountData(input: $input) {
        type position refusal { code field } } }";
    client.run(document, &json!({ "input": input }))["deleteAccountData"].clone()
}

/// The account data about no room and about a room, each as type and content.
fn stored(client: &Client, room: &str) -> [Value; 2] {
    let document = "query($room: RoomID!) {
        viewer { accountData { nodes { type content } } }
        room(by: { roomId: $room }) { accountData { nodes { type content } } } }";
    let answer = client.run(document, &json!({ "room": room }));
    ["viewer", "room"].map(|of| answer[of]["accountData"]["nodes"].clone())
}

#[test]
fn account_data_is_its_users_own_and_survives_a_restart_and_a_rebuild() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let theme = json!({ "type": "com.example.theme", "content": { "dark": true, "size": 12 } });
    let draft = json!({ "type": "com.example.draft", "content": { "text": "dear all" } });
    let with = |data: &Value, more: &Value| {
        let mut input = data.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let input = with(&theme, &json!({ "actionId": 1 }));
    let first = set(&bob, &input);
    assert_eq!((&first["refusal"], &first["accountData"]), (&Value::Null, &theme));
    set(&bob, &with(&draft, &json!({ "roomId": room, "actionId": 2 })));
    assert_eq!(set(&bob, &input)["position"], first["position"], "a retry has the first result");
    let expected = [json!([theme]), json!([draft])];
    assert_eq!(stored(&bob, &room), expected);
    assert_eq!(stored(&alice, &room), [json!([]), json!([])]);
    assert!(server.stop().success());
    assert!(run(data.path(), &["rebuild"], "").success);
    let server = Server::start(data.path());
    let bob = bob.at(&server);
    assert_eq!(stored(&bob, &room), expected);
    let deleted = delete(&bob, &json!({ "type": "com.example.theme", "actionId": 3 }));
    assert_eq!((&deleted["type"], &deleted["refusal"]), (&theme["type"], &Value::Null));
    delete(&bob, &json!({ "type": "com.example.draft" }));
    assert_eq!(stored(&bob, &room), [json!([]), json!([draft])], "about the room is another one");
    assert!(server.stop().success());
    let server = Server::start(data.path());
    assert_eq!(stored(&bob.at(&server), &room), [json!([]), json!([draft])]);
}

#[test]
fn account_data_has_pages_and_is_found_by_type() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let bob = Client::register(&server, "bob");
    let mut types: Vec<_> = (0..5).map(|number| format!("com.example.{number}")).collect();
    for kind in types.iter().rev() {
        set(&bob, &json!({ "type": kind, "content": { "is": kind } }));
    }
    let document = "query($type: String, $after: String) { viewer {
        accountData(type: $type, first: 2, after: $after) {
            nodes { type content } pageInfo { hasNextPage endCursor } } } }";
    let page = |variables: Value| bob.run(document, &variables)["viewer"]["accountData"].clone();
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = page(json!({ "after": after }));
        let nodes = page["nodes"].as_array().unwrap().clone();
        found.extend(nodes.iter().map(|node| node["type"].as_str().unwrap().to_owned()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(found, types);
    let third = types.remove(3);
    let expected = json!([{ "type": third, "content": { "is": third } }]);
    assert_eq!(page(json!({ "type": third }))["nodes"], expected);
    assert_eq!(page(json!({ "type": "com.example" }))["nodes"], json!([]));
}

#[test]
fn account_data_that_cannot_be_stored_is_refused_by_name() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, _) = two(&server);
    let secret = alice.create_room(json!({ "preset": "PRIVATE" }));
    let refusal = |input: Value| {
        let refused = set(&bob, &input);
        assert_eq!(refused["accountData"], Value::Null);
        [refused["refusal"]["code"].clone(), refused["refusal"]["field"].clone()]
    };
    let input = json!({ "type": "a", "content": {}, "roomId": secret });
    assert_eq!(refusal(input), ["NO_SUCH_ROOM", "roomId"]);
    assert_eq!(refusal(json!({ "type": "m.direct", "content": {} })), ["RESERVED_TYPE", "type"]);
    let input = json!({ "type": "a", "content": { "half": 0.5 } });
    assert_eq!(refusal(input), ["INVALID_CONTENT", "content"]);
    let document = "mutation($input: SetAccountDataInput!) {
        setAccountData(input: $input) { position } }";
    let list = json!({ "input": { "type": "a", "content": [1] } });
    assert_eq!(bob.fail(document, &list), "BAD_USER_INPUT");
}

#[test]
fn other_devices_are_told_of_account_data_and_other_users_are_not() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let start = bob.position();
    set(&bob, &json!({ "type": "com.example.a", "content": { "x": 1 } }));
    set(&bob, &json!({ "type": "com.example.a", "content": { "x": 2 } }));
    set(&bob, &json!({ "type": "com.example.b", "content": {}, "roomId": room }));
    delete(&bob, &json!({ "type": "com.example.b", "roomId": room }));
    let document = "query($after: Position!, $filter: FilterBy) {
        events(after: $after, filter: $filter) { events { __typename
            ... on AccountDataChanged { type accountData { content } }
            ... on RoomAccountDataChanged { type room { roomId } accountData { content } } } } }";
    let told = |client: &Client, filter: Value| {
        let answer = client.run(document, &json!({ "after": start, "filter": filter }));
        answer["events"]["events"].clone()
    };
    let a = json!({ "__typename": "AccountDataChanged", "type": "com.example.a",
        "accountData": { "content": { "x": 2 } } });
    let b = json!({ "__typename": "RoomAccountDataChanged", "type": "com.example.b",
        "room": { "roomId": room }, "accountData": null });
    let phone = bob.on_device(bob.log_in("correct horse")["token"].as_str().unwrap());
    let items = told(&phone, Value::Null);
    let of_data = items.as_array().unwrap().iter();
    let of_data: Vec<_> = of_data.filter(|it| it["__typename"] != "DeviceAdded").collect();
    assert_eq!(of_data, [&a, &a, &b, &b], "each with the content of now, which never goes back");
    let not_here = json!({ "conditions": { "notRooms": [room] } });
    let items = told(&phone, not_here);
    let of_rooms = |it: &&Value| it["__typename"] == "RoomAccountDataChanged";
    assert_eq!(items.as_array().unwrap().iter().filter(of_rooms).count(), 0);
    assert_eq!(told(&alice, Value::Null), json!([]));
}
