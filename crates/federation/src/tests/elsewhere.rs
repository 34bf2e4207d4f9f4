//! Users here in rooms of another server: joins, invites both ways, requests to join, leaves.

mod invites;
mod joins;
mod kills;

use std::{sync::Arc, time::Duration};

use rookery_command::{Actor, Command, HandleError, Outcome, Retry};
use rookery_domain::{
    AccountEvent, CreateRoom, Fact, HistoryVisibility, JoinRule, Membership, OwnedRoomId,
    OwnedServerName, OwnedUserId, Preset, RemoteOutcome, Room, RoomCommand, RoomId, RoomOrAliasId,
    Subject,
};
use rookery_log::{Millis, Position, Scope, StreamId, StreamKind};

use super::world::{Certificate, Here, now};

/// Longer than any test takes.
const LONG: Duration = Duration::from_mins(2);

/// This server, and another one.
pub(super) async fn two() -> (Here, Here) {
    let certificate = Arc::new(Certificate::new());
    (Here::open(&certificate).await, Here::open(&certificate).await)
}

impl Here {
    /// A user with a device, who numbers actions.
    pub(super) fn device_of(&self, name: &str) -> Actor {
        Actor {
            device: Some("PHONE".to_owned()),
            ..Actor::for_server(self.server.user(name), Millis(now()))
        }
    }

    /// Begins to join a room by this server.
    pub(super) async fn begin_join(
        &self,
        name: &str,
        room: &RoomOrAliasId,
        via: &[OwnedServerName],
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        let command = &RoomCommand::Join { reason: None, member_of: None };
        let command = Command::Enter { room, command, via };
        self.server.commands.execute(&self.device_of(name), command, retry).await
    }

    /// Joins a room through another server, and waits for the outcome.
    pub(super) async fn join_via(
        &self,
        name: &str,
        room: &RoomId,
        via: &Here,
    ) -> Result<Outcome, HandleError> {
        let via = [via.name.clone()];
        let begun = self.begin_join(name, room.into(), &via, Retry::Unnamed).await?;
        self.server.commands.settled(begun, LONG).await
    }

    /// The membership of a user in a room, as this server knows it.
    pub(super) async fn membership(&self, room: &RoomId, user: &OwnedUserId) -> Membership {
        let look = |room: Option<&Room>| room.map(|room| room.membership(user)).unwrap_or_default();
        self.server.commands.look_at_room(room, look).await.unwrap()
    }

    /// Waits until a user has this membership here.
    pub(super) async fn until_member(
        &self,
        room: &RoomId,
        user: &OwnedUserId,
        membership: Membership,
    ) {
        let mut tail = self.server.log.tail();
        while self.membership(room, user).await != membership {
            tail.changed().await.unwrap();
        }
    }

    /// The events of the stream of a user.
    pub(super) async fn own_events(&self, name: &str) -> Vec<AccountEvent> {
        let stream = StreamId::new(StreamKind::User, self.server.user(name).as_str());
        let log = &self.server.log;
        let records = log.read(&Scope::Stream(stream), Position::ORIGIN, 1_000).await.unwrap();
        let events = records.iter().flat_map(|record| record.commit.events.iter());
        let facts = events.map(|event| {
            Fact::read(Subject::Account, &event.id, &event.envelope, &event.content).unwrap()
        });
        let own = facts.filter_map(|fact| match fact {
            Fact::Account(event) => Some(event),
            _ => None,
        });
        own.collect()
    }

    /// How the actions of a user have ended.
    pub(super) async fn ends(&self, name: &str) -> Vec<RemoteOutcome> {
        let ended = self.own_events(name).await.into_iter().filter_map(|event| match event {
            AccountEvent::RemoteEnded { outcome, .. } => Some(outcome),
            _ => None,
        });
        ended.collect()
    }

    /// Waits until a user has or has not an invite or request elsewhere.
    pub(super) async fn until_elsewhere(&self, name: &str, room: &RoomId, has: bool) {
        let user = self.server.user(name);
        let mut tail = self.server.log.tail();
        let commands = &self.server.commands;
        while commands.elsewhere(&user).await.unwrap().get(room).is_some() != has {
            tail.changed().await.unwrap();
        }
    }

    /// A room of ann with this join rule.
    pub(super) async fn room_with(&self, join_rule: JoinRule) -> OwnedRoomId {
        let create = CreateRoom {
            preset: Preset::Private,
            name: Some("Garden".to_owned()),
            join_rule: Some(join_rule),
            history_visibility: Some(HistoryVisibility::Shared),
            ..CreateRoom::default()
        };
        self.server.create("ann", &create, now()).await
    }
}

/// The code and the message of a refusal.
pub(super) fn refusal(result: Result<Outcome, HandleError>) -> (String, String) {
    match result {
        Err(error) => (error.kept_code().unwrap_or_default().to_owned(), error.to_string()),
        Ok(outcome) => panic!("not refused: {outcome:?}"),
    }
}
