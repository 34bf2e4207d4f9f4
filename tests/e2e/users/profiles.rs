//! The visibility of names and pictures: one rule on every path, and a setting.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{client::Client, server::Server};

const PICTURE: &str = "mxc://localhost/picture";

/// The profile of a stranger as `viewer` sees it, on each path that can name the stranger.
fn shown(viewer: &Client, stranger: &Client, id: &Value) -> Vec<(&'static str, Value)> {
    let user = "query($user: UserID!) { user(userId: $user) { displayName avatarUrl } }";
    let node = "query($id: ID!) { node(id: $id) { ... on User { displayName avatarUrl } } }";
    let user = viewer.run(user, &json!({ "user": stranger.user_id }))["user"].clone();
    let node = viewer.run(node, &json!({ "id": id }))["node"].clone();
    let made = viewer.create_room(json!({ "invite": [stranger.user_id] }));
    let asked = viewer.create_room(json!({}));
    viewer.act("inviteUser", json!({ "roomId": asked, "userId": stranger.user_id }));
    let member = "query($room: RoomID!, $user: UserID!) { room(by: { roomId: $room }) {
        member(userId: $user) { displayName avatarUrl user { displayName avatarUrl } }
        members { nodes { userId displayName avatarUrl } }
        state(first: 100) { nodes { type stateKey content } } } }";
    let mut paths = vec![("user", user), ("node", node)];
    for room in [made, asked] {
        let variables = json!({ "room": room, "user": stranger.user_id });
        let found = viewer.run(member, &variables)["room"].clone();
        let picked = |value: &Value| json!({ "displayName": value["displayName"], "avatarUrl": value["avatarUrl"] });
        paths.push(("member", picked(&found["member"])));
        paths.push(("member's user", picked(&found["member"]["user"])));
        let nodes = found["members"]["nodes"].as_array().unwrap();
        // A list of members may contain joined members only.
        for node in nodes.iter().filter(|node| node["userId"] == stranger.user_id) {
            paths.push(("members", picked(node)));
        }
        let state = found["state"]["nodes"].as_array().unwrap().iter();
        let invite = state.filter(|event| event["stateKey"] == stranger.user_id);
        for event in invite {
            let content = &event["content"];
            let (name, avatar) = (&content["displayname"], &content["avatar_url"]);
            paths.push(("invite", json!({ "displayName": name, "avatarUrl": avatar })));
        }
    }
    paths
}

fn check(setting: &str, strangers_see: bool) {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--profiles", setting]);
    let [ann, ben, cat] = ["ann", "ben", "cat"].map(|name| Client::register(&server, name));
    let profile = format!(
        "mutation {{ setProfile(input: {{ displayName: \"Ann\", avatarUrl: \"{PICTURE}\" }}) {{ position }} }}"
    );
    ann.run(&profile, &json!({}));
    let id = ann.run("{ viewer { user { id } } }", &json!({}))["viewer"]["user"]["id"].clone();
    let seen = json!({ "displayName": "Ann", "avatarUrl": PICTURE });
    let hidden = json!({ "displayName": null, "avatarUrl": null });
    let expected = if strangers_see { &seen } else { &hidden };
    for (path, found) in shown(&ben, &ann, &id) {
        assert_eq!(found, *expected, "{setting}: to a stranger, {path}");
    }
    // Users who share a room see the profile with either setting.
    let tea = ann.create_room(json!({ "preset": "PUBLIC" }));
    cat.act("joinRoom", json!({ "room": { "roomId": tea } }));
    for (path, found) in shown(&cat, &ann, &id) {
        assert_eq!(found, seen, "{setting}: to somebody in the same room, {path}");
    }
    let user = "query($user: UserID!) { user(userId: $user) { displayName } }";
    let variables = json!({ "user": ann.user_id });
    assert_eq!(ann.run(user, &variables)["user"]["displayName"], "Ann", "to herself");
    assert_eq!(ben.nobody().fail(user, &variables), "UNAUTHENTICATED", "to nobody");
}

#[test]
fn every_user_sees_the_profile_of_a_user_whom_the_user_names() {
    check("users", true);
}

#[test]
fn where_it_is_set_up_so_only_those_who_share_a_room_see_a_profile_on_any_path() {
    check("shared_rooms", false);
}

#[test]
fn no_search_finds_a_profile_that_its_viewer_may_not_see() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--profiles", "shared_rooms"]);
    let [ann, ben] = ["ann", "ben"].map(|name| Client::register(&server, name));
    ann.run("mutation { setProfile(input: { displayName: \"Findme\" }) { position } }", &json!({}));
    ann.create_room(json!({ "preset": "PUBLIC", "isListed": true, "name": "Tea" }));
    let search = "{ publicRooms(search: \"Findme\") { totalCount nodes { name } } }";
    assert_eq!(ben.run(search, &json!({}))["publicRooms"], json!({ "totalCount": 0, "nodes": [] }));
    let fields = "{ __schema { queryType { fields { name type { name ofType { name } } args { name } } } } }";
    let fields = ben.run(fields, &json!({}))["__schema"]["queryType"]["fields"].clone();
    let searches = fields.as_array().unwrap().iter().filter(|field| {
        field["args"].as_array().unwrap().iter().any(|argument| argument["name"] == "search")
    });
    let names: Vec<_> = searches.map(|field| field["name"].clone()).collect();
    assert_eq!(names, ["users", "publicRooms"], "a search of users has to ask who sees whom");
    let search = "{ users(search: \"a\") { nodes { userId } } }";
    let found = |client: &Client| client.run(search, &json!({}))["users"]["nodes"].clone();
    assert_eq!((found(&ben), found(&ann)), (json!([]), json!([{ "userId": ann.user_id }])));
    let room = ann.create_room(json!({ "preset": "PUBLIC" }));
    ben.act("joinRoom", json!({ "roomId": room }));
    assert_eq!(found(&ben), json!([{ "userId": ann.user_id }]));
}
