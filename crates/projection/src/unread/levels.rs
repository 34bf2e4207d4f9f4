//! The power to notify everybody.

use rookery_domain::{Creators, Pdu, Power, UserId, UserLevels};
use serde::{Deserialize, Serialize};

use super::counted::EventPlace;

/// The default level to notify everybody.
///
/// Source: Matrix client-server specification, `m.room.power_levels`, `notifications.room`.
const NOTIFY_DEFAULT: i64 = 50;

/// The power levels that matter for the counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Levels {
    /// The levels of the room; `None` if it has none.
    said: Option<LevelsEvent>,
    creators: Creators,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LevelsEvent {
    place: EventPlace,
    users: UserLevels,
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
            let room = |content: WithNotifications| content.notifications.room;
            let notify = event.content_as().and_then(room).unwrap_or(NOTIFY_DEFAULT);
            LevelsEvent { place, users: UserLevels::of(event), notify }
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
        self.creators = Creators::of(event);
    }

    /// Whether `user` may notify everybody.
    pub(super) fn may_notify(&self, user: &UserId) -> bool {
        let needed = self.said.as_ref().map_or(NOTIFY_DEFAULT, |said| said.notify);
        let level = self.said.as_ref().map(|said| said.users.user(user));
        self.creators.power_of(user, level) >= Power::Level(needed)
    }
}
