//! Operations in two rooms, by three users.

use proptest::prelude::*;
use rookery_domain::{AccountEvent, EventStatus, SlotChange};
use rookery_log::EventLog;
use serde_json::json;

use super::super::feeding::note;
use crate::tests::testing::{self, Scene, user};

const ROOMS: [&str; 2] = ["tea", "pot"];
const MEMBERSHIPS: [&str; 6] = ["join", "join", "leave", "invite", "ban", "knock"];

/// An operation. Numbers choose rooms, users and outcomes.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Message(usize, usize),
    Member {
        room: usize,
        by: usize,
        whom: usize,
        what: usize,
    },
    Receipt {
        room: usize,
        who: usize,
        private: bool,
    },
    Profile(usize),
    Alias,
    /// An event of another server by which state resolution gives a slot to an earlier event, or
    /// empties it.
    Resolved {
        room: usize,
        which: usize,
        held: bool,
    },
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let member = (0..2usize, 0..3usize, 0..3usize, 0..MEMBERSHIPS.len());
    prop_oneof![
        4 => (0..2usize, 0..3usize).prop_map(|(room, who)| Act::Message(room, who)),
        4 => member.prop_map(|(room, by, whom, what)| Act::Member { room, by, whom, what }),
        3 => (0..2usize, 0..3usize, any::<bool>())
            .prop_map(|(room, who, private)| Act::Receipt { room, who, private }),
        1 => (0..3usize).prop_map(Act::Profile),
        1 => Just(Act::Alias),
        2 => (0..2usize, any::<usize>(), any::<bool>())
            .prop_map(|(room, which, held)| Act::Resolved { room, which, held }),
    ]
}

pub(super) async fn play(scene: &mut Scene, act: &Act) {
    let name = |who: usize| super::USERS[who];
    match act {
        Act::Message(room, who) => {
            scene.message(ROOMS[*room], name(*who)).await;
        }
        Act::Member { room, by, whom, what } => {
            let key = user(name(*whom));
            let content = json!({ "membership": MEMBERSHIPS[*what] });
            let room = ROOMS[*room];
            scene.send(room, name(*by), "m.room.member", Some(key.as_str()), content).await;
        }
        Act::Receipt { room, who, private } => {
            let (room_id, event_id) = (testing::room(ROOMS[*room]), "$read".try_into().unwrap());
            let sequence = scene.log.tail().borrow().0;
            let moved =
                AccountEvent::ReceiptMoved { room_id, event_id, sequence, private: *private };
            note(scene, name(*who), moved).await;
        }
        Act::Profile(who) => {
            scene.profile(name(*who), "somebody").await;
        }
        Act::Alias => {
            scene.alias("tea", Some("tea")).await;
        }
        Act::Resolved { room, which, held } => {
            let room = ROOMS[*room];
            let Some(former) = scene.former(room, *which) else { return };
            let holder = former.holder.clone().filter(|_| *held);
            let change = SlotChange { holder, ..former };
            let event = scene.event(room, "dan", "m.room.message", None, &json!({}), 0);
            scene.receive(room, event, EventStatus::Accepted, Some(vec![change])).await;
        }
    }
}
