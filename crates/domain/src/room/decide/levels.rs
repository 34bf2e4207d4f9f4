//! Changes of power levels.
//!
//! **Invariant:** nobody gives or removes a level above their own.
//! **Invariant:** a room always keeps a member who can change its power levels.

use rookery_pdu::canonical;
use ruma_common::UserId;

use crate::{
    JsonObject, Membership, Power, PowerLevels, PowerLevelsChange, Rejection,
    room::{Context, Room, authorise::Draft},
};

const KIND: &str = "m.room.power_levels";

impl Room {
    pub(super) fn change_power_levels(
        &self,
        change: &PowerLevelsChange,
        cx: &Context,
    ) -> Result<Option<Draft<'static>>, Rejection> {
        self.require_member(cx.sender)?;
        let current = self.state(KIND, "");
        let old: JsonObject = current.and_then(|event| event.content_as()).unwrap_or_default();
        let mut content = old.clone();
        change.write_to(&mut content);
        if canonical(&content)? == canonical(&old)? {
            return Ok(None);
        }
        let levels = self.levels();
        let needed = levels.event(KIND, true);
        self.require_power(cx.sender, needed, || "to change power levels".to_owned())?;
        self.check_reach(change, levels, &old, cx)?;
        let value = serde_json::Value::Object(content.clone());
        let next: PowerLevels = serde_json::from_value(value)
            .map_err(|error| Rejection::InvalidContent(error.to_string()))?;
        if !self.has_head(&next, cx.sender) {
            return Err(Rejection::WouldLockOut);
        }
        Ok(Some(Draft::state(KIND, content)))
    }

    /// Refuses changes beyond the sender's own level.
    fn check_reach(
        &self,
        change: &PowerLevelsChange,
        levels: &PowerLevels,
        old: &JsonObject,
        cx: &Context,
    ) -> Result<(), Rejection> {
        for user in change.users.keys() {
            if self.power_of(user) == Power::Infinite {
                return Err(Rejection::CreatorHasNoLevel(user.clone()));
            }
        }
        let Power::Level(have) = self.power_of(cx.sender) else { return Ok(()) };
        let refuse = |what: &str| Err(Rejection::LevelAboveOwn { what: what.to_owned(), have });
        for (user, level) in &change.users {
            let current = levels.users.get(user).copied();
            let is_self = user == cx.sender;
            let out_of_reach = current.is_some_and(|it| it > have || (it == have && !is_self));
            let changes = *level != current;
            if changes && (out_of_reach || level.is_some_and(|it| it > have)) {
                return refuse(user.as_str());
            }
        }
        for (kind, level) in &change.events {
            let current = levels.events.get(kind).copied();
            if *level != current && current.max(*level).is_some_and(|it| it > have) {
                return refuse(kind);
            }
        }
        for (name, level) in change.settings() {
            let current = old.get(name).and_then(serde_json::Value::as_i64);
            let current = current.unwrap_or(PowerLevels::UNSET.setting(name));
            if level != current && current.max(level) > have {
                return refuse(name);
            }
        }
        Ok(())
    }

    /// Whether a member can change power levels under `levels`. `first` is checked first.
    pub(in crate::room) fn has_head(&self, levels: &PowerLevels, first: &UserId) -> bool {
        self.is_head(levels, first) || self.has_head_beside(levels, first)
    }

    /// Like [`Self::has_head`], for members other than `but`.
    pub(super) fn has_head_beside(&self, levels: &PowerLevels, but: &UserId) -> bool {
        let is_head = |user: &UserId| user != but && self.is_head(levels, user);
        let creators = self.version.iter().flat_map(|version| version.creators.users());
        let named = levels.users.keys().chain(creators);
        named.into_iter().any(|user| is_head(user))
            || (levels.users_default >= levels.event(KIND, true)
                && self.members().any(|(user, ..)| <&UserId>::try_from(user).is_ok_and(is_head)))
    }

    /// Whether this user is a member who can change power levels under `levels`.
    pub(super) fn is_head(&self, levels: &PowerLevels, user: &UserId) -> bool {
        let needed = levels.event(KIND, true);
        let reaches = self.power_of(user) == Power::Infinite || levels.user(user) >= needed;
        reaches && self.membership(user) == Membership::Join
    }
}
