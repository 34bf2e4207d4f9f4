//! Rooms with messages and settings before and after each step of their viewers.

use serde_json::{Value, json};

use crate::{client::Client, resume::Random};

/// The visibility setting.
const SETTINGS: [&str; 4] = ["JOINED", "INVITED", "SHARED", "WORLD_READABLE"];

/// Most steps of a history.
const STEPS_MAX: usize = 5;

/// Number of played rooms, unless all are played.
const ROOMS: usize = 22;

/// A text that is sent once in each room, and redacted before the end.
pub(super) const SECRET: &str = "the key lies under the mat";

/// The plan of one room.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) first: &'static str,
    pub(super) second: &'static str,
    /// Strangers may knock.
    pub(super) knockable: bool,
    /// The history of each viewer, a letter for each step (see [`step`]).
    pub(super) histories: Vec<String>,
}

/// How many rooms get an alias: fewer than one user may give.
const ALIASES_MAX: usize = 200;

/// A played room.
#[derive(Clone, Debug)]
pub(super) struct Played {
    pub(super) room: String,
    /// `None` in rooms beyond the number of aliases that a user may have.
    pub(super) alias: Option<String>,
    pub(super) scene: Scene,
    /// The answers to joins, with the number of the viewer.
    pub(super) joins: Vec<(usize, Value)>,
    /// The receipts, in order.
    pub(super) marks: Vec<Mark>,
    /// The secret and its edit, and the event that redacted them.
    pub(super) secret: Vec<String>,
    pub(super) redaction: String,
}

/// A user's receipt for an event.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) user: String,
    pub(super) event: String,
    pub(super) private: bool,
    /// The last event of the room at that time.
    pub(super) at: String,
}

/// The possible steps in each state: the letter, and the next state.
fn follows(state: char) -> &'static [(char, char)] {
    match state {
        '-' | 'l' => &[('i', 'i'), ('n', 'n'), ('b', 'b')],
        'i' => &[('j', 'j'), ('l', 'l'), ('k', 'l'), ('b', 'b')],
        'n' => &[('i', 'i'), ('l', 'l'), ('k', 'l'), ('b', 'b')],
        'j' => &[('l', 'l'), ('k', 'l'), ('b', 'b')],
        'b' => &[('u', 'l')],
        _ => &[],
    }
}

/// Every history of up to five steps.
fn histories() -> Vec<String> {
    let mut all = vec![(String::new(), '-')];
    let mut from = 0;
    for _ in 0..STEPS_MAX {
        let longer: Vec<_> = all[from..]
            .iter()
            .flat_map(|(history, state)| {
                follows(*state)
                    .iter()
                    .map(move |(letter, next)| (format!("{history}{letter}"), *next))
            })
            .collect();
        from = all.len();
        all.extend(longer);
    }
    all.into_iter().map(|(history, _)| history).collect()
}

/// The scenes to play, for this number of viewers.
pub(super) fn scenes(viewers: usize) -> Vec<Scene> {
    let all = histories();
    let (quiet, asking): (Vec<_>, Vec<_>) = all.iter().partition(|history| !history.contains('n'));
    let pairs =
        || SETTINGS.iter().flat_map(|first| SETTINGS.iter().map(move |second| (first, second)));
    let scene =
        |(first, second): (&&'static str, &&'static str), knockable, histories: &[&String]| {
            let histories = histories.iter().map(|history| (*history).clone()).collect();
            Scene { first, second, knockable, histories }
        };
    if std::env::var("ROOKERY_ORACLE").is_ok_and(|which| which == "all") {
        let of = |knockable, histories: &[&String]| {
            let groups = histories.chunks(viewers);
            groups
                .flat_map(|group| pairs().map(move |pair| scene(pair, knockable, group)))
                .collect::<Vec<_>>()
        };
        return [of(false, &quiet), of(true, &asking)].concat();
    }
    let mut random = Random(0x0123_4567_89ab_cdef);
    let mut draw = |from: &[&String]| -> Vec<String> {
        let below = |random: &mut Random| usize::try_from(random.below(from.len() as u64)).unwrap();
        (0..viewers).map(|_| from[below(&mut random)].clone()).collect()
    };
    let pairs: Vec<_> = pairs().cycle().take(ROOMS).collect();
    let scenes = pairs.into_iter().enumerate().map(|(number, (first, second))| {
        let knockable = number % 3 == 2;
        let histories = draw(if knockable { &asking } else { &quiet });
        Scene { first, second, knockable, histories }
    });
    scenes.collect()
}

/// One step: `i`nvite, k`n`ock, `j`oin, `l`eave or decline, `k`ick, `b`an, `u`nban. Returns the
/// answer of a join.
fn step(alice: &Client, viewer: &Client, room: &str, letter: char) -> Option<Value> {
    let target = json!({ "roomId": room, "userId": viewer.user_id });
    let own = json!({ "roomId": room });
    let payload = match letter {
        'i' => alice.act("inviteUser", target),
        'n' => viewer.act("knockOnRoom", own),
        'j' => {
            let document = "mutation($input: JoinRoomInput!) { joinRoom(input: $input) {
                refusal { code } messages(last: 100) { nodes { eventId } } room {
                    unreadCount highlightCount name topic memberCount members(first: 100) { totalCount }
                    lastMessage { eventId } timeline(last: 100) { nodes { eventId } } } } }";
            let payload =
                viewer.run(document, &json!({ "input": { "room": own } }))["joinRoom"].clone();
            assert_eq!(payload["refusal"], Value::Null, "{letter}");
            return Some(payload);
        }
        'l' => viewer.act("leaveRoom", own),
        'k' => alice.act("kickUser", target),
        'b' => alice.act("banUser", target),
        'u' => alice.act("unbanUser", target),
        _ => panic!("no such step: {letter}"),
    };
    assert_eq!(payload["refusal"], Value::Null, "{letter}");
    assert_ne!(payload["event"], Value::Null, "{letter} changes something");
    None
}

impl Scene {
    /// Plays it. Alice creates the room and moderates it; Dora is always there.
    pub(super) fn play(
        &self,
        number: usize,
        alice: &Client,
        dora: &Client,
        viewers: &[Client],
    ) -> Played {
        let alias = (number < ALIASES_MAX).then(|| format!("#room{number}:localhost"));
        let kind = if self.knockable { "KNOCK" } else { "INVITE" };
        let room = alice.create_room(json!({
            "name": "name -", "topic": "topic -", "avatarUrl": "mxc://localhost/-",
            "alias": alias, "historyVisibility": self.first, "joinRule": { "kind": kind },
            "invite": [dora.user_id],
        }));
        dora.act("joinRoom", json!({ "room": { "roomId": room } }));
        let first = alice.say(&room, "first");
        let (mut joins, mut marks) = (Vec::new(), Vec::new());
        let (mut secret, mut redaction) = (Vec::new(), String::new());
        let mut inside = vec![false; viewers.len()];
        for round in 0..STEPS_MAX {
            if round == 2 && self.first != self.second {
                let input = json!({ "roomId": room, "visibility": self.second });
                alice.act("setHistoryVisibility", input);
            }
            for (number, history) in self.histories.iter().enumerate() {
                let Some(letter) = history.chars().nth(round) else { continue };
                let joined = step(alice, &viewers[number], &room, letter);
                inside[number] = letter == 'j';
                joins.extend(joined.map(|answer| (number, answer)));
            }
            match round {
                1 => secret = tell_secret(alice, &room),
                3 => {
                    let input = json!({ "roomId": room, "eventId": secret[0] });
                    redaction = event_id(&alice.act("redactEvent", input));
                }
                _ => {}
            }
            let (said, at) = talk(alice, dora, &room, &first, round);
            let inside = inside.iter().enumerate().filter(|(_, inside)| **inside);
            // Some stop reading early, so that some messages stay unread.
            let reading = inside.filter(|(number, _)| round < 3 + number % 2);
            let reading = reading.map(|(number, _)| (&viewers[number], (round + number) % 2 == 1));
            for (client, private) in reading.chain([(dora, round % 2 == 0)]) {
                marks.push(mark(client, &room, &said, private, &at));
            }
        }
        Played { room, alias, scene: self.clone(), joins, marks, secret, redaction }
    }
}

fn event_id(payload: &Value) -> String {
    assert_eq!(payload["refusal"], Value::Null);
    payload["event"]["eventId"].as_str().unwrap().to_owned()
}

/// Sends the text for the redaction, and edits it. It mentions everybody.
fn tell_secret(alice: &Client, room: &str) -> Vec<String> {
    let body = format!("bob0, bob1, bob2, bob3, bob4: {SECRET}");
    let said = alice.say(room, &body);
    let input = json!({ "roomId": room, "body": body, "edits": said });
    let edit = event_id(&alice.act("sendMessage", input));
    vec![said, edit]
}

fn mark(client: &Client, room: &str, event: &str, private: bool, at: &str) -> Mark {
    let document =
        "mutation($input: MarkRoomReadInput!) { markRoomRead(input: $input) { refusal { code } } }";
    let input = json!({ "roomId": room, "eventId": event, "isPrivate": private });
    let payload = client.run(document, &json!({ "input": input }))["markRoomRead"].clone();
    assert_eq!(payload["refusal"], Value::Null);
    let [event, at] = [event, at].map(ToOwned::to_owned);
    Mark { user: client.user_id.clone(), event, private, at }
}

/// The messages and settings after each step, which mention one of the viewers. Returns the first
/// and the last event.
fn talk(alice: &Client, dora: &Client, room: &str, first: &str, round: usize) -> (String, String) {
    let say = |client: &Client, more: Value| {
        let body = format!("after step {round}, Bob{round}!");
        let mut input = json!({ "roomId": room, "body": body });
        let object = input.as_object_mut().unwrap();
        object.extend(more.as_object().unwrap().clone());
        event_id(&client.act("sendMessage", input))
    };
    let react = |client: &Client, key: &str| {
        client.act("addReaction", json!({ "roomId": room, "eventId": first, "key": key }));
    };
    let said = say(alice, json!({}));
    let set = |mutation: &str, field: &str, value: String| {
        let mut input = json!({ "roomId": room });
        input[field] = json!(value);
        event_id(&alice.act(mutation, input))
    };
    match round {
        0 => react(dora, "one"),
        1 => drop(say(alice, json!({ "edits": first }))),
        2 => drop(say(dora, json!({ "threadRoot": first }))),
        3 => drop((say(dora, json!({ "replyTo": &said })), say(alice, json!({ "edits": first })))),
        _ => {
            react(alice, "one");
            react(dora, "two");
            say(dora, json!({ "threadRoot": first, "replyTo": first }));
        }
    }
    set("setRoomName", "name", format!("name {round}"));
    set("setRoomTopic", "topic", format!("topic {round}"));
    (said, set("setRoomAvatar", "avatarUrl", format!("mxc://localhost/{round}")))
}
