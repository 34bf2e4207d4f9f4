//! Bounds that depend on counts of the read side.

use std::sync::Arc;

use async_trait::async_trait;
use rookery_domain::{CreateRoom, Invitee, OwnedRoomId, RoomCommand, UserId};
use rookery_log::{Position, Unavailable};

use crate::tests::{FromLog, actor, join, memory, public_room};
use crate::{Actor, CommandOptions, Commands, HandleError, Memberships, Ports, Retry, RoomCounts};

/// All users have the counts of `counts`; only Alice and Bob exist.
struct Full(RoomCounts);

#[async_trait]
impl Memberships for Full {
    async fn joined_rooms(&self, _: &UserId, _: Position) -> Result<Vec<OwnedRoomId>, Unavailable> {
        Ok(Vec::new())
    }

    async fn rooms_of(&self, _: &UserId) -> Result<RoomCounts, Unavailable> {
        Ok(self.0)
    }

    async fn exists(&self, user: &UserId) -> Result<bool, Unavailable> {
        Ok(["alice", "bob"].contains(&user.localpart()))
    }
}

fn full(counts: RoomCounts) -> (Commands, Actor) {
    let log = memory();
    let reads = Arc::new(FromLog(Arc::clone(&log)));
    let (memberships, events) = (Arc::new(Full(counts)), reads.clone());
    let ports = Ports { memberships, events, last_actions: reads.clone(), calls: reads };
    let name = "test".try_into().unwrap();
    let commands = Commands::open(log, name, ports, None, CommandOptions::default()).unwrap();
    (commands, actor("alice"))
}

fn code<T: std::fmt::Debug>(result: Result<T, HandleError>) -> &'static str {
    match result {
        Err(HandleError::Rejected(rejection)) => rejection.code(),
        other => panic!("{other:?}"),
    }
}

fn invitee(name: &str) -> Invitee {
    Invitee::from(actor(name).user)
}

#[tokio::test]
async fn who_has_joined_as_many_rooms_as_may_be_joins_and_makes_no_more() {
    let (commands, alice) = full(RoomCounts { joined: 19_999, ..RoomCounts::default() });
    let room = public_room(&commands, "alice").await;
    let (commands, _) = (full(RoomCounts { joined: 20_000, ..RoomCounts::default() }).0, room);
    let create = CreateRoom::default();
    let refused = commands.create_room(&alice, &create, Retry::Action(1)).await;
    assert_eq!(code(refused), "TOO_MANY_ROOMS");
    // The refusal is the outcome of the action.
    let again = commands.create_room(&alice, &create, Retry::Action(1)).await;
    assert!(
        matches!(again, Err(HandleError::RefusedBefore { code, .. }) if code == "TOO_MANY_ROOMS")
    );
    let importer = Actor { device: None, ..alice.clone() };
    let room = commands.create_room(&importer, &create, Retry::Unnamed).await.unwrap().room();
    let refused = commands.room(&actor("bob"), &room, &join(), Retry::Unnamed).await;
    assert_eq!(code(refused), "TOO_MANY_ROOMS");
}

#[tokio::test]
async fn knocks_and_invites_that_wait_are_bounded() {
    let counts = RoomCounts { knocking: 100, invited: 1_000, ..RoomCounts::default() };
    let (commands, alice) = full(counts);
    let room = public_room(&commands, "alice").await;
    let knock = RoomCommand::Knock { reason: None };
    let refused = commands.room(&actor("bob"), &room, &knock, Retry::Unnamed).await;
    assert_eq!(code(refused), "TOO_MANY_KNOCKS");
    let invite = RoomCommand::Invite { invitee: invitee("bob"), reason: None };
    let refused = commands.room(&alice, &room, &invite, Retry::Unnamed).await;
    assert_eq!(code(refused), "TOO_MANY_INVITES");
}

#[tokio::test]
async fn nobody_is_invited_who_does_not_exist() {
    let (commands, alice) = full(RoomCounts::default());
    let room = public_room(&commands, "alice").await;
    let invite = |name| RoomCommand::Invite { invitee: invitee(name), reason: None };
    let refused = commands.room(&alice, &room, &invite("carol"), Retry::Unnamed).await;
    assert_eq!(code(refused), "NO_SUCH_USER");
    commands.room(&alice, &room, &invite("bob"), Retry::Unnamed).await.unwrap();
    let create =
        CreateRoom { invite: vec![invitee("bob"), invitee("carol")], ..CreateRoom::default() };
    assert_eq!(code(commands.create_room(&alice, &create, Retry::Unnamed).await), "NO_SUCH_USER");
}
