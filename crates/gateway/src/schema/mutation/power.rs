//! Changes of power levels, in the form of the schema.

use async_graphql::InputObject;
use rookery_domain::PowerLevelsChange;
use rookery_schema::types::values::scalars::UserIdScalar;

/// A user's level.
#[derive(InputObject)]
pub(crate) struct UserLevelInput {
    /// The user.
    user_id: UserIdScalar,
    /// The level; null to use the default again.
    level: Option<i64>,
}

/// The level that events of a type need.
#[derive(InputObject)]
pub(crate) struct EventLevelInput {
    /// The type, such as `m.room.topic`.
    #[graphql(name = "type")]
    event_type: String,
    /// The level; null to use the default again.
    level: Option<i64>,
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
    users_default: Option<i64>,
    /// The level that messages need.
    events_default: Option<i64>,
    /// The level that state events need.
    state_default: Option<i64>,
    /// The level to invite.
    invite: Option<i64>,
    /// The level to remove members.
    kick: Option<i64>,
    /// The level to ban.
    ban: Option<i64>,
    /// The level to redact the events of others.
    redact: Option<i64>,
}

/// The change, in the form of the rules.
pub(super) fn change(input: PowerLevelsInput) -> PowerLevelsChange {
    PowerLevelsChange {
        users: input.users.into_iter().map(|user| (user.user_id.0, user.level)).collect(),
        events: input.events.into_iter().map(|event| (event.event_type, event.level)).collect(),
        users_default: input.users_default,
        events_default: input.events_default,
        state_default: input.state_default,
        invite: input.invite,
        kick: input.kick,
        ban: input.ban,
        redact: input.redact,
    }
}
