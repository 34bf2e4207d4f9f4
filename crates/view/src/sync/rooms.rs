//! The rooms of a user at one position, and their changes since another.
//!
//! Rooms come in pages, most recently active first. All pages are as of the position of the first
//! one, in their order too. So a room that becomes active between two pages is not on both and not
//! missing.
//!
//! **Invariant:** the cost of a page grows with the page and with new events, not with the number
//! of the user's rooms or the length of their histories.

use std::{collections::BTreeSet, io};

use rookery_domain::{Membership, OwnedRoomId, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::{Member, MembershipChange, StreamKey, TimelineRow};

use crate::{Closing, Moved, RoomView, RoomsPage, View};

/// How many rooms closed since a position one answer lists at most.
pub const CLOSED_MAX: usize = 10_000;

/// The requested rooms of a page.
#[derive(Clone, Copy, Debug)]
pub struct WantedRooms {
    /// The position of the answer.
    pub at: Position,
    /// Only rooms with activity after this.
    pub since: Position,
    /// Only rooms whose last activity was before this: the [`RoomsPage::next`] of the previous
    /// page.
    pub before: Position,
    /// The greatest number of rooms.
    pub limit: usize,
}

/// The events that a client with a room at one position has missed up to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// Too many events, or the user was not in the room all the time: the client needs a new
    /// snapshot.
    TooMuch,
    /// These events, in the order of the timeline.
    Events(Vec<TimelineRow>),
}

/// A room that was closed to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedRoom {
    /// The room.
    pub room_id: OwnedRoomId,
    /// The member event that closed it.
    pub change: MembershipChange,
    /// The previous membership.
    pub before: Membership,
    /// The room does not concern the viewer's service any more.
    pub by_following: bool,
}

impl View<'_> {
    /// A page of the rooms that `user` had joined at `at` and is in now, among those that `wants`
    /// accepts. `moved` has the earlier activity of rooms that have been active since
    /// ([`Reader::moved_since`](crate::Reader::moved_since)).
    ///
    /// # Errors
    /// If a file of the models cannot be read.
    pub fn rooms_as_of(
        &self,
        user: &UserId,
        wanted: WantedRooms,
        wants: impl Fn(&RoomId) -> bool,
        moved: &Moved,
    ) -> io::Result<RoomsPage<'_>> {
        let WantedRooms { at, since, before, limit } = wanted;
        let mut found = self.found_moved(user, wanted, &wants, moved)?;
        // All others are as they were then.
        let moved = found.len();
        let mut before = before.min(at.next());
        loop {
            let page = self.active_between(user, Membership::Join, since, before, limit + 1);
            let is_last = page.len() <= limit;
            before = page.last().map_or(before, |(position, _)| *position);
            found.extend(page.into_iter().filter(|(_, room)| wants(room.id())));
            if is_last || found.len() > moved + limit {
                break;
            }
        }
        found.sort_unstable_by_key(|(position, _)| std::cmp::Reverse(*position));
        let next = (found.len() > limit).then(|| found[limit - 1].0);
        let rooms = found.into_iter().take(limit).map(|(_, room)| room);
        let quiet = self.opened_quietly(user, wanted).filter(|room| wants(room.id()));
        Ok(RoomsPage { rooms: quiet.chain(rooms).collect(), next })
    }

    /// The rooms without activity after `since` that an alias has opened to a bot since. They are on
    /// the first page.
    fn opened_quietly(
        &self,
        user: &UserId,
        WantedRooms { at, since, before, .. }: WantedRooms,
    ) -> impl Iterator<Item = RoomView<'_>> {
        let is_first = since > Position::ORIGIN && before > at.next();
        let followed = self.followings().of(user).filter(|_| is_first);
        let opened = followed.into_iter().flat_map(move |rooms| rooms.opened_by_alias(since));
        let opened: BTreeSet<_> = opened.collect();
        opened.into_iter().filter_map(|room| self.room_at(room)).filter(move |room| {
            let is_new = room.membership_at(user, since) != Membership::Join;
            let is_open = room.membership_at(user, at) == Membership::Join && room.reads(user);
            is_new && is_open && room.activity() <= since
        })
    }

    /// The rooms that have become active after `at`, with their earlier activity.
    fn found_moved(
        &self,
        user: &UserId,
        WantedRooms { at, since, before, .. }: WantedRooms,
        wants: &impl Fn(&RoomId) -> bool,
        moved: &Moved,
    ) -> io::Result<Vec<(Position, RoomView<'_>)>> {
        let mut found = Vec::new();
        if self.position() <= at {
            return Ok(found);
        }
        let end = Position(u64::MAX);
        for (_, room) in self.active_between(user, Membership::Join, at, end, usize::MAX) {
            if !wants(room.id()) || room.membership_at(user, at) != Membership::Join {
                continue;
            }
            // A room with unknown activity comes on the last page and is not left out.
            let active = moved.of(room.id(), || room.activity_at(at))?;
            let active = active.unwrap_or(since.next());
            if since < active && active < before {
                found.push((active, room));
            }
        }
        Ok(found)
    }

    /// The rooms that `user` has joined and that have become active after `at`, among those that
    /// `wants` accepts.
    pub(crate) fn rooms_after(
        &self,
        user: &UserId,
        at: Position,
        wants: &dyn Fn(&RoomId) -> bool,
    ) -> Vec<OwnedRoomId> {
        if self.position() <= at {
            return Vec::new();
        }
        let active =
            self.active_between(user, Membership::Join, at, Position(u64::MAX), usize::MAX);
        let rooms = active.into_iter().map(|(_, room)| room.id().to_owned());
        rooms.filter(|room| wants(room)).collect()
    }

    /// One room, if it fits into the bounds of this page.
    #[must_use]
    pub fn room_as_of(
        &self,
        user: &UserId,
        room: &RoomId,
        wanted: WantedRooms,
    ) -> Option<RoomView<'_>> {
        let found = self.room(room)?;
        let joined = found.membership_at(user, wanted.at) == Membership::Join && found.reads(user);
        let is_new = found.membership_at(user, wanted.since) != Membership::Join;
        (joined && (is_new || found.activity() > wanted.since)).then_some(found)
    }

    /// A page of the invites that `user` has at [`WantedRooms::at`] and still has now, and did not
    /// have at [`WantedRooms::since`]; newest first. `before` is the [`RoomsPage::next`] of the
    /// previous page.
    ///
    /// The order is that of the invites, which does not change with activity in their rooms. The
    /// cost grows with the user's unanswered invites, of which there are few.
    #[must_use]
    pub fn invites_as_of(&self, user: &UserId, wanted: WantedRooms) -> RoomsPage<'_> {
        let WantedRooms { at, since, before, limit } = wanted;
        let end = Position(u64::MAX);
        let ignored = self.ignored_by(user);
        let mut invited = self.active_between(user, Membership::Invite, since, end, usize::MAX);
        invited.retain(|(_, room)| !room.is_invite_ignored(user, &ignored));
        let of_page = |(_, room): (Position, RoomView<'_>)| {
            let invite = room.member(user).and_then(Member::since)?.position;
            (since < invite && invite <= at && invite < before).then_some(invite)
        };
        let mut found: Vec<_> =
            invited.into_iter().filter_map(|it| Some((of_page(it)?, it.1))).collect();
        found.sort_unstable_by_key(|(invite, _)| std::cmp::Reverse(*invite));
        let next = limit.checked_sub(1).filter(|_| found.len() > limit).map(|last| found[last].0);
        let rooms = found.into_iter().take(limit).map(|(_, room)| room).collect();
        RoomsPage { rooms, next }
    }

    /// The number of rooms that [`Self::closed_since`] checks: those where the membership of `user`
    /// changed to another one than a join in a commit after `since`. It counts up to one more than
    /// [`CLOSED_MAX`].
    #[must_use]
    pub fn closed_looked(&self, user: &UserId, since: Position) -> usize {
        self.changed_since(user, since).take(CLOSED_MAX + 1).count()
    }

    /// The rooms that were closed to `user` between the two positions, and that they had joined, or
    /// been invited to, at the first; at most [`CLOSED_MAX`]. The cost grows with the number of
    /// these rooms, not with all rooms that the user ever left.
    #[must_use]
    pub fn closed_since(&self, user: &UserId, since: Position, at: Position) -> Vec<ClosedRoom> {
        use Membership::{Ban, Invite, Join, Knock, Leave};
        let rooms = self.changed_since(user, since).take(CLOSED_MAX);
        let rooms = rooms.filter_map(|room| self.room_at(room));
        let closed = rooms.filter_map(|room| {
            let (before, after) = (room.membership_at(user, since), room.membership_at(user, at));
            let is_closed = match before {
                Join => after != Join,
                Invite | Knock => matches!(after, Leave | Ban | Membership::None),
                _ => false,
            };
            if !is_closed {
                return None;
            }
            let history = room.history(user);
            let before = |index: usize| {
                index.checked_sub(1).map(|before| history[before].membership).unwrap_or_default()
            };
            let is_closing = |(index, change): &(usize, &MembershipChange)| {
                since < change.position
                    && change.position <= at
                    && Closing::of(before(*index), change.membership, true).is_some()
            };
            let (index, change) = history.iter().enumerate().rev().find(is_closing)?;
            let (room_id, before) = (room.id().to_owned(), before(index));
            let by_following = room.is_change_of_following(user, change.position);
            Some(ClosedRoom { room_id, change: *change, before, by_following })
        });
        closed.collect()
    }

    fn changed_since(&self, user: &UserId, since: Position) -> impl Iterator<Item = StreamKey> {
        self.lists_of(user).into_iter().flat_map(move |rooms| rooms.changed_since(since))
    }

    /// Up to `limit` rooms in which `user` has `membership` and whose last activity is after
    /// `after` and before `before`, most recent first.
    fn active_between(
        &self,
        user: &UserId,
        membership: Membership,
        after: Position,
        before: Position,
        limit: usize,
    ) -> Vec<(Position, RoomView<'_>)> {
        let found = self.rooms_between(user, membership, (after, before), limit);
        let rooms = found.into_iter();
        rooms.filter_map(|(position, room)| Some((position, self.room_at(room)?))).collect()
    }
}
