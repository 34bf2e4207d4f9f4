//! A device that follows its stream, and scrolls back from each opening of a room.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::home::{Device, Home, data};

/// The selection on each chunk.
const CHUNK: &str = "position
    events { __typename
        ... on RoomEvent { eventId sequence text room { roomId } }
        ... on RoomClosed { roomId }
        ... on RoomOpened { sequence cursor room { roomId }
            messages(last: 5) { nodes { eventId sequence } } } }
    skipped { roomId reason }";

const JOIN: &str = "mutation($input: JoinRoomInput!) { joinRoom(input: $input) {
    event { sequence }
    messages(last: 5) { nodes { eventId sequence } pageInfo { startCursor } } } }";

const SCROLL: &str =
    "query($room: RoomID!, $before: Cursor, $last: Int!) { room(by: { roomId: $room }) {
    timeline(last: $last, before: $before) {
        nodes { eventId sequence } pageInfo { hasPreviousPage startCursor } } } }";

/// An event: its sequence and its ID.
pub(crate) type Numbered = (u64, String);

/// A time during which a room was open to the device.
pub(crate) struct Opening {
    /// The sequence of the event that opened it.
    pub(crate) from: u64,
    /// The events before it, by scrolling back at the opening.
    pub(crate) before: Vec<Numbered>,
    /// The cursor to scroll back from.
    pub(crate) cursor: Value,
    /// The events on the stream.
    pub(crate) told: Vec<Numbered>,
    pub(crate) is_closed: bool,
}

/// The events in the answer to a join, and by scrolling back from it.
pub(crate) struct Answer {
    pub(crate) room: String,
    /// The sequence of the join.
    pub(crate) at: u64,
    pub(crate) shown: Vec<Numbered>,
    /// Whether neither the opening nor the join come on the stream.
    is_all: bool,
}

pub(crate) struct Follower {
    pub(crate) device: Device,
    position: String,
    /// The length of the pages when it scrolls.
    page: usize,
    pub(crate) openings: BTreeMap<String, Vec<Opening>>,
    pub(crate) answers: Vec<Answer>,
    /// The `answers` with the whole snapshot that have not met the stream yet.
    awaited: Vec<usize>,
    /// Events of closed rooms: of the user's own membership.
    pub(crate) outside: BTreeMap<String, Vec<Numbered>>,
    /// Received chunks that were not processed yet: an earlier answer may still be in transit.
    heard: Vec<Value>,
}

impl Follower {
    /// A device that follows from now on.
    pub(crate) async fn new(home: &Home, device: Device, page: usize) -> Self {
        let position = home.ask(&device, "{ viewer { position } }", json!({})).await;
        let position = position["viewer"]["position"].as_str().unwrap().to_owned();
        Self {
            device,
            position,
            page,
            openings: BTreeMap::new(),
            answers: Vec::new(),
            awaited: Vec::new(),
            outside: BTreeMap::new(),
            heard: Vec::new(),
        }
    }

    /// Joins a room from this device.
    pub(crate) async fn join(&self, home: &Home, room: &str, deliver: &str) -> Option<Answer> {
        let input = json!({ "input": { "room": { "roomId": room }, "deliver": deliver } });
        let answer = home.ask(&self.device, JOIN, input).await["joinRoom"].take();
        let at = answer["event"]["sequence"].as_u64()?;
        let page = &answer["messages"];
        if deliver == "STREAM" {
            assert_eq!(*page, Value::Null);
            return None;
        }
        let cursor = page["pageInfo"]["startCursor"].clone();
        let mut shown = self.scroll(home, room, cursor).await;
        shown.extend(numbered(&page["nodes"]));
        Some(Answer { room: room.to_owned(), at, shown, is_all: deliver == "RESPONSE" })
    }

    /// Keeps the answer to a join of this device.
    pub(crate) fn answered(&mut self, answer: Option<Answer>) {
        let Some(answer) = answer else { return };
        if answer.is_all {
            self.awaited.push(self.answers.len());
        }
        self.answers.push(answer);
    }

    /// Everything before the cursor, page by page, oldest first.
    pub(crate) async fn scroll(&self, home: &Home, room: &str, before: Value) -> Vec<Numbered> {
        let (mut found, mut before) = (Vec::new(), before);
        loop {
            let variables = json!({ "room": room, "before": before, "last": self.page });
            let page = home.ask(&self.device, SCROLL, variables).await["room"]["timeline"].take();
            found.splice(0..0, numbered(&page["nodes"]));
            if page["pageInfo"]["hasPreviousPage"] != true {
                return found;
            }
            before = page["pageInfo"]["startCursor"].clone();
        }
    }

    /// Polls the items of up to `limit` commits. Returns `false` if there was nothing to read.
    pub(crate) async fn poll(&mut self, home: &Home, limit: usize) -> bool {
        let document = format!(
            "query($after: Position!, $limit: Int!) {{
                events(after: $after, limit: $limit) {{ {CHUNK} }} }}"
        );
        let variables = json!({ "after": self.position, "limit": limit });
        let before = self.position.clone();
        let chunk = home.ask(&self.device, &document, variables).await["events"].take();
        self.hear(chunk);
        self.look(home).await;
        self.position != before
    }

    /// Follows the stream until this text comes, or for this many chunks. Returns `true` if the
    /// text came.
    pub(crate) async fn follow(&mut self, home: &Home, until: &str, chunks: usize) -> bool {
        let document = format!(
            "subscription($after: Position) {{ eventStream(after: $after) {{ {CHUNK} }} }}"
        );
        let mut stream = home.subscribe(&self.device, &document, json!({ "after": self.position }));
        for _ in 0..chunks {
            let chunk = data(stream.next().await.unwrap())["eventStream"].take();
            let mut events = chunk["events"].as_array().unwrap().iter();
            let is_there = events.any(|event| event["text"] == until);
            self.hear(chunk);
            if is_there {
                return true;
            }
        }
        false
    }

    fn hear(&mut self, chunk: Value) {
        chunk["position"].as_str().unwrap().clone_into(&mut self.position);
        self.heard.push(chunk);
    }

    /// Processes the received chunks.
    pub(crate) async fn look(&mut self, home: &Home) {
        for chunk in std::mem::take(&mut self.heard) {
            self.take(home, &chunk).await;
        }
    }

    async fn take(&mut self, home: &Home, chunk: &Value) {
        for item in chunk["events"].as_array().unwrap() {
            match item["__typename"].as_str().unwrap() {
                kind if kind.ends_with("Event") => self.event(item),
                "RoomOpened" => self.opened(home, item).await,
                "RoomClosed" => {
                    let room = item["roomId"].as_str().unwrap();
                    // A ban after leaving, or a withdrawn invite, closes no open room.
                    if let Some(opening) = self.open(room) {
                        opening.is_closed = true;
                    }
                }
                _ => {}
            }
        }
        for skipped in chunk["skipped"].as_array().unwrap() {
            assert_eq!(skipped["reason"], "ANSWERED", "{skipped}");
        }
    }

    fn open(&mut self, room: &str) -> Option<&mut Opening> {
        self.openings.get_mut(room)?.last_mut().filter(|opening| !opening.is_closed)
    }

    fn push(&mut self, room: &str, opening: Opening) {
        assert!(self.open(room).is_none(), "{room} is open, and opened again");
        self.openings.entry(room.to_owned()).or_default().push(opening);
    }

    async fn opened(&mut self, home: &Home, item: &Value) {
        let room = item["room"]["roomId"].as_str().unwrap();
        let cursor = item["cursor"].clone();
        let before = self.scroll(home, room, cursor.clone()).await;
        let screen = numbered(&item["messages"]["nodes"]);
        assert_eq!(screen, before[before.len().saturating_sub(5)..], "the screen of {item}");
        let from = item["sequence"].as_u64().unwrap();
        self.push(room, Opening { from, before, cursor, told: Vec::new(), is_closed: false });
    }

    fn event(&mut self, item: &Value) {
        let room = item["room"]["roomId"].as_str().unwrap();
        let event = number(item);
        self.meet_answers(room, event.0);
        match self.open(room) {
            Some(opening) => opening.told.push(event),
            None => self.outside.entry(room.to_owned()).or_default().push(event),
        }
    }

    /// Rooms that only an answer opened, before this sequence.
    fn meet_answers(&mut self, room: &str, sequence: u64) {
        let answers = &self.answers;
        let met = |place: &usize| answers[*place].room == room && answers[*place].at < sequence;
        let (met, awaited) = self.awaited.iter().copied().partition::<Vec<_>, _>(met);
        self.awaited = awaited;
        for place in met {
            let Answer { at, shown, .. } = &self.answers[place];
            let (before, cursor) = (shown.clone(), Value::Null);
            let opening =
                Opening { from: at + 1, before, cursor, told: Vec::new(), is_closed: false };
            self.push(room, opening);
        }
    }

    /// The stream has ended, so rooms that only an answer opened stay so.
    pub(crate) fn end(&mut self) {
        let rooms: Vec<_> = self.answers.iter().map(|answer| answer.room.clone()).collect();
        for room in rooms {
            self.meet_answers(&room, u64::MAX);
        }
    }
}

pub(crate) fn number(event: &Value) -> Numbered {
    (event["sequence"].as_u64().unwrap(), event["eventId"].as_str().unwrap().to_owned())
}

fn numbered(nodes: &Value) -> Vec<Numbered> {
    nodes.as_array().unwrap().iter().map(number).collect()
}
