//! Room summaries: the data of a room in a list of rooms.
//!
//! **Invariant:** each setting is that of the event that holds its slot of the room's state, and
//! empty if the slot is empty.

use rookery_domain::{
    DIRECTORY_TYPE, Erased, EventStatus, HistoryVisibility, JoinRule, OwnedUserId, Pdu, Power,
    PowerLevels, Relation, Slot, UserId,
};
use rookery_log::{Position, StreamKind};
use serde::{Deserialize, Serialize};

use crate::models::{Fold, StreamKey, Unfit};
use crate::{Committed, RowKey, commits::Content};

/// A change of the history visibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisibilityChange {
    /// The event that set it.
    pub sequence: u64,
    /// The commit of that event.
    pub position: Position,
    /// The setting from that event on.
    pub setting: HistoryVisibility,
}

/// The power levels of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Powers {
    /// The level of each listed user, by user ID.
    pub users: Vec<(OwnedUserId, i64)>,
    /// The level of all other users.
    pub users_default: i64,
}

/// The settings of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Its name.
    pub name: Option<String>,
    /// Its topic.
    pub topic: Option<String>,
    /// The `mxc:` address of its avatar.
    pub avatar_url: Option<String>,
    /// The alias that the room prefers.
    pub canonical_alias: Option<String>,
    /// The other aliases of the room.
    pub alt_aliases: Vec<String>,
    /// How users may join; `None` if the room has no setting, which means by invite.
    pub join_rule: Option<JoinRule>,
    /// The changes of the history visibility, in order of arrival.
    pub visibility: Vec<VisibilityChange>,
    /// Whether the public directory lists it.
    pub listed: bool,
    /// Its creator.
    pub creator: Option<OwnedUserId>,
    /// Creators beside [`Self::creator`].
    pub additional_creators: Vec<OwnedUserId>,
    /// The room version.
    pub version: Option<String>,
    /// The `type` of its create event, for example `m.space`.
    pub kind: Option<String>,
    /// The power levels; `None` if the room has none.
    pub powers: Option<Powers>,
    /// The last event that stands alone ([`Relation::stands_alone`]). After a redaction in the room
    /// it is `None` until a new such event; until then a reader searches the timeline.
    pub last_message: Option<RowKey>,
    /// The last event.
    pub last_event: Option<RowKey>,
    /// The sequence of the event that arrived last.
    pub last_sequence: u64,
    /// The event behind each of [`SETTINGS`].
    set_by: [Option<RowKey>; SETTINGS.len()],
}

impl Summary {
    /// The history visibility that holds now.
    #[must_use]
    pub fn history_visibility(&self) -> HistoryVisibility {
        self.visibility.last().map(|change| change.setting).unwrap_or_default()
    }

    /// Whether everybody may join.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.join_rule == Some(JoinRule::Public)
    }

    /// The power of `user`. In a room without power levels the creator has 100.
    #[must_use]
    pub fn power(&self, user: &UserId) -> Power {
        let is_creator = self.creator.as_deref() == Some(user);
        let creates = is_creator || self.additional_creators.iter().any(|other| other == user);
        if creates && self.has_mighty_creators() {
            return Power::Infinite;
        }
        let Some(powers) = &self.powers else {
            return Power::Level(if is_creator { 100 } else { 0 });
        };
        let named = powers.users.binary_search_by(|(other, _)| (**other).cmp(user));
        Power::Level(named.map_or(powers.users_default, |named| powers.users[named].1))
    }

    fn has_mighty_creators(&self) -> bool {
        let number = self.version.as_deref().and_then(|version| version.parse::<u32>().ok());
        number.is_some_and(|number| number >= 12)
    }

    /// Another event holds a slot with an empty state key from now on, or none.
    fn set(&mut self, kind: &str, holder: Option<(&Pdu, RowKey)>, at: (Position, u64)) {
        let Some(number) = SETTINGS.iter().position(|other| *other == kind) else { return };
        self.set_by[number] = holder.map(|(_, key)| key);
        if kind == "m.room.history_visibility" {
            let (position, sequence) = at;
            let setting = HistoryVisibility::default();
            self.visibility.push(VisibilityChange { sequence, position, setting });
        }
        self.restate(kind, holder.map(|(pdu, _)| pdu));
    }

    /// Restores the setting `kind` as of a moment when `held` held its slot, or when the slot was
    /// empty. For the history visibility, the last change is restored.
    pub fn restate(&mut self, kind: &str, held: Option<&Pdu>) {
        let content = held.map(Content::of).unwrap_or_default();
        match kind {
            "m.room.name" => self.name = content.owned("name"),
            "m.room.topic" => self.topic = content.owned("topic"),
            "m.room.avatar" => self.avatar_url = content.owned("url"),
            "m.room.canonical_alias" => {
                self.canonical_alias = content.owned("alias");
                self.alt_aliases = content.texts("alt_aliases");
            }
            "m.room.join_rules" => self.join_rule = held.map(JoinRule::of),
            "m.room.history_visibility" => {
                if let Some(last) = self.visibility.last_mut() {
                    last.setting = held.map(HistoryVisibility::of).unwrap_or_default();
                }
            }
            DIRECTORY_TYPE => self.listed = content.flag("listed"),
            "m.room.power_levels" => {
                self.powers = held.map(|pdu| {
                    let PowerLevels { users, users_default, .. } = PowerLevels::of(pdu);
                    Powers { users: users.into_iter().collect(), users_default }
                });
            }
            "m.room.create" => {
                self.creator = held.map(|pdu| pdu.sender.clone());
                let version = content.owned("room_version");
                self.version = version.or_else(|| held.map(|_| "1".into()));
                self.kind = content.owned("type");
                let others = content.texts("additional_creators").into_iter();
                self.additional_creators =
                    others.filter_map(|user| user.as_str().try_into().ok()).collect();
            }
            _ => {}
        }
    }
}

/// The types of the state events, with an empty state key, that make a summary.
pub const SETTINGS: [&str; 9] = [
    "m.room.name",
    "m.room.topic",
    "m.room.avatar",
    "m.room.canonical_alias",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.power_levels",
    "m.room.create",
    DIRECTORY_TYPE,
];

impl Fold for Summary {
    const NAME: &'static str = "summaries";
    const VERSION: u32 = 2;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = ();

    /// For types that are not listed here, redaction keeps everything that the summary holds.
    fn forget(&mut self, erased: &Erased) {
        let Some(Slot { kind, state_key }) = &erased.slot else {
            // An edit without its content cannot be recognised. A reader of the last message
            // searches for it, until there is a new one.
            self.last_message = None;
            return;
        };
        let Some(number) = SETTINGS.iter().position(|other| *other == kind) else { return };
        if !state_key.is_empty() || !self.set_by[number].is_some_and(|key| key.is_of(erased)) {
            return;
        }
        match kind.as_str() {
            "m.room.name" => self.name = None,
            "m.room.topic" => self.topic = None,
            "m.room.avatar" => self.avatar_url = None,
            "m.room.canonical_alias" => {
                self.canonical_alias = None;
                self.alt_aliases = Vec::new();
            }
            DIRECTORY_TYPE => self.listed = false,
            _ => {}
        }
    }

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        self.last_sequence = committed.last_sequence();
        for (index, event) in committed.room_events() {
            let at = (committed.position, committed.sequence(index));
            for change in event.state_changes().filter(|change| change.state_key.is_empty()) {
                let holder = change
                    .holder
                    .map(|holder| (&**holder.pdu, RowKey::of_holder(&holder, committed, index)));
                self.set(&change.kind, holder, at);
            }
            event.erases().iter().for_each(|erased| self.forget(erased));
            if event.envelope.status != EventStatus::Accepted {
                continue;
            }
            let key = RowKey::of(&event.pdu, committed.position, index);
            self.last_event = self.last_event.max(Some(key));
            if Relation::stands_alone(&event.pdu) {
                self.last_message = self.last_message.max(Some(key));
            }
        }
        Ok(())
    }
}
