#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;

/// An event of room `room` with a content of about this many bytes.
fn event(room: usize, number: usize, bytes: usize) -> Arc<Pdu> {
    let json = serde_json::json!({
        "room_id": format!("!room{room}:one.example"),
        "sender": "@ann:one.example",
        "type": "m.room.message",
        "origin_server_ts": 1,
        "depth": 1,
        "content": { "body": "x".repeat(bytes) },
    });
    Arc::new(Pdu::parse(id(number), json.to_string().into()).unwrap())
}

fn id(number: usize) -> OwnedEventId {
    format!("$event{number}").try_into().unwrap()
}

fn hold(held: &mut Held, pdu: Arc<Pdu>, missing: &[OwnedEventId]) {
    hold_of(held, "one.example", pdu, missing);
}

fn hold_of(held: &mut Held, origin: &str, pdu: Arc<Pdu>, missing: &[OwnedEventId]) {
    held.hold(pdu, <&ServerName>::try_from(origin).unwrap(), missing);
}

fn freed(held: &mut Held, room: usize, by: usize) -> Vec<OwnedEventId> {
    let room = format!("!room{room}:one.example");
    let room = <&RoomId>::try_from(room.as_str()).unwrap();
    held.arrived(room, &id(by)).into_iter().map(|event| event.pdu.event_id.clone()).collect()
}

#[test]
fn what_waits_for_several_events_waits_for_the_last() {
    let mut held = Held::default();
    hold(&mut held, event(1, 10, 1), &[id(1), id(2)]);
    hold(&mut held, event(1, 11, 1), &[id(2)]);
    hold(&mut held, event(2, 12, 1), &[id(2)]);
    assert_eq!(freed(&mut held, 1, 2), [id(11)]);
    assert!(freed(&mut held, 1, 2).is_empty());
    assert_eq!(freed(&mut held, 1, 1), [id(10)]);
    assert_eq!(freed(&mut held, 2, 2), [id(12)]);
    assert_eq!(held.count(), HeldBack::default());
    assert!(held.rooms.is_empty());
}

#[test]
fn an_event_held_twice_waits_once_for_what_was_said_last() {
    let mut held = Held::default();
    hold(&mut held, event(1, 10, 1), &[id(1)]);
    hold(&mut held, event(1, 10, 1), &[id(2)]);
    assert_eq!(held.count().events, 1);
    assert!(freed(&mut held, 1, 1).is_empty());
    assert_eq!(freed(&mut held, 1, 2), [id(10)]);
}

#[test]
fn an_event_that_arrives_by_another_way_waits_no_longer() {
    let mut held = Held::default();
    hold(&mut held, event(1, 10, 1), &[id(1)]);
    assert!(freed(&mut held, 1, 10).is_empty());
    assert_eq!(held.count(), HeldBack::default());
}

#[test]
fn a_room_that_sends_much_loses_its_own_oldest() {
    let mut held = Held::default();
    hold(&mut held, event(2, 1, 1), &[id(0)]);
    let many = HELD_PER_ROOM_BYTES_MAX / 100_000 + 2;
    for number in 10..10 + many {
        hold(&mut held, event(1, number, 50_000), &[id(0)]);
    }
    assert!(held.rooms.values().all(|room| room.bytes <= HELD_PER_ROOM_BYTES_MAX));
    assert!(held.count().dropped > 0);
    assert_eq!(freed(&mut held, 2, 0), [id(1)]);
    let left = freed(&mut held, 1, 0);
    assert_eq!(left.last(), Some(&id(9 + many)));
    assert!(!left.contains(&id(10)));
}

#[test]
fn many_rooms_together_are_bounded() {
    let mut held = Held::default();
    let events = HELD_BYTES_MAX / 100_000 + 20;
    for number in 0..events {
        let origin = format!("{number}.example");
        hold_of(&mut held, &origin, event(number, number, 50_000), &[id(usize::MAX)]);
    }
    assert!(held.servers.len() <= held.count().events);
    assert!(held.count().bytes <= HELD_BYTES_MAX);
    assert_eq!(held.count().events as u64 + held.count().dropped, events as u64);
}

#[test]
fn a_server_pushes_out_its_own_waiting_events_alone() {
    let mut held = Held::default();
    // In the same room and in another one, before the flood and during it.
    hold_of(&mut held, "two.example", event(1, 1, 1), &[id(0)]);
    hold_of(&mut held, "two.example", event(2, 2, 1), &[id(0)]);
    for number in 10..2_000 {
        hold_of(&mut held, "evil.example", event(number % 7, number, 20_000), &[id(0)]);
    }
    hold_of(&mut held, "two.example", event(1, 3, 1), &[id(0)]);
    let evil = <&ServerName>::try_from("evil.example").unwrap();
    assert!(held.servers[evil].bytes <= HELD_PER_SERVER_BYTES_MAX);
    let first = freed(&mut held, 1, 0);
    assert!(first.contains(&id(1)) && first.contains(&id(3)));
    assert!(freed(&mut held, 2, 0).contains(&id(2)));
    // Many small events of one server in a full room.
    for number in 0..HELD_PER_ROOM_MAX + 10 {
        let origin = if number == 5 { "two.example" } else { "evil.example" };
        hold_of(&mut held, origin, event(9, 10_000 + number, 1), &[id(0)]);
    }
    assert!(freed(&mut held, 9, 0).contains(&id(10_005)));
    for room in 0..7 {
        freed(&mut held, room, 0);
    }
    assert_eq!((held.count().events, held.count().bytes, held.servers.len()), (0, 0, 0));
}
