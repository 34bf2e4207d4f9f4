//! The account aggregate: a user's own data.
//!
//! **Invariant:** a read receipt never moves backwards.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::account_data::AccountData;
use crate::{
    AccountEvent, Bound, DataKey, Filter, IgnoredUsers, JsonObject, OwnedEventId, OwnedRoomId,
    OwnedUserId, Profile, Rejection, RoomPreferences, RoomPreferencesChange, RoomsElsewhere,
    UserId,
};

/// A command of a user for their account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountCommand {
    /// Change name and avatar.
    SetProfile {
        /// The new profile.
        profile: Profile,
    },
    /// Move the read receipt in a room.
    MarkRead {
        /// The room.
        room_id: OwnedRoomId,
        /// The last event that the user read: an event of the room that they may see.
        event_id: OwnedEventId,
        /// Its sequence in the room.
        sequence: u64,
        /// Do not show the receipt to others.
        private: bool,
    },
    /// Store a filter.
    CreateFilter {
        /// The filter.
        filter: Filter,
    },
    /// Delete a filter.
    DeleteFilter {
        /// Its ID.
        filter_id: String,
    },
    /// Change the preferences for a room.
    SetRoomPreferences {
        /// The room. The caller has checked that the user may know of it.
        room_id: OwnedRoomId,
        /// The change.
        change: RoomPreferencesChange,
    },
    /// Ignore a user, or no longer.
    SetIgnored {
        /// The user of the account.
        own: OwnedUserId,
        /// The user to ignore.
        user_id: OwnedUserId,
        /// Whether to ignore the user.
        is_ignored: bool,
    },
    /// Store account data.
    SetData {
        /// Its name. The caller has checked that the user may know of the room.
        key: DataKey,
        /// The content.
        content: JsonObject,
    },
    /// Delete account data.
    DeleteData {
        /// Its name.
        key: DataKey,
    },
}

/// The read receipts of a user in a room, as sequences of events; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Marks {
    public: u64,
    private: u64,
}

/// The state of an account, folded from its events.
///
/// The write side stores it in snapshots. A change of its fields needs a new format of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    profile: Profile,
    read: BTreeMap<OwnedRoomId, Marks>,
    filters: BTreeSet<String>,
    /// Those that are not the defaults.
    preferences: BTreeMap<OwnedRoomId, RoomPreferences>,
    data: AccountData,
    ignored: IgnoredUsers,
    elsewhere: RoomsElsewhere,
}

impl Account {
    /// Folds the events of an account, oldest first.
    #[must_use]
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a AccountEvent>) -> Self {
        let mut account = Self::default();
        events.into_iter().for_each(|event| account.evolve(event));
        account
    }

    /// The name and avatar.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// In how many rooms the user has a read receipt.
    #[must_use]
    pub fn rooms_read(&self) -> usize {
        self.read.len()
    }

    /// How many filters the user has stored.
    #[must_use]
    pub fn filters_stored(&self) -> usize {
        self.filters.len()
    }

    /// For how many rooms the user has preferences.
    #[must_use]
    pub fn rooms_preferred(&self) -> usize {
        self.preferences.len()
    }

    /// How many entries of account data the user has.
    #[must_use]
    pub fn data_stored(&self) -> usize {
        self.data.len()
    }

    /// The users whom the user ignores.
    #[must_use]
    pub fn ignored(&self) -> &IgnoredUsers {
        &self.ignored
    }

    /// The rooms of other servers that this server is not in.
    #[must_use]
    pub fn elsewhere(&self) -> &RoomsElsewhere {
        &self.elsewhere
    }

    /// How many users the user ignores.
    #[must_use]
    pub fn users_ignored(&self) -> usize {
        self.ignored.len()
    }

    /// Decides which events a command makes. The list is empty if the command changes nothing.
    ///
    /// # Errors
    /// [`Rejection`] if the name is too long or invisible, the avatar is not an `mxc:` address, a
    /// filter is too large, or the command would pass a [`Bound`].
    pub fn decide(&self, command: &AccountCommand) -> Result<Vec<AccountEvent>, Rejection> {
        let profile = match command.clone() {
            AccountCommand::MarkRead { room_id, event_id, sequence, private } => {
                let Marks { public, private: own } =
                    self.read.get(&room_id).copied().unwrap_or_default();
                // A public receipt also counts as a private one, but not the other way round.
                let before = if private { public.max(own) } else { public };
                let moved = AccountEvent::ReceiptMoved { room_id, event_id, sequence, private };
                return Ok(if sequence > before { vec![moved] } else { Vec::new() });
            }
            AccountCommand::CreateFilter { filter } => return self.create_filter(filter),
            AccountCommand::DeleteFilter { filter_id } => {
                let known = self.filters.contains(&filter_id);
                let deleted = known.then_some(AccountEvent::FilterDeleted { filter_id });
                return Ok(deleted.into_iter().collect());
            }
            AccountCommand::SetRoomPreferences { room_id, change } => {
                return self.set_preferences(room_id, change);
            }
            AccountCommand::SetIgnored { own, user_id, is_ignored } => {
                return self.set_ignored(&own, user_id, is_ignored);
            }
            AccountCommand::SetData { key, content } => return self.data.set(key, content),
            AccountCommand::DeleteData { key } => return Ok(self.data.delete(key)),
            AccountCommand::SetProfile { profile } => profile,
        };
        profile.check()?;
        if profile == self.profile {
            return Ok(Vec::new());
        }
        let name = profile.displayname.as_deref().unwrap_or("");
        Rejection::unless_visible("the display name", name)?;
        let Profile { displayname, avatar_url } = profile;
        Ok(vec![AccountEvent::ProfileChanged { displayname, avatar_url }])
    }

    fn create_filter(&self, filter: Filter) -> Result<Vec<AccountEvent>, Rejection> {
        filter.check()?;
        let filter = filter.normal();
        let filter_id = filter.id();
        if self.filters.contains(&filter_id) {
            return Ok(Vec::new());
        }
        Bound::Filters.admit(self.filters.len())?;
        Ok(vec![AccountEvent::FilterCreated { filter_id, filter }])
    }

    fn set_preferences(
        &self,
        room_id: OwnedRoomId,
        change: RoomPreferencesChange,
    ) -> Result<Vec<AccountEvent>, Rejection> {
        let before = self.preferences.get(&room_id).copied();
        let preferences = change.of(before.unwrap_or_default());
        if preferences == before.unwrap_or_default() {
            return Ok(Vec::new());
        }
        if before.is_none() {
            Bound::RoomPreferences.admit(self.preferences.len())?;
        }
        Ok(vec![AccountEvent::RoomPreferencesChanged { room_id, preferences }])
    }

    fn set_ignored(
        &self,
        own: &UserId,
        user_id: OwnedUserId,
        is_ignored: bool,
    ) -> Result<Vec<AccountEvent>, Rejection> {
        if *own == user_id {
            return Err(Rejection::TargetIsSelf);
        }
        if self.ignored.contains(&user_id) == is_ignored {
            return Ok(Vec::new());
        }
        if !is_ignored {
            return Ok(vec![AccountEvent::UserUnignored { user_id }]);
        }
        Bound::IgnoredUsers.admit(self.ignored.len())?;
        Ok(vec![AccountEvent::UserIgnored { user_id }])
    }

    /// Folds one event. Total.
    pub fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::ProfileChanged { displayname, avatar_url } => {
                let (displayname, avatar_url) = (displayname.clone(), avatar_url.clone());
                self.profile = Profile { displayname, avatar_url };
            }
            AccountEvent::ReceiptMoved { room_id, sequence, private, .. } => {
                let marks = self.read.entry(room_id.clone()).or_default();
                let mark = if *private { &mut marks.private } else { &mut marks.public };
                *mark = (*mark).max(*sequence);
            }
            AccountEvent::FilterCreated { filter_id, .. } => {
                self.filters.insert(filter_id.clone());
            }
            AccountEvent::FilterDeleted { filter_id } => {
                self.filters.remove(filter_id);
            }
            AccountEvent::RoomPreferencesChanged { room_id, preferences } => {
                if *preferences == RoomPreferences::default() {
                    self.preferences.remove(room_id);
                } else {
                    self.preferences.insert(room_id.clone(), *preferences);
                }
            }
            AccountEvent::UserIgnored { .. } | AccountEvent::UserUnignored { .. } => {
                self.ignored.evolve(event);
            }
            AccountEvent::DataChanged { room_id, kind, content } => {
                let key = DataKey { room_id: room_id.clone(), kind: kind.clone() };
                self.data.changed(key, content);
            }
            AccountEvent::DataDeleted { room_id, kind } => {
                let key = DataKey { room_id: room_id.clone(), kind: kind.clone() };
                self.data.deleted(&key);
            }
            AccountEvent::RemoteBegun { .. }
            | AccountEvent::RemoteEnded { .. }
            | AccountEvent::ElsewhereChanged { .. }
            | AccountEvent::ElsewhereEnded { .. } => self.elsewhere.evolve(event, 0),
            AccountEvent::DeviceAdded { .. }
            | AccountEvent::DeviceRemoved { .. }
            | AccountEvent::ActionNoted { .. } => {}
        }
    }
}
