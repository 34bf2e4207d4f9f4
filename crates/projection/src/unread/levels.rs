//! The power to notify everybody.

use rookery_domain::{OwnedUserId, Pdu, Power, PowerLevels, UserId};
use serde::{Deserialize, Serialize};

use super::counted::EventPlace;
use crate::commits::Content;

/// The default level to notify everybody.
///
/// Source: Matrix client-server specification, `m.room.power_levels`, `notifications.room`.
const NOTIFY_DEFAULT: i64 = 50;

/// The power levels that matter for the counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Levels {
    /// The levels of the room; `None` if it has none.
    said: Option<LevelsEvent>,
    creators: Vec<OwnedUserId>,
    /// Whether creators are above all levels.
    mighty: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LevelsEvent {
    place: EventPlace,
    users: Vec<(OwnedUserId, i64)>,
    users_default: i64,
    notify: i64,
}

#[derive(Deserialize)]
struct WithNotifications {
    #[serde(default)]
    notifications: Notifications,
}

#[derive(Default, Deserialize)]
struct Notifications {
    room: Option<i64>,
}

impl Levels {
    /// Sets the power levels event, with its place in the log.
    pub(super) fn set(&mut self, event: Option<(&Pdu, EventPlace)>) {
        self.said = event.map(|(event, place)| {
            let PowerLevels { users, users_default, .. } = PowerLevels::of(event);
            let room = |content: WithNotifications| content.notifications.room;
            let notify = event.content_as().and_then(room).unwrap_or(NOTIFY_DEFAULT);
            LevelsEvent { place, users: users.into_iter().collect(), users_default, notify }
        });
    }

    /// The event at that place has been redacted.
    pub(super) fn erased(&mut self, place: EventPlace) {
        if let Some(said) = self.said.as_mut().filter(|said| said.place == place) {
            said.notify = NOTIFY_DEFAULT;
        }
    }

    /// Sets the create event of the room.
    pub(super) fn created(&mut self, event: &Pdu) {
        let content = Content::of(event);
        let version = content.text("room_version").and_then(|version| version.parse::<u32>().ok());
        self.mighty = version.is_some_and(|version| version >= 12);
        let others = content.texts("additional_creators").into_iter();
        let others = others.filter(|_| self.mighty);
        self.creators = std::iter::once(event.sender.clone())
            .chain(others.filter_map(|user| user.try_into().ok()))
            .collect();
    }

    /// Whether `user` may notify everybody.
    pub(super) fn may_notify(&self, user: &UserId) -> bool {
        let level = self.said.as_ref().map_or(NOTIFY_DEFAULT, |said| said.notify);
        self.power(user) >= Power::Level(level)
    }

    fn power(&self, user: &UserId) -> Power {
        let creates = self.creators.iter().any(|creator| creator == user);
        if creates && self.mighty {
            return Power::Infinite;
        }
        let Some(said) = &self.said else { return Power::Level(if creates { 100 } else { 0 }) };
        let named = said.users.binary_search_by(|(other, _)| (**other).cmp(user));
        Power::Level(named.map_or(said.users_default, |named| said.users[named].1))
    }
}
