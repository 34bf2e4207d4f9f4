//! The room aggregate: its state, and the events that commands make.
//!
//! **Invariant:** a command whose effect holds already changes nothing.
//! **Invariant:** the cost of a decision does not depend on the length of the room's history. Only
//! two searches grow with the number of members: for a member who can admit others to a restricted
//! room, and for a member who keeps the power to change power levels.
//! **Invariant:** a decision is a function of the room, its state and the context.

mod authorise;
mod calls;
mod command;
mod create;
mod decide;
mod ends;
mod preview;
mod reading;
pub mod settings;
mod slots;
#[cfg(test)]
mod tests;
mod upgrade;
mod version;

use std::sync::Arc;

use ruma_common::{
    OwnedEventId, OwnedRoomId, RoomId, RoomVersionId, ServerName, UserId,
    room_version_rules::RoomVersionRules,
};

use self::slots::Slots;
pub use self::{
    command::{
        Context, CreateRoom, Invitee, Mentions, MessageKind, MessageRelation, PlaceCall, Preset,
        RoomCommand,
    },
    decide::permissions::Permissions,
    decide::redaction::redaction_target,
    ends::follow,
    preview::InvitePreview,
    version::{RoomVersion, creators::Creators},
};
use crate::{
    Erased, EventStatus, Membership, Pdu, Power, PowerLevels, Rejection, RoomCalls, RoomEvent,
    limits::LEAVES_PER_SERVER_MAX,
};

/// The type of the state event that lists the room in the public directory.
pub const DIRECTORY_TYPE: &str = "org.rookery.directory";

/// The state of a room, folded from its events.
#[derive(Clone, Debug)]
pub struct Room {
    id: OwnedRoomId,
    /// `None` before the create event, and if the version is unknown.
    version: Option<RoomVersion>,
    state: Slots,
    levels: Option<Arc<PowerLevels>>,
    calls: RoomCalls,
    extremities: Vec<OwnedEventId>,
    leaves: Vec<OwnedEventId>,
    /// There were more extremities or leaves than are kept.
    is_crowded: bool,
    /// The state after the one extremity equals the room's state, whatever other leaves exist.
    agrees: bool,
    depth: u64,
}

impl Room {
    /// The room before its first event.
    #[must_use]
    pub fn new(id: OwnedRoomId) -> Self {
        Self {
            id,
            version: None,
            state: Slots::default(),
            levels: None,
            calls: RoomCalls::default(),
            extremities: Vec::new(),
            leaves: Vec::new(),
            is_crowded: false,
            agrees: false,
            depth: 0,
        }
    }

    /// Folds the events of a room, oldest first.
    #[must_use]
    pub fn replay<'a>(id: OwnedRoomId, events: impl IntoIterator<Item = &'a RoomEvent>) -> Self {
        let mut room = Self::new(id);
        events.into_iter().for_each(|event| room.evolve(event));
        room
    }

    /// Folds one event into the state. Total: an event of the log cannot be refused. A rejected
    /// event changes nothing. No event made here follows a soft-failed event.
    pub fn evolve(&mut self, event: &RoomEvent) {
        self.agrees = self.agrees
            && event.envelope.state.is_none()
            && event.pdu.state_key.is_none()
            && *event.pdu.prev_events == *self.extremities;
        if event.envelope.before.as_ref().is_some_and(|before| before.begins) {
            (self.extremities, self.leaves) = (Vec::new(), Vec::new());
        }
        match event.envelope.status {
            EventStatus::Accepted | EventStatus::SoftFailed if event.envelope.behind => {
                let is_open = |id: &OwnedEventId| !event.pdu.prev_events.contains(id);
                self.extremities.retain(is_open);
                self.leaves.retain(is_open);
            }
            EventStatus::Accepted => self.follow(&event.pdu),
            EventStatus::SoftFailed => self.is_crowded |= !grow(&mut self.leaves, &event.pdu),
            // It has no place among the other events.
            EventStatus::Outlier => {}
            EventStatus::Rejected => return,
        }
        for change in event.state_changes() {
            match change.holder {
                Some(holder) => self.hold(&change.kind, change.state_key, holder.pdu),
                None => self.release(&change.kind, change.state_key),
            }
        }
        self.calls.evolve(event);
        for erased in event.erases() {
            self.forget(erased);
            self.calls.forget(&erased.event_id);
        }
    }

    /// Forgets the content of an event, if it holds its slot.
    fn forget(&mut self, erased: &Erased) {
        let Some(slot) = &erased.slot else { return };
        let holder = self.state(&slot.kind, &slot.state_key);
        let holder = holder.filter(|holder| holder.event_id == erased.event_id);
        let redacted =
            holder.zip(self.version()).and_then(|(it, version)| it.redacted(version).ok());
        if let Some(redacted) = redacted {
            self.hold(&slot.kind, &slot.state_key, &Arc::new(redacted));
        }
    }

    /// Sets the data that follows from events other than state, for a room made of its state events
    /// alone: the extremities, the leaves, the depth and the calls.
    pub fn continue_after(
        &mut self,
        extremities: Vec<OwnedEventId>,
        leaves: Vec<OwnedEventId>,
        is_crowded: bool,
        depth: u64,
        calls: RoomCalls,
    ) {
        self.is_crowded = is_crowded;
        self.calls = calls;
        self.extremities = extremities;
        self.leaves = leaves;
        self.depth = depth;
    }

    /// Folds an event that this server just made.
    fn accept(&mut self, event: &Arc<Pdu>) {
        self.follow(event);
        if let Some((kind, state_key)) = event.state_slot() {
            self.hold(&kind, state_key, event);
        }
    }

    fn follow(&mut self, event: &Pdu) {
        self.is_crowded |= !grow(&mut self.extremities, event);
        self.is_crowded |= !grow(&mut self.leaves, event);
        self.depth = self.depth.max(event.depth);
    }

    fn hold(&mut self, kind: &str, state_key: &str, event: &Arc<Pdu>) {
        match kind {
            "m.room.create" if state_key.is_empty() => self.version = RoomVersion::of(event),
            "m.room.power_levels" if state_key.is_empty() => {
                self.levels = Some(Arc::new(PowerLevels::of(event)));
            }
            _ => {}
        }
        self.state.put(kind, state_key, event.clone());
    }

    fn release(&mut self, kind: &str, state_key: &str) {
        if kind == "m.room.power_levels" && state_key.is_empty() {
            self.levels = None;
        }
        self.state.remove(kind, state_key);
    }

    /// The room's ID.
    #[must_use]
    pub fn id(&self) -> &RoomId {
        &self.id
    }

    /// The room's version; `None` if the room was not created or its version is unknown.
    #[must_use]
    pub fn version(&self) -> Option<&RoomVersionId> {
        self.version.as_ref().map(|version| &version.id)
    }

    /// Whether there is a create event.
    #[must_use]
    pub fn is_created(&self) -> bool {
        self.state("m.room.create", "").is_some()
    }

    /// Whether this server has a place in the room from which events can go on. Without one, it
    /// knows only the state before its own join.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        !self.extremities.is_empty()
    }

    /// The state event of this type and state key.
    #[must_use]
    pub fn state(&self, kind: &str, state_key: &str) -> Option<&Arc<Pdu>> {
        self.state.get(kind, state_key)
    }

    /// All state events, in order of type and state key.
    pub fn state_events(&self) -> impl Iterator<Item = &Arc<Pdu>> {
        self.state.iter()
    }

    /// The membership of the user.
    #[must_use]
    pub fn membership(&self, user: &UserId) -> Membership {
        self.state.membership(user.as_str())
    }

    /// All users with a member event, ordered by user ID, with that event.
    pub fn members(&self) -> impl Iterator<Item = (&str, Membership, &Arc<Pdu>)> {
        self.state.members()
    }

    /// How many users are joined.
    #[must_use]
    pub fn joined_count(&self) -> usize {
        self.state.joined()
    }

    /// The servers with joined users, by name, each with their number.
    pub fn servers(&self) -> impl Iterator<Item = (&ServerName, usize)> {
        let servers = self.state.servers();
        servers.filter_map(|(server, joined)| Some((server.try_into().ok()?, joined)))
    }

    /// How many users of a server are joined.
    #[must_use]
    pub fn joined_of(&self, server: &ServerName) -> usize {
        self.state.joined_of(server.as_str())
    }

    /// How many users are invited.
    #[must_use]
    pub fn invited_count(&self) -> usize {
        self.state.invited()
    }

    /// The accepted events that no accepted event follows yet. The next event made here follows
    /// them.
    #[must_use]
    pub fn forward_extremities(&self) -> &[OwnedEventId] {
        &self.extremities
    }

    /// The events, other than rejected ones, that no such event follows yet; soft-failed events are
    /// included. The room's state is the resolution of the states after them.
    #[must_use]
    pub fn leaves(&self) -> &[OwnedEventId] {
        &self.leaves
    }

    /// Whether there were more extremities or leaves than are kept.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.is_crowded
    }

    /// Whether the room's graph is needed to decide about an event made here: its effect on the
    /// state, and whether other servers will accept it. That is so when the event cannot follow all
    /// leaves, and when there are so many that some may not count.
    #[must_use]
    pub fn needs_graph(&self, event: &Pdu) -> bool {
        let all_count = !self.is_crowded && self.leaves.len() <= LEAVES_PER_SERVER_MAX;
        let follows_all = all_count && self.leaves == self.extremities;
        let moves_nothing = self.agrees && event.state_key.is_none();
        !follows_all && !moves_nothing
    }

    /// Stores the graph's answer: whether the state after the one extremity equals the room's
    /// state. Until that may have changed, messages need no graph.
    pub fn note_agreement(&mut self, agrees: bool) {
        self.agrees = agrees;
    }

    /// The depth of the deepest event.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.depth
    }

    /// The calls of the room.
    #[must_use]
    pub fn calls(&self) -> &RoomCalls {
        &self.calls
    }

    /// The approximate memory of the room in bytes. It is kept up to date, so reading it is cheap.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        const ROOM_BYTES: usize = 1_024;
        const LEVEL_BYTES: usize = 96;
        let levels = self.levels.as_ref().map_or(0, |levels| levels.users.len());
        ROOM_BYTES + levels * LEVEL_BYTES + self.state.weight_bytes() + self.calls.weight_bytes()
    }

    /// The power levels; `None` before the first power levels event.
    #[must_use]
    pub fn power_levels(&self) -> Option<&PowerLevels> {
        self.levels.as_deref()
    }

    /// How much power the user has.
    #[must_use]
    pub fn power_of(&self, user: &UserId) -> Power {
        self.power_under(user, self.levels.as_deref())
    }

    /// How much power the user has under these power levels.
    fn power_under(&self, user: &UserId, levels: Option<&PowerLevels>) -> Power {
        static NOBODY: Creators = Creators::NOBODY;
        let creators = self.version.as_ref().map_or(&NOBODY, |version| &version.creators);
        creators.power_of(user, levels.map(|levels| levels.user(user)))
    }

    /// Whether the user is a member with enough power for events of this type.
    #[must_use]
    pub fn may_send(&self, user: &UserId, kind: &str, is_state: bool) -> bool {
        let needed = Power::Level(self.levels().event(kind, is_state));
        self.membership(user) == Membership::Join && self.power_of(user) >= needed
    }

    /// The power levels, or their defaults.
    fn levels(&self) -> &PowerLevels {
        static UNSET: PowerLevels = PowerLevels::UNSET;
        self.levels.as_deref().unwrap_or(&UNSET)
    }

    fn rules(&self) -> Result<&RoomVersionRules, Rejection> {
        if let Some(version) = &self.version {
            return Ok(&version.rules);
        }
        let create = self.state("m.room.create", "").ok_or(Rejection::NoSuchRoom)?;
        let content: Option<serde_json::Value> = create.content_as();
        let version = content.as_ref().and_then(|content| content.get("room_version")?.as_str());
        Err(Rejection::UnknownRoomVersion(version.unwrap_or("1").to_owned()))
    }
}

/// Replaces the events that an event follows by the event itself.
fn grow(ends: &mut Vec<OwnedEventId>, event: &Pdu) -> bool {
    follow(ends, |id| event.prev_events.contains(id), event.event_id.clone())
}
