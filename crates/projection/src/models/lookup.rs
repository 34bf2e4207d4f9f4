//! The look-ups of other crates in the models: one method for each question.
//!
//! **Invariant:** the cost of a look-up is bounded by the row that it returns.

use std::{collections::BTreeSet, io, ops::Bound};

use rookery_domain::{
    Call, CallId, EventId, IgnoredUsers, OwnedRoomId, Profile, RoomAliasId, RoomId, UserId,
};
use rookery_log::{Position, StreamId, StreamKind};

use super::{
    Filters, Models, Place, Preferences, ReadMarks, ReadersOfRooms, Related, RoomMembers,
    RoomsOfUsers, StreamKey, Summary,
};
use crate::{
    RowKey, Unread,
    calls::RoomCalls,
    timeline::{RoomTimeline, Slots, TimelineReader},
};

impl Models {
    /// The position of all models.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The key of a room.
    #[must_use]
    pub fn room(&self, room: &RoomId) -> Option<StreamKey> {
        self.directory.key(StreamKind::Room, room.as_str())
    }

    /// The key of a user's account data.
    #[must_use]
    pub fn user(&self, user: &UserId) -> Option<StreamKey> {
        self.directory.key(StreamKind::User, user.as_str())
    }

    /// The ID of a room.
    #[must_use]
    pub fn room_id(&self, room: StreamKey) -> Option<&RoomId> {
        <&RoomId>::try_from(self.directory.subject(room)?).ok()
    }

    /// The user of an account stream.
    #[must_use]
    pub fn user_id(&self, user: StreamKey) -> Option<&UserId> {
        <&UserId>::try_from(self.directory.subject(user)?).ok()
    }

    /// The stream with a key.
    #[must_use]
    pub fn stream(&self, key: StreamKey) -> Option<&StreamId> {
        self.directory.stream(key)
    }

    /// The users who have account data, the oldest account first.
    pub fn accounts(&self) -> impl Iterator<Item = &UserId> {
        let accounts = self.directory.of_kind(StreamKind::User);
        accounts.filter_map(|(_, user)| <&UserId>::try_from(user).ok())
    }

    /// The streams of account data that have commits after `position`.
    pub fn accounts_after(&self, position: Position) -> impl Iterator<Item = &StreamId> {
        let moved = self.profiles.rows.iter().filter(move |(_, row)| row.applied > position);
        moved.filter_map(|(key, _)| self.directory.stream(*key))
    }

    /// All rooms.
    #[must_use]
    pub fn rooms(&self) -> impl ExactSizeIterator<Item = StreamKey> {
        self.summaries.rows.keys().copied()
    }

    /// The rooms whose streams began before this one, the newest first.
    pub fn rooms_before(&self, before: Option<StreamKey>) -> impl Iterator<Item = StreamKey> {
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        self.summaries.rows.range((Bound::Unbounded, end)).rev().map(|(key, _)| *key)
    }

    /// The settings of a room.
    #[must_use]
    pub fn summary(&self, room: StreamKey) -> Option<&Summary> {
        self.summaries.get(room)
    }

    /// The users who are or were in a room.
    #[must_use]
    pub fn members(&self, room: StreamKey) -> Option<&RoomMembers> {
        self.memberships.get(room)
    }

    /// The last commit of a room that the memberships have applied.
    #[must_use]
    pub fn members_applied(&self, room: StreamKey) -> Option<Position> {
        self.memberships.rows.get(&room).map(|row| row.applied)
    }

    /// Whether the memberships of a room are parked.
    #[must_use]
    pub fn members_parked(&self, room: StreamKey) -> bool {
        self.memberships.parked.contains_key(&room)
    }

    /// The rooms of each user.
    #[must_use]
    pub fn rooms_of_users(&self) -> &RoomsOfUsers {
        &self.memberships.shared
    }

    /// Up to `limit` of these rooms whose last activity is between these positions, most recent
    /// first.
    #[must_use]
    pub fn rooms_between(
        &self,
        rooms: &BTreeSet<StreamKey>,
        between: (Position, Position),
        limit: usize,
    ) -> Vec<(Position, StreamKey)> {
        let memberships = &self.memberships;
        memberships.shared.page(rooms, between, limit, &memberships.rows)
    }

    /// The last sequence of a room with known memberships and settings, if a model has parked the
    /// room.
    #[must_use]
    pub fn horizon(&self, room: StreamKey) -> Option<u64> {
        let horizons = [self.memberships.horizon(room), self.summaries.horizon(room)];
        horizons.into_iter().flatten().min()
    }

    /// The rows of a room's timeline.
    #[must_use]
    pub fn timeline(&self, room: StreamKey) -> Option<TimelineReader<'_>> {
        Some(self.timelines.get(room)?.reader(&self.timelines.shared))
    }

    /// How many rows the timeline of a room has.
    #[must_use]
    pub fn timeline_len(&self, room: StreamKey) -> u64 {
        self.timelines.get(room).map_or(0, RoomTimeline::count)
    }

    /// The events that hold the state of a room.
    #[must_use]
    pub fn slots(&self, room: StreamKey) -> Option<&Slots> {
        self.timelines.get(room).map(RoomTimeline::slots)
    }

    /// The name and the avatar of a user.
    #[must_use]
    pub fn profile(&self, user: StreamKey) -> Option<&Profile> {
        self.profiles.get(user)
    }

    /// The stored filters of a user.
    #[must_use]
    pub fn filters(&self, user: StreamKey) -> Option<&Filters> {
        self.filters.get(user)
    }

    /// The preferences of a user.
    #[must_use]
    pub fn preferences(&self, user: StreamKey) -> Option<&Preferences> {
        self.preferences.get(user)
    }

    /// The greatest number of a device of `user` among the actions that were carried out; 0 if
    /// there is none.
    #[must_use]
    pub fn last_action(&self, user: &UserId, device: &str) -> u64 {
        self.actions.shared.of(user.as_str(), device)
    }

    /// The room that an alias, in its normal form, points to.
    #[must_use]
    pub fn alias_target(&self, alias: &RoomAliasId) -> Option<&OwnedRoomId> {
        let key = self.directory.key(StreamKind::Alias, alias.as_str())?;
        self.aliases.get(key)?.claim.as_ref().map(|(room, _)| room)
    }

    /// The aliases that point to a room.
    pub fn aliases_of(&self, room: &RoomId) -> impl Iterator<Item = &RoomAliasId> {
        let aliases = self.aliases.shared.of(room);
        aliases.filter_map(|key| <&RoomAliasId>::try_from(self.directory.subject(key)?).ok())
    }

    /// All aliases that were ever claimed.
    pub fn aliases(&self) -> impl Iterator<Item = &RoomAliasId> {
        let aliases = self.aliases.rows.keys();
        aliases.filter_map(|key| <&RoomAliasId>::try_from(self.directory.subject(*key)?).ok())
    }

    /// How many aliases with a room the user has claimed.
    #[must_use]
    pub fn alias_count(&self, user: &UserId) -> usize {
        self.aliases.shared.count_of(user)
    }

    /// The events of a room that edit, react to or continue an event.
    #[must_use]
    pub fn related(&self, room: StreamKey, event: &EventId) -> Option<&Related> {
        self.relations.get(room)?.get(event)
    }

    /// The read receipts of a user in a room.
    #[must_use]
    pub fn read_marks(&self, user: StreamKey, room: &RoomId) -> Option<&ReadMarks> {
        self.receipts.get(user)?.of(room)
    }

    /// The users who have a public receipt in each room.
    #[must_use]
    pub fn readers(&self) -> &ReadersOfRooms {
        &self.receipts.shared
    }

    /// Whether the receipts of any user are parked.
    #[must_use]
    pub fn receipts_parked(&self) -> bool {
        !self.receipts.parked.is_empty()
    }

    /// The messages of a room that `user`, if joined, has not read, without those of users whom
    /// they ignore. `read` is the sequence of their read receipt.
    #[must_use]
    pub fn unread(
        &self,
        room: StreamKey,
        user: &UserId,
        read: u64,
        ignored: &IgnoredUsers,
    ) -> Unread {
        self.unread.get(room).map(|room| room.of(user, read, ignored)).unwrap_or_default()
    }

    /// The active calls of a room, by ID.
    pub fn active_calls(&self, room: StreamKey) -> impl Iterator<Item = &Call> {
        self.calls.get(room).into_iter().flat_map(RoomCalls::active)
    }

    /// An active call of a room, with the place of its invite.
    #[must_use]
    pub fn active_call(&self, room: StreamKey, call: &CallId) -> Option<(&Call, RowKey)> {
        self.calls.get(room)?.get(call)
    }

    /// The active calls of a user, each with its room.
    pub fn active_calls_of(&self, user: &UserId) -> impl Iterator<Item = (StreamKey, &Call)> {
        self.calls.shared.of(user).filter_map(|place| self.call_at(place))
    }

    /// The users who are in a call, in any order.
    #[must_use]
    pub fn users_in_calls(&self) -> impl ExactSizeIterator<Item = &UserId> {
        self.calls.shared.users()
    }

    /// The calls that ring, each with its room. The one whose lifetime ends first comes first.
    pub fn ringing_calls(&self) -> impl Iterator<Item = (StreamKey, &Call)> {
        self.calls.shared.ringing().filter_map(|place| self.call_at(place))
    }

    fn call_at(&self, (room, call): &(StreamKey, CallId)) -> Option<(StreamKey, &Call)> {
        Some((*room, self.calls.get(*room)?.get(call)?.0))
    }

    /// The past calls of a room, by the place of their invite. Each row names the event that ended the
    /// call as the one that it `replaced`.
    #[must_use]
    pub fn past_calls(&self, room: StreamKey) -> Option<TimelineReader<'_>> {
        Some(self.calls.shared.past(self.calls.get(room)?))
    }

    /// How many past calls a room has.
    #[must_use]
    pub fn past_call_count(&self, room: StreamKey) -> u64 {
        self.calls.get(room).map_or(0, RoomCalls::past_count)
    }

    /// The redaction of the event at `index` of the commit at `position`, if the event was redacted.
    #[must_use]
    pub fn redaction(&self, room: StreamKey, position: Position, index: u16) -> Option<RowKey> {
        self.redactions.get(room)?.of(position, index)
    }

    /// The place of an event in the log.
    ///
    /// # Errors
    /// If the file of the index cannot be read.
    pub fn event(&self, event: &EventId) -> io::Result<Option<Place>> {
        self.events.get(event.as_str())
    }
}
