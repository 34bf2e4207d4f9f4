//! Chance that follows from a seed: the next commands of users, and the order in which events
//! arrive.

use std::collections::BTreeMap;

use rookery_domain::{
    HistoryVisibility, JoinRule, JsonObject, MessageKind, OwnedUserId, PowerLevelsChange, Profile,
    RoomCommand,
};

use super::Sent;

/// A pseudorandom generator (splitmix64).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The numbers that follow from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % end.max(1) as u64).unwrap_or_default()
    }

    /// Returns `true` once in `n` times on average.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A random one of these.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// A command that a user may try next in a room of these users.
    pub fn command(&mut self, users: &[OwnedUserId], number: u64) -> RoomCommand {
        let user = self.pick(users).clone();
        match self.below(20) {
            0 => RoomCommand::SetName { name: format!("name {number}") },
            1 | 2 => RoomCommand::SetTopic { topic: format!("topic {number}") },
            3..=5 => RoomCommand::Join { reason: None, member_of: None },
            6 => RoomCommand::Leave { reason: None, successor: None },
            7 => RoomCommand::Kick { user, reason: None },
            8 => RoomCommand::Ban { user, reason: None },
            9 => RoomCommand::Unban { user, reason: None },
            10 => RoomCommand::Invite { invitee: user.into(), reason: None },
            11 => RoomCommand::SetPowerLevels { change: self.levels(user) },
            12 => {
                let rule = if self.one_in(2) { JoinRule::Public } else { JoinRule::Invite };
                RoomCommand::SetJoinRule { rule }
            }
            13 => {
                let visibility =
                    *self.pick(&[HistoryVisibility::Shared, HistoryVisibility::Joined]);
                RoomCommand::SetHistoryVisibility { visibility }
            }
            14 => {
                let displayname = Some(format!("nick {number}"));
                RoomCommand::SetMemberProfile { profile: Profile { displayname, avatar_url: None } }
            }
            15 => {
                let mut content = JsonObject::new();
                content.insert("number".to_owned(), number.into());
                let (event_type, state_key) = ("test.state".to_owned(), format!("{}", number % 3));
                RoomCommand::SetState { event_type, state_key, content }
            }
            _ => RoomCommand::SendMessage {
                kind: MessageKind::Text,
                body: format!("message {number}"),
                formatted_body: None,
                relation: None,
                mentions: None,
            },
        }
    }

    fn levels(&mut self, user: OwnedUserId) -> PowerLevelsChange {
        if self.one_in(4) {
            let state_default = Some(*self.pick(&[0, 50]));
            return PowerLevelsChange { state_default, ..PowerLevelsChange::default() };
        }
        let level = *self.pick(&[Some(0), Some(50), Some(75), None]);
        let users = BTreeMap::from([(user, level)]);
        PowerLevelsChange { users, ..PowerLevelsChange::default() }
    }
}

/// Orders in which the same events can arrive.
#[derive(Clone, Debug)]
pub struct Orders(Rng);

impl Orders {
    /// The orders that follow from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Rng::new(seed))
    }

    /// The create event first, then all others in any order, some of them more than once.
    ///
    /// # Panics
    /// If there are none.
    pub fn shuffled(&mut self, sent: &[Sent]) -> Vec<Sent> {
        let (create, others) = sent.split_first().expect("a room has a create event");
        let mut order = others.to_vec();
        for _ in 0..others.len() / 5 {
            order.push(self.0.pick(others).clone());
        }
        for last in (1..order.len()).rev() {
            order.swap(last, self.0.below(last + 1));
        }
        order.insert(0, create.clone());
        order
    }

    /// The order in which they were sent, except that each may be late by up to `by` others.
    pub fn delayed(&mut self, sent: &[Sent], by: usize) -> Vec<Sent> {
        let mut order: Vec<_> = sent
            .iter()
            .enumerate()
            .map(|(at, sent)| (if at == 0 { 0 } else { at + self.0.below(by + 1) }, sent))
            .collect();
        order.sort_by_key(|(at, _)| *at);
        order.into_iter().map(|(_, sent)| sent.clone()).collect()
    }
}
