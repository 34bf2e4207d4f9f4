//! A process that is killed at any step of an action, and starts again.

use rookery_command::Retry;
use rookery_domain::{Invitee, Membership, RemoteOutcome, RoomCommand};

use super::{LONG, two};
use crate::tests::troubles::Trouble;

/// The requests of a join, each with what happens to it when the process is killed.
const STEPS: [(&str, Trouble); 4] = [
    ("make_join", Trouble::Stalls),
    ("make_join", Trouble::IsLost),
    ("send_join", Trouble::Stalls),
    ("send_join", Trouble::IsLost),
];

#[tokio::test]
async fn a_join_that_is_killed_at_any_request_has_one_outcome_after_the_start() {
    for (request, trouble) in STEPS {
        let (mut here, there) = two().await;
        let room = there.public_room().await;
        there
            .troubles
            .plan(move |path| if path.contains(request) { trouble } else { Trouble::None });
        let via = [there.name.clone()];
        let begun = here.begin_join("ann", (&*room).into(), &via, Retry::Action(1)).await.unwrap();
        there.troubles.until(request, 1).await;
        there.troubles.end();
        here.restart_sender().await;
        let joined = here.server.commands.settled(begun, LONG).await.unwrap();
        assert_eq!(joined.room_id.as_ref(), Some(&room), "{request}");
        assert_eq!(here.ends("ann").await.len(), 1, "{request}");
        let ann = here.server.user("ann");
        assert_eq!(here.membership(&room, &ann).await, Membership::Join);
        there.until_member(&room, &ann, Membership::Join).await;
    }
}

#[tokio::test]
async fn a_join_that_is_killed_after_any_commit_has_one_outcome_after_the_start() {
    // The beginning is the first commit here, and the end is the last one.
    for commits in 1..=4 {
        let (mut here, there) = two().await;
        let room = there.public_room().await;
        let via = [there.name.clone()];
        let before = here.server.log.tail().borrow().0;
        let begun = here.begin_join("ann", (&*room).into(), &via, Retry::Action(1)).await.unwrap();
        let mut tail = here.server.log.tail();
        while tail.borrow_and_update().0 < before + commits && here.ends("ann").await.is_empty() {
            tail.changed().await.unwrap();
        }
        here.restart_sender().await;
        let joined = here.server.commands.settled(begun, LONG).await.unwrap();
        assert_eq!(joined.room_id.as_ref(), Some(&room), "{commits}");
        assert!(matches!(&*here.ends("ann").await, [RemoteOutcome::Done { .. }]), "{commits}");
        there.until_member(&room, &here.server.user("ann"), Membership::Join).await;
    }
}

#[tokio::test]
async fn an_invite_that_is_killed_while_its_server_signs_is_sent_again() {
    for trouble in [Trouble::Stalls, Trouble::IsLost] {
        let (mut here, there) = two().await;
        let room = here.public_room().await;
        let bob = there.server.user("bob");
        there
            .troubles
            .plan(move |path| if path.contains("invite") { trouble } else { Trouble::None });
        let invite = RoomCommand::Invite { invitee: Invitee::from(bob.clone()), reason: None };
        let command = rookery_command::Command::InRoom { room: &room, command: &invite };
        let ann = here.device_of("ann");
        let begun = here.server.commands.execute(&ann, command, Retry::Action(1)).await.unwrap();
        there.troubles.until("invite", 1).await;
        assert_eq!(here.membership(&room, &bob).await, Membership::None, "it is not signed yet");
        there.troubles.end();
        here.restart_sender().await;
        here.server.commands.settled(begun, LONG).await.unwrap();
        assert_eq!(here.membership(&room, &bob).await, Membership::Invite);
        assert_eq!(here.ends("ann").await.len(), 1);
    }
}
