//! What tests need: a log that fills with made-up events, and models that fail on demand.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use rookery_domain::{
    AccountEvent, ActionOutcome, AliasEvent, Envelope, Erased, EventStatus, Fact, Filter,
    Fingerprint, Holder, Origin, RoomId, RoomVersionId, SlotChange, StoredFact, Subject, UserId,
};
use rookery_log::{
    Commit, Epoch, EventLog, LoggedEvent, MemoryLog, Millis, Position, Scope, StreamId, StreamKind,
};
use serde_json::{Value, json};

use crate::{Committed, Options, ReadModels, restated::decode};

pub(crate) const EPOCH: Epoch = Epoch(7);

/// Model and event type at which the models panic. Each test uses an event type of its own.
static TRIPS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

pub(crate) fn set_trip(model: &str, kind: &str) {
    TRIPS.lock().push((model.into(), kind.into()));
}

pub(crate) fn clear_trip(kind: &str) {
    TRIPS.lock().retain(|(_, other)| other != kind);
}

/// Panics if the commit has an event at which this model is to panic.
pub(crate) fn trip(model: &str, committed: &Committed) {
    let trips = TRIPS.lock().clone();
    let kinds = trips.iter().filter(|(other, _)| other == model).map(|(_, kind)| kind);
    for kind in kinds {
        let has = |event: &rookery_domain::RoomEvent| event.pdu.kind.to_string() == *kind;
        assert!(!committed.room_events().any(|(_, event)| has(event)), "tripped over {kind}");
    }
}

/// A log with rooms, users and aliases, all made up.
pub(crate) struct Scene {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) dir: tempfile::TempDir,
    depths: BTreeMap<String, u64>,
    events: u64,
    /// Every state event of each room that can be read, as one that holds its slot.
    states: Mutex<BTreeMap<String, Vec<SlotChange>>>,
}

/// What a scene redacted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redacted {
    pub(crate) redaction: Position,
    pub(crate) target: (Position, u16),
}

pub(crate) fn room_id(name: &str) -> String {
    format!("!{name}:rookery.test")
}

pub(crate) fn room(name: &str) -> rookery_domain::OwnedRoomId {
    RoomId::parse(room_id(name)).unwrap()
}

pub(crate) fn user(name: &str) -> rookery_domain::OwnedUserId {
    UserId::parse(format!("@{name}:rookery.test")).unwrap()
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            log: Arc::new(MemoryLog::new(EPOCH)),
            dir: tempfile::tempdir().unwrap(),
            depths: BTreeMap::new(),
            events: 0,
            states: Mutex::default(),
        }
    }

    pub(crate) async fn open(&self) -> ReadModels {
        self.open_with(Options { rebuild_threads: 2, ..Options::default() }).await
    }

    pub(crate) async fn open_with(&self, options: Options) -> ReadModels {
        let log: Arc<dyn EventLog> = self.log.clone();
        ReadModels::open(log, self.dir.path(), options, |_| {}).await.unwrap()
    }

    pub(crate) async fn append(&self, stream: StreamId, facts: Vec<StoredFact>) -> Position {
        let guard = self.log.head(&stream).await.unwrap().guard();
        let events = facts.iter().cloned().map(|fact| LoggedEvent {
            id: fact.id,
            envelope: fact.envelope,
            content: fact.content,
        });
        let commit =
            Commit { stream, command: None, received: Millis(1), events: events.collect() };
        let position = self.log.append(commit, guard).await.unwrap().position;
        for (index, fact) in facts.iter().enumerate() {
            self.note_state(fact, position, index);
        }
        position
    }

    fn note_state(&self, fact: &StoredFact, position: Position, index: usize) {
        let Ok(pdu) = serde_json::from_slice::<Value>(&fact.content) else { return };
        let (Some(room), Some(state_key)) = (pdu["room_id"].as_str(), pdu["state_key"].as_str())
        else {
            return;
        };
        let position = Some(position.0);
        let event_id = fact.id.as_str().try_into().unwrap();
        self.states.lock().entry(room.into()).or_default().push(SlotChange {
            kind: pdu["type"].as_str().unwrap().into(),
            state_key: state_key.into(),
            holder: Some(Holder { event_id, position, index: u16::try_from(index).unwrap() }),
        });
    }

    /// The state event of a room that was made as `number` (modulo how many there are), as one
    /// that gets its slot back.
    pub(crate) fn former(&self, name: &str, number: usize) -> Option<SlotChange> {
        let states = self.states.lock();
        let states = states.get(&room_id(name))?;
        Some(states[number % states.len()].clone())
    }

    /// Appends an event of another server, and says what its checks and state resolution came to.
    pub(crate) async fn receive(
        &mut self,
        name: &str,
        mut event: StoredFact,
        status: EventStatus,
        state: Option<Vec<SlotChange>>,
    ) -> Position {
        let origin = Origin::Server("else.test".try_into().unwrap());
        let envelope = Envelope { origin, status, state, ..Envelope::local(None, None) };
        event.envelope = serde_json::to_vec(&envelope).unwrap().into();
        self.append(StreamId::new(StreamKind::Room, &room_id(name)), vec![event]).await
    }

    /// Makes the next event of a room; `back` says how far its depth lies behind the last.
    pub(crate) fn event(
        &mut self,
        name: &str,
        sender: &str,
        kind: &str,
        state_key: Option<&str>,
        content: &Value,
        back: u64,
    ) -> StoredFact {
        let depth = self.depths.entry(name.into()).or_default();
        let at = if back == 0 {
            *depth += 1;
            *depth
        } else {
            depth.saturating_sub(back)
        };
        self.events += 1;
        let mut pdu = json!({
            "room_id": room_id(name), "sender": user(sender), "type": kind, "content": content,
            "origin_server_ts": self.events, "depth": at, "prev_events": [], "auth_events": [],
        });
        if let Some(state_key) = state_key {
            pdu["state_key"] = state_key.into();
        }
        StoredFact {
            id: format!("$event{}", self.events),
            envelope: serde_json::to_vec(&Envelope::local(None, None)).unwrap().into(),
            content: serde_json::to_vec(&pdu).unwrap().into(),
        }
    }

    pub(crate) async fn send(
        &mut self,
        name: &str,
        sender: &str,
        kind: &str,
        state_key: Option<&str>,
        content: Value,
    ) -> Position {
        let event = self.event(name, sender, kind, state_key, &content, 0);
        self.append(StreamId::new(StreamKind::Room, &room_id(name)), vec![event]).await
    }

    /// Redacts the event number `which` of a room (in the order of arrival, modulo how many there
    /// are), but for create events. The log still has its content: see [`Self::erase`].
    pub(crate) async fn redact(&mut self, name: &str, which: usize) -> Option<Redacted> {
        let scope = Scope::Stream(StreamId::new(StreamKind::Room, &room_id(name)));
        let records = self.log.read(&scope, Position::ORIGIN, 4_096).await.unwrap();
        let commits = decode(&*self.log, &records).await.unwrap();
        let events = commits.iter().flat_map(|commit| {
            commit.room_events().map(|(index, event)| (commit.position, index, &event.pdu))
        });
        let events: Vec<_> =
            events.filter(|(.., pdu)| pdu.kind.to_string() != "m.room.create").collect();
        let (position, index, pdu) = *events.get(which.checked_rem(events.len())?)?;
        let erased = Erased::new(pdu, position.0, u16::try_from(index).unwrap());
        let target = (position, erased.index);
        let content = json!({ "redacts": pdu.event_id });
        let mut event = self.event(name, "alice", "m.room.redaction", None, &content, 0);
        let envelope = Envelope { erases: vec![erased], ..Envelope::local(None, None) };
        event.envelope = serde_json::to_vec(&envelope).unwrap().into();
        let stream = StreamId::new(StreamKind::Room, &room_id(name));
        Some(Redacted { redaction: self.append(stream, vec![event]).await, target })
    }

    /// Erases from the log what was redacted, as the write side does.
    pub(crate) async fn erase(&self, redacted: Redacted) {
        let (position, index) = redacted.target;
        let record = self.log.get(&[position]).await.unwrap().remove(0);
        let room = Scope::Stream(record.commit.stream.clone());
        let first = self.log.read(&room, Position::ORIGIN, 1).await.unwrap();
        let create = decode(&*self.log, &first).await.unwrap().remove(0);
        let version = create.room_event(0).and_then(|event| {
            let content: Value = event.pdu.content_as()?;
            content.get("room_version")?.as_str()?.try_into().ok()
        });
        let committed = decode(&*self.log, &[record]).await.unwrap().remove(0);
        let pdu = &committed.room_event(index.into()).unwrap().pdu;
        let left = pdu.redacted(&version.unwrap_or(RoomVersionId::V11)).unwrap().json;
        self.log.erase(position, index.into(), left).await.unwrap();
    }

    pub(crate) async fn message(&mut self, name: &str, sender: &str) -> Position {
        let content = json!({ "msgtype": "m.text", "body": "hello" });
        self.send(name, sender, "m.room.message", None, content).await
    }

    /// A message of another server, whose depth lies `back` behind the last.
    pub(crate) async fn late(&mut self, name: &str, sender: &str, back: u64) -> Position {
        let event = self.event(name, sender, "m.room.message", None, &json!({}), back);
        self.receive(name, event, EventStatus::Accepted, None).await
    }

    /// Events that checks on receipt refuse: messages, a name, and a member.
    pub(crate) async fn hidden(&mut self, name: &str) -> Vec<rookery_domain::OwnedEventId> {
        let (dan, join) = (user("dan"), json!({ "membership": "join" }));
        let parts = [
            ("m.room.message", None, json!({ "body": "no" })),
            ("m.room.name", Some(""), json!({ "name": "no" })),
            ("m.room.member", Some(dan.as_str()), join),
        ];
        let mut hidden = Vec::new();
        for status in [EventStatus::Rejected, EventStatus::SoftFailed] {
            for (kind, state_key, content) in &parts {
                let event = self.event(name, "dan", kind, *state_key, content, 0);
                hidden.push(event.id.as_str().try_into().unwrap());
                self.receive(name, event, status, None).await;
            }
        }
        hidden
    }

    /// State of another server that is superseded when it comes.
    pub(crate) async fn late_state(
        &mut self,
        name: &str,
        kind: &str,
        content: &Value,
        back: u64,
    ) -> Position {
        let event = self.event(name, "alice", kind, Some(""), content, back);
        self.receive(name, event, EventStatus::Accepted, Some(Vec::new())).await
    }

    pub(crate) async fn member(&mut self, name: &str, who: &str, membership: &str) -> Position {
        let content = json!({ "membership": membership, "displayname": who });
        let key = user(who);
        self.send(name, who, "m.room.member", Some(key.as_str()), content).await
    }

    /// A room in one commit: create event, creator, join rule, name.
    pub(crate) async fn create(&mut self, name: &str, creator: &str) -> Position {
        let key = user(creator);
        let key = key.as_str();
        let parts = [
            ("m.room.create", "", json!({ "room_version": "11" })),
            ("m.room.member", key, json!({ "membership": "join" })),
            ("m.room.power_levels", "", json!({ "users": { key: 100 } })),
            ("m.room.join_rules", "", json!({ "join_rule": "public" })),
            ("m.room.name", "", json!({ "name": name })),
        ];
        let events = parts
            .iter()
            .map(|(kind, key, content)| self.event(name, creator, kind, Some(key), content, 0))
            .collect();
        self.append(StreamId::new(StreamKind::Room, &room_id(name)), events).await
    }

    pub(crate) async fn profile(&mut self, who: &str, displayname: &str) -> Position {
        let event = AccountEvent::ProfileChanged {
            displayname: Some(displayname.into()),
            avatar_url: None,
        };
        let stream = StreamId::new(StreamKind::User, user(who).as_str());
        self.append(stream, vec![Fact::Account(event).store([1; 16])]).await
    }

    /// A message that is a numbered action of a device.
    pub(crate) async fn numbered(
        &mut self,
        name: &str,
        who: &str,
        device: &str,
        action: u64,
    ) -> Position {
        let mut event = self.event(name, who, "m.room.message", None, &json!({}), 0);
        let fingerprint = Fingerprint::of(b"action", &());
        let envelope = Envelope::acted(device.into(), action, fingerprint);
        event.envelope = serde_json::to_vec(&envelope).unwrap().into();
        self.append(StreamId::new(StreamKind::Room, &room_id(name)), vec![event]).await
    }

    /// A numbered action of a device that made no event in a room.
    pub(crate) async fn noted(&mut self, who: &str, device: &str, action: u64) -> Position {
        let (device, fingerprint) = (device.into(), Fingerprint::of(b"action", &()));
        let outcome = ActionOutcome::Held { room_id: None };
        let noted = AccountEvent::ActionNoted { device, action, fingerprint, outcome };
        let stream = StreamId::new(StreamKind::User, user(who).as_str());
        self.append(stream, vec![Fact::Account(noted).store([1; 16])]).await
    }

    pub(crate) async fn filter(&mut self, who: &str, kind: &str) -> Position {
        let filter = Filter { types: Some(vec![kind.into()]), ..Filter::default() };
        let event = AccountEvent::FilterCreated { filter_id: filter.id(), filter };
        let stream = StreamId::new(StreamKind::User, user(who).as_str());
        self.append(stream, vec![Fact::Account(event).store([3; 16])]).await
    }

    pub(crate) async fn alias(&mut self, alias: &str, target: Option<&str>) -> Position {
        let by = user("alice");
        let event = match target {
            Some(name) => AliasEvent::Claimed { room_id: room(name), by },
            None => AliasEvent::Released { by },
        };
        let stream = StreamId::new(StreamKind::Alias, &format!("#{alias}:rookery.test"));
        self.append(stream, vec![Fact::Alias(event).store([2; 16])]).await
    }

    /// A commit with an event that no version of the software can read.
    pub(crate) async fn garbage(&mut self, name: &str) -> Position {
        self.events += 1;
        let fact = StoredFact {
            id: format!("$event{}", self.events),
            envelope: serde_json::to_vec(&Envelope::local(None, None)).unwrap().into(),
            content: b"no PDU".as_slice().into(),
        };
        assert!(Fact::read(Subject::Room, &fact.id, &fact.envelope, &fact.content).is_err());
        self.append(StreamId::new(StreamKind::Room, &room_id(name)), vec![fact]).await
    }
}

/// Brings the models to the end of the log.
pub(crate) async fn settle(models: &ReadModels) {
    while models.step().await.unwrap() > 0 {}
}
