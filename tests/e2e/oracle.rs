//! Who may see which event, worked out from the log of a room by other means than the server's.
//!
//! Source: Matrix client-server specification, "Room history visibility".

use serde_json::{Value, json};

use crate::client::Client;

/// An event as a member who was always there sees it.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) id: String,
    kind: String,
    state_key: Option<String>,
    content: Value,
}

/// What a viewer should see of one room.
#[derive(Debug)]
pub(crate) struct Expected {
    /// The IDs of all events that are visible, in order.
    pub(crate) timeline: Vec<String>,
    /// The IDs of those that reached the viewer live.
    pub(crate) live: Vec<String>,
    /// The last visible event that is a message.
    pub(crate) last_message: Option<String>,
    /// What the viewer is to the room in the end.
    pub(crate) membership: String,
    /// The setting in the end.
    pub(crate) setting: String,
    /// The name in the end.
    pub(crate) name: Option<String>,
}

impl Logged {
    fn sets(&self, kind: &str, state_key: &str, field: &str) -> Option<String> {
        let fits = self.kind == kind && self.state_key.as_deref() == Some(state_key);
        fits.then(|| self.content[field].as_str().unwrap_or_default().to_owned())
    }
}

/// The whole room, oldest first, through the eyes of its creator.
pub(crate) fn log_of(creator: &Client, room: &str) -> Vec<Logged> {
    let document = "query($room: RoomID!) { room(id: $room) { timeline(first: 100) {
        pageInfo { hasNextPage } nodes { eventId type stateKey content } } } }";
    let timeline = creator.run(document, &json!({ "room": room }))["room"]["timeline"].clone();
    assert_eq!(timeline["pageInfo"]["hasNextPage"], false, "the room fits on one page");
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let event = |node: &Value| Logged {
        id: text(&node["eventId"]).unwrap(),
        kind: text(&node["type"]).unwrap(),
        state_key: text(&node["stateKey"]),
        content: node["content"].clone(),
    };
    timeline["nodes"].as_array().unwrap().iter().map(event).collect()
}

/// What `viewer` should see of a room with this log.
pub(crate) fn expect(log: &[Logged], viewer: &str) -> Expected {
    let mut after: Vec<(String, String)> = Vec::new();
    let (mut membership, mut setting) = ("none".to_owned(), "shared".to_owned());
    let mut name = None;
    for event in log {
        membership = event.sets("m.room.member", viewer, "membership").unwrap_or(membership);
        let new = event.sets("m.room.history_visibility", "", "history_visibility");
        setting = new.unwrap_or(setting);
        name = event.sets("m.room.name", "", "name").or(name);
        after.push((membership.clone(), setting.clone()));
    }
    let last_join = after.iter().enumerate().rev().find(|(index, (membership, _))| {
        let own = log[*index].state_key.as_deref() == Some(viewer);
        own && log[*index].kind == "m.room.member" && membership == "join"
    });
    let last_join = last_join.map(|(index, _)| index);
    let openness = ["joined", "invited", "shared", "world_readable"];
    let rank = |setting: &str| openness.iter().position(|known| *known == setting).unwrap();
    let own = |event: &Logged| event.sets("m.room.member", viewer, "membership").is_some();
    let sees = |index: usize| {
        let (membership, new) = &after[index];
        if membership == "join" || own(&log[index]) {
            return true;
        }
        let old = index.checked_sub(1).map_or("shared", |before| &after[before].1);
        let joins_later = last_join.is_some_and(|join| join > index);
        match openness[rank(old).max(rank(new))] {
            "world_readable" => true,
            "shared" => joins_later,
            "invited" => joins_later && membership == "invite",
            _ => false,
        }
    };
    let visible: Vec<usize> = (0..log.len()).filter(|index| sees(*index)).collect();
    let live = (0..log.len()).filter(|index| after[*index].0 == "join" || own(&log[*index]));
    let message = visible.iter().rev().find(|index| log[**index].kind == "m.room.message");
    Expected {
        timeline: visible.iter().map(|index| log[*index].id.clone()).collect(),
        live: live.map(|index| log[index].id.clone()).collect(),
        last_message: message.map(|index| log[*index].id.clone()),
        membership,
        setting,
        name,
    }
}
