//! Given / when / then: a room made by commands, a command, and the expected outcome.

use std::{borrow::Borrow, sync::Arc};

use rookery_domain::{
    Context, CreateRoom, Envelope, KnownEvent, MilliSecondsSinceUnixEpoch, Pdu, Preset, Profile,
    Rejection, Relation, RelationKind, Room, RoomCommand, RoomEvent, RoomVersionId, ServerName,
    UserId,
};

pub(crate) const ALICE: &str = "@alice:rook.example";
pub(crate) const BOB: &str = "@bob:rook.example";
pub(crate) const CAROL: &str = "@carol:rook.example";
pub(crate) const DAVE: &str = "@dave:rook.example";
pub(crate) const NONCE: &str = "abcdefghijklmnopqrst";

/// The given: a room and its clock.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) room: Room,
    pub(crate) events: Vec<Arc<Pdu>>,
    pub(crate) now: u32,
}

/// The outcome of a command.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) given: Given,
    pub(crate) result: Result<Vec<Arc<Pdu>>, Rejection>,
}

pub(crate) fn user(id: &str) -> &UserId {
    id.try_into().unwrap()
}

pub(crate) fn context(sender: &str, now: u32) -> Context<'_> {
    Context {
        sender: user(sender),
        device: None,
        now: MilliSecondsSinceUnixEpoch(now.into()),
        server_name: <&ServerName>::try_from("rook.example").unwrap(),
        events: &[],
    }
}

pub(crate) fn profile_of(id: &str) -> Profile {
    Profile { displayname: Some(user(id).localpart().to_owned()), avatar_url: None }
}

pub(crate) fn accepted(pdu: &Arc<Pdu>) -> RoomEvent {
    RoomEvent::new(Envelope::local(None, None), pdu.clone())
}

/// The event with the steps that it makes in calls, as the write side appends it.
pub(crate) fn stated(room: &Room, pdu: &Arc<Pdu>) -> RoomEvent {
    let mut event = accepted(pdu);
    event.envelope.calls = room.call_changes(&event);
    event
}

/// A room that Alice made.
pub(crate) fn created(command: &CreateRoom) -> Given {
    let (_, events) =
        Room::create(command, &profile_of(ALICE), NONCE, &context(ALICE, 1_000)).unwrap();
    let room_id = events[0].room_id.clone();
    let facts: Vec<_> = events.iter().map(accepted).collect();
    Given { room: Room::replay(room_id, &facts), events, now: 1_000 }
}

pub(crate) fn public() -> Given {
    created(&CreateRoom { preset: Preset::Public, ..CreateRoom::default() })
}

pub(crate) fn private() -> Given {
    created(&CreateRoom::default())
}

pub(crate) fn public_of(version: RoomVersionId) -> Given {
    let version = Some(version);
    created(&CreateRoom { preset: Preset::Public, version, ..CreateRoom::default() })
}

impl Given {
    /// Adds a command to the given.
    pub(crate) fn and(mut self, sender: &str, command: impl Borrow<RoomCommand>) -> Self {
        let command = command.borrow();
        let outcome = self.clone().when(sender, command);
        let events = outcome.result.unwrap_or_else(|no| panic!("{sender} {command:?}: {no}"));
        assert_ne!(events.len(), 0, "{sender} {command:?} changes nothing");
        self.now += 1;
        for event in &events {
            self.room.evolve(&stated(&self.room, event));
        }
        self.events.extend(events);
        self
    }

    /// Carries out a command.
    pub(crate) fn when(self, sender: &str, command: impl Borrow<RoomCommand>) -> Outcome {
        let command = command.borrow();
        let known: Vec<_> = self
            .events
            .iter()
            .filter(|event| command.refers_to().contains(&event.event_id))
            .map(|event| self.as_known_to(sender, event))
            .collect();
        self.when_knowing(sender, command, &known)
    }

    /// Like [`Self::when`], with the events that the caller found for the command.
    pub(crate) fn when_knowing(
        self,
        sender: &str,
        command: impl Borrow<RoomCommand>,
        known: &[KnownEvent],
    ) -> Outcome {
        let context = Context { events: known, ..context(sender, self.now + 1) };
        let result = self.room.decide(command.borrow(), &profile_of(sender), &context);
        Outcome { given: self, result }
    }

    /// An event that the sender of a command may see and has not reacted to.
    pub(crate) fn known(pdu: &Arc<Pdu>) -> KnownEvent {
        KnownEvent {
            pdu: pdu.clone(),
            sequence: 1,
            visible: true,
            redacted: false,
            erases: Vec::new(),
            own_reactions: Vec::new(),
            reactions: Vec::new(),
            thread_end: None,
            edits: 0,
        }
    }

    fn as_known_to(&self, sender: &str, pdu: &Arc<Pdu>) -> KnownEvent {
        let mut known = Self::known(pdu);
        for other in &self.events {
            let Some((target, kind)) = Relation::of(other).and_then(|it| it.to) else { continue };
            match kind {
                _ if target != pdu.event_id => {}
                RelationKind::Reaction(key) => {
                    if other.sender == sender {
                        known.own_reactions.push(key.clone());
                    }
                    known.reactions.push(key);
                }
                RelationKind::Thread { .. } => known.thread_end = Some(other.event_id.clone()),
                _ => {}
            }
        }
        known
    }

    pub(crate) fn joined(self, users: &[&str]) -> Self {
        users.iter().fold(self, |given, user| given.and(user, join()))
    }
}

impl Outcome {
    /// One event follows, of this type and with this content.
    #[track_caller]
    pub(crate) fn then(self, kind: &str, content: serde_json::Value) -> Given {
        let event = self.then_one();
        assert_eq!(event.0.kind.to_string(), kind);
        assert_eq!(event.0.content_as::<serde_json::Value>(), Some(content));
        event.1
    }

    #[track_caller]
    pub(crate) fn then_one(self) -> (Arc<Pdu>, Given) {
        let events = self.result.expect("not refused");
        assert_eq!(events.len(), 1, "one event follows");
        let mut given = self.given;
        given.now += 1;
        given.room.evolve(&stated(&given.room, &events[0]));
        given.events.push(events[0].clone());
        (events[0].clone(), given)
    }

    /// The command changes nothing.
    #[track_caller]
    pub(crate) fn then_nothing(self) -> Given {
        assert_eq!(self.result, Ok(Vec::new()));
        self.given
    }

    /// A rule forbids it.
    #[track_caller]
    pub(crate) fn then_err(self, rejection: &Rejection) {
        assert_eq!(self.result.as_ref(), Err(rejection));
        assert!(!rejection.code().contains(char::is_lowercase));
    }

    #[track_caller]
    pub(crate) fn then_code(self, code: &str) {
        assert_eq!(self.result.expect_err("refused").code(), code);
    }
}

pub(crate) fn join() -> RoomCommand {
    RoomCommand::Join { reason: None, member_of: None }
}

pub(crate) fn leave() -> RoomCommand {
    RoomCommand::Leave { reason: None, successor: None }
}

pub(crate) fn say(body: &str) -> RoomCommand {
    RoomCommand::SendMessage {
        kind: rookery_domain::MessageKind::Text,
        body: body.to_owned(),
        formatted_body: None,
        relation: None,
        mentions: None,
    }
}

pub(crate) fn invite(id: &str) -> RoomCommand {
    RoomCommand::Invite { invitee: user(id).to_owned().into(), reason: None }
}
