//! One simulated server.

use std::sync::Arc;

use async_trait::async_trait;
use rookery_domain::{
    CallId, CreateRoom, Fact, KnownEvent, Origin, OwnedEventId, OwnedRoomId, OwnedServerName,
    OwnedUserId, RoomCommand, RoomId, RoomVersionId, ServerName, SigningKey, UserId, sign,
};
use rookery_log::{
    Epoch, ErasableLog, MemoryLog, Millis, Position, Scope, StreamId, StreamKind, Unavailable,
};
use serde_json::value::RawValue;

use crate::{
    Actor, CallLookup, Command, CommandOptions, Commands, EventLookup, HandleError, LastActions,
    Memberships, Outcome, Ports, Receipt, Retry, ServerKeys, TrustedKeys,
    stream::state::read_facts,
};

/// An empty read side: no profile is spread, and no event can be referred to.
pub struct NoReadSide;

#[async_trait]
impl Memberships for NoReadSide {
    async fn joined_rooms(&self, _: &UserId, _: Position) -> Result<Vec<OwnedRoomId>, Unavailable> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl EventLookup for NoReadSide {
    async fn known(
        &self,
        _: &[OwnedEventId],
        _: &UserId,
        _: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl LastActions for NoReadSide {
    async fn last_action(&self, _: &UserId, _: &str, _: Position) -> Result<u64, Unavailable> {
        Ok(0)
    }
}

#[async_trait]
impl CallLookup for NoReadSide {
    async fn active_calls(
        &self,
        _: &UserId,
        _: Position,
    ) -> Result<Vec<(OwnedRoomId, CallId)>, Unavailable> {
        Ok(Vec::new())
    }
}

/// An event on its way from one server to another.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The sending server.
    pub origin: OwnedServerName,
    /// Its room.
    pub room_id: OwnedRoomId,
    /// Its ID.
    pub event_id: OwnedEventId,
    /// The signed event.
    pub json: Box<RawValue>,
}

impl Sent {
    /// Delivers the event to a write side, alone.
    ///
    /// # Panics
    /// If the write side cannot read or write its log.
    pub async fn deliver(&self, to: &Commands, keys: &dyn ServerKeys) -> Receipt {
        let pdus = [self.json.clone()];
        let receipts = to.receive(keys, &self.origin, &self.room_id, &pdus, Millis(1)).await;
        receipts.expect("a delivery is taken").remove(0)
    }
}

/// A server with its users, its log and its key.
pub struct Server {
    /// Its name.
    pub name: OwnedServerName,
    /// Its write side.
    pub commands: Arc<Commands>,
    /// Its log.
    pub log: Arc<dyn ErasableLog>,
    /// The key with which it signs.
    pub key: SigningKey,
    sent_up_to: Position,
}

impl Server {
    /// A server over an existing log and write side.
    ///
    /// # Panics
    /// If the name is invalid.
    #[must_use]
    pub fn over(name: &str, commands: Arc<Commands>, log: Arc<dyn ErasableLog>) -> Self {
        let name = OwnedServerName::try_from(name).expect("a server name");
        let key = SigningKey::from_seed(seed(&name), "sim").expect("a name of a key");
        Self { name, commands, log, key, sent_up_to: Position::ORIGIN }
    }

    /// A server with a log in memory.
    #[must_use]
    pub fn in_memory(name: &str) -> Self {
        let log: Arc<dyn ErasableLog> = Arc::new(MemoryLog::new(Epoch(1)));
        let commands = Self::open(name, &log);
        Self::over(name, Arc::new(commands), log)
    }

    /// A write side with this name over a log.
    ///
    /// # Panics
    /// If the name is invalid.
    #[must_use]
    pub fn open(name: &str, log: &Arc<dyn ErasableLog>) -> Commands {
        let name = OwnedServerName::try_from(name).expect("a server name");
        let (read_side, options) = (Arc::new(NoReadSide), CommandOptions::default());
        let ports = Ports {
            memberships: read_side.clone(),
            events: read_side.clone(),
            last_actions: read_side.clone(),
            calls: read_side,
        };
        Commands::open(Arc::clone(log), name, ports, None, options)
            .expect("no folder, so nothing that could fail")
    }

    /// Stops the write side and starts another one on the same log.
    pub fn restart(&mut self) {
        self.commands = Arc::new(Self::open(self.name.as_str(), &self.log));
    }

    /// Adds the keys of this server to `keys`.
    pub fn publish(&self, keys: &mut TrustedKeys) {
        let key_id = format!("ed25519:{}", self.key.name());
        keys.insert(self.name.clone(), key_id, self.key.public_key());
    }

    /// A user of this server.
    ///
    /// # Panics
    /// If the name is invalid.
    #[must_use]
    pub fn user(&self, name: &str) -> OwnedUserId {
        OwnedUserId::try_from(format!("@{name}:{}", self.name)).expect("a user name")
    }

    /// Creates a room as a user of this server.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn create(&self, name: &str, command: &CreateRoom, now: u64) -> OwnedRoomId {
        let actor = self.actor(name, now);
        let created = self
            .commands
            .execute(&actor, Command::CreateRoom { room: command }, Retry::Unnamed)
            .await;
        created.ok().and_then(|created| created.room_id).expect("the room is created")
    }

    /// Carries out a command as a user of this server.
    ///
    /// # Errors
    /// As [`Commands::room`].
    pub async fn act(
        &self,
        name: &str,
        room_id: &RoomId,
        command: &RoomCommand,
        now: u64,
    ) -> Result<Outcome, HandleError> {
        let command = Command::InRoom { room: room_id, command };
        self.commands.execute(&self.actor(name, now), command, Retry::Unnamed).await
    }

    /// The new events of its users in the room since the last call, signed, oldest first.
    ///
    /// # Panics
    /// If the log cannot be read.
    pub async fn outbox(&mut self, room_id: &RoomId, version: &RoomVersionId) -> Vec<Sent> {
        let scope = Scope::Stream(StreamId::new(StreamKind::Room, room_id.as_str()));
        let mut sent = Vec::new();
        let records = self.log.read(&scope, self.sent_up_to, 4_096).await;
        for record in records.expect("the log can be read") {
            self.sent_up_to = record.position;
            let facts =
                read_facts::<rookery_domain::Room>(&record).expect("events of this version");
            for fact in facts {
                let Fact::Room(event) = fact else { continue };
                let Origin::Local { .. } = event.envelope.origin else { continue };
                let json = sign(&event.pdu, &self.key, &self.name, version).expect("it is signed");
                sent.push(self.sent(room_id, event.pdu.event_id.clone(), json));
            }
        }
        sent
    }

    /// An event ready for delivery.
    ///
    /// # Panics
    /// If the text is not JSON.
    #[must_use]
    pub fn sent(&self, room_id: &RoomId, event_id: OwnedEventId, json: String) -> Sent {
        let json = RawValue::from_string(json).expect("events are JSON");
        Sent { origin: self.name.clone(), room_id: room_id.to_owned(), event_id, json }
    }

    fn actor(&self, name: &str, now: u64) -> Actor {
        Actor {
            user: self.user(name),
            device: None,
            now: Millis(now),
            deliver: None,
            received: None,
            service: None,
        }
    }
}

fn seed(name: &ServerName) -> [u8; 32] {
    *blake3::hash(name.as_bytes()).as_bytes()
}
