use rookery_log::Millis;

use super::{actor, commands, memory, public_room};
use crate::{HandleError, ReadMark, Retry};

fn mark(room: &str, sequence: u64) -> ReadMark {
    ReadMark {
        room_id: format!("!{room}:test").try_into().unwrap(),
        event_id: format!("$event{sequence}").try_into().unwrap(),
        sequence,
        private: false,
    }
}

#[tokio::test]
async fn a_mark_moves_forward_and_never_back() {
    let log = memory();
    let commands = commands(&log);
    let read = async |sequence| {
        commands.mark_read(&actor("al"), &mark("a", sequence), Retry::Unnamed).await
    };
    let first = read(5).await.unwrap();
    assert!(first.moved);
    let back = read(4).await.unwrap();
    assert_eq!((back.moved, back.position), (false, first.position));
    assert!(read(6).await.unwrap().moved);
    assert_eq!(log.tail().borrow().0, 2);
}

#[tokio::test]
async fn an_action_number_marks_once_and_never_something_else() {
    let log = memory();
    let commands = commands(&log);
    let retry = Retry::Action(1);
    let first = commands.mark_read(&actor("al"), &mark("a", 5), retry).await.unwrap();
    let again = commands.mark_read(&actor("al"), &mark("a", 5), retry).await.unwrap();
    assert_eq!(first, again);
    let other = commands.mark_read(&actor("al"), &mark("a", 6), retry).await;
    assert!(matches!(other, Err(HandleError::ActionIdReused)), "{other:?}");
}

#[tokio::test]
async fn marks_and_devices_tell_no_room_of_a_new_profile() {
    let log = memory();
    let before = commands(&log);
    public_room(&before, "al").await;
    before.mark_read(&actor("al"), &mark("a", 5), Retry::Unnamed).await.unwrap();
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
