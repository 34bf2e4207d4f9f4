//! The actions that the rules of a room allow a user.
//!
//! **Invariant:** [`Room::decide`] and this ask the same functions for membership and power, which a test compares.

use ruma_common::UserId;

use crate::{Rejection, Room};

/// Whether a user may take each action in a room, as far as it does not depend on a target. A target
/// needs less power than the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own")]
pub struct Permissions {
    /// To send messages.
    pub send_messages: bool,
    /// To react to events.
    pub react: bool,
    /// To redact the events of others.
    pub redact_others: bool,
    /// To invite users.
    pub invite: bool,
    /// To remove members.
    pub kick: bool,
    /// To ban users.
    pub ban: bool,
    /// To set the name.
    pub set_name: bool,
    /// To set the topic.
    pub set_topic: bool,
    /// To set the avatar.
    pub set_avatar: bool,
    /// To set the aliases.
    pub set_aliases: bool,
    /// To set how users may join.
    pub set_join_rule: bool,
    /// To set who may read later events.
    pub set_history_visibility: bool,
    /// To change the power levels, up to the user's own.
    pub set_power_levels: bool,
    /// To list, make and delete incoming webhooks.
    pub manage_webhooks: bool,
}

impl Room {
    /// The actions that the rules allow `user` now.
    #[must_use]
    pub fn permissions(&self, user: &UserId) -> Permissions {
        let levels = self.levels();
        let has = |needed| self.may(user, needed, "").is_ok();
        let is_open = self.replaced_by().is_none();
        let sends = |kind| is_open && has(levels.event(kind, false));
        let sets = |kind| is_open && has(levels.event(kind, true));
        Permissions {
            send_messages: sends("m.room.message"),
            react: sends("m.reaction"),
            redact_others: has(levels.redact) && has(levels.event("m.room.redaction", false)),
            invite: is_open && has(levels.invite),
            kick: has(levels.kick),
            ban: has(levels.ban),
            set_name: sets("m.room.name"),
            set_topic: sets("m.room.topic"),
            set_avatar: sets("m.room.avatar"),
            set_aliases: sets("m.room.canonical_alias"),
            set_join_rule: has(levels.event("m.room.join_rules", true)),
            set_history_visibility: sets("m.room.history_visibility"),
            set_power_levels: sets("m.room.power_levels"),
            manage_webhooks: self.require_webhooks(user).is_ok(),
        }
    }

    /// Refuses a user who may not change webhooks: that needs the level of state of this type, also in a replaced room.
    ///
    /// # Errors
    /// [`Rejection`], as for a change of the room.
    pub fn require_webhooks(&self, user: &UserId) -> Result<(), Rejection> {
        self.may(user, self.levels().event("org.rookery.webhooks", true), "to change webhooks")
    }

    /// Refuses a user who has not joined, or whose power is below `needed`.
    fn may(&self, user: &UserId, needed: i64, action: &str) -> Result<(), Rejection> {
        self.rules()?;
        self.require_member(user)?;
        self.require_power(user, needed, || action.to_owned())
    }
}
