//! A client that follows the guide: it applies the items of its stream.

use std::collections::{BTreeMap, BTreeSet};

use rookery_command::testing::Folded;
use rookery_domain::OwnedUserId;
use rookery_gateway::schema::token_key;
use rookery_log::{Epoch, Position, PositionToken};
use serde_json::{Value, json};

use super::home::{Home, signing_key};

const POLL: &str = "query($after: Position!, $late: Boolean!, $limit: Int!) {
    events(after: $after, filter: { conditions: { includeLate: $late } }, limit: $limit) {
        events { __typename
            ... on RoomEvent { eventId sequence type stateKey isLate after isSuperseded }
            ... on StateResolved { type stateKey event { eventId } }
            ... on RoomOpened { sequence room { state(first: 100) { nodes { eventId type stateKey } } } } }
        skipped { first last reason }
        position } }";

const STATE: &str = "query($room: RoomID!) { room(by: { roomId: $room }) {
    name topic memberCount state(first: 100) { nodes { eventId type stateKey } } } }";

type State = BTreeMap<(String, String), String>;

pub(crate) struct Client {
    user: OwnedUserId,
    pub(crate) late: bool,
    position: String,
    is_in: bool,
    /// The sequence of the event that opened the room.
    from: u64,
    state: State,
    /// The received and skipped sequences since the room was opened, each once.
    numbers: BTreeSet<u64>,
    told: BTreeSet<String>,
    pub(crate) told_late: usize,
}

impl Client {
    pub(crate) fn new(user: OwnedUserId, late: bool) -> Self {
        let key = token_key(&signing_key());
        let position = PositionToken { epoch: Epoch(1), position: Position::ORIGIN, key };
        Self {
            user,
            late,
            position: position.to_string(),
            is_in: false,
            from: 0,
            state: State::new(),
            numbers: BTreeSet::new(),
            told: BTreeSet::new(),
            told_late: 0,
        }
    }

    /// Takes the items of up to `limit` commits. Returns `false` if there was nothing to read.
    pub(crate) async fn poll(&mut self, home: &Home, limit: usize) -> bool {
        let variables = json!({ "after": self.position, "late": self.late, "limit": limit });
        let chunk = home.ask(&self.user, POLL, variables).await["events"].take();
        for item in chunk["events"].as_array().unwrap() {
            self.take(item);
        }
        for skipped in chunk["skipped"].as_array().unwrap() {
            let number = |field: &str| skipped[field].as_u64().unwrap();
            for sequence in number("first")..=number("last") {
                self.number(sequence);
            }
            assert!(skipped["reason"] != "LATE" || !self.late, "it was asked for");
            assert_ne!(skipped["reason"], "FILTERED");
        }
        let position = chunk["position"].as_str().unwrap().to_owned();
        let moved = position != self.position;
        self.position = position;
        moved
    }

    fn take(&mut self, item: &Value) {
        match item["__typename"].as_str().unwrap() {
            "RoomOpened" => {
                self.is_in = true;
                self.from = item["sequence"].as_u64().unwrap();
                self.numbers.clear();
                self.state = state_of(&item["room"]["state"]["nodes"]);
            }
            "RoomClosed" => {
                self.is_in = false;
                self.numbers.clear();
            }
            kind if kind.ends_with("Event") => {
                assert_eq!(item["isSuperseded"], false, "{item}");
                assert!(self.late || item["isLate"] == false, "it was not asked for: {item}");
                self.told_late += usize::from(item["isLate"] == true);
                let event_id = item["eventId"].as_str().unwrap();
                assert!(self.told.insert(event_id.to_owned()), "{item} is told twice");
                if self.is_in {
                    self.number(item["sequence"].as_u64().unwrap());
                }
                if let Some(state_key) = item["stateKey"].as_str() {
                    let slot = (item["type"].as_str().unwrap().to_owned(), state_key.to_owned());
                    self.state.insert(slot, event_id.to_owned());
                }
            }
            "StateResolved" => {
                let text = |field: &str| item[field].as_str().unwrap().to_owned();
                let slot = (text("type"), text("stateKey"));
                match item["event"]["eventId"].as_str() {
                    Some(event_id) => self.state.insert(slot, event_id.to_owned()),
                    None => self.state.remove(&slot),
                };
            }
            _ => {}
        }
    }

    fn number(&mut self, sequence: u64) {
        // A skipped event of a chunk may be from before the room was reopened.
        assert!(sequence < self.from || self.numbers.insert(sequence), "{sequence} is told twice");
    }

    pub(crate) async fn check(&self, home: &Home, truth: &Folded) {
        let slot = ("m.room.member".to_owned(), self.user.to_string());
        let variables = json!({ "room": home.world.room_id });
        let document = "query($room: RoomID!) { room(by: { roomId: $room }) { myMembership } }";
        let room = home.ask(&self.user, document, variables.clone()).await["room"].take();
        let is_in = room["myMembership"] == "JOIN";
        assert_eq!(self.is_in, is_in, "{} {:?}", self.user, truth.state.get(&slot));
        for hidden in truth.rejected.iter().chain(&truth.soft_failed) {
            assert!(!self.told.contains(hidden.as_str()), "{hidden} was told");
        }
        if !is_in {
            return;
        }
        let expected = truth.state.iter().map(|(slot, event)| (slot.clone(), event.to_string()));
        assert_eq!(self.state, expected.collect::<State>(), "{} late: {}", self.user, self.late);
        let room = home.ask(&self.user, STATE, variables).await["room"].take();
        assert_eq!(state_of(&room["state"]["nodes"]), self.state, "what is shown is what was told");
        let numbers: Vec<u64> = self.numbers.range(self.from..).copied().collect();
        let dense: Vec<u64> = (self.from..).take(numbers.len()).collect();
        assert_eq!(numbers, dense, "no number is missing");
        assert!(!numbers.is_empty());
    }
}

fn state_of(events: &Value) -> State {
    let events = events.as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    events
        .map(|event| ((text(&event["type"]), text(&event["stateKey"])), text(&event["eventId"])))
        .collect()
}
