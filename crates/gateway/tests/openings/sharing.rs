//! A subscriber gets the same, whether it was computed for many or for one; with the same bytes if
//! for many. Two executions for one may return fields in another order, because waiting fields come
//! last.

use std::{collections::BTreeSet, time::Duration};

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, TypeKind, TypeSystemDefinition},
};
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream::BoxStream};
use rookery_command::testing::Rng;
use rookery_gateway::schema::{SharingSchema, sdl};
use rookery_graphql_edge::{Frame, Frames as _, Payload};
use serde_json::{Value, json};

use crate::home::{Device, Home};

/// The fields of an object or an interface: the name, and the object or interface that it returns, if any.
type Fields = Vec<(String, Option<String>)>;

/// Selections at random, from the schema itself.
struct Writer {
    objects: Vec<(String, Fields)>,
}

impl Writer {
    fn new() -> Self {
        let document = parse_schema(sdl()).unwrap();
        let mut objects = Vec::new();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            let fields = match definition.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => continue,
            };
            let free = fields.into_iter().filter(|field| {
                let nullable = |it: &async_graphql::parser::types::InputValueDefinition| {
                    it.ty.node.nullable || it.default_value.is_some()
                };
                field.node.arguments.iter().all(|argument| nullable(&argument.node))
            });
            let field = |field: async_graphql::parser::types::FieldDefinition| {
                let mut base = field.ty.node.base;
                while let BaseType::List(inner) = base {
                    base = inner.base;
                }
                let BaseType::Named(name) = base else { unreachable!("lists are taken off") };
                (field.name.node.to_string(), Some(name.to_string()))
            };
            objects.push((name, free.map(|it| field(it.node)).collect::<Fields>()));
        }
        let names: BTreeSet<_> = objects.iter().map(|(name, _)| name.clone()).collect();
        for (_, gives) in objects.iter_mut().flat_map(|(_, fields)| fields) {
            // Scalars and enums return no object.
            *gives = gives.take().filter(|gives| names.contains(gives));
        }
        Self { objects }
    }

    /// Some fields of an object; rarely those that depend on the viewer.
    fn select(&self, rng: &mut Rng, object: &str, depth: usize) -> String {
        let (_, fields) = self.objects.iter().find(|(name, _)| name == object).unwrap();
        let mut text = "__typename ".to_owned();
        for (name, gives) in fields {
            if !rng.one_in(if depth == 0 { 3 } else { 4 }) {
                continue;
            }
            let alias = if rng.one_in(4) { format!("other_{name}: ") } else { String::new() };
            match gives {
                None => text.extend([&alias, name.as_str(), " "]),
                Some(gives) if depth < 2 => {
                    let inner = self.select(rng, gives, depth + 1);
                    text.extend([&alias, name.as_str(), " { ", &inner, " } "]);
                }
                Some(_) => {}
            }
        }
        text
    }

    /// Some fields that all events have.
    fn common(&self, rng: &mut Rng) -> String {
        self.select(rng, "OtherEvent", 0)
    }

    /// A subscription. Every second one requests only common fields.
    fn subscription(&self, rng: &mut Rng) -> String {
        let plain = "eventId type text content sequence actionId isRedacted room { roomId }
            sender { userId displayName avatarUrl } ";
        let event = if rng.one_in(2) { plain.to_owned() } else { self.common(rng) };
        let typed = ["MessageEvent", "MemberEvent", "RoomNameEvent", "RedactionEvent"];
        let typed = typed.map(|it| format!("... on {it} {{ {} }} ", self.select(rng, it, 1)));
        let typed = if rng.one_in(2) { typed.concat() } else { String::new() };
        let receipt = self.select(rng, "ReceiptMoved", 1);
        let rest = ["RoomOpened", "RoomClosed", "Invited", "ProfileChanged"];
        let rest =
            rest.map(|it| format!("... on {it} {{ {} }} ", self.select(rng, it, 1))).concat();
        let skipped = if rng.one_in(2) { "skipped { roomId first last reason }" } else { "" };
        format!(
            "subscription($after: Position, $filter: FilterBy) {{
                eventStream(after: $after, filter: $filter) {{ position {skipped}
                    events {{ ... on RoomEvent {{ {event} }} {typed} ... on ReceiptMoved {{ {receipt} }} {rest} }}
                }} }}"
        )
    }
}

/// One subscriber, who is served twice: with others, and alone.
struct Served {
    name: String,
    schema: SharingSchema,
    streams: [BoxStream<'static, Frame>; 2],
    shared: usize,
}

/// The text by which the client of `frame` resumes after it.
fn resume_text(schema: &SharingSchema, frame: &Frame) -> Option<String> {
    frame.resume.map(|point| schema.resume_text(point))
}

impl Served {
    fn new(home: &Home, device: &Device, document: &str, variables: &Value) -> Self {
        let together = home.frames(true, device, document, variables);
        let streams = [together, home.responses(device, document, variables)];
        let name = format!("{} {variables} {document}", device.user);
        Self { name, schema: home.sharing(), streams, shared: 0 }
    }

    /// The items up to a position are the same in both ways.
    async fn compare(&mut self, until: &str) {
        loop {
            let [together, alone] = &mut self.streams;
            let (together, alone) = (together.next().await.unwrap(), alone.next().await.unwrap());
            let is_shared = matches!(together.payload, Payload::Shared(_));
            self.shared += usize::from(is_shared);
            assert!(
                matches!(alone.payload, Payload::Own(_)),
                "nothing is shared where that is off"
            );
            let resume = resume_text(&self.schema, &together).unwrap_or_default();
            let (together, alone) = (text(&together), text(&alone));
            let value: Value = serde_json::from_str(&alone).unwrap();
            if is_shared {
                assert_eq!(together, alone, "shared, {}", self.name);
            } else {
                let together: Value = serde_json::from_str(&together).unwrap();
                assert_eq!(together, value, "not shared, {}", self.name);
            }
            let position = value["data"]["eventStream"]["position"].as_str();
            let position = position.unwrap_or_else(|| panic!("{value} {}", self.name));
            assert_eq!(resume, position, "{}", self.name);
            if position == until {
                return;
            }
        }
    }
}

fn text(frame: &Frame) -> String {
    match &frame.payload {
        Payload::Own(response) => serde_json::to_string(response).unwrap(),
        Payload::Shared(text) => text.to_string(),
    }
}

struct Play {
    home: Home,
    rng: Rng,
    devices: Vec<Device>,
    actions: Vec<i64>,
    rooms: Vec<String>,
    /// The room that all players stay in.
    quiet: String,
    /// The events so far: room and ID.
    events: Vec<(String, String)>,
}

impl Play {
    async fn new(seed: u64) -> Self {
        let home = Home::open().await;
        let mut devices = vec![home.register("ann").await, home.register("ben").await];
        devices.push(home.register("cat").await);
        devices.push(home.log_in("ann").await);
        let mut rooms = Vec::new();
        for _ in 0..3 {
            rooms.push(crate::create(&home, &devices[0], "SHARED").await);
        }
        for room in &rooms {
            for device in &devices[1..3] {
                home.act(device, "joinRoom", json!({ "room": { "roomId": room } })).await;
            }
        }
        let (rng, quiet) = (Rng::new(seed), rooms.pop().unwrap());
        let actions = vec![0; devices.len()];
        Self { home, rng, devices, actions, rooms, quiet, events: Vec::new() }
    }

    async fn send(&mut self, who: usize, kind: &str, mut input: Value, numbered: bool) {
        if numbered {
            self.actions[who] += 1;
            input["actionId"] = self.actions[who].into();
        }
        let named = input.get("room").unwrap_or(&input);
        let room = named["roomId"].as_str().unwrap().to_owned();
        let name = format!("{}{}Input", kind[..1].to_uppercase(), &kind[1..]);
        let document = format!(
            "mutation($input: {name}!) {{ it: {kind}(input: $input) {{ event {{ eventId }} }} }}"
        );
        let made = self.home.ask(&self.devices[who], &document, json!({ "input": input })).await;
        if let Some(event) = made["it"]["event"]["eventId"].as_str() {
            self.events.push((room, event.to_owned()));
        }
    }

    async fn act(&mut self, number: usize) {
        let who = self.rng.below(self.devices.len());
        let room = self.rng.pick(&self.rooms).clone();
        let numbered = self.rng.one_in(2);
        let body = format!("text {number}");
        let known = (!self.events.is_empty()).then(|| self.rng.pick(&self.events).clone());
        let whom = self.devices[1 + self.rng.below(2)].user.to_string();
        match (self.rng.below(10), known) {
            (0, Some((room, event))) => {
                let input = json!({ "roomId": room, "eventId": event });
                self.send(who, "redactEvent", input, numbered).await;
            }
            (1, Some((room, event))) => {
                let input = json!({ "roomId": room, "eventId": event, "key": "+" });
                self.send(who, "addReaction", input, numbered).await;
            }
            (2, Some((room, event))) => {
                let input = json!({ "roomId": room, "eventId": event,
                    "isPrivate": self.rng.one_in(3) });
                let document = "mutation($input: MarkRoomReadInput!) {
                    markRoomRead(input: $input) { room { roomId } } }";
                self.home.ask(&self.devices[who], document, json!({ "input": input })).await;
            }
            (3, _) => {
                self.send(who, "joinRoom", json!({ "room": { "roomId": room } }), numbered).await;
            }
            (4, _) => self.send(who, "leaveRoom", json!({ "roomId": room }), numbered).await,
            (5, _) => {
                let input = json!({ "roomId": room, "userId": whom });
                self.send(0, "kickUser", input, numbered).await;
            }
            (6, _) => {
                let document = "mutation($input: SetProfileInput!) {
                    setProfile(input: $input) { position } }";
                let input = json!({ "input": { "displayName": body } });
                self.home.ask(&self.devices[who], document, input).await;
            }
            (7, _) => {
                let input = json!({ "roomId": room, "name": body });
                self.send(who, "setRoomName", input, numbered).await;
            }
            _ => {
                let input = json!({ "roomId": room, "body": body });
                self.send(who, "sendMessage", input, numbered).await;
            }
        }
    }

    /// Makes an event that all streams reach.
    async fn mark(&mut self, number: usize) -> String {
        let (room, body) = (self.quiet.clone(), format!("mark {number}"));
        self.home.say(&self.devices[0], &room, &body).await;
        position(&self.home, &self.devices[0]).await
    }
}

async fn position(home: &Home, device: &Device) -> String {
    let position = home.ask(device, "{ viewer { position } }", json!({})).await;
    position["viewer"]["position"].as_str().unwrap().to_owned()
}

fn filter(rng: &mut Rng, play: &Play) -> Value {
    match rng.below(5) {
        0 => json!({ "conditions": { "notTypes": ["m.reaction", "m.room.name"] } }),
        1 => json!({ "conditions": { "notRooms": [play.rooms[0]] } }),
        2 => {
            let sender = play.devices[1].user.as_str();
            json!({ "conditions": { "notSenders": [sender], "includeLate": true } })
        }
        _ => Value::Null,
    }
}

async fn run(seed: u64, rounds: usize) -> usize {
    let (mut play, writer) = (Play::new(seed).await, Writer::new());
    let mut rng = Rng::new(seed ^ 0xfeed);
    let documents: Vec<_> = (0..4).map(|_| writer.subscription(&mut rng)).collect();
    let mut places = vec![position(&play.home, &play.devices[0]).await];
    let mut served: Vec<Served> = Vec::new();
    let mut shared = 0;
    for round in 0..rounds {
        for device in 0..play.devices.len() {
            let (document, after) = (rng.pick(&documents).clone(), rng.pick(&places).clone());
            let filter = filter(&mut rng, &play);
            let variables = json!({ "after": after, "filter": filter });
            served.push(Served::new(&play.home, &play.devices[device], &document, &variables));
        }
        for number in 0..=rng.below(6) {
            play.act(round * 100 + number).await;
        }
        places.push(play.mark(round).await);
        for one in &mut served {
            one.compare(places.last().unwrap()).await;
        }
        let gone = rng.below(served.len());
        if served.len() > 12 {
            shared += served.swap_remove(gone).shared;
        }
    }
    shared += served.iter().map(|one| one.shared).sum::<usize>();
    let counts = play.home.counts();
    assert_eq!(counts.failed, 0, "a mark is on a field that asks who asks");
    assert!(counts.executed <= u64::try_from(shared).unwrap(), "{counts:?}");
    drop(served);
    let counts = play.home.counts();
    assert_eq!((counts.groups, counts.kept, counts.kept_bytes), (0, 0, 0), "all go with the last");
    play.home.close().await;
    shared
}

#[tokio::test]
async fn payloads_are_the_same_to_the_byte_with_sharing_and_without() {
    let mut shared = 0;
    for seed in 0..12 {
        shared += run(seed, 8).await;
    }
    assert!(shared > 500, "only {shared} frames were shared: the comparison says little");
}

const PLAIN: &str = "subscription { eventStream { position events {
    ... on RoomEvent { eventId text } } } }";

/// Takes the first chunk of a stream without a position: it has only a position.
async fn begun(frames: &mut (impl Stream<Item = Frame> + Unpin)) -> Value {
    let told: Value = serde_json::from_str(&text(&frames.next().await.unwrap())).unwrap();
    let chunk = told["data"]["eventStream"].clone();
    assert_eq!(chunk["events"], json!([]), "{told}");
    assert!(frames.next().now_or_never().is_none(), "nothing happens");
    chunk["position"].clone()
}

#[tokio::test]
async fn a_stream_that_tells_nothing_tells_its_position_once_that_has_moved() {
    let home = Home::open().await;
    let (ann, ben) = (home.register("ann").await, home.register("ben").await);
    let room = crate::create(&home, &ann, "SHARED").await;
    position(&home, &ann).await;
    for shares in [true, false] {
        let mut frames = home.frames(shares, &ben, PLAIN, &json!({}));
        let first = begun(&mut frames).await;
        tokio::time::pause();
        // A client that has the position already does not get it again.
        let quiet = tokio::time::timeout(Duration::from_mins(5), frames.next()).await;
        assert!(quiet.is_err(), "nothing has moved");
        tokio::time::resume();
        home.say(&ann, &room, "none of ben's rooms").await;
        let moved = position(&home, &ann).await;
        tokio::time::pause();
        let frame = tokio::time::timeout(Duration::from_mins(1), frames.next()).await;
        tokio::time::resume();
        let frame = frame.expect("a position within a minute").unwrap();
        let told: Value = serde_json::from_str(&text(&frame)).unwrap();
        let chunk = &told["data"]["eventStream"];
        assert_eq!(chunk["events"], json!([]), "{told}");
        assert_ne!(chunk["position"], first);
        assert_eq!(chunk["position"], moved);
        assert_eq!(resume_text(&home.sharing(), &frame).as_deref(), Some(&*moved));
    }
    home.close().await;
}

/// Waits for a condition, while other tasks run.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect(what);
}

#[tokio::test]
async fn an_answer_is_kept_no_longer_than_the_commits_that_it_tells_of() {
    let home = Home::open().await;
    let ann = home.register("ann").await;
    let room = crate::create(&home, &ann, "SHARED").await;
    position(&home, &ann).await;
    let mut frames = home.frames(true, &ann, PLAIN, &json!({}));
    begun(&mut frames).await;
    home.say(&ann, &room, "secret").await;
    let told = text(&frames.next().await.unwrap());
    assert_eq!(home.counts().kept, 1, "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    let event = &told["data"]["eventStream"]["events"][0]["eventId"];
    home.act(&ann, "redactEvent", json!({ "roomId": room, "eventId": event })).await;
    frames.next().await.unwrap();
    until("only the redaction is left", || home.counts().kept == 1).await;
    for number in 0..60 {
        home.say(&ann, &room, &format!("text {number}")).await;
        frames.next().await.unwrap();
    }
    // The home remembers 16 commits.
    until("what is gone from memory goes", || home.counts().kept <= 16).await;
    assert!(home.counts().kept > 1, "{:?}", home.counts());
    drop(frames);
    assert_eq!(home.counts().kept, 0);
    home.close().await;
}

#[tokio::test]
async fn a_name_that_has_changed_is_not_told_from_memory() {
    let home = Home::open().await;
    let (ann, ben) = (home.register("ann").await, home.register("ben").await);
    let room = crate::create(&home, &ann, "SHARED").await;
    home.act(&ben, "joinRoom", json!({ "room": { "roomId": room } })).await;
    position(&home, &ben).await;
    let document = PLAIN.replace("eventId", "sender { displayName }");
    let mut prompt = home.frames(true, &ann, &document, &json!({}));
    let (mut late, mut alone) = (
        home.frames(true, &ann, &document, &json!({})),
        home.responses(&ann, &document, &json!({})),
    );
    for stream in [&mut prompt, &mut late, &mut alone] {
        begun(stream).await;
    }
    home.say(&ben, &room, "hello").await;
    let old = text(&prompt.next().await.unwrap());
    let input = json!({ "input": { "displayName": "Another" } });
    let rename = "mutation($input: SetProfileInput!) { setProfile(input: $input) { position } }";
    home.ask(&ben, rename, input).await;
    // Members see the name of the membership.
    home.act(&ben, "leaveRoom", json!({ "roomId": room })).await;
    home.act(&ben, "joinRoom", json!({ "room": { "roomId": room } })).await;
    position(&home, &ben).await;
    let (new, alone) = (late.next().await.unwrap(), alone.next().await.unwrap());
    assert!(matches!(new.payload, Payload::Shared(_)));
    assert_eq!(text(&new), text(&alone));
    assert_ne!(text(&new), old, "the name is told as it is now");
    home.close().await;
}

#[tokio::test]
async fn each_frame_says_from_where_to_resume_whatever_is_asked_and_shared() {
    let home = Home::open().await;
    let ann = home.register("ann").await;
    let room = crate::create(&home, &ann, "SHARED").await;
    let after = position(&home, &ann).await;
    let own = "subscription($after: Position!) { eventStream(after: $after) { events {
        ... on RoomEvent { room { unreadCount } } ... on ReceiptMoved { room { unreadCount } } }
        position } }";
    let plain = PLAIN.replace(
        "subscription { eventStream",
        "subscription($after: Position!) { eventStream(after: $after)",
    );
    home.say(&ann, &room, "hello").await;
    for (document, is_on) in [(own, true), (own, false), (&plain, true), (&plain, false)] {
        let mut frames = home.frames(is_on, &ann, document, &json!({ "after": after }));
        let frame = frames.next().await.unwrap();
        let is_shared = matches!(frame.payload, Payload::Shared(_));
        assert_eq!(is_shared, is_on && document != own, "{document}");
        let told: Value = serde_json::from_str(&text(&frame)).unwrap();
        let resume = resume_text(&home.sharing(), &frame);
        assert_eq!(
            told["data"]["eventStream"]["position"].as_str(),
            resume.as_deref(),
            "{document}"
        );
    }
    home.close().await;
}
