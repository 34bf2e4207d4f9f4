//! The number of reads of the log does not grow with the page.

use rookery_log::ReadCounts;
use serde_json::{Value, json};

use crate::home::{Device, Home};

const EVENT: &str = "fragment Event on RoomEvent {
        type sequence sender { userId displayName }
        replyTo { text sender { displayName } } latestEdit { text } editedContent
        reactions { nodes { key count } } thread { count lastEvent { text } }
        replaced { content } previousContent redactedBecause { reason } }";

const TIMELINE: &str = "query($room: RoomID!, $last: Int, $around: EventID!) {
        room(by: { roomId: $room }) { timeline(last: $last, around: $around) { nodes { ...Event } } } }";

const SCREEN: &str = "query($first: Int, $after: SyncCursor) {
        initialSync(first: $first, after: $after) { next rooms { name memberCount
            lastMessage { ...Event }
            members(first: 3) { nodes { userId displayName powerLevel } }
            timeline(last: 3) { nodes { ...Event } } } } }";

async fn say(home: &Home, device: &Device, input: Value) -> String {
    let document = "mutation($input: SendMessageInput!) {
        sendMessage(input: $input) { refusal { code } event { eventId } } }";
    let said = home.ask(device, document, json!({ "input": input })).await;
    let event = &said["sendMessage"]["event"]["eventId"];
    event.as_str().unwrap_or_else(|| panic!("{said}")).to_owned()
}

async fn create(home: &Home, device: &Device, name: &str) -> String {
    let document = "mutation($input: CreateRoomInput!) {
        createRoom(input: $input) { room { roomId } } }";
    let made = home.ask(device, document, json!({ "input": { "name": name } })).await;
    made["createRoom"]["room"]["roomId"].as_str().expect("a room was made").to_owned()
}

/// The reads for a page of a timeline, and the page. Its events and their relations are far apart.
async fn timeline(last: usize) -> (ReadCounts, Value) {
    let home = Home::open().await;
    let ann = home.register("ann").await;
    let room = create(&home, &ann, "The Tower").await;
    let say = |input: Value| say(&home, &ann, input);
    let mut answered = Vec::new();
    for number in 0..last {
        answered.push(say(json!({ "roomId": room, "body": number.to_string() })).await);
        let topic = format!("topic {number}");
        home.act(&ann, "setRoomTopic", json!({ "roomId": room, "topic": topic })).await;
    }
    let mut shown = Vec::new();
    for answered in &answered {
        shown.push(say(json!({ "roomId": room, "body": "yes", "replyTo": answered })).await);
    }
    for (number, shown) in shown.iter().enumerate() {
        if number % 2 == 0 {
            say(json!({ "roomId": room, "body": "no", "edits": shown })).await;
        } else {
            // An answer outside a thread may begin one.
            say(json!({ "roomId": room, "body": "in a thread", "threadRoot": shown })).await;
        }
        home.act(&ann, "addReaction", json!({ "roomId": room, "eventId": shown, "key": "+1" }))
            .await;
    }
    let home = home.restart().await;
    let before = home.reads();
    let document = format!("{TIMELINE} {EVENT}");
    let variables = json!({ "room": room, "last": last, "around": shown[last / 2] });
    let page = home.ask(&ann, &document, variables).await;
    let reads = home.reads().since(before);
    home.close().await;
    (reads, page["room"]["timeline"]["nodes"].clone())
}

#[tokio::test]
async fn a_page_of_a_timeline_reads_as_often_whether_it_is_short_or_long() {
    let (short, _) = timeline(10).await;
    let (long, events) = timeline(100).await;
    let events = events.as_array().expect("a page");
    let having = |field: &str| events.iter().filter(|event| !event[field].is_null()).count();
    let fields = ["replyTo", "latestEdit", "thread"].map(having);
    assert!(fields.iter().all(|count| *count >= 40), "{fields:?} events have these");
    println!("timeline: {short:?} for 10 events, {long:?} for 100");
    assert!(long.reads <= short.reads, "{long:?} for 100 events, {short:?} for 10");
    assert!(long.reads <= 5, "{long:?}");
}

/// The reads for the first and the second page of a home screen.
async fn screens(first: usize) -> [ReadCounts; 2] {
    let home = Home::open().await;
    let ann = home.register("ann").await;
    let ben = home.register("ben").await;
    for number in 0..2 * first {
        let room = create(&home, &ann, &format!("room {number}")).await;
        home.act(&ann, "inviteUser", json!({ "roomId": room, "userId": ben.user })).await;
        home.act(&ben, "joinRoom", json!({ "room": { "roomId": room } })).await;
        let said = say(&home, &ben, json!({ "roomId": room, "body": "hello" })).await;
        say(&home, &ben, json!({ "roomId": room, "body": "hello!", "edits": said })).await;
        say(&home, &ann, json!({ "roomId": room, "body": "yes", "replyTo": said })).await;
    }
    let home = home.restart().await;
    let document = format!("{SCREEN} {EVENT}");
    let mut after = Value::Null;
    let mut counts = [ReadCounts::default(); 2];
    for count in &mut counts {
        let before = home.reads();
        let page = home.ask(&ann, &document, json!({ "first": first, "after": after })).await;
        *count = home.reads().since(before);
        let rooms = page["initialSync"]["rooms"].as_array().expect("rooms");
        assert_eq!(rooms.len(), first);
        for room in rooms {
            assert_eq!(room["lastMessage"]["replyTo"]["text"], "hello", "{room}");
            assert_eq!(room["memberCount"], 2);
        }
        after = page["initialSync"]["next"].clone();
    }
    home.close().await;
    counts
}

#[tokio::test]
async fn a_home_screen_reads_as_often_whether_it_shows_few_rooms_or_many() {
    let few = screens(5).await;
    let many = screens(100).await;
    println!("home screen: {few:?} for 5 rooms, {many:?} for 100, first and second page");
    for (many, few) in many.iter().zip(few) {
        assert!(many.reads <= few.reads.max(6), "{many:?} for 100 rooms, {few:?} for 5");
    }
}
