//! Reading the models at one checkpoint.
//!
//! **Invariant:** all answers of one [`View`] are of the same position. It locks the models, so
//! keep it short, and never hold it across an `await` (it is not `Send`).

use std::io;

use parking_lot::RwLockReadGuard;
use rookery_domain::{
    Call, CallId, EventId, Filter, Membership, OwnedRoomId, Profile, RoomAliasId, RoomId, UserId,
    normal_alias,
};
use rookery_log::{Epoch, Position, StreamId};
use rookery_projection::{Filters, Models, Parked, Place, ReadModels, RoomsOfUser, StreamKey};

use crate::{
    Followings, RoomView,
    following::{ServiceRooms, Services},
};

/// The locked models, at one position.
pub struct View<'a> {
    models: RwLockReadGuard<'a, Models>,
    followings: RwLockReadGuard<'a, Services>,
    epoch: Epoch,
}

/// The place of an event in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPlace {
    /// The room.
    pub room_id: OwnedRoomId,
    /// The commit.
    pub position: Position,
    /// The index in the commit.
    pub index: usize,
    /// The sequence number in the room.
    pub sequence: u64,
}

/// Rooms of a user, most recently active first.
pub struct RoomsPage<'a> {
    /// The rooms.
    pub rooms: Vec<RoomView<'a>>,
    /// Where to continue; `None` after the last page.
    pub next: Option<Position>,
}

impl<'a> View<'a> {
    /// Locks these models, and the rooms that services follow.
    #[must_use]
    pub fn of(models: &'a ReadModels, followings: &'a Followings) -> Self {
        let epoch = models.epoch();
        Self { models: models.read(), followings: followings.read(), epoch }
    }

    pub(crate) fn followings(&self) -> &Services {
        &self.followings
    }

    /// The position of all answers.
    #[must_use]
    pub fn position(&self) -> Position {
        self.models.position()
    }

    /// The epoch of the log.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The models. Their data is not yet limited to a viewer.
    #[must_use]
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// A room, if there is one with this ID. (This does not check whether the viewer may know of
    /// it.)
    #[must_use]
    pub fn room(&self, room: &RoomId) -> Option<RoomView<'_>> {
        self.room_at(self.models.room(room)?)
    }

    pub(crate) fn room_at(&self, key: StreamKey) -> Option<RoomView<'_>> {
        RoomView::new(&self.models, &self.followings, key)
    }

    /// How many rooms there are.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.models.rooms().len()
    }

    /// The rooms of `user` by membership. A service's bot counts as joined to the rooms that its
    /// service follows.
    pub(crate) fn lists_of(&self, user: &UserId) -> Option<&RoomsOfUser> {
        let followed = self.followings.of(user).map(ServiceRooms::lists);
        followed.or_else(|| self.models.rooms_of_users().of(user))
    }

    /// Up to `limit` rooms in which `user` has `membership` and whose last activity is between
    /// these positions, most recent first.
    pub(crate) fn rooms_between(
        &self,
        user: &UserId,
        membership: Membership,
        between: (Position, Position),
        limit: usize,
    ) -> Vec<(Position, StreamKey)> {
        let rooms = self.lists_of(user).and_then(|rooms| rooms.with(membership));
        rooms.map(|rooms| self.models.rooms_between(rooms, between, limit)).unwrap_or_default()
    }

    /// Up to `limit` rooms in which `user` has `membership`, most recently active first; `before`
    /// is the [`RoomsPage::next`] of the previous page. A service's bot counts as joined to the
    /// rooms that its service follows. The cost depends almost only on `limit`.
    #[must_use]
    pub fn rooms_of(
        &self,
        user: &UserId,
        membership: Membership,
        before: Option<Position>,
        limit: usize,
    ) -> RoomsPage<'_> {
        let before = before.unwrap_or(Position(u64::MAX));
        let between = (Position::ORIGIN, before);
        let ignored = self.ignored_by(user);
        let hides = membership == Membership::Invite && !ignored.is_empty();
        // A user has few unanswered invites.
        let looked = if hides { usize::MAX } else { limit + 1 };
        let mut found = self.rooms_between(user, membership, between, looked);
        if hides {
            let is_ignored = |room: RoomView<'_>| room.is_invite_ignored(user, &ignored);
            found.retain(|(_, room)| !self.room_at(*room).is_some_and(is_ignored));
        }
        let next = (found.len() > limit)
            .then(|| limit.checked_sub(1).map_or(before, |last| found[last].0));
        let rooms = found.iter().take(limit).filter_map(|(_, room)| self.room_at(*room));
        RoomsPage { rooms: rooms.collect(), next }
    }

    /// All rooms in which `user` has a membership, in no particular order.
    pub fn memberships_of(&self, user: &UserId) -> impl Iterator<Item = (&RoomId, Membership)> {
        let rooms = self.models.rooms_of_users().all(user);
        rooms.filter_map(|(key, membership)| Some((self.models.room_id(key)?, membership)))
    }

    /// The membership of `user` in `room`, as in [`RoomView::membership`].
    #[must_use]
    pub fn membership(&self, room: &RoomId, user: &UserId) -> Membership {
        self.room(room).map(|room| room.membership(user)).unwrap_or_default()
    }

    /// The membership of `user` in `room` after the commit at `position`, by their own member events
    /// alone: a bot is no member of a room that its service follows.
    #[must_use]
    pub fn own_membership_at(
        &self,
        room: &RoomId,
        user: &UserId,
        position: Position,
    ) -> Membership {
        if let Some(elsewhere) = self.elsewhere(room, user).filter(|it| it.since <= position.0) {
            return elsewhere.standing.membership;
        }
        let member = self.room(room).and_then(|room| room.member(user));
        member.map(|member| member.membership_at(position)).unwrap_or_default()
    }

    /// The membership of `user` in `room` after the commit at `position`, as in
    /// [`RoomView::membership`].
    #[must_use]
    pub fn membership_at(&self, room: &RoomId, user: &UserId, position: Position) -> Membership {
        self.room(room).map(|room| room.membership_at(user, position)).unwrap_or_default()
    }

    /// The rooms whose member `user` was after the commit at `position`.
    #[must_use]
    pub fn joined_rooms_at(&self, user: &UserId, position: Position) -> Vec<OwnedRoomId> {
        let rooms = self.models.rooms_of_users().all(user);
        let rooms = rooms.filter_map(|(key, _)| self.room_at(key));
        let joined = rooms.filter(|room| {
            let member = room.member(user);
            member.is_some_and(|it| it.membership_at(position) == Membership::Join)
        });
        joined.map(|room| room.id().to_owned()).collect()
    }

    /// All rooms in which `user` has a membership, in no particular order. A service's bot has one in
    /// the rooms that its service follows or followed.
    pub fn all_rooms_of(&self, user: &UserId) -> impl Iterator<Item = StreamKey> {
        self.lists_of(user).into_iter().flat_map(RoomsOfUser::iter).map(|(room, _)| room)
    }

    /// Of how many rooms `user` is a member with `membership`; `None` if of none at all.
    #[must_use]
    pub fn rooms_count(&self, user: &UserId, membership: Membership) -> Option<usize> {
        self.models.rooms_of_users().counts(user).map(|count| count(membership))
    }

    /// The streams of the rooms that `user` was joined to after the commit at `position`, or that
    /// their service followed. It is fast for the present position.
    #[must_use]
    pub fn joined_at(&self, user: &UserId, position: Position) -> Vec<StreamId> {
        let Some(rooms) = self.lists_of(user) else { return Vec::new() };
        let is_now = position == self.position();
        let joined: Vec<_> = if is_now {
            rooms.with(Membership::Join).into_iter().flatten().copied().collect()
        } else {
            let at = |key| self.room_at(key).map(|room| room.membership_at(user, position));
            let all = rooms.iter().map(|(key, _)| key);
            all.filter(|key| at(*key) == Some(Membership::Join)).collect()
        };
        joined.iter().filter_map(|key| self.models.stream(*key).cloned()).collect()
    }

    /// The profile of `user`; `None` for a user without one.
    #[must_use]
    pub fn profile(&self, user: &UserId) -> Option<&Profile> {
        self.models.profile(self.models.user(user)?)
    }

    /// The greatest number of a device of `user` among the actions that were carried out; 0 if
    /// there is none. This does not check whose devices the viewer may ask about.
    #[must_use]
    pub fn last_action(&self, user: &UserId, device: &str) -> u64 {
        self.models.last_action(user, device)
    }

    /// A filter that `user` has stored.
    #[must_use]
    pub fn filter(&self, user: &UserId, filter_id: &str) -> Option<Filter> {
        self.models.filters(self.models.user(user)?)?.get(filter_id)
    }

    /// All filters that `user` has stored, by ID.
    #[must_use]
    pub fn filters(&self, user: &UserId) -> Vec<(String, Filter)> {
        let key = self.models.user(user);
        let filters = key.and_then(|key| self.models.filters(key)).into_iter();
        filters.flat_map(Filters::iter).map(|(id, filter)| (id.to_owned(), filter)).collect()
    }

    /// Up to `limit` stored filters of `user`, after the one with the given ID.
    #[must_use]
    pub fn filters_after(
        &self,
        user: &UserId,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Filter)> {
        let key = self.models.user(user);
        let filters = key.and_then(|key| self.models.filters(key)).into_iter();
        let filters = filters.flat_map(|filters| filters.after(after).take(limit));
        filters.map(|(id, filter)| (id.to_owned(), filter)).collect()
    }

    /// Whether two users are joined to the same room. The cost grows with the rooms of the user who
    /// has fewer.
    #[must_use]
    pub fn share_a_room(&self, one: &UserId, other: &UserId) -> bool {
        self.models.rooms_of_users().share(one, other)
    }

    /// Whether `bot` is the bot of a service that follows a room whose member `user` is.
    pub(crate) fn follows(&self, bot: &UserId, user: &UserId) -> bool {
        let rooms = self.followings.of(bot).and_then(|it| it.lists().with(Membership::Join));
        let has = |room: &StreamKey| rooms.is_some_and(|rooms| rooms.contains(room));
        rooms.is_some() && self.models.rooms_of_users().joined(user).any(|room| has(&room))
    }

    /// How many rooms [`Self::follows`] checks at most.
    pub(crate) fn follows_looked(&self, bot: &UserId, user: &UserId) -> usize {
        let joined = || self.rooms_count(user, Membership::Join).unwrap_or_default();
        self.followings.of(bot).map_or(0, |_| joined())
    }

    /// How many rooms [`Self::share_a_room`] checks at most.
    #[must_use]
    pub fn shared_looked(&self, one: &UserId, other: &UserId) -> usize {
        let joined = |user| self.rooms_count(user, Membership::Join).unwrap_or_default();
        joined(one).min(joined(other))
    }

    /// How many aliases `user` has given to rooms.
    #[must_use]
    pub fn alias_count(&self, user: &UserId) -> usize {
        self.models.alias_count(user)
    }

    /// The active calls of a user, each with its room. For the write side: it decides no access.
    #[must_use]
    pub fn active_calls_of(&self, user: &UserId) -> Vec<(OwnedRoomId, CallId)> {
        let calls = self.models.active_calls_of(user);
        let place = |(room, call): (StreamKey, &Call)| {
            Some((self.models.room_id(room)?.to_owned(), call.id.clone()))
        };
        calls.filter_map(place).collect()
    }

    /// The room that an alias points to.
    #[must_use]
    pub fn alias(&self, alias: &RoomAliasId) -> Option<&RoomId> {
        self.models.alias_target(&normal_alias(alias)).map(|room| &**room)
    }

    /// The place of an event in the log.
    ///
    /// # Errors
    /// If the file of the index cannot be read.
    pub fn event(&self, event: &EventId) -> io::Result<Option<EventPlace>> {
        let place = self.models.event(event)?;
        Ok(place.and_then(|place| self.place(place)))
    }

    fn place(&self, place: Place) -> Option<EventPlace> {
        Some(EventPlace {
            room_id: self.models.room_id(place.stream)?.to_owned(),
            position: place.position,
            index: place.index.into(),
            sequence: place.sequence,
        })
    }

    /// The parked streams.
    #[must_use]
    pub fn parked(&self) -> Vec<Parked> {
        self.models.parked()
    }
}
