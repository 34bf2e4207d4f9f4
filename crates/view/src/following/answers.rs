//! The meaning of commits for the bots of services.

use rookery_domain::{AccountEvent, Fact, Membership, OwnedRoomId, OwnedUserId, RoomId, UserId};
use rookery_log::{Position, StreamKind};
use rookery_projection::Committed;

use super::index::ServiceRooms;
use crate::{RoomView, View};

/// A commit of a room, for the bot of a service.
#[derive(Clone, Debug, Default)]
pub struct FollowedCommit {
    /// The membership before it. A bot is joined to the rooms that its service follows.
    pub before: Membership,
    /// The membership after each event, and whether the event is one of its own; empty if the commit
    /// changes nothing.
    after: Vec<(Membership, bool)>,
    /// It is the first commit of a room that concerned the service when that was added.
    pub begins: bool,
}

impl FollowedCommit {
    /// Whether the bot gets anything of it.
    #[must_use]
    pub fn concerns(&self) -> bool {
        self.before == Membership::Join || !self.after.is_empty()
    }

    /// Whether the bot gets the same of it as all members who stayed joined.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.before == Membership::Join && self.after.is_empty() && !self.begins
    }

    /// The membership after the event at `index`.
    #[must_use]
    pub fn after(&self, index: usize) -> Membership {
        self.after.get(index).map_or(self.before, |(membership, _)| *membership)
    }

    /// The membership after the commit.
    #[must_use]
    pub fn last(&self) -> Membership {
        self.after.last().map_or(self.before, |(membership, _)| *membership)
    }

    /// Whether the event at `index` is a member event of a user in a namespace, or of the bot, that
    /// changed something.
    #[must_use]
    pub fn is_own(&self, index: usize) -> bool {
        self.after.get(index).is_some_and(|(_, own)| *own)
    }
}

/// A room that an alias opened or closed to the bot of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowedRoom {
    /// The room.
    pub room_id: OwnedRoomId,
    /// Whether it is open now.
    pub is_open: bool,
    /// The number of the first event from which on that holds.
    pub sequence: u64,
}

impl View<'_> {
    /// The bots of the services that follow rooms.
    pub fn bots(&self) -> impl Iterator<Item = &OwnedUserId> {
        self.followings().bots()
    }

    /// The meaning of a commit of a room for the bot of a service; `None` for all other users.
    #[must_use]
    pub fn followed_commit(&self, user: &UserId, committed: &Committed) -> Option<FollowedCommit> {
        let rooms = self.followings().of(user)?;
        let room = committed.stream.split().and_then(|(_, room)| <&RoomId>::try_from(room).ok());
        let key = room.and_then(|room| self.models().room(room));
        let Some(followed) = key.and_then(|key| rooms.room(key)) else {
            return Some(FollowedCommit::default());
        };
        let at = committed.position;
        let earlier = Position(at.0.saturating_sub(1));
        let before = followed.at(earlier);
        let mut after = Vec::new();
        if !followed.changes(earlier, at).is_empty() {
            let sequences = (0..committed.facts.len()).map(|index| committed.sequence(index));
            after = sequences.map(|sequence| followed.after(sequence)).collect();
        }
        let begins = before == Membership::Join && followed.begins_at(committed.first_sequence);
        Some(FollowedCommit { before, after, begins })
    }

    /// The invites to rooms elsewhere in a commit of an account, by index, if the service of this bot claims the
    /// account; none for all other users, and none for the account of the bot.
    #[must_use]
    pub fn invites_of_service(&self, bot: &UserId, committed: &Committed) -> Vec<usize> {
        let invites: Vec<_> = invites_elsewhere(committed).collect();
        let Some((StreamKind::User, user)) = committed.stream.split() else { return Vec::new() };
        if invites.is_empty() || user == bot.as_str() {
            return Vec::new();
        }
        let claims = |rooms: &ServiceRooms| {
            let user = <&UserId>::try_from(user);
            user.is_ok_and(|user| rooms.service.namespaces.claims_user(user))
        };
        self.followings().of(bot).filter(|rooms| claims(rooms)).map_or(Vec::new(), |_| invites)
    }

    /// The rooms that the commit of an alias opened or closed to a bot; none for all other users.
    #[must_use]
    pub fn followed_by_alias(&self, user: &UserId, committed: &Committed) -> Vec<FollowedRoom> {
        let Some(rooms) = self.followings().of(user) else { return Vec::new() };
        if !matches!(committed.kind, Some(StreamKind::Alias)) {
            return Vec::new();
        }
        let at = committed.position;
        let earlier = Position(at.0.saturating_sub(1));
        let changed = rooms.changed_by_alias(at).iter().filter_map(|key| {
            let followed = rooms.room(*key)?;
            let change = followed.changes(earlier, at).last()?;
            let is_open = change.membership == Membership::Join;
            let room_id = self.models().room_id(*key)?.to_owned();
            (is_open != (followed.at(earlier) == Membership::Join)).then_some(FollowedRoom {
                room_id,
                is_open,
                sequence: change.sequence,
            })
        });
        let mut changed: Vec<_> = changed.collect();
        // A room that lost the alias closes first.
        changed.sort_by_key(|room| room.is_open);
        changed
    }

    /// The commits after one position, up to another, by which a room opened or closed to a bot.
    #[must_use]
    pub fn followed_between(
        &self,
        user: &UserId,
        room: &RoomId,
        (after, until): (Position, Position),
    ) -> Vec<Position> {
        let room = self.room(room);
        let changes = room.and_then(|room| Some(room.followed(user)?.changes(after, until)));
        changes.into_iter().flatten().map(|change| change.position).collect()
    }
}

impl RoomView<'_> {
    /// Whether a service's bot is shown the room at least partly because its service follows it: the
    /// change at `position` is none of its own membership.
    pub(crate) fn is_change_of_following(&self, user: &UserId, position: Position) -> bool {
        let own = self.member(user).map(|member| &*member.history).unwrap_or_default();
        self.followed(user).is_some() && !own.iter().any(|change| change.position == position)
    }
}

/// The invites to rooms elsewhere in a commit, by index.
pub fn invites_elsewhere(committed: &Committed) -> impl Iterator<Item = usize> {
    let is_invite = |fact: &Result<Fact, _>| match fact {
        Ok(Fact::Account(AccountEvent::ElsewhereChanged { standing })) => {
            standing.membership == Membership::Invite
        }
        _ => false,
    };
    let all = committed.facts.iter().enumerate();
    all.filter(move |(_, fact)| is_invite(fact)).map(|(index, _)| index)
}
