//! The memory that a graph says it takes, beside the memory that the process takes for it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use rookery_domain::{
    Context, CreateRoom, Envelope, MilliSecondsSinceUnixEpoch, Preset, Profile, Room, RoomCommand,
    ServerName, UserId,
};
use rookery_graph::Graph;

const PAGE_BYTES: usize = 4_096;

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    PAGE_BYTES * statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap()
}

fn context(sender: &str) -> Context<'_> {
    Context {
        sender: <&UserId>::try_from(sender).unwrap(),
        device: None,
        now: MilliSecondsSinceUnixEpoch(1_u32.into()),
        server_name: <&ServerName>::try_from("a.example").unwrap(),
        events: &[],
    }
}

/// A graph with these joins and messages on one line, folded from the events alone.
fn line(joins: u32, messages: u32) -> Graph {
    let create = CreateRoom { preset: Preset::Public, ..CreateRoom::default() };
    let ann = "@ann:a.example";
    let (mut room, events) =
        Room::create(&create, &Profile::default(), "nonce", &context(ann)).unwrap();
    let mut graph = Graph::default();
    let mut take = |room: &mut Room, events: &[std::sync::Arc<rookery_domain::Pdu>]| {
        for pdu in events {
            // Parsed again, as when it is read from the log: nothing is shared with the room.
            let (id, json) = (pdu.event_id.clone(), bytes_of(&pdu.json));
            let pdu = std::sync::Arc::new(rookery_domain::Pdu::parse(id, json.into()).unwrap());
            let event = graph.make(&pdu, Envelope::local(None, None)).unwrap();
            room.evolve(&event);
        }
        graph.commit(1);
    };
    let mut first = Room::new(room.id().to_owned());
    take(&mut first, &events);
    for number in 0..joins {
        let join = RoomCommand::Join { reason: None, member_of: None };
        let user = format!("@u{number}:a.example");
        let events = room.decide(&join, &Profile::default(), &context(&user)).unwrap();
        take(&mut room, &events);
    }
    for _ in 0..messages {
        let (event_type, content) = ("test.hello".to_owned(), rookery_domain::JsonObject::new());
        let hello = RoomCommand::SendEvent { event_type, content };
        let events = room.decide(&hello, &Profile::default(), &context(ann)).unwrap();
        take(&mut room, &events);
    }
    graph
}

fn bytes_of(json: &[u8]) -> Vec<u8> {
    json.to_vec()
}

#[test]
fn the_stated_memory_is_that_of_the_process() {
    drop(line(10, 10));
    let before = resident_bytes();
    let graph = line(0, 12_000);
    let (messages, stated) = (resident_bytes() - before, graph.weight_bytes());
    println!("12,000 messages: {messages} bytes, stated {stated}");
    assert!(messages < 2 * stated && stated < 2 * messages, "{messages} and {stated}");
    assert!(stated < 12_000 * 200, "{} bytes for a message", stated / 12_000);
    let before = resident_bytes();
    let other = line(1_500, 0);
    let (joins, stated) = (resident_bytes() - before, other.weight_bytes());
    println!("1,500 joins: {joins} bytes, stated {stated}");
    assert!(joins < 2 * stated && stated < 2 * joins, "{joins} and {stated}");
}
