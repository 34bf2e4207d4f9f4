//! The power levels of a room, in the form for clients.

use async_graphql::{Object, Result, SimpleObject};
use rookery_domain::{OwnedRoomId, Pdu};

use crate::{
    context::{PAGE_MAX, page_size},
    marks::{SharedBy, shared},
    types::{
        users::user::User,
        values::{
            connection::{Page, connection},
            scalars::{Long, UserIdScalar},
            text::Text,
        },
    },
};

/// The power levels of a room: the powers of users, and the levels that actions need.
pub struct PowerLevels {
    levels: rookery_domain::PowerLevels,
    room: OwnedRoomId,
}

impl PowerLevels {
    /// The levels in a state event.
    pub fn of(event: &Pdu) -> Self {
        Self { levels: rookery_domain::PowerLevels::of(event), room: event.room_id.clone() }
    }
}

/// A user with a level of their own.
#[derive(Clone, SimpleObject)]
pub struct UserLevel {
    /// The user.
    user: User,
    /// The ID of the user.
    user_id: UserIdScalar,
    /// The level.
    level: Long,
}

/// A type of events with a level of its own.
#[derive(Clone, SimpleObject)]
pub struct EventLevel {
    /// The type, such as `m.room.topic`.
    #[graphql(name = "type")]
    event_type: Text,
    /// The level.
    level: Long,
}

connection!(UserLevelConnection, UserLevelEdge, UserLevel, "A page of the users with a level.");
connection!(EventLevelConnection, EventLevelEdge, EventLevel, "A page of the types with a level.");

/// The power levels of a room: the powers of users, and the levels that actions need.
#[Object]
impl PowerLevels {
    /// The users with a level of their own, ordered by user ID. Creators above all levels have none.
    async fn users(
        &self,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<UserLevelConnection> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let key = |(user, _): &(&rookery_domain::OwnedUserId, &i64)| user.to_string();
        let page = Page::of(&self.levels.users, limit, after.as_deref(), key)?;
        Ok(UserLevelConnection(page.map(|(user, level)| UserLevel {
            user: User::in_room(user.clone(), self.room.clone()),
            user_id: UserIdScalar(user.clone()),
            level: Long::from(*level),
        })))
    }

    /// The types of events with a level of their own, in alphabetical order.
    async fn events(
        &self,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<EventLevelConnection> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let key = |(kind, _): &(&String, &i64)| (*kind).clone();
        let page = Page::of(&self.levels.events, limit, after.as_deref(), key)?;
        Ok(EventLevelConnection(page.map(|(kind, level)| EventLevel {
            event_type: Text(kind.clone()),
            level: Long::from(*level),
        })))
    }

    /// The level of all other users.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn users_default(&self) -> Long {
        self.levels.users_default.into()
    }

    /// The level that other events need.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn events_default(&self) -> Long {
        self.levels.events_default.into()
    }

    /// The level that other state events need.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn state_default(&self) -> Long {
        self.levels.state_default.into()
    }

    /// The level to invite.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn invite(&self) -> Long {
        self.levels.invite.into()
    }

    /// The level to remove members.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn kick(&self) -> Long {
        self.levels.kick.into()
    }

    /// The level to ban.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn ban(&self) -> Long {
        self.levels.ban.into()
    }

    /// The level to redact the events of others.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn redact(&self) -> Long {
        self.levels.redact.into()
    }
}
