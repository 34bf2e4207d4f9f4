//! Rooms that are left and handed over before a user goes for good.

use rookery_domain::{OwnedUserId, RoomCommand, RoomId};

use crate::{
    Commands, DepartureError, Retry,
    tests::{actor, commands, join, memory, public_room},
};

fn user(name: &str) -> OwnedUserId {
    actor(name).user
}

async fn enter(commands: &Commands, name: &str, room: &RoomId) {
    commands.room(&actor(name), room, &join(), Retry::Unnamed).await.unwrap();
}

#[tokio::test]
async fn the_last_head_goes_for_good_only_after_a_successor_took_over() {
    let log = memory();
    let commands = commands(&log);
    let alone = public_room(&commands, "alice").await;
    let (first, second) =
        (public_room(&commands, "alice").await, public_room(&commands, "alice").await);
    let of_bob = public_room(&commands, "bob").await;
    enter(&commands, "alice", &of_bob).await;
    enter(&commands, "bob", &first).await;
    for name in ["bob", "carol"] {
        enter(&commands, name, &second).await;
    }
    let alice = actor("alice");
    let before = *log.tail().borrow();
    let refused = commands.plan_departure(&alice, None, false).await.unwrap_err();
    let DepartureError::NoSuccessor { rooms, .. } = &refused else { panic!("{refused}") };
    assert_eq!(rooms.len(), 2, "{refused}");
    assert!(!rooms.contains(&alone), "nobody else is there: {refused}");
    assert!(rooms.iter().all(|room| refused.to_string().contains(room.as_str())), "{refused}");
    for nobody in ["carol", "alice"] {
        let nobody = user(nobody);
        let refused = commands.plan_departure(&alice, Some(&nobody), false).await.unwrap_err();
        let DepartureError::NotAMember { rooms, .. } = &refused else { panic!("{refused}") };
        assert!(rooms.contains(&first), "{refused}");
    }
    let kept = commands.plan_departure(&alice, None, true).await.unwrap();
    assert_eq!(kept.headless.len(), 2, "{kept:?}");
    let plan = commands.plan_departure(&alice, Some(&user("bob")), false).await.unwrap();
    assert_eq!(plan.handed_over.len(), 2, "{plan:?}");
    assert_eq!(*log.tail().borrow(), before, "a plan changes no room");
    for _ in 0..2 {
        commands.depart(&alice, &plan).await.unwrap();
        let left = commands.memberships.joined_rooms(&alice.user, before).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
    let name = RoomCommand::SetName { name: "Tea".into() };
    for room in [first, second] {
        commands.room(&actor("bob"), &room, &name, Retry::Unnamed).await.unwrap();
    }
}
