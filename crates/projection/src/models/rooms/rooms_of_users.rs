//! The rooms of each user, most recently active first.
//!
//! The order changes with every message, for every member. A list for each user would make a
//! message in a room of a thousand cost a thousand updates. Sorting on demand would make the cost
//! of a page grow with the user's rooms. So there is one list of all rooms by activity, which a
//! message changes in one place. A page walks it from the top and picks the user's rooms. A user
//! with many rooms finds them soon; a user with few rooms has few to sort. The walk gives up after
//! as many steps as sorting would take, so the worst case is twice the sort.
//!
//! **Invariant:** an index only: it follows from the rows of the memberships.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    ops::Bound,
    path::Path,
};

use rookery_domain::{Membership, OwnedUserId, UserId};
use rookery_log::Position;

use crate::models::{RoomMembers, Rows, Shared, StreamKey};

/// Up to this many rooms, sorting is fast enough.
const SORTED_ROOMS_MAX: usize = if cfg!(test) { 3 } else { 256 };

/// The present and former rooms of each user, and the activity of all rooms.
#[derive(Default)]
pub struct RoomsOfUsers {
    users: HashMap<OwnedUserId, RoomsOfUser>,
    // A commit belongs to one room, so its position identifies the room that was active there.
    by_activity: BTreeMap<Position, StreamKey>,
}

/// The rooms of one user.
#[derive(Default)]
pub struct RoomsOfUser {
    /// Separated by membership, so that the invites of a user with thousands of rooms are found at
    /// once.
    by_membership: BTreeMap<Membership, BTreeSet<StreamKey>>,
    /// The rooms that the user has not joined, by the commit since which the membership holds. One
    /// commit belongs to one room.
    not_joined: BTreeMap<Position, StreamKey>,
}

/// The membership of a user in a room, and the commit since which it holds.
pub type MemberSince = (Membership, Position);

impl RoomsOfUser {
    /// Records the membership in a room, and the previous one.
    pub fn set(&mut self, room: StreamKey, before: Option<MemberSince>, (now, since): MemberSince) {
        if let Some((before, since)) = before {
            self.remove(room, before, since);
        }
        self.by_membership.entry(now).or_default().insert(room);
        if now != Membership::Join {
            self.not_joined.insert(since, room);
        }
    }

    fn remove(&mut self, room: StreamKey, membership: Membership, since: Position) {
        if let Some(rooms) = self.by_membership.get_mut(&membership) {
            rooms.remove(&room);
        }
        if self.not_joined.get(&since) == Some(&room) {
            self.not_joined.remove(&since);
        }
    }

    fn merge(&mut self, other: Self) {
        for (membership, rooms) in other.by_membership {
            self.by_membership.entry(membership).or_default().extend(rooms);
        }
        self.not_joined.extend(other.not_joined);
    }

    /// The rooms with this membership.
    #[must_use]
    pub fn with(&self, membership: Membership) -> Option<&BTreeSet<StreamKey>> {
        self.by_membership.get(&membership)
    }

    /// See [`RoomsOfUsers::changed_since`].
    pub fn changed_since(&self, since: Position) -> impl Iterator<Item = StreamKey> {
        let after = (Bound::Excluded(since), Bound::Unbounded);
        self.not_joined.range(after).map(|(_, room)| *room)
    }

    /// All rooms.
    pub fn iter(&self) -> impl Iterator<Item = (StreamKey, Membership)> {
        let rooms = self.by_membership.iter();
        rooms.flat_map(|(membership, rooms)| rooms.iter().map(|room| (*room, *membership)))
    }
}

impl RoomsOfUsers {
    /// Records the membership of a user in a room, and the previous one.
    pub(super) fn set(
        &mut self,
        user: &UserId,
        room: StreamKey,
        before: Option<MemberSince>,
        now: MemberSince,
    ) {
        if !self.users.contains_key(user) {
            self.users.insert(user.to_owned(), RoomsOfUser::default());
        }
        if let Some(rooms) = self.users.get_mut(user) {
            rooms.set(room, before, now);
        }
    }

    /// The rooms that the user has not joined and whose membership changed in a commit after
    /// `since`, oldest change first.
    pub fn changed_since(&self, user: &UserId, since: Position) -> impl Iterator<Item = StreamKey> {
        self.users.get(user).into_iter().flat_map(move |rooms| rooms.changed_since(since))
    }

    pub(crate) fn active(&mut self, room: StreamKey, before: Position, now: Position) {
        if before != now {
            self.by_activity.remove(&before);
            self.by_activity.insert(now, room);
        }
    }

    /// All users with a membership in any room.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.users.keys().map(|user| &**user)
    }

    /// All rooms in which the user has a membership.
    pub fn all(&self, user: &UserId) -> impl Iterator<Item = (StreamKey, Membership)> {
        self.users.get(user).into_iter().flat_map(RoomsOfUser::iter)
    }

    /// The numbers of the user's rooms by membership; `None` if they have no membership at all.
    #[must_use]
    pub fn counts(&self, user: &UserId) -> Option<impl Fn(Membership) -> usize> {
        let rooms = self.users.get(user)?;
        Some(move |membership| rooms.by_membership.get(&membership).map_or(0, BTreeSet::len))
    }

    /// The rooms that the user is joined to.
    pub fn joined(&self, user: &UserId) -> impl Iterator<Item = StreamKey> {
        let rooms = self.users.get(user);
        let rooms = rooms.and_then(|rooms| rooms.by_membership.get(&Membership::Join));
        rooms.into_iter().flatten().copied()
    }

    /// Whether two users are joined to the same room.
    #[must_use]
    pub fn share(&self, one: &UserId, other: &UserId) -> bool {
        let joined = |user| self.users.get(user)?.by_membership.get(&Membership::Join);
        let (Some(one), Some(other)) = (joined(one), joined(other)) else { return false };
        let (few, many) = if one.len() <= other.len() { (one, other) } else { (other, one) };
        few.iter().any(|room| many.contains(room))
    }

    /// The rooms of one user.
    #[must_use]
    pub fn of(&self, user: &UserId) -> Option<&RoomsOfUser> {
        self.users.get(user)
    }

    /// Up to `limit` of these rooms whose last activity is between these positions, most recent
    /// first.
    pub(crate) fn page(
        &self,
        rooms: &BTreeSet<StreamKey>,
        (after, before): (Position, Position),
        limit: usize,
        rows: &Rows<RoomMembers>,
    ) -> Vec<(Position, StreamKey)> {
        if after.next() >= before {
            return Vec::new();
        }
        let mut page = Vec::with_capacity(limit.min(rooms.len()));
        if rooms.len() > SORTED_ROOMS_MAX {
            let between = (Bound::Excluded(after), Bound::Excluded(before));
            let mut by_activity = self.by_activity.range(between).rev();
            for (position, room) in by_activity.by_ref().take(rooms.len()) {
                if page.len() == limit {
                    break;
                }
                if rooms.contains(room) {
                    page.push((*position, *room));
                }
            }
            if page.len() == limit || by_activity.next().is_none() {
                return page;
            }
        }
        page.clear();
        page.extend(rooms.iter().filter_map(|room| {
            let activity = rows.get(room)?.value.activity;
            (after < activity && activity < before).then_some((activity, *room))
        }));
        if page.len() > limit && limit > 0 {
            page.select_nth_unstable_by(limit - 1, |a, b| b.cmp(a));
        }
        page.truncate(limit);
        page.sort_unstable_by(|a, b| b.cmp(a));
        page
    }
}

impl Shared<RoomMembers> for RoomsOfUsers {
    type Saved = ();

    fn create(_: &Path, _: usize) -> io::Result<Self> {
        Ok(Self::default())
    }

    fn added(&mut self, room: StreamKey, row: &RoomMembers) {
        for (user, member) in row.iter() {
            self.set(user, room, None, member.is_since());
        }
        self.active(room, Position::ORIGIN, row.activity);
    }

    fn removed(&mut self, room: StreamKey, row: Option<&RoomMembers>) {
        let Some(row) = row else { return };
        for (user, member) in row.iter() {
            if let Some(rooms) = self.users.get_mut(user) {
                let (membership, since) = member.is_since();
                rooms.remove(room, membership, since);
            }
        }
        self.by_activity.remove(&row.activity);
    }

    fn merge(&mut self, other: Self, _: &mut Rows<RoomMembers>) {
        for (user, rooms) in other.users {
            self.users.entry(user).or_default().merge(rooms);
        }
        self.by_activity.extend(other.by_activity);
    }

    fn save(&self) -> io::Result<()> {
        Ok(())
    }
}
