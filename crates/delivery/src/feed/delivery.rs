//! A commit on its way to one user.

use std::{collections::HashMap, io, sync::Arc};

use rookery_domain::{Membership, RoomId, UserId};
use rookery_log::{Position, StreamId, StreamKind};
use rookery_projection::Committed;
use rookery_view::{FollowedRoom, Reader, View};

use super::{
    FeedItem, Own,
    concern::{about, membership_after},
    ignoring::Ignoring,
    telling::{own_changes, tell_room},
};

/// A commit that concerns a user.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The commit.
    pub committed: Arc<Committed>,
    /// The user's membership in its room before it. For an account commit: joined, if it has a
    /// receipt of another user in a room of the user; otherwise none.
    pub before: Membership,
    /// Whether all members who stayed joined receive the same of it: the user was and is joined,
    /// and no part of the commit is about their own membership. Or it is one receipt of another
    /// user in a room of this user.
    pub plain: bool,
}

impl Delivery {
    /// The items of it for `own`, who ignores some users. A commit of the user's own stream changes
    /// these.
    pub(crate) fn items(
        &self,
        own: &Own,
        ignoring: &mut Ignoring,
        reader: &Reader,
    ) -> io::Result<Vec<FeedItem>> {
        let committed = &self.committed;
        if committed.stream == own.stream {
            ignoring.fold(committed);
            return Ok(own_changes(committed));
        }
        if committed.kind == Some(StreamKind::Alias) {
            return Ok(moved_by_alias(own, committed, &reader.view()));
        }
        if committed.kind != Some(StreamKind::User) {
            let mut membership = self.before;
            let of = (&*own.user, ignoring.users());
            return tell_room(of, committed, &mut membership, reader);
        }
        let is_told = |room: &StreamId| match committed.receipts.len() {
            1 => self.before == Membership::Join,
            _ => in_room(&reader.view(), &own.user, room, committed.position) == Membership::Join,
        };
        let told = committed.receipts.iter().filter(|(_, room)| is_told(room));
        let item = |(index, _): &(usize, StreamId)| FeedItem::ReceiptMoved {
            committed: Arc::clone(committed),
            index: *index,
        };
        let mut items: Vec<_> = told.map(item).collect();
        let invites = reader.view().invites_of_service(&own.user, committed).into_iter();
        let invite =
            |index| FeedItem::InvitedForService { committed: Arc::clone(committed), index };
        items.extend(invites.map(invite));
        Ok(items)
    }
}

/// The rooms that the commit of an alias opened or closed to the bot of a service.
fn moved_by_alias(own: &Own, committed: &Arc<Committed>, view: &View<'_>) -> Vec<FeedItem> {
    let moved = view.followed_by_alias(&own.user, committed).into_iter();
    let item = |FollowedRoom { room_id, is_open, sequence }| {
        let committed = Arc::clone(committed);
        if is_open {
            FeedItem::OpenedByAlias { committed, room_id, sequence }
        } else {
            FeedItem::ClosedByAlias { committed, room_id }
        }
    };
    moved.map(item).collect()
}

/// Whether a part of the commit is about the user's own membership.
pub(crate) fn is_about(committed: &Committed, user: &UserId) -> bool {
    about(committed).any(|other| other == user)
}

/// The membership of `user` in the room of a stream after the commit at `position`.
pub(crate) fn in_room(
    view: &View<'_>,
    user: &UserId,
    stream: &StreamId,
    position: Position,
) -> Membership {
    let room = stream.split().and_then(|(_, room)| <&RoomId>::try_from(room).ok());
    room.map(|room| view.membership_at(room, user, position)).unwrap_or_default()
}

/// The memberships of one user along the log: looked up when a commit of a room first appears, and
/// folded from then on.
///
/// **Invariant:** rooms without a membership of the user take no memory.
pub(crate) struct Memberships {
    own: Arc<Own>,
    known: HashMap<StreamId, Membership>,
}

impl Memberships {
    pub(crate) fn new(own: &Arc<Own>) -> Self {
        Self { own: Arc::clone(own), known: HashMap::new() }
    }

    pub(crate) fn user(&self) -> &UserId {
        &self.own.user
    }

    /// The next commit, if it concerns the user. Commits come in order, at least all that concern
    /// the user; `view` has applied them.
    pub(crate) fn consider(
        &mut self,
        committed: &Arc<Committed>,
        view: &View<'_>,
    ) -> Option<Delivery> {
        let (before, plain) = match committed.kind {
            Some(StreamKind::Room) => self.in_room(committed, view)?,
            Some(StreamKind::User) if committed.stream == self.own.stream => {
                (Membership::None, false)
            }
            Some(StreamKind::User) => {
                let mut rooms = committed.receipts.iter().map(|(_, room)| room);
                let joined =
                    |room: &&_| self.at(room, committed.position, view) == Membership::Join;
                if rooms.any(|room| joined(&room)) {
                    (Membership::Join, committed.receipts.len() == 1)
                } else {
                    let invites = view.invites_of_service(&self.own.user, committed);
                    (!invites.is_empty()).then_some((Membership::None, false))?
                }
            }
            Some(StreamKind::Alias) => {
                let changed = view.followed_by_alias(&self.own.user, committed);
                (!changed.is_empty()).then_some((Membership::None, false))?
            }
            None => return None,
        };
        Some(Delivery { committed: Arc::clone(committed), before, plain })
    }

    fn in_room(&mut self, committed: &Committed, view: &View<'_>) -> Option<(Membership, bool)> {
        // The view knows the rooms of a service at each commit.
        if let Some(followed) = view.followed_commit(&self.own.user, committed) {
            let is_plain = followed.is_plain() && !is_about(committed, &self.own.user);
            return followed.concerns().then_some((followed.before, is_plain));
        }
        let stream = &committed.stream;
        let before = self.at(stream, Position(committed.position.0.saturating_sub(1)), view);
        if !is_about(committed, &self.own.user) {
            if before == Membership::Join {
                // From here on it is folded, so a parked room ends neither earlier nor later.
                self.known.entry(stream.clone()).or_insert(before);
            }
            return (before == Membership::Join).then_some((before, true));
        }
        self.known.insert(stream.clone(), membership_after(&self.own.user, committed, before));
        Some((before, false))
    }

    fn at(&self, room: &StreamId, position: Position, view: &View<'_>) -> Membership {
        let known = self.known.get(room).copied();
        known.unwrap_or_else(|| in_room(view, &self.own.user, room, position))
    }
}
