//! The messages beside events that wait for one destination.
//!
//! **Invariant:** the latest state of a kind, room and user replaces the one before it. Memory is bounded.
//! **Invariant:** nothing here is stored, and nothing waits for a server that is away.

use std::collections::{BTreeMap, BTreeSet};

use rookery_domain::{OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, UserId};
use rookery_ephemeral::Shown;
use serde_json::value::RawValue;

use crate::{edus, inbound::EDUS_MAX};

/// Most states of each kind that wait. Further ones are left out until these are sent.
pub(crate) const STATES_MAX: usize = 1_000;

/// Most users of one message about receipts or presence.
const USERS_MAX: usize = 64;

type Key = (OwnedRoomId, OwnedUserId);

/// The states that wait.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    typing: BTreeMap<Key, bool>,
    receipts: BTreeMap<Key, (OwnedEventId, u64)>,
    /// Their presence is that of the moment when it is sent.
    presences: BTreeSet<OwnedUserId>,
}

impl Outbox {
    pub(super) fn typing(&mut self, room: &RoomId, user: &UserId, is_typing: bool) {
        put(&mut self.typing, (room.to_owned(), user.to_owned()), is_typing);
    }

    pub(super) fn receipt(&mut self, key: Key, event: OwnedEventId, sent: u64) {
        put(&mut self.receipts, key, (event, sent));
    }

    pub(super) fn presence(&mut self, user: &UserId) {
        if self.presences.len() < STATES_MAX {
            self.presences.insert(user.to_owned());
        }
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.typing.is_empty() && self.receipts.is_empty() && self.presences.is_empty()
    }

    /// Drops everything: the destination is away.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes the messages of one transaction. `shown` tells the presence of a user at `now`.
    pub(super) fn take(
        &mut self,
        shown: impl Fn(&UserId) -> Shown,
        now: u64,
    ) -> Vec<Box<RawValue>> {
        let mut messages = Vec::new();
        let users = std::iter::from_fn(|| self.presences.pop_first()).take(USERS_MAX);
        let users = users.map(|user| {
            let shown = shown(&user);
            (user, shown)
        });
        messages.extend(edus::presences(users, now));
        let receipts = std::iter::from_fn(|| self.receipts.pop_first()).take(USERS_MAX);
        let receipts = receipts.map(|((room, user), (event, sent))| (room, user, event, sent));
        messages.extend(edus::receipts(receipts));
        while messages.len() < EDUS_MAX
            && let Some(((room, user), is_typing)) = self.typing.pop_first()
        {
            messages.extend(edus::typing(room, user, is_typing));
        }
        messages
    }
}

fn put<T>(states: &mut BTreeMap<Key, T>, key: Key, state: T) {
    if states.len() < STATES_MAX || states.contains_key(&key) {
        states.insert(key, state);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use serde_json::Value;

    use super::*;

    fn room(number: usize) -> OwnedRoomId {
        format!("!room{number}:one.example").try_into().unwrap()
    }

    fn user(number: usize) -> OwnedUserId {
        format!("@user{number}:one.example").try_into().unwrap()
    }

    fn taken(outbox: &mut Outbox) -> Vec<Value> {
        let messages = outbox.take(|_| Shown::default(), 0);
        messages.iter().map(|message| serde_json::from_str(message.get()).unwrap()).collect()
    }

    #[test]
    fn the_latest_state_is_sent_once() {
        let mut outbox = Outbox::default();
        for number in 0..10_u64 {
            outbox.typing(&room(1), &user(1), number % 2 == 0);
            let event = format!("$event{number}").try_into().unwrap();
            outbox.receipt((room(1), user(1)), event, number);
            outbox.presence(&user(1));
        }
        let messages = taken(&mut outbox);
        assert_eq!(messages.len(), 3, "{messages:?}");
        assert_eq!(messages[0]["content"]["push"][0]["presence"], "offline");
        let read = &messages[1]["content"][room(1).as_str()]["m.read"][user(1).as_str()];
        assert_eq!((&read["event_ids"][0], &read["data"]["ts"]), (&"$event9".into(), &9.into()));
        assert_eq!(messages[2]["content"]["typing"], false);
        assert!(outbox.is_empty());
    }

    #[test]
    fn memory_and_transactions_are_bounded() {
        let mut outbox = Outbox::default();
        for number in 0..2 * STATES_MAX {
            outbox.typing(&room(number), &user(number), true);
            outbox.receipt((room(number), user(number)), "$x".try_into().unwrap(), 1);
            outbox.presence(&user(number));
        }
        // A state that waits already changes, also when there is no place for others.
        outbox.typing(&room(0), &user(0), false);
        let mut counts = [0; 3];
        while !outbox.is_empty() {
            let messages = taken(&mut outbox);
            assert!(messages.len() <= EDUS_MAX);
            for message in messages {
                assert!(message.to_string().len() <= 64 * 1024);
                match message["edu_type"].as_str().unwrap() {
                    "m.typing" => counts[0] += 1,
                    "m.receipt" => counts[1] += message["content"].as_object().unwrap().len(),
                    _ => counts[2] += message["content"]["push"].as_array().unwrap().len(),
                }
            }
        }
        assert_eq!(counts, [STATES_MAX; 3]);
    }
}
