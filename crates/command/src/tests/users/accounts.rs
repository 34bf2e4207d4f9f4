use rookery_domain::{OwnedRoomId, RoomId};
use rookery_log::Millis;

use crate::tests::{actor, commands, memory, public_room, say};
use crate::{Commands, HandleError, ReadMark, Retry};

/// A room of Al's with three messages, and read receipts for them.
async fn room_with_marks(commands: &Commands) -> (OwnedRoomId, [ReadMark; 3]) {
    let room = public_room(commands, "al").await;
    let marks = [
        said(commands, &room, "one").await,
        said(commands, &room, "two").await,
        said(commands, &room, "three").await,
    ];
    (room, marks)
}

async fn said(commands: &Commands, room: &OwnedRoomId, body: &str) -> ReadMark {
    let event_id = say(commands, "al", room, body).await.events[0].event_id.clone();
    ReadMark { room_id: room.clone(), event_id, private: false }
}

#[tokio::test]
async fn a_mark_moves_forward_and_never_back() {
    let log = memory();
    let commands = commands(&log);
    let (_, marks) = room_with_marks(&commands).await;
    let before = log.tail().borrow().0;
    let read = async |mark: &ReadMark| {
        commands.mark_read(&actor("al"), mark, Retry::Unnamed).await.unwrap()
    };
    let first = read(&marks[1]).await;
    assert!(first.changed);
    let back = read(&marks[0]).await;
    assert_eq!((back.changed, back.position), (false, first.position));
    assert!(read(&marks[2]).await.changed);
    assert_eq!(log.tail().borrow().0, before + 2);
}

#[tokio::test]
async fn a_mark_needs_a_room_that_one_is_in_and_an_event_of_it() {
    let log = memory();
    let commands = commands(&log);
    let (room, marks) = room_with_marks(&commands).await;
    let other = public_room(&commands, "al").await;
    let code = async |who: &str, room: &RoomId| {
        let mark = ReadMark { room_id: room.to_owned(), ..marks[0].clone() };
        let marked = commands.mark_read(&actor(who), &mark, Retry::Unnamed).await;
        marked.map(|_| ()).map_err(|error| error.kept_code().unwrap().to_owned())
    };
    let nowhere = RoomId::parse("!nowhere:test").unwrap();
    assert_eq!(code("al", &room).await, Ok(()));
    assert_eq!(code("al", &other).await, Err("NO_SUCH_EVENT".into()));
    assert_eq!(code("al", &nowhere).await, Err("NO_SUCH_ROOM".into()));
    assert_eq!(code("bob", &room).await, Err("NOT_A_MEMBER".into()));
}

#[tokio::test]
async fn an_action_number_marks_once_and_never_something_else() {
    let log = memory();
    let commands = commands(&log);
    let (_, marks) = room_with_marks(&commands).await;
    let retry = Retry::Action(1);
    let first = commands.mark_read(&actor("al"), &marks[0], retry).await.unwrap();
    let again = commands.mark_read(&actor("al"), &marks[0], retry).await.unwrap();
    assert_eq!((first.position, first.changed), (again.position, again.changed));
    assert!(!first.repeated && again.repeated);
    let other = commands.mark_read(&actor("al"), &marks[1], retry).await;
    assert!(matches!(other, Err(HandleError::ActionIdReused)), "{other:?}");
}

#[tokio::test]
async fn marks_and_devices_tell_no_room_of_a_new_profile() {
    let log = memory();
    let before = commands(&log);
    let (_, marks) = room_with_marks(&before).await;
    before.mark_read(&actor("al"), &marks[0], Retry::Unnamed).await.unwrap();
    before.device_added(&actor("al"), "PHONE", Some("phone")).await.unwrap();
    before.devices_removed(&actor("al"), ["PHONE".to_owned()]).await.unwrap();
    let after = commands(&log);
    assert_eq!(after.resume_profiles(Millis(2_000)).await.unwrap(), 0);
}

#[tokio::test]
async fn no_devices_removed_is_no_commit() {
    let log = memory();
    let commands = commands(&log);
    commands.devices_removed(&actor("al"), []).await.unwrap();
    assert_eq!(log.tail().borrow().0, 0);
}
