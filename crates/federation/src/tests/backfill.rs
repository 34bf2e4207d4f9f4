//! History from before a join, page by page.

mod moments;

use std::{collections::BTreeMap, sync::Arc};

use rookery_domain::{
    CreateRoom, EventStatus, HistoryVisibility, OwnedEventId, OwnedRoomId, OwnedUserId, Preset,
    RoomCommand,
};
use rookery_view::{Anchor, Backfill, Begins, Kept, Scans, TimelinePage, Unmetered};
use serde_json::{Value, json};

use super::{
    pair::{self, join_as, log_of, signed, two, until_known},
    peer::Peer,
    world::{Certificate, Here, now},
};
use crate::paths::percent;

async fn room_with(there: &Here, setting: HistoryVisibility) -> OwnedRoomId {
    let history_visibility = Some(setting);
    let create = CreateRoom { preset: Preset::Public, history_visibility, ..CreateRoom::default() };
    there.server.create("ann", &create, now()).await
}

async fn page(
    here: &Here,
    room: &OwnedRoomId,
    (user, anchor, limit): (&OwnedUserId, Anchor, usize),
    backfill: bool,
) -> TimelinePage {
    let (scans, federation) = (Scans::default(), here.federation.clone());
    let backfill: Option<&dyn Backfill> = backfill.then_some(&federation);
    let within = (&Unmetered as &dyn rookery_view::Meter, &scans);
    let wanted = (anchor, limit, Kept::default());
    here.reader.shown_timeline(room, user, wanted, backfill, within).await.unwrap()
}

/// The text of a message, or the type of another event.
fn name(content: &str, kind: &str) -> String {
    let content: Value = serde_json::from_str(content).unwrap();
    content["body"].as_str().map_or_else(|| kind.to_owned(), ToOwned::to_owned)
}

fn names(page: &TimelinePage) -> Vec<String> {
    let events = page.events.iter().map(|event| &event.event().pdu);
    events.map(|pdu| name(pdu.content.get(), &pdu.kind.to_string())).collect()
}

/// Scrolls back to the begin. Returns the names of the events in the order of the timeline.
async fn scroll(here: &Here, room: &OwnedRoomId, user: &OwnedUserId, limit: usize) -> Vec<String> {
    let (mut anchor, mut all) = (Anchor::End, Vec::new());
    for _ in 0..200 {
        let page = page(here, room, (user, anchor, limit), true).await;
        let mut names = names(&page);
        names.append(&mut all);
        all = names;
        if let Some(resume) = page.resume {
            anchor = Anchor::Before(resume);
        }
        if !page.has_more && page.begins != Begins::Missing {
            return all;
        }
    }
    panic!("it never ends: {all:?}");
}

async fn said(there: &Here, room: &OwnedRoomId) -> Vec<String> {
    let events = log_of(there, room).await.into_iter();
    let placed = events.filter(|event| event.envelope.status == EventStatus::Accepted);
    placed.map(|event| name(event.pdu.content.get(), &event.pdu.kind.to_string())).collect()
}

#[tokio::test]
async fn history_comes_page_by_page_to_the_create_event_each_event_once_and_in_order() {
    let (here, there) = two().await;
    let room = room_with(&there, HistoryVisibility::Shared).await;
    for number in 0..230 {
        there.say(&room, &format!("m{number}")).await;
        if number % 50 == 0 {
            let topic = RoomCommand::SetTopic { topic: number.to_string() };
            there.server.act("ann", &room, &topic, now()).await.unwrap();
        }
    }
    let join = pair::join(&here, &there, &room).await;
    until_known(&here, &join).await;
    let zoe = here.server.user("zoe");
    let state = |here: &Here| {
        let view = here.reader.view();
        let room = view.room(&room).unwrap();
        room.state_all()
            .map(|(kind, key, at)| (kind.to_owned(), key.to_owned(), at))
            .collect::<Vec<_>>()
    };
    let before = state(&here);
    let alone = page(&here, &room, (&zoe, Anchor::End, 50), false).await;
    assert_eq!((names(&alone), alone.begins), (vec!["m.room.member".to_owned()], Begins::Missing));
    let all = scroll(&here, &room, &zoe, 40).await;
    assert_eq!(all, said(&there, &room).await);
    assert_eq!(state(&here), before, "history changes no state");
    // Nothing more is missing, and the room goes on.
    assert!(here.server.commands.missing_before(&room, &[], 10).await.unwrap().is_empty());
    there.say(&room, "after").await;
    let last = log_of(&there, &room).await.pop().unwrap().pdu.event_id.clone();
    until_known(&here, &last).await;
    assert_eq!(scroll(&here, &room, &zoe, 40).await.last().unwrap(), "after");
}

const UNKNOWN: &str = "$unknownunknownunknownunknownunknownunknownunk";

async fn say_many(there: &Here, room: &OwnedRoomId, count: usize) {
    for number in 0..count {
        there.say(room, &format!("m{number}")).await;
    }
}

async fn set_visibility(there: &Here, room: &OwnedRoomId, visibility: HistoryVisibility) {
    let set = RoomCommand::SetHistoryVisibility { visibility };
    there.server.act("ann", room, &set, now()).await.unwrap();
}

/// The messages among names.
fn messages(names: Vec<String>) -> Vec<String> {
    names.into_iter().filter(|name| !name.starts_with("m.room.")).collect()
}

#[tokio::test]
async fn a_user_sees_the_history_that_the_setting_at_each_event_shows() {
    let (mut here, mut there, peer, room) = empty(HistoryVisibility::Shared).await;
    there.say(&room, "shared").await;
    set_visibility(&there, &room, HistoryVisibility::Joined).await;
    say_many(&there, &room, 120).await;
    join_late(&here, &mut there, &peer, &room).await;
    // This peer shows everything.
    answer_for(&there, &room, |_, answer| answer, &peer).await;
    let zoe = here.server.user("zoe");
    assert_eq!(messages(scroll(&here, &room, &zoe, 50).await), ["shared"]);
    // All of it is here, and a user who joins later sees no more of it, nor anybody after a restart.
    assert_eq!(pair::texts(&here, &room).await.len(), 121);
    let join = RoomCommand::Join { reason: None, member_of: None };
    here.server.act("yan", &room, &join, now()).await.unwrap();
    here.say_as("yan", &room, "to both").await;
    let last = log_of(&here, &room).await.pop().unwrap().pdu.event_id.clone();
    until_known(&here, &last).await;
    here.kill().await;
    for user in ["zoe", "yan"] {
        let user = here.server.user(user);
        assert_eq!(messages(scroll(&here, &room, &user, 50).await), ["shared", "to both"]);
    }
}

#[tokio::test]
async fn history_of_a_room_that_everybody_may_read_is_seen_by_its_members() {
    let (here, there) = two().await;
    let room = room_with(&there, HistoryVisibility::WorldReadable).await;
    say_many(&there, &room, 3).await;
    let join = pair::join(&here, &there, &room).await;
    until_known(&here, &join).await;
    let zoe = here.server.user("zoe");
    assert_eq!(messages(scroll(&here, &room, &zoe, 50).await), ["m0", "m1", "m2"]);
    let stranger = here.server.user("stranger");
    let seen = page(&here, &room, (&stranger, Anchor::End, 50), true).await;
    assert_eq!(messages(names(&seen)), ["m0", "m1", "m2"]);
}

#[tokio::test]
async fn other_servers_get_history_by_the_memberships_at_its_events() {
    let (here, mut there, peer, room) = empty(HistoryVisibility::Joined).await;
    there.say(&room, "before all").await;
    join_late(&here, &mut there, &peer, &room).await;
    answer_for(&there, &room, |_, answer| answer, &peer).await;
    scroll(&here, &room, &here.server.user("zoe"), 50).await;
    assert_eq!(pair::texts(&here, &room).await, ["before all"]);
    // The peer joined after the event, and it was a member when the event came here.
    let old = log_of(&there, &room).await;
    let old = old.iter().find(|event| event.pdu.content.get().contains("before all")).unwrap();
    let path = format!("/_matrix/federation/v1/event/{}", percent(old.pdu.event_id.as_str()));
    let (status, body) = peer.ask(&here, "GET", &path, None).await;
    assert_eq!((status, &body["pdus"][0]["content"]), (200, &json!({})), "{body}");
    // The peer may read messages that are sent from now on.
    here.say_as("zoe", &room, "now").await;
    let new = log_of(&here, &room).await.pop().unwrap().pdu.event_id.clone();
    until_known(&here, &new).await;
    let path = format!("/_matrix/federation/v1/event/{}", percent(new.as_str()));
    let (status, body) = peer.ask(&here, "GET", &path, None).await;
    assert_eq!((status, body["pdus"][0]["content"]["body"].as_str()), (200, Some("now")));
}

#[tokio::test]
async fn scrolling_goes_on_after_a_kill_with_the_cursors_from_before() {
    let (mut here, there) = two().await;
    let room = room_with(&there, HistoryVisibility::Shared).await;
    say_many(&there, &room, 250).await;
    let join = pair::join(&here, &there, &room).await;
    until_known(&here, &join).await;
    let zoe = here.server.user("zoe");
    let first = page(&here, &room, (&zoe, Anchor::End, 60), true).await;
    here.kill().await;
    let (mut anchor, mut all) = (Anchor::Before(first.resume.unwrap()), names(&first));
    loop {
        let page = page(&here, &room, (&zoe, anchor, 60), true).await;
        let mut names = names(&page);
        names.append(&mut all);
        all = names;
        anchor = page.resume.map_or(anchor, Anchor::Before);
        if !page.has_more && page.begins != Begins::Missing {
            break;
        }
    }
    assert_eq!(all, said(&there, &room).await);
}

/// Lets a peer answer as the server of a room would, with changes.
async fn answer_for(
    there: &Here,
    room: &OwnedRoomId,
    change: impl Fn(&str, Value) -> Value + Send + Sync + 'static,
    peer: &Peer,
) {
    let mut events: Vec<(OwnedEventId, Value)> = Vec::new();
    let mut states: BTreeMap<String, Value> = BTreeMap::new();
    for event in log_of(there, room).await {
        let id = event.pdu.event_id.clone();
        let state = there.server.commands.state_before(room, &event.pdu.prev_events).await.unwrap();
        let state = state.unwrap_or_default();
        let ids = json!({ "pdu_ids": state.state, "auth_chain_ids": state.auth_chain });
        states.insert(percent(id.as_str()), ids);
        let is_own = event.pdu.sender.server_name() == there.name;
        let json = if is_own {
            signed(there, room, &event.pdu).await
        } else {
            serde_json::from_slice(&event.pdu.json).unwrap()
        };
        events.push((id, json));
    }
    *peer.taken.answers.lock() = Some(Box::new(move |(_, path, _)| {
        let of = |id: &str| path.contains(&percent(id));
        let answer = if path.contains("/backfill/") {
            let end = events.iter().rposition(|(id, _)| of(id.as_str())).map_or(0, |at| at + 1);
            let from = end.saturating_sub(100);
            let page: Vec<_> = events[from..end].iter().rev().map(|(_, event)| event).collect();
            json!({ "pdus": page })
        } else if path.contains("/state_ids/") {
            states.iter().find(|(id, _)| path.contains(*id)).unwrap().1.clone()
        } else {
            let found = events.iter().find(|(id, _)| of(id.as_str()));
            json!({ "pdus": found.map(|(_, event)| event).into_iter().collect::<Vec<_>>() })
        };
        (200, change(path, answer))
    }));
}

/// A room of `there`.
async fn empty(setting: HistoryVisibility) -> (Here, Here, Peer, OwnedRoomId) {
    let certificate = Arc::new(Certificate::new());
    let (here, there) = (Here::open(&certificate).await, Here::open(&certificate).await);
    let room = room_with(&there, setting).await;
    (here, there, Peer::open(&certificate).await, room)
}

/// Lets a peer and `here` join. The room's own server is away from then on.
async fn join_late(here: &Here, there: &mut Here, peer: &Peer, room: &OwnedRoomId) {
    // The peer is a member before the join, so it is in the state.
    peer.join(there, room).await;
    let join = join_as(here, there, room, "zoe").await;
    until_known(here, &join).await;
    there.stop_serving().await;
}

/// A room with 300 messages and a topic in the middle, after late joins, and its messages.
async fn with_peer(setting: HistoryVisibility) -> (Here, Here, Peer, OwnedRoomId, Vec<String>) {
    let (here, mut there, peer, room) = empty(setting).await;
    say_many(&there, &room, 150).await;
    let topic = RoomCommand::SetTopic { topic: "old".to_owned() };
    there.server.act("ann", &room, &topic, now()).await.unwrap();
    say_many(&there, &room, 150).await;
    let said = messages(said(&there, &room).await);
    join_late(&here, &mut there, &peer, &room).await;
    (here, there, peer, room, said)
}

#[tokio::test]
async fn another_server_of_the_room_is_asked_when_the_first_is_away() {
    let (here, there, peer, room, said) = with_peer(HistoryVisibility::Shared).await;
    answer_for(&there, &room, |_, answer| answer, &peer).await;
    let zoe = here.server.user("zoe");
    assert_eq!(messages(scroll(&here, &room, &zoe, 100).await), said);
    assert!(peer.taken.count("/backfill/") >= 3);
}

#[tokio::test]
async fn answers_with_forged_foreign_or_loose_events_bring_nothing_and_end() {
    let (here, there, peer, room, _) = with_peer(HistoryVisibility::Shared).await;
    let elsewhere = room_with(&there, HistoryVisibility::Shared).await;
    say_many(&there, &elsewhere, 3).await;
    let foreign: Vec<Value> = {
        let mut all = Vec::new();
        for event in log_of(&there, &elsewhere).await {
            all.push(signed(&there, &elsewhere, &event.pdu).await);
        }
        all
    };
    let change = move |path: &str, answer: Value| {
        if !path.contains("/backfill/") {
            return answer;
        }
        // Every event is changed after it was signed, and the ones after it are left out.
        let mut pdus = answer["pdus"].as_array().unwrap().clone();
        for pdu in &mut pdus {
            pdu["depth"] = json!(1);
        }
        let whole = answer["pdus"].as_array().unwrap().iter().skip(5).cloned();
        pdus.extend(whole);
        pdus.extend(foreign.iter().cloned());
        let many: Vec<_> = std::iter::repeat_n(pdus, 20).flatten().collect();
        json!({ "pdus": many })
    };
    answer_for(&there, &room, change, &peer).await;
    let before = log_of(&here, &room).await.len();
    let zoe = here.server.user("zoe");
    let seen = page(&here, &room, (&zoe, Anchor::End, 50), true).await;
    assert!(messages(names(&seen)).is_empty());
    assert_eq!(seen.begins, Begins::Missing, "there is more elsewhere");
    assert_eq!(log_of(&here, &room).await.len(), before, "nothing was kept");
    assert!(peer.taken.count("/backfill/") <= 2);
}

#[tokio::test]
async fn a_server_that_withholds_a_part_of_the_state_brings_nothing() {
    let (here, there, peer, room, _) = with_peer(HistoryVisibility::Shared).await;
    let change = |path: &str, mut answer: Value| {
        if path.contains("/state_ids/") {
            answer["pdu_ids"].as_array_mut().unwrap().push(json!(UNKNOWN));
        } else if path.contains("/event/") {
            return json!({ "pdus": [] });
        }
        answer
    };
    answer_for(&there, &room, change, &peer).await;
    let zoe = here.server.user("zoe");
    for _ in 0..4 {
        page(&here, &room, (&zoe, Anchor::End, 500), true).await;
    }
    assert!(peer.taken.count("/state_ids/") > 0);
    let shown = page(&here, &room, (&zoe, Anchor::End, 500), false).await;
    assert!(!names(&shown).contains(&"m0".to_owned()));
    assert_eq!(shown.begins, Begins::Missing);
}

#[tokio::test]
async fn a_server_cannot_show_what_the_room_hid_by_stating_another_setting() {
    let (here, there, peer, room, _) = with_peer(HistoryVisibility::Joined).await;
    // The state that it states has no setting, which would show everything to all members.
    let create = log_of(&there, &room).await;
    let create: Vec<_> = create
        .iter()
        .filter(|event| event.pdu.kind.to_string() == "m.room.history_visibility")
        .map(|event| json!(event.pdu.event_id))
        .collect();
    let change = move |path: &str, mut answer: Value| {
        if path.contains("/state_ids/") {
            answer["pdu_ids"].as_array_mut().unwrap().retain(|id| !create.contains(id));
        }
        answer
    };
    answer_for(&there, &room, change, &peer).await;
    let zoe = here.server.user("zoe");
    assert!(messages(scroll(&here, &room, &zoe, 100).await).is_empty());
    assert!(pair::texts(&here, &room).await.len() >= 300, "all of it is here");
    assert!(peer.taken.count("/state_ids/") > 0);
}

#[tokio::test]
async fn two_users_who_scroll_at_once_share_the_requests() {
    let (here, there, peer, room, said) = with_peer(HistoryVisibility::Shared).await;
    answer_for(&there, &room, |_, answer| answer, &peer).await;
    let join = RoomCommand::Join { reason: None, member_of: None };
    here.server.act("yan", &room, &join, now()).await.unwrap();
    let joined = log_of(&here, &room).await.pop().unwrap().pdu.event_id.clone();
    until_known(&here, &joined).await;
    let (zoe, yan) = (here.server.user("zoe"), here.server.user("yan"));
    let both = tokio::join!(scroll(&here, &room, &zoe, 100), scroll(&here, &room, &yan, 100));
    let both = (messages(both.0), messages(both.1));
    assert_eq!(both, (said.clone(), said));
    let alone = 310_usize.div_ceil(crate::history::PAGE_EVENTS) + 1;
    assert!(peer.taken.count("/backfill/") <= alone, "{}", peer.taken.count("/backfill/"));
}

#[tokio::test]
async fn the_work_for_history_grows_with_the_history() {
    let mut times = Vec::new();
    for count in [400, 1_600] {
        let (here, there) = two().await;
        let room = room_with(&there, HistoryVisibility::Shared).await;
        say_many(&there, &room, count).await;
        let join = pair::join(&here, &there, &room).await;
        until_known(&here, &join).await;
        let begun = std::time::Instant::now();
        assert!(scroll(&here, &room, &here.server.user("zoe"), 100).await.len() > count);
        times.push(begun.elapsed());
    }
    assert!(times[1] < times[0] * 4 * 2, "{times:?}");
}
