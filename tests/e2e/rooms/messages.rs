//! Messages that refer to others, rooms that replace others, and knocks.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{client::Client, server::Server};

const WHAT_CAME: &str = "query($event: EventID!) { event(eventId: $event) { text editedContent
    latestEdit { eventId } reactions { nodes { key count isMine users { nodes { userId } } } }
    thread { count isParticipant lastEvent { eventId } } replyTo { eventId } } }";

fn what_came(client: &Client, event: &str) -> Value {
    client.run(WHAT_CAME, &json!({ "event": event }))["event"].clone()
}

fn sent(payload: &Value) -> String {
    assert_eq!(payload["refusal"], Value::Null);
    payload["event"]["eventId"].as_str().expect("an event").to_owned()
}

#[test]
fn messages_answer_continue_edit_and_react() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob] = ["alice", "bob"].map(|name| Client::register(&server, name));
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let first = alice.say(&room, "first");
    let say = |client: &Client, more: Value| {
        let mut input = json!({ "roomId": room, "body": "more" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.act("sendMessage", input)
    };
    let answer = sent(&say(&bob, json!({ "replyTo": first })));
    assert_eq!(what_came(&alice, &answer)["replyTo"]["eventId"], first.as_str());
    let edit =
        sent(&say(&alice, json!({ "edits": first, "mentions": { "userIds": [bob.user_id] } })));
    let in_thread = sent(&say(&bob, json!({ "threadRoot": first })));
    assert_eq!(what_came(&alice, &in_thread)["replyTo"], Value::Null, "it only falls back to one");
    let react = json!({ "roomId": room, "eventId": first, "key": "👍" });
    let reaction = sent(&bob.act("addReaction", react.clone()));
    let again = bob.act("addReaction", react.clone());
    assert_eq!((&again["event"], &again["refusal"]), (&Value::Null, &Value::Null));
    alice.act("addReaction", react);
    let all = what_came(&bob, &first);
    let expected = json!({
        "text": "first",
        "editedContent": { "msgtype": "m.text", "body": "more",
            "m.mentions": { "user_ids": [bob.user_id] } },
        "latestEdit": { "eventId": edit },
        "reactions": { "nodes": [{ "key": "👍", "count": 2, "isMine": true,
            "users": { "nodes": [{ "userId": bob.user_id }, { "userId": alice.user_id }] } }] },
        "thread": { "count": 1, "isParticipant": true, "lastEvent": { "eventId": in_thread } },
        "replyTo": null,
    });
    assert_eq!(all, expected);
    // To redact a reaction removes it; a redacted message takes its edits along.
    assert_eq!(
        bob.act("redactEvent", json!({ "roomId": room, "eventId": reaction }))["refusal"],
        Value::Null
    );
    assert_eq!(what_came(&bob, &first)["reactions"]["nodes"][0]["count"], 1);
    alice.act("redactEvent", json!({ "roomId": room, "eventId": first }));
    assert_eq!(what_came(&bob, &first)["editedContent"], Value::Null);
    let document = "query($event: EventID!) { event(eventId: $event) { content } }";
    let left = bob.run(document, &json!({ "event": edit }))["event"]["content"].clone();
    assert_eq!(left, json!({}), "an edit has the content of the message");
    let other = alice.create_room(json!({ "preset": "PUBLIC" }));
    let elsewhere = alice.say(&other, "elsewhere");
    for field in ["replyTo", "threadRoot", "edits"] {
        for target in [&elsewhere, &"$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".to_owned()] {
            let mut input = json!({ "roomId": room, "body": "x" });
            input[field] = json!(target);
            assert_eq!(alice.refused("sendMessage", input), "NO_SUCH_EVENT", "{field}");
        }
    }
    let react = json!({ "roomId": room, "eventId": elsewhere, "key": "x" });
    assert_eq!(alice.refused("addReaction", react), "NO_SUCH_EVENT");
    let edit = json!({ "roomId": room, "body": "x", "edits": answer });
    assert_eq!(alice.refused("sendMessage", edit), "EVENT_NOT_YOURS");
}

#[test]
fn a_room_is_upgraded_and_its_members_find_the_way() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, eve] = ["alice", "bob", "eve"].map(|name| Client::register(&server, name));
    let old = alice.create_room(json!({
        "name": "The Tower", "alias": "#tower:localhost", "roomVersion": "11",
        "invite": [bob.user_id], "historyVisibility": "JOINED",
    }));
    bob.act("joinRoom", json!({ "room": { "roomId": old } }));
    alice.act("banUser", json!({ "roomId": old, "userId": eve.user_id }));
    let document = "mutation($input: UpgradeRoomInput!) { upgradeRoom(input: $input) {
        event { type } room { roomId replacedBy canonicalAlias }
        replacement { roomId version name canonicalAlias predecessor joinRule historyVisibility }
        refusal { code } } }";
    let upgrade = |client: &Client, version: &str| {
        let input = json!({ "roomId": old, "newVersion": version, "actionId": 50 });
        client.run(document, &json!({ "input": input }))["upgradeRoom"].clone()
    };
    assert_eq!(upgrade(&bob, "12")["refusal"]["code"], "INSUFFICIENT_POWER");
    let upgraded = upgrade(&alice, "12");
    let new = upgraded["replacement"]["roomId"].clone();
    let expected = json!({
        "event": { "type": "m.room.tombstone" },
        "room": { "roomId": old, "replacedBy": new, "canonicalAlias": null },
        "replacement": {
            "roomId": new, "version": "12", "name": "The Tower",
            "canonicalAlias": "#tower:localhost", "predecessor": old, "joinRule": "INVITE",
            "historyVisibility": "JOINED",
        },
        "refusal": null,
    });
    assert_eq!(upgraded, expected);
    assert_eq!(upgrade(&alice, "12"), upgraded, "the first result again");
    let find = "query($old: RoomID!) { room(by: { roomId: $old }) { replacedBy }
        byAlias: room(by: { alias: \"#tower:localhost\" }) { roomId myMembership } }";
    let found = bob.run(find, &json!({ "old": old }));
    assert_eq!(found["room"]["replacedBy"], new);
    assert_eq!(found["byAlias"], json!({ "roomId": new, "myMembership": "INVITE" }));
    let say = |client: &Client, room: &Value| {
        client.act("sendMessage", json!({ "roomId": room, "body": "x" }))
    };
    assert_eq!(say(&bob, &json!(old))["refusal"]["code"], "ROOM_REPLACED");
    assert_eq!(
        bob.act("joinRoom", json!({ "room": { "alias": "#tower:localhost" } }))["refusal"],
        Value::Null
    );
    assert_eq!(say(&bob, &new)["refusal"], Value::Null);
    let banned =
        eve.act("joinRoom", json!({ "room": { "roomId": new } }))["refusal"]["code"].clone();
    assert_eq!(banned, "BANNED");
}

#[test]
fn who_knocks_is_seen_let_in_or_sent_away() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let names = ["alice", "bob", "carol", "eve"];
    let [alice, bob, carol, eve] = names.map(|name| Client::register(&server, name));
    let room = alice.create_room(json!({ "joinRule": { "kind": "KNOCK" } }));
    let own = json!({ "roomId": room });
    let mut stream = alice.follow(None);
    let knocking = || {
        let document =
            "query($room: RoomID!) { room(by: { roomId: $room }) { members(membership: KNOCK) {
            nodes { userId } } } }";
        let found = alice.run(document, &json!({ "room": room }));
        found["room"]["members"]["nodes"].as_array().unwrap().len()
    };
    for who in [&bob, &carol] {
        assert_eq!(who.refused("joinRoom", own.clone()), "NOT_INVITED");
        assert_eq!(who.act("knockOnRoom", own.clone())["refusal"], Value::Null);
        let knock = stream.until(|item| item["type"] == "m.room.member");
        assert_eq!(knock["room"]["roomId"], room.as_str());
    }
    assert_eq!(knocking(), 2);
    let of = |user: &Client| json!({ "roomId": room, "userId": user.user_id });
    assert_eq!(eve.refused("inviteUser", of(&bob)), "NOT_A_MEMBER");
    assert_eq!(alice.act("inviteUser", of(&bob))["refusal"], Value::Null);
    assert_eq!(bob.act("joinRoom", own.clone())["refusal"], Value::Null);
    assert_eq!(alice.act("kickUser", of(&carol))["refusal"], Value::Null);
    assert_eq!(carol.refused("joinRoom", own.clone()), "NOT_INVITED");
    assert_eq!(knocking(), 0);
    // Each of the other rules admits the users that it names.
    let rule = |kind: &str, allowed: Value| {
        let input =
            json!({ "roomId": room, "joinRule": { "kind": kind, "allowedRooms": allowed } });
        assert_eq!(alice.act("setJoinRule", input)["refusal"], Value::Null, "{kind}");
    };
    let lobby = eve.create_room(json!({}));
    rule("RESTRICTED", json!([lobby]));
    assert_eq!(carol.refused("joinRoom", own.clone()), "NOT_IN_ALLOWED_ROOM");
    assert_eq!(carol.refused("knockOnRoom", own.clone()), "NOT_KNOCKABLE");
    assert_eq!(eve.act("joinRoom", own.clone())["refusal"], Value::Null);
    rule("KNOCK_RESTRICTED", json!([lobby]));
    assert_eq!(carol.refused("joinRoom", own.clone()), "NOT_IN_ALLOWED_ROOM");
    assert_eq!(carol.act("knockOnRoom", own.clone())["refusal"], Value::Null);
    rule("INVITE", json!([]));
    assert_eq!(carol.refused("joinRoom", own.clone()), "NOT_INVITED");
    rule("PUBLIC", json!([]));
    assert_eq!(carol.act("joinRoom", own)["refusal"], Value::Null);
}
