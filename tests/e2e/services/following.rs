//! Services follow the rooms that concern them, without joining.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::registered::{add, ensure, file, follow_rooms};
use crate::{
    client::{Client, Follower},
    server::{Server, succeed},
    streams::consumers::client::{Consuming, acknowledge},
};

/// The items of a room as short texts.
fn told(item: &Value, room: &str) -> Option<String> {
    let of = item["room"]["roomId"].as_str().or(item["roomId"].as_str())?;
    (of == room).then(|| match item["__typename"].as_str().unwrap() {
        "RoomOpened" => "opened".to_owned(),
        "RoomClosed" => format!("closed {}", item["closingReason"].as_str().unwrap()),
        "MessageEvent" => item["text"].as_str().unwrap().to_owned(),
        "ReceiptMoved" => "receipt".to_owned(),
        _ => item["type"].as_str().unwrap_or("other").to_owned(),
    })
}

/// The items of a room up to a message in another one.
fn until(stream: &mut Follower, room: &str, text: &str) -> Vec<String> {
    let mut items = Vec::new();
    loop {
        let item = stream.item();
        if item["text"] == text {
            return items;
        }
        items.extend(told(&item, room));
    }
}

fn membership(client: &Client, room: &str) -> Value {
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) { myMembership } }";
    client.run(document, &json!({ "room": room }))["room"]["myMembership"].clone()
}

fn followers(client: &Client, room: &str) -> Vec<String> {
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) {
        followedBy { name since bot { userId } } memberCount members { totalCount nodes { userId } } } }";
    let shown = client.run(document, &json!({ "room": room }))["room"].clone();
    let members = shown["members"].to_string();
    let followers = shown["followedBy"].as_array().unwrap().iter();
    let name = |it: &Value| {
        assert!(it["since"].as_str().unwrap().starts_with("20"), "{it}");
        assert!(!members.contains(it["bot"]["userId"].as_str().unwrap()), "no member: {members}");
        it["name"].as_str().unwrap().to_owned()
    };
    followers.map(name).collect()
}

fn rooms(client: &Client) -> Vec<String> {
    let document = "{ viewer { rooms(first: 100) { nodes { roomId } } } initialSync(first: 100) { rooms { roomId } } }";
    let answer = client.run(document, &json!({}));
    let ids = |list: &Value| {
        let mut ids: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["roomId"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    let listed = ids(&answer["viewer"]["rooms"]["nodes"]);
    assert_eq!(listed, ids(&answer["initialSync"]["rooms"]), "the list and the sync");
    listed
}

fn timeline(client: &Client, room: &str) -> Vec<String> {
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) {
        timeline(last: 100) { nodes { ... on MessageEvent { text } } } } }";
    let answer = client.run(document, &json!({ "room": room }));
    let nodes = answer["room"]["timeline"]["nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().filter_map(|node| node["text"].as_str().map(ToOwned::to_owned)).collect()
}

fn ok(payload: &Value) {
    assert_eq!(payload["refusal"], Value::Null, "{payload}");
}

#[test]
fn a_service_follows_a_room_from_the_first_of_its_users_to_the_last() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bot = add(&server, data.path(), "irc");
    let [bob, eve] = ["_irc_bob", "_irc_eve"].map(|name| ensure(&bot, name));
    let other = alice.create_room(json!({ "invite": [bob.user_id] }));
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    alice.say(&room, "before");
    assert_eq!(rooms(&bot), [&*other], "an invite is enough");
    assert!(followers(&alice, &room).is_empty());
    let mut stream = bot.follow(None);
    for user in [&bob, &eve] {
        ok(&user.act("joinRoom", json!({ "roomId": room })));
    }
    alice.say(&room, "between");
    assert_eq!(followers(&alice, &room), ["irc"]);
    let mut both = vec![room.clone(), other.clone()];
    both.sort();
    assert_eq!(rooms(&bot), both);
    assert_eq!(membership(&bot, &room), "NONE");
    assert_eq!(timeline(&bot, &room), ["before", "between"], "as a user who joined then");
    assert_eq!(bot.refused("sendMessage", json!({ "roomId": room, "body": "no" })), "NOT_A_MEMBER");
    for user in [&bob, &eve] {
        ok(&user.act("leaveRoom", json!({ "roomId": room })));
    }
    alice.say(&room, "after");
    alice.say(&other, "the end");
    let items = until(&mut stream, &room, "the end");
    let expected = [
        "opened",
        "m.room.member",
        "m.room.member",
        "between",
        "m.room.member",
        "m.room.member",
        "closed UNFOLLOWED",
    ];
    assert_eq!(items, expected);
    assert!(followers(&alice, &room).is_empty());
    assert_eq!(rooms(&bot), [&*other]);
    assert_eq!(timeline(&bot, &room), ["before", "between"], "nothing that came later");
    // The same from the beginning, and after a restart.
    let begin = json!({ "name": "all", "max": 100, "from": { "beginning": true } });
    let events = Consuming::with(&bot, &begin).drain(&bot, "all");
    let of_room = |events: &[Value]| -> Vec<_> {
        events.iter().filter_map(|item| told(item, &room)).collect()
    };
    assert_eq!(of_room(&events), expected);
    drop(stream);
    server.kill();
    let server = Server::start(data.path());
    let (bot, alice) = (bot.at(&server), alice.at(&server));
    let begin = json!({ "name": "again", "max": 100, "from": { "beginning": true } });
    assert_eq!(of_room(&Consuming::with(&bot, &begin).drain(&bot, "again")), expected);
    assert_eq!(rooms(&bot), [&*other]);
    assert_eq!(followers(&alice, &other), ["irc"]);
}

#[test]
fn an_alias_opens_the_room_that_it_points_to_and_closes_the_one_that_it_left() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let claims = "[[aliases]]\nregex = '#tea.*:localhost'\nexclusive = false\n";
    let bot = follow_rooms(&server, data.path(), "tea", claims);
    let [one, two] = [0, 1].map(|_| alice.create_room(json!({ "preset": "PUBLIC" })));
    alice.say(&one, "before");
    let start = bot.position();
    let mut stream = bot.follow(Some(&start));
    let set = |room: &str, alias: Option<&str>| {
        ok(&alice.act("setRoomAliases", json!({ "roomId": room, "canonical": alias })));
    };
    set(&one, Some("#tea:localhost"));
    let opened = stream.item();
    assert_eq!(told(&opened, &one).as_deref(), Some("opened"), "{opened}");
    // Scrollback from the cursor joins the stream.
    let document = "query($room: RoomID!, $cursor: Cursor) { room(by: { roomId: $room }) {
        timeline(last: 1, before: $cursor) { nodes { ... on MessageEvent { text } } } } }";
    let variables = json!({ "room": one, "cursor": opened["cursor"] });
    let page = bot.run(document, &variables)["room"]["timeline"]["nodes"].clone();
    assert_eq!(page, json!([{ "text": "before" }]));
    alice.say(&one, "in one");
    assert_eq!(followers(&alice, &one), ["tea"]);
    assert_eq!(rooms(&bot), [&*one]);
    let middle = bot.position();
    set(&one, None);
    set(&two, Some("#tea:localhost"));
    alice.say(&one, "hidden");
    alice.say(&two, "in two");
    alice.say(&two, "the end");
    let first = until(&mut stream, &one, "in two");
    assert_eq!(
        first,
        ["m.room.canonical_alias", "in one", "m.room.canonical_alias", "closed UNFOLLOWED"]
    );
    assert_eq!(rooms(&bot), [&*two]);
    assert_eq!(timeline(&bot, &one), ["before", "in one"]);
    assert_eq!(timeline(&bot, &two), ["in two", "the end"]);
    let document = "query($since: Position) { initialSync(since: $since) {
        updates { room { roomId } isReplacement } closed { nodes { roomId closingReason closingEventId by { userId } } } } }";
    let delta = bot.run(document, &json!({ "since": middle }))["initialSync"].clone();
    let closed = json!([{ "roomId": one, "closingReason": "UNFOLLOWED", "closingEventId": null, "by": { "userId": alice.user_id } }]);
    assert_eq!(delta["closed"]["nodes"], closed);
    assert_eq!(delta["updates"], json!([{ "room": { "roomId": two }, "isReplacement": true }]));
    // The same from the beginning, also after a restart.
    let again = |bot: &Client| {
        let mut stream = bot.follow(Some(&start));
        let mut items = Vec::new();
        loop {
            let item = stream.item();
            if item["text"] == "the end" {
                return items;
            }
            let id = item["room"]["roomId"].as_str().or(item["roomId"].as_str()).unwrap();
            let name = if id == one { "one" } else { "two" };
            items.push(format!("{name} {}", told(&item, id).unwrap()));
        }
    };
    let all = again(&bot);
    assert_eq!(all.iter().filter(|it| it.ends_with("opened")).count(), 2, "{all:?}");
    server.kill();
    let server = Server::start(data.path());
    assert_eq!(again(&bot.at(&server)), all);
}

#[test]
fn a_service_that_is_added_later_follows_what_comes_from_then_on() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bob = Client::register(&server, "_irc_bob");
    let create = |visibility: &str| {
        let room = alice.create_room(json!({ "preset": "PUBLIC" }));
        ok(&alice.act("setHistoryVisibility", json!({ "roomId": room, "visibility": visibility })));
        ok(&bob.act("joinRoom", json!({ "roomId": room })));
        alice.say(&room, "before");
        room
    };
    let [shared, hidden, quiet] = ["SHARED", "JOINED", "JOINED"].map(create);
    let bot = add(&server, data.path(), "irc");
    let mut all = vec![shared.clone(), hidden.clone(), quiet.clone()];
    all.sort();
    assert_eq!(rooms(&bot), all);
    assert_eq!(followers(&alice, &quiet), ["irc"]);
    assert_eq!(timeline(&bot, &shared), ["before"]);
    assert_eq!(timeline(&bot, &hidden), Vec::<String>::new());
    let consume = |bot: &Client, name: &str| {
        let begin = json!({ "name": name, "max": 100, "from": { "beginning": true } });
        let events = Consuming::with(bot, &begin).drain(bot, name);
        [&shared, &hidden, &quiet]
            .map(|room| events.iter().filter_map(|item| told(item, room)).collect::<Vec<_>>())
    };
    for room in [&shared, &hidden] {
        alice.say(room, "after");
    }
    let expected = [vec!["opened", "after"], vec!["opened", "after"], vec![]];
    assert_eq!(consume(&bot, "one"), expected);
    assert_eq!(timeline(&bot, &hidden), ["after"]);
    server.kill();
    let server = Server::start(data.path());
    let (alice, bot) = (alice.at(&server), bot.at(&server));
    assert_eq!(consume(&bot, "two"), expected, "as before the restart");
    // Without the service, nobody follows the room. A new service follows it from its own beginning.
    succeed(data.path(), &["service", "remove", "irc"], "");
    assert!(followers(&alice, &shared).is_empty());
    assert_eq!(bot.post("{ viewer { position } }", &json!({})).status, 401);
    alice.say(&hidden, "unseen");
    let bot = add(&server, data.path(), "irc");
    alice.say(&hidden, "seen");
    assert_eq!(timeline(&bot, &hidden), ["seen"]);
    assert_eq!(rooms(&bot), all);
}

#[test]
fn a_bot_that_joins_and_leaves_still_follows() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bot = add(&server, data.path(), "irc");
    let bob = ensure(&bot, "_irc_bob");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let mut stream = bot.follow(None);
    ok(&bob.act("joinRoom", json!({ "roomId": room })));
    ok(&bot.act("joinRoom", json!({ "roomId": room })));
    assert_eq!(membership(&bot, &room), "JOIN");
    alice.say(&room, "one");
    ok(&bot.act("leaveRoom", json!({ "roomId": room })));
    assert_eq!(membership(&bot, &room), "LEAVE");
    alice.say(&room, "two");
    assert_eq!(followers(&alice, &room), ["irc"]);
    ok(&alice.act("kickUser", json!({ "roomId": room, "userId": bob.user_id })));
    alice.say(&room, "three");
    ok(&bot.act("joinRoom", json!({ "roomId": room })));
    alice.say(&room, "the end");
    let items = until(&mut stream, &room, "the end");
    let expected = [
        "opened",
        "m.room.member",
        "m.room.member",
        "one",
        "m.room.member",
        "two",
        "m.room.member",
        "closed UNFOLLOWED",
        "opened",
        "m.room.member",
    ];
    assert_eq!(items, expected);
}

#[test]
fn two_services_follow_a_room_each_for_itself() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let irc = add(&server, data.path(), "irc");
    let logs = "[[rooms]]\nregex = '!.*'\nexclusive = false\n";
    let logs = follow_rooms(&server, data.path(), "logs", logs);
    let (mut one, mut two) = (irc.follow(None), logs.follow(None));
    let room = alice.create_room(json!({ "preset": "PUBLIC", "name": "all" }));
    let bob = ensure(&irc, "_irc_bob");
    let other = alice.create_room(json!({ "invite": [bob.user_id] }));
    ok(&bob.act("joinRoom", json!({ "roomId": room })));
    assert_eq!(followers(&alice, &room), ["irc", "logs"]);
    ok(&bob.act("leaveRoom", json!({ "roomId": room })));
    assert_eq!(followers(&alice, &room), ["logs"]);
    alice.say(&other, "the end");
    let of_irc = until(&mut one, &room, "the end");
    assert_eq!(of_irc, ["opened", "m.room.member", "m.room.member", "closed UNFOLLOWED"]);
    let of_logs = until(&mut two, &room, "the end");
    assert_eq!(&of_logs[..2], ["opened", "m.room.create"], "{of_logs:?}");
    assert!(!of_logs.iter().any(|it| it.starts_with("closed")), "{of_logs:?}");
    // An upgrade makes another room, which concerns the services by itself.
    let document = "mutation($input: UpgradeRoomInput!) { upgradeRoom(input: $input) {
        replacement { roomId } refusal { code } } }";
    let input = json!({ "input": { "roomId": room, "newVersion": "12" } });
    let upgraded = alice.run(document, &input)["upgradeRoom"].clone();
    let new = upgraded["replacement"]["roomId"].as_str().unwrap().to_owned();
    assert_eq!(followers(&alice, &new), ["logs"]);
    alice.say(&other, "upgraded");
    let of_logs = until(&mut two, &new, "upgraded");
    assert_eq!(&of_logs[..2], ["opened", "m.room.create"], "{of_logs:?}");
}

#[test]
fn a_cut_consumer_gets_each_coming_and_going_with_its_boundaries() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bot = add(&server, data.path(), "irc");
    let bob = ensure(&bot, "_irc_bob");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let mut live = bot.follow(None);
    let begin = json!({ "name": "cut", "max": 3, "from": { "beginning": true } });
    drop(Consuming::with(&bot, &begin));
    let mut secret = String::new();
    for round in 0..6 {
        ok(&bob.act("joinRoom", json!({ "roomId": room })));
        let said = alice.say(&room, &format!("inside {round}"));
        if round == 2 {
            secret = said;
        }
        ok(&bob.act("leaveRoom", json!({ "roomId": room })));
        alice.say(&room, &format!("outside {round}"));
    }
    let other = alice.create_room(json!({ "invite": [bob.user_id] }));
    alice.say(&other, "the end");
    let heard = until(&mut live, &room, "the end");
    let expected: Vec<_> = (0..6)
        .flat_map(|round| {
            let inside = format!("inside {round}");
            ["opened", "m.room.member", &*inside, "m.room.member", "closed UNFOLLOWED"]
                .map(ToOwned::to_owned)
        })
        .collect();
    assert_eq!(heard, expected);
    let mut server = server;
    let (mut events, mut bot) = (Vec::new(), bot);
    for number in 0.. {
        let mut consuming = Consuming::with(&bot, &begin);
        let first = consuming.batch();
        drop(consuming);
        if number % 3 == 0 {
            server.kill();
            server = Server::start(data.path());
            bot = bot.at(&server);
        }
        let second = Consuming::with(&bot, &begin).batch();
        for field in ["position", "batch", "events"] {
            assert_eq!(first[field], second[field], "{field} after a cut");
        }
        events.extend(second["events"].as_array().unwrap().clone());
        acknowledge(&bot, "cut", &second["position"]);
        if events.iter().any(|it| it["text"] == "the end") {
            break;
        }
    }
    let got: Vec<_> = events.iter().filter_map(|item| told(item, &room)).collect();
    assert_eq!(got, expected);
    // Redacted content does not come back.
    let alice = alice.at(&server);
    ok(&alice.act("redactEvent", json!({ "roomId": room, "eventId": secret })));
    let begin = json!({ "name": "later", "max": 100, "from": { "beginning": true } });
    let events = Consuming::with(&bot, &begin).drain(&bot, "later");
    assert!(!json!(events).to_string().contains("inside 2"), "{events:?}");
    assert!(json!(events).to_string().contains("inside 3"));
}

#[test]
fn a_service_is_added_and_removed_while_others_consume() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let irc = add(&server, data.path(), "irc");
    let bob = ensure(&irc, "_irc_bob");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    ok(&bob.act("joinRoom", json!({ "roomId": room })));
    let mut stream = irc.follow(None);
    let claims = "[[users]]\nregex = '@.*'\nexclusive = false\n";
    let logs = follow_rooms(&server, data.path(), "logs", claims);
    let mut all = logs.follow(None);
    alice.say(&room, "one");
    assert_eq!(until(&mut all, &room, "one"), ["opened"], "before its first event");
    succeed(data.path(), &["service", "remove", "logs"], "");
    loop {
        // Messages from before the removal may still arrive.
        if all.chunk().is_err() {
            break;
        }
    }
    alice.say(&room, "two");
    assert_eq!(until(&mut stream, &room, "two"), ["one"]);
    assert_eq!(followers(&alice, &room), ["irc"]);
    let logs = succeed(data.path(), &["service", "add", &file(data.path(), "logs", claims)], "");
    let logs = Client::with_token(&server, "logs", &logs);
    assert_eq!(rooms(&logs), [&*room]);
    assert_eq!(followers(&alice, &room), ["irc", "logs"]);
}
