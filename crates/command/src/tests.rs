//! The write side on a log in memory.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod actions;
mod calls;
mod federation;
mod processes;
mod rooms;
mod simulation;
mod stopping;
mod stream;
mod users;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use rookery_domain::{
    AccountEvent, CallId, CreateRoom, Fact, KnownEvent, Membership, MessageKind, Origin,
    OwnedEventId, OwnedRoomId, OwnedUserId, Pdu, Preset, Relation, RelationKind, RoomCommand,
    RoomId, RoomVersionId, Subject, UserId,
};
use rookery_log::{
    Epoch, ErasableLog, MemoryLog, Millis, Position, Record, Scope, StreamKind, Unavailable,
};

use crate::{
    Actor, CallLookup, Command, CommandOptions, Commands, EventLookup, HandleError, LastActions,
    Memberships, Outcome, Ports, ProfileChange, ReadMark, Retry, testing::CallsInLog,
};

/// Reads the rooms of users from the log.
struct FromLog(Arc<dyn ErasableLog>);

#[async_trait]
impl Memberships for FromLog {
    async fn joined_rooms(
        &self,
        user: &UserId,
        _: Position,
    ) -> Result<Vec<OwnedRoomId>, Unavailable> {
        let mut rooms = std::collections::BTreeMap::new();
        for record in self.0.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap() {
            let Some((StreamKind::Room, room)) = record.commit.stream.split() else { continue };
            for pdu in pdus(&record) {
                if pdu.state_key.as_deref() == Some(user.as_str()) {
                    rooms.insert(OwnedRoomId::try_from(room).unwrap(), Membership::of(&pdu));
                }
            }
        }
        rooms.retain(|_, membership| *membership == Membership::Join);
        Ok(rooms.into_keys().collect())
    }
}

/// Every event is visible; the reactions are read from the log.
#[async_trait]
impl EventLookup for FromLog {
    async fn known(
        &self,
        events: &[OwnedEventId],
        viewer: &UserId,
        _: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable> {
        let records = self.0.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap();
        let rooms = records
            .iter()
            .filter(|record| matches!(record.commit.stream.split(), Some((StreamKind::Room, _))));
        let numbered =
            |record: &Record| pdus(record).into_iter().map(Arc::new).zip(record.sequence(0)..);
        let all: Vec<_> = rooms.flat_map(|record| numbered(record)).collect();
        let known = |(pdu, sequence): &(Arc<Pdu>, u64)| {
            let related = |kind: fn(RelationKind) -> Option<String>| {
                all.iter().filter(|(other, _)| other.sender == viewer).filter_map(
                    move |(other, _)| {
                        let (target, relation) = Relation::of(other)?.to?;
                        (target == pdu.event_id).then_some(())?;
                        kind(relation)
                    },
                )
            };
            let key = |kind| match kind {
                RelationKind::Reaction(key) => Some(key),
                _ => None,
            };
            KnownEvent {
                pdu: Arc::clone(pdu),
                sequence: *sequence,
                visible: true,
                redacted: rooms::redactions::is_redacted(&records, pdu),
                erases: rooms::redactions::erases(&records, pdu),
                own_reactions: related(key).collect(),
                reactions: Vec::new(),
                thread_end: None,
                edits: rooms::redactions::erases(&records, pdu).len() - 1,
            }
        };
        Ok(all.iter().filter(|(pdu, _)| events.contains(&pdu.event_id)).map(known).collect())
    }
}

#[async_trait]
impl CallLookup for FromLog {
    async fn active_calls(
        &self,
        user: &UserId,
        at_least: Position,
    ) -> Result<Vec<(OwnedRoomId, CallId)>, Unavailable> {
        CallsInLog(Arc::clone(&self.0) as _).active_calls(user, at_least).await
    }
}

fn pdus(record: &Record) -> Vec<Pdu> {
    let parse = |event: &rookery_log::LoggedEvent| {
        let id = event.id.as_str().try_into().unwrap();
        Pdu::parse(id, event.content.clone()).unwrap()
    };
    record.commit.events.iter().map(parse).collect()
}

#[async_trait]
impl LastActions for FromLog {
    async fn last_action(
        &self,
        user: &UserId,
        device: &str,
        _: Position,
    ) -> Result<u64, Unavailable> {
        let numbers = actions(&self.0).await;
        let own = numbers.into_iter().filter(|(by, on, _)| by == user && on == device);
        Ok(own.map(|(_, _, number)| number).max().unwrap_or_default())
    }
}

/// User, device and number of every numbered commit of the log, in its order.
async fn actions(log: &Arc<dyn ErasableLog>) -> Vec<(OwnedUserId, String, u64)> {
    let records = log.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap();
    let of = |record: &Arc<Record>| {
        let event = record.commit.events.last()?;
        let (kind, subject) = record.commit.stream.split()?;
        let subject_kind = match kind {
            StreamKind::Room => Subject::Room,
            StreamKind::User => Subject::Account,
            StreamKind::Alias => return None,
        };
        match Fact::read(subject_kind, &event.id, &event.envelope, &event.content).unwrap() {
            Fact::Room(event) => match event.envelope.origin {
                Origin::Local { device: Some(device), action: Some(action), .. } => {
                    Some((event.pdu.sender.clone(), device, action))
                }
                _ => None,
            },
            Fact::Account(AccountEvent::ActionNoted { device, action, .. }) => {
                Some((subject.try_into().unwrap(), device, action))
            }
            _ => None,
        }
    };
    records.iter().filter_map(of).collect()
}

impl Outcome {
    /// The room that the command was about.
    fn room(&self) -> OwnedRoomId {
        self.room_id.clone().unwrap()
    }
}

/// One line for each command.
impl Commands {
    async fn room(
        &self,
        actor: &Actor,
        room: &RoomId,
        command: &RoomCommand,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        self.execute(actor, Command::InRoom { room, command }, retry).await
    }

    async fn create_room(
        &self,
        actor: &Actor,
        room: &CreateRoom,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        self.execute(actor, Command::CreateRoom { room }, retry).await
    }

    async fn upgrade_room(
        &self,
        actor: &Actor,
        room: &RoomId,
        version: &RoomVersionId,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        self.execute(actor, Command::UpgradeRoom { room, version }, retry).await
    }

    async fn set_profile(
        &self,
        actor: &Actor,
        change: &ProfileChange,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        self.execute(actor, Command::SetProfile { change }, retry).await
    }

    async fn mark_read(
        &self,
        actor: &Actor,
        mark: &ReadMark,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        self.execute(actor, Command::MarkRead(mark), retry).await
    }
}

fn memory() -> Arc<dyn ErasableLog> {
    Arc::new(MemoryLog::new(Epoch(1)))
}

fn commands(log: &Arc<dyn ErasableLog>) -> Commands {
    open(log, None, CommandOptions::default())
}

fn open(log: &Arc<dyn ErasableLog>, folder: Option<&Path>, options: CommandOptions) -> Commands {
    let memberships = Arc::new(FromLog(Arc::clone(log)));
    let name = "test".try_into().unwrap();
    let (events, last_actions) = (memberships.clone(), memberships.clone());
    let calls = memberships.clone();
    let ports = Ports { memberships, events, last_actions, calls };
    Commands::open(Arc::clone(log), name, ports, folder, options).unwrap()
}

fn actor(name: &str) -> Actor {
    let user = OwnedUserId::try_from(format!("@{name}:test")).unwrap();
    Actor {
        user,
        device: Some("DEVICE".into()),
        now: Millis(1_000),
        deliver: None,
        received: None,
        service: None,
    }
}

fn text(body: &str) -> RoomCommand {
    let (kind, body) = (MessageKind::Text, body.to_owned());
    RoomCommand::SendMessage { kind, body, formatted_body: None, relation: None, mentions: None }
}

fn join() -> RoomCommand {
    RoomCommand::Join { reason: None, member_of: None }
}

async fn public_room(commands: &Commands, creator: &str) -> OwnedRoomId {
    let create = CreateRoom { preset: Preset::Public, ..CreateRoom::default() };
    commands.create_room(&actor(creator), &create, Retry::Unnamed).await.unwrap().room()
}

async fn say(commands: &Commands, name: &str, room: &OwnedRoomId, body: &str) -> Outcome {
    commands.room(&actor(name), room, &text(body), Retry::Unnamed).await.unwrap()
}

/// The bodies of all messages in the log, in its order.
async fn bodies(log: &Arc<dyn ErasableLog>) -> Vec<String> {
    let records = log.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap();
    let rooms = records
        .iter()
        .filter(|record| matches!(record.commit.stream.split(), Some((StreamKind::Room, _))));
    let body = |pdu: Pdu| {
        let content: serde_json::Value = pdu.content_as()?;
        Some(content.get("body")?.as_str()?.to_owned())
    };
    rooms.flat_map(|record| pdus(record)).filter_map(body).collect()
}
