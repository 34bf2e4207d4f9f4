//! Changes of power levels, in the form of the schema.

use async_graphql::InputObject;
use rookery_domain::PowerLevelsChange;
use rookery_schema::types::values::scalars::{Long, UserIdScalar};

/// A user's level.
#[derive(InputObject)]
pub(crate) struct UserLevelInput {
    /// The user.
    user_id: UserIdScalar,
    /// The level; null to use the default again.
    level: Option<Long>,
}

/// The level that events of a type need.
#[derive(InputObject)]
pub(crate) struct EventLevelInput {
    /// The type, such as `m.room.topic`.
    #[graphql(name = "type")]
    event_type: String,
    /// The level; null to use the default again.
    level: Option<Long>,
}

/// A change of a room's power levels. Fields that you leave out stay.
#[derive(InputObject)]
pub(crate) struct PowerLevelsInput {
    /// Users and their levels.
    #[graphql(default)]
    users: Vec<UserLevelInput>,
    /// Event types and the levels they need.
    #[graphql(default)]
    events: Vec<EventLevelInput>,
    /// The level of all other users.
    users_default: Option<Long>,
    /// The level that messages need.
    events_default: Option<Long>,
    /// The level that state events need.
    state_default: Option<Long>,
    /// The level to invite.
    invite: Option<Long>,
    /// The level to remove members.
    kick: Option<Long>,
    /// The level to ban.
    ban: Option<Long>,
    /// The level to redact the events of others.
    redact: Option<Long>,
}

/// The change, in the form of the rules.
pub(super) fn change(input: PowerLevelsInput) -> PowerLevelsChange {
    let level = |level: Option<Long>| level.map(i64::from);
    PowerLevelsChange {
        users: input.users.into_iter().map(|user| (user.user_id.0, level(user.level))).collect(),
        events: input
            .events
            .into_iter()
            .map(|event| (event.event_type, level(event.level)))
            .collect(),
        users_default: level(input.users_default),
        events_default: level(input.events_default),
        state_default: level(input.state_default),
        invite: level(input.invite),
        kick: level(input.kick),
        ban: level(input.ban),
        redact: level(input.redact),
    }
}
