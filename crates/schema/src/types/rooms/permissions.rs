//! The actions that a room allows the viewer.

use async_graphql::SimpleObject;
use rookery_domain::Permissions;

/// The actions that a room allows you now, by your membership and your power level. An action against another
/// user also needs more power than that user has.
#[derive(SimpleObject)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own")]
pub struct RoomPermissions {
    /// Whether you may send messages.
    send_messages: bool,
    /// Whether you may react to events.
    add_reactions: bool,
    /// Whether you may redact the events of others. You may always redact your own.
    redact_others: bool,
    /// Whether you may invite users.
    invite: bool,
    /// Whether you may remove members.
    kick: bool,
    /// Whether you may ban users.
    ban: bool,
    /// Whether you may set the name.
    set_name: bool,
    /// Whether you may set the topic.
    set_topic: bool,
    /// Whether you may set the avatar.
    set_avatar: bool,
    /// Whether you may set the aliases.
    set_aliases: bool,
    /// Whether you may set how users join.
    set_join_rule: bool,
    /// Whether you may set the users who read later events.
    set_history_visibility: bool,
    /// Whether you may change the power levels, up to your own.
    set_power_levels: bool,
    /// Whether you may list, make and delete incoming webhooks. To make one you also have to be
    /// allowed to invite.
    manage_webhooks: bool,
}

impl From<Permissions> for RoomPermissions {
    fn from(may: Permissions) -> Self {
        Self {
            send_messages: may.send_messages,
            add_reactions: may.react,
            redact_others: may.redact_others,
            invite: may.invite,
            kick: may.kick,
            ban: may.ban,
            set_name: may.set_name,
            set_topic: may.set_topic,
            set_avatar: may.set_avatar,
            set_aliases: may.set_aliases,
            set_join_rule: may.set_join_rule,
            set_history_visibility: may.set_history_visibility,
            set_power_levels: may.set_power_levels,
            manage_webhooks: may.manage_webhooks,
        }
    }
}
