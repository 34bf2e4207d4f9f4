//! The events of a room that a user may see, by the rules of the specification, computed from the
//! creator's view.

use serde_json::{Value, json};

use super::{
    follower::{Numbered, number},
    home::{Device, Home},
};

/// The membership of a user in a room, and its changes, event by event.
pub(crate) struct Truth {
    /// All events that the user may see, in order.
    pub(crate) visible: Vec<Numbered>,
    /// For each stay: the sequences of its first event, and of the event that ended it.
    pub(crate) times: Vec<(u64, Option<u64>)>,
}

pub(crate) async fn truth(home: &Home, maker: &Device, room: &str, user: &str) -> Truth {
    let events = everything(home, maker, room).await;
    let joined = |event: &Value| is_member(event, user) && event["content"]["membership"] == "join";
    let last_join = events.iter().rposition(joined);
    let (mut membership, mut setting) = ("none".to_owned(), rank("shared"));
    let mut truth = Truth { visible: Vec::new(), times: Vec::new() };
    for (place, event) in events.iter().enumerate() {
        let number = number(event);
        let (before, old) = (membership.clone(), setting);
        if is_member(event, user) {
            event["content"]["membership"].as_str().unwrap().clone_into(&mut membership);
        }
        if event["type"] == "m.room.history_visibility" {
            setting = rank(event["content"]["history_visibility"].as_str().unwrap());
        }
        if membership == "join" && before != "join" {
            truth.times.push((number.0, None));
        } else if membership != "join" && before == "join" {
            truth.times.last_mut().unwrap().1 = Some(number.0);
        }
        let joins_later = last_join.is_some_and(|last| place < last);
        let may_see = match old.max(setting) {
            _ if membership == "join" || is_member(event, user) => true,
            3 => true,
            2 => joins_later,
            1 => joins_later && membership == "invite",
            _ => false,
        };
        if may_see {
            truth.visible.push(number);
        }
    }
    truth
}

fn rank(setting: &str) -> usize {
    ["joined", "invited", "shared", "world_readable"].iter().position(|it| *it == setting).unwrap()
}

fn is_member(event: &Value, user: &str) -> bool {
    event["type"] == "m.room.member" && event["stateKey"] == user
}

/// The whole room, as its creator sees it.
async fn everything(home: &Home, maker: &Device, room: &str) -> Vec<Value> {
    let document = "query($room: RoomID!, $after: Cursor) { room(by: { roomId: $room }) {
        timeline(first: 100, after: $after) {
            nodes { eventId sequence type stateKey content }
            pageInfo { hasNextPage endCursor } } } }";
    let (mut events, mut after) = (Vec::new(), Value::Null);
    loop {
        let variables = json!({ "room": room, "after": after });
        let page = home.ask(maker, document, variables).await["room"]["timeline"].take();
        events.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            return events;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}
