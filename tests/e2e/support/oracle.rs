//! The visibility of a room's content, computed from its log independently of the server: by
//! folding the content of each event.
//!
//! Source: Matrix client-server specification, "Room history visibility", "Event annotations and
//! reactions", "Event replacements", "Threading".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::client::Client;

/// An event as a permanent member sees it.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) sender: String,
    pub(crate) state_key: Option<String>,
    pub(crate) content: Value,
    /// The event replaces another one. After its redaction, its content does not say so.
    pub(crate) is_edit: bool,
    /// The event that redacted it.
    pub(crate) redacted_by: Option<String>,
}

/// The expected view of one room.
#[derive(Debug)]
pub(crate) struct Expected {
    /// The IDs of all events that are visible, in order.
    pub(crate) timeline: Vec<String>,
    /// The IDs of the events that reached the viewer live.
    pub(crate) live: Vec<String>,
    /// The last visible event that is a message.
    pub(crate) last_message: Option<String>,
    /// The viewer's membership after each event.
    pub(crate) memberships: Vec<String>,
    /// The viewer's membership in the end.
    pub(crate) membership: String,
    /// The setting in the end.
    pub(crate) setting: String,
    /// The state in the end: the texts in the contents of name, topic, avatar.
    pub(crate) texts: BTreeMap<String, String>,
    /// The numbers of joined and invited users in the end.
    pub(crate) counts: (usize, usize),
    /// The visible relations of each visible event.
    pub(crate) related: BTreeMap<String, Related>,
}

/// The relations of one event.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Related {
    /// The last edit by its sender.
    pub(crate) edit: Option<String>,
    /// The users who reacted, by key.
    pub(crate) reactions: BTreeMap<String, BTreeSet<String>>,
    /// The number of events in its thread, and the last of them.
    pub(crate) thread: Option<(usize, String)>,
    /// The event that it answers.
    pub(crate) reply_to: Option<String>,
    /// The content of the state event that it replaced.
    pub(crate) previous: Option<Value>,
}

impl Logged {
    fn sets(&self, kind: &str, state_key: &str, field: &str) -> Option<String> {
        let fits = self.kind == kind && self.state_key.as_deref() == Some(state_key);
        fits.then(|| self.content[field].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn is_message(&self) -> bool {
        self.state_key.is_none() && self.kind == "m.room.message" && !self.is_edit
    }
}

/// The whole room, oldest first, as its creator sees it.
pub(crate) fn log_of(creator: &Client, room: &str) -> Vec<Logged> {
    let document = "query($room: RoomID!, $after: Cursor) { room(by: { roomId: $room }) {
        timeline(first: 100, after: $after) { pageInfo { hasNextPage endCursor }
            nodes { eventId type sender { userId } stateKey content } } } }";
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let event = |node: &Value| Logged {
        id: text(&node["eventId"]).unwrap(),
        kind: text(&node["type"]).unwrap(),
        sender: text(&node["sender"]["userId"]).unwrap(),
        state_key: text(&node["stateKey"]),
        content: node["content"].clone(),
        is_edit: node["content"]["m.relates_to"]["rel_type"] == "m.replace",
        redacted_by: None,
    };
    let (mut log, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = creator.run(document, &json!({ "room": room, "after": after }));
        let page = answer["room"]["timeline"].clone();
        log.extend(page["nodes"].as_array().unwrap().iter().map(event));
        if page["pageInfo"]["hasNextPage"] == false {
            return log;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// The rooms that a service follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Following<'a> {
    /// The users in its namespaces.
    pub(crate) users: &'a [&'a str],
    /// An alias of the room, or the room itself, is in its namespaces all the time.
    pub(crate) always: bool,
    /// It was added after all events.
    pub(crate) is_late: bool,
}

impl Following<'_> {
    /// Whether the room concerns the service after each event, and whether the event is a member
    /// event of one of its users.
    fn concerned(&self, log: &[Logged]) -> Vec<(bool, bool)> {
        let mut there = BTreeSet::new();
        let after = log.iter().map(|event| {
            let user = event.state_key.as_deref().filter(|_| event.kind == "m.room.member");
            let user = user.filter(|user| self.users.contains(user));
            if let Some(user) = user {
                match event.content["membership"].as_str() {
                    Some("join" | "invite") => there.insert(user.to_owned()),
                    _ => there.remove(user),
                };
            }
            (self.always || !there.is_empty(), user.is_some())
        });
        after.collect()
    }
}

/// The membership after each event, whether it is one of the viewer's own, and the membership in the
/// end.
fn followed(log: &[Logged], following: Following<'_>) -> (Vec<(String, bool)>, String) {
    let concerned = following.concerned(log);
    let is_in = concerned.last().is_some_and(|(is_in, _)| *is_in);
    if following.is_late {
        let none = concerned.iter().map(|_| ("none".to_owned(), false)).collect();
        return (none, if is_in { "join" } else { "none" }.to_owned());
    }
    let mut before = "none";
    let after = concerned.iter().map(|(is_in, own)| {
        let after = match before {
            _ if *is_in => "join",
            "none" => "none",
            _ => "leave",
        };
        let closes = before == "join" && after == "leave" && *own;
        before = after;
        (after.to_owned(), closes)
    });
    let after: Vec<_> = after.collect();
    (after, before.to_owned())
}

/// The expected view of `viewer` in a room with this log.
pub(crate) fn expect(log: &[Logged], viewer: &str) -> Expected {
    expect_for(log, viewer, None)
}

/// The expected view of `viewer`, the bot of a service with these namespaces if there are any.
pub(crate) fn expect_for(
    log: &[Logged],
    viewer: &str,
    following: Option<Following<'_>>,
) -> Expected {
    let follows = following.map(|following| followed(log, following));
    // The viewer's membership and the setting after each event.
    let mut after: Vec<(String, String)> = Vec::new();
    let (mut membership, mut setting) = ("none".to_owned(), "shared".to_owned());
    let mut memberships = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for (index, event) in log.iter().enumerate() {
        membership = match &follows {
            Some((after, _)) => after[index].0.clone(),
            None => event.sets("m.room.member", viewer, "membership").unwrap_or(membership),
        };
        let new = event.sets("m.room.history_visibility", "", "history_visibility");
        setting = new.unwrap_or(setting);
        if event.kind == "m.room.member" {
            memberships.insert(event.state_key.clone(), event.content["membership"].clone());
        }
        for (kind, field) in [("name", "name"), ("topic", "topic"), ("avatar", "url")] {
            let text = event.sets(&format!("m.room.{kind}"), "", field);
            texts.extend(text.map(|text| (kind.to_owned(), text)));
        }
        after.push((membership.clone(), setting.clone()));
    }
    let last_join = after.iter().enumerate().rev().find(|(index, (membership, _))| {
        let before = index.checked_sub(1).map_or("none", |before| &*after[before].0);
        membership == "join" && before != "join"
    });
    let mut last_join = last_join.map(|(index, _)| index);
    if let Some((_, end)) = &follows
        && end == "join"
        && membership != "join"
    {
        (last_join, membership) = (Some(log.len()), end.clone());
    }
    let openness = ["joined", "invited", "shared", "world_readable"];
    let rank = |setting: &str| openness.iter().position(|known| *known == setting).unwrap();
    let own = |index: usize| match &follows {
        Some((after, _)) => after[index].1,
        None => log[index].sets("m.room.member", viewer, "membership").is_some(),
    };
    let sees = |index: usize| {
        let (membership, new) = &after[index];
        if membership == "join" || own(index) {
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
    let live = (0..log.len()).filter(|index| after[*index].0 == "join" || own(*index));
    let message = visible.iter().rev().find(|index| log[**index].is_message());
    // The room was visible to the viewer before an event, whatever its state was.
    let was_inside = |index: usize| {
        let before = index.checked_sub(1).map(|before| &after[before]);
        before.is_some_and(|(membership, setting)| {
            membership == "join" || setting == "world_readable"
        })
    };
    let count = |wanted: &str| memberships.values().filter(|it| **it == wanted).count();
    Expected {
        timeline: visible.iter().map(|index| log[*index].id.clone()).collect(),
        live: live.map(|index| log[index].id.clone()).collect(),
        last_message: message.map(|index| log[*index].id.clone()),
        counts: (count("join"), count("invite")),
        related: related(log, &visible, was_inside),
        memberships: after.iter().map(|(membership, _)| membership.clone()).collect(),
        membership,
        setting,
        texts,
    }
}

/// The visible relations of each visible event.
fn related(
    log: &[Logged],
    visible: &[usize],
    was_inside: impl Fn(usize) -> bool,
) -> BTreeMap<String, Related> {
    let id = |index: usize| log[index].id.clone();
    let mut found: BTreeMap<String, Related> =
        visible.iter().map(|index| (id(*index), Related::default())).collect();
    for index in visible {
        let event = &log[*index];
        let relates = &event.content["m.relates_to"];
        let answered = relates["m.in_reply_to"]["event_id"].as_str();
        let falls_back = relates["is_falling_back"] == true;
        let answered = answered.filter(|answered| !falls_back && found.contains_key(*answered));
        let answered = answered.map(ToOwned::to_owned);
        found.get_mut(&event.id).unwrap().reply_to = answered;
        let Some(target) = relates["event_id"].as_str() else { continue };
        let is_own = log.iter().any(|it| it.id == target && it.sender == event.sender);
        let Some(target) = found.get_mut(target) else { continue };
        match relates["rel_type"].as_str() {
            Some("m.replace") if is_own => target.edit = Some(event.id.clone()),
            Some("m.annotation") => {
                let users = target.reactions.entry(relates["key"].as_str().unwrap().to_owned());
                users.or_default().insert(event.sender.clone());
            }
            Some("m.thread") => {
                let count = target.thread.as_ref().map_or(0, |(count, _)| *count);
                target.thread = Some((count + 1, event.id.clone()));
            }
            _ => {}
        }
    }
    let mut slots: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (index, event) in log.iter().enumerate() {
        let Some(state_key) = &event.state_key else { continue };
        let before = slots.insert((&event.kind, state_key), index);
        let shown = before.filter(|before| visible.contains(before) || was_inside(index));
        if let Some(found) = found.get_mut(&event.id) {
            found.previous = shown.map(|before| log[before].content.clone());
        }
    }
    found
}
