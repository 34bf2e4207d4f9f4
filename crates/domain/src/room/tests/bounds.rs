//! Tests of how much a room may hold. They fill the slots directly, because ten thousand decisions
//! would take long.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use js_int::uint;
use ruma_common::{MilliSecondsSinceUnixEpoch, ServerName, UserId};

use crate::{
    Bound, Context, CreateRoom, Envelope, JsonObject, Pdu, Profile, Rejection, Room, RoomCommand,
    RoomEvent,
};

fn context<'a>() -> Context<'a> {
    Context {
        sender: <&UserId>::try_from("@alice:rook.example").unwrap(),
        device: None,
        now: MilliSecondsSinceUnixEpoch(uint!(1_000)),
        server_name: <&ServerName>::try_from("rook.example").unwrap(),
        events: &[],
    }
}

fn room() -> Room {
    let profile = Profile::default();
    let (room, events) =
        Room::create(&CreateRoom::default(), &profile, "abcdefghijklmnopqrst", &context()).unwrap();
    let id = room.id().to_owned();
    let events: Vec<_> =
        events.into_iter().map(|pdu| RoomEvent::new(Envelope::local(None, None), pdu)).collect();
    Room::replay(id, &events)
}

fn decide(room: &Room, command: &RoomCommand) -> Result<Vec<Arc<Pdu>>, Rejection> {
    room.decide(command, &Profile::default(), &context())
}

fn state(key: &str) -> RoomCommand {
    let content: JsonObject = [("n".to_owned(), key.into())].into_iter().collect();
    let (event_type, state_key) = ("com.example.x".to_owned(), key.to_owned());
    RoomCommand::SetState { event_type, state_key, content }
}

#[test]
fn a_room_has_so_much_state_and_what_is_there_can_be_set() {
    let mut room = room();
    let event = decide(&room, &state("first")).unwrap().remove(0);
    let mut number = 0;
    while room.state.others() < Bound::StateKeys.max() {
        room.state.put("com.example.x", &number.to_string(), Arc::clone(&event));
        number += 1;
    }
    let refused = decide(&room, &state("one more"));
    assert_eq!(refused, Err(Rejection::Bound(Bound::StateKeys)));
    assert_eq!(decide(&room, &state("0")).unwrap().len(), 1);
    // Members have a count of their own.
    let bob = <&UserId>::try_from("@bob:rook.example").unwrap().to_owned();
    let invite = RoomCommand::Invite { invitee: bob.into(), reason: None };
    assert_eq!(decide(&room, &invite).unwrap().len(), 1);
    room.state.remove("com.example.x", "0");
    assert_eq!(decide(&room, &state("one more")).unwrap().len(), 1);
}

#[test]
fn so_many_users_are_banned_from_a_room() {
    let ban = |number: usize| {
        let nobody = format!("@nobody{number}:rook.example");
        RoomCommand::Ban { user: nobody.try_into().unwrap(), reason: None }
    };
    let mut room = room();
    let event = decide(&room, &ban(0)).unwrap().remove(0);
    for number in 0..Bound::Bans.max() {
        let user = format!("@nobody{number}:rook.example");
        room.state.put("m.room.member", &user, Arc::clone(&event));
    }
    let one_more = ban(Bound::Bans.max());
    assert_eq!(decide(&room, &one_more), Err(Rejection::Bound(Bound::Bans)));
    assert_eq!(decide(&room, &ban(3)), Ok(Vec::new()), "it holds already");
    room.state.remove("m.room.member", "@nobody3:rook.example");
    assert_eq!(decide(&room, &one_more).unwrap().len(), 1);
}
