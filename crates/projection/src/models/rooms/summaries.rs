//! Room summaries: the data of a room in a list of rooms.
//!
//! **Invariant:** each setting is that of the event that holds its slot of the room's state, and
//! empty if the slot is empty.

use rookery_domain::{
    Change, Creators, Erased, EventStatus, HistoryVisibility, JoinRule, OwnedUserId, PastEvents,
    Pdu, Power, Relation, Slot, UserId, UserLevels,
    settings::{self, KINDS},
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

impl Change<HistoryVisibility> for VisibilityChange {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn value(&self) -> HistoryVisibility {
        self.setting
    }
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
    /// Its creators; `None` before the create event.
    creators: Option<Creators>,
    /// The room version.
    pub version: Option<String>,
    /// The `type` of its create event, for example `m.space`.
    pub kind: Option<String>,
    /// The power levels of users; `None` if the room has none.
    levels: Option<UserLevels>,
    /// The last event that stands alone ([`Relation::stands_alone`]). After a redaction in the room
    /// it is `None` until a new such event; until then a reader searches the timeline.
    pub last_message: Option<RowKey>,
    /// The last event.
    pub last_event: Option<RowKey>,
    /// The events that were fetched after events that follow them.
    pub past: PastEvents,
    /// The sequence of the event that arrived last.
    pub last_sequence: u64,
    /// The event behind each of [`KINDS`].
    set_by: [Option<RowKey>; KINDS.len()],
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

    /// The user who made the room.
    #[must_use]
    pub fn creator(&self) -> Option<&OwnedUserId> {
        self.creators.as_ref()?.users().first()
    }

    /// The power of `user`.
    #[must_use]
    pub fn power(&self, user: &UserId) -> Power {
        let level = self.levels.as_ref().map(|levels| levels.user(user));
        let creators = self.creators.as_ref();
        creators.map_or(Power::Level(level.unwrap_or(0)), |it| it.power_of(user, level))
    }

    /// Another event holds a slot with an empty state key from now on, or none.
    fn set(&mut self, kind: &str, holder: Option<(&Pdu, RowKey)>, at: (Position, u64)) {
        let Some(number) = KINDS.iter().position(|other| *other == kind) else { return };
        self.set_by[number] = holder.map(|(_, key)| key);
        if kind == settings::HISTORY_VISIBILITY.kind() {
            let (position, sequence) = at;
            let setting = HistoryVisibility::default();
            self.visibility.push(VisibilityChange { sequence, position, setting });
        }
        self.restate(kind, holder.map(|(pdu, _)| pdu));
    }

    /// Restores the setting `kind` as of a moment when `held` held its slot, or when the slot was
    /// empty. For the history visibility, the last change is restored.
    pub fn restate(&mut self, kind: &str, held: Option<&Pdu>) {
        if kind == settings::NAME.kind() {
            self.name = settings::NAME.of(held).flatten();
        } else if kind == settings::TOPIC.kind() {
            self.topic = settings::TOPIC.of(held).flatten();
        } else if kind == settings::AVATAR.kind() {
            self.avatar_url = settings::AVATAR.of(held).flatten();
        } else if kind == settings::CANONICAL_ALIAS.kind() {
            self.canonical_alias = settings::CANONICAL_ALIAS.of(held).flatten();
            self.alt_aliases = settings::OTHER_ALIASES.of(held).unwrap_or_default();
        } else if kind == settings::JOIN_RULE.kind() {
            self.join_rule = settings::JOIN_RULE.of(held);
        } else if kind == settings::HISTORY_VISIBILITY.kind() {
            if let Some(last) = self.visibility.last_mut() {
                last.setting = settings::HISTORY_VISIBILITY.of(held).unwrap_or_default();
            }
        } else if kind == settings::LISTED.kind() {
            self.listed = settings::LISTED.of(held).unwrap_or(false);
        } else if kind == settings::USER_LEVELS.kind() {
            self.levels = settings::USER_LEVELS.of(held);
        } else if kind == settings::ROOM_TYPE.kind() {
            self.creators = held.map(Creators::of);
            let version = |create: &Pdu| Content::of(create).owned("room_version");
            self.version = held.map(|create| version(create).unwrap_or_else(|| "1".into()));
            self.kind = settings::ROOM_TYPE.of(held).flatten();
        }
    }
}

impl Fold for Summary {
    const NAME: &'static str = "summaries";
    const VERSION: u32 = 5;
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
        let Some(number) = KINDS.iter().position(|other| *other == kind) else { return };
        if !state_key.is_empty() || !self.set_by[number].is_some_and(|key| key.is_of(erased)) {
            return;
        }
        let forgotten = [
            settings::NAME.kind(),
            settings::TOPIC.kind(),
            settings::AVATAR.kind(),
            settings::CANONICAL_ALIAS.kind(),
            settings::LISTED.kind(),
        ];
        if forgotten.contains(&kind.as_str()) {
            self.restate(kind, None);
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
            self.past.note(event, (at.0.0, at.1, self.last_sequence));
            if event.envelope.status != EventStatus::Accepted || event.envelope.past.is_some() {
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
