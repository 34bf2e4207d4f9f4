//! What one user gets to see of the log while it grows.
//!
//! **Invariant:** the user's memberships are folded from the very commits that are delivered, so
//! delivery begins and ends at the event that says so, whatever the read models know by then.
//! **Invariant:** of other users' account data, nothing is told but public receipts, to those who
//! are in the room.

use std::{collections::HashMap, sync::Arc};

use rookery_domain::{
    AccountEvent, EventStatus, Fact, Membership, OwnedUserId, RoomEvent, RoomId, UserId,
    is_own_membership,
};
use rookery_log::{StreamId, StreamKind};

use crate::Committed;

/// One thing that a user is told of. Room events are named by their index in the commit.
#[derive(Clone, Debug)]
pub enum FeedItem {
    /// An event of a room that the user is in, or about the user.
    Event {
        /// Its commit.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// The user has joined: what follows is live, what was before can be scrolled back to.
    Opened {
        /// The commit of the join.
        committed: Arc<Committed>,
        /// The index of the join there.
        index: usize,
    },
    /// The user may not see what follows.
    Closed {
        /// The commit of the member event that says so.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// How it came about.
        how: Closing,
    },
    /// The user is invited.
    Invited {
        /// The commit of the invite.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// The user's own profile has changed.
    ProfileChanged {
        /// The commit of the change.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// The user, or another one in a room of the user's, has read a room further.
    ReceiptMoved {
        /// The commit that says so.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// The user has a new device, or one less.
    DevicesChanged {
        /// The commit that says so.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
}

/// How a room was closed to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The user left.
    Left,
    /// Somebody removed the user.
    Kicked,
    /// Somebody banned the user.
    Banned,
    /// The user declined the invite or took back the knock.
    Declined,
    /// Somebody took back the invite or refused the knock.
    Withdrawn,
}

/// Follows the log for one user.
#[derive(Clone, Debug)]
pub struct Feed {
    user: OwnedUserId,
    own_stream: StreamId,
    memberships: HashMap<StreamId, Membership>,
}

impl Feed {
    /// A feed that goes on where these memberships of `user` held.
    pub fn new(
        user: &UserId,
        memberships: impl IntoIterator<Item = (StreamId, Membership)>,
    ) -> Self {
        Self {
            user: user.to_owned(),
            own_stream: StreamId::new(StreamKind::User, user.as_str()),
            memberships: memberships.into_iter().collect(),
        }
    }

    /// What the user sees of the next commit.
    pub fn take(&mut self, committed: &Arc<Committed>) -> Vec<FeedItem> {
        if committed.stream == self.own_stream {
            return own_changes(committed);
        }
        if committed.kind == Some(StreamKind::User) {
            return self.receipts_of_others(committed);
        }
        let mut membership = self.memberships.get(&committed.stream).copied().unwrap_or_default();
        let mut items = Vec::new();
        for (index, event) in committed.room_events() {
            if event.envelope.status != EventStatus::Accepted {
                continue;
            }
            let before = membership;
            if is_own_membership(&event.pdu, &self.user) {
                membership = Membership::of(&event.pdu);
                self.memberships.insert(committed.stream.clone(), membership);
                self.about_user(&mut items, committed, index, event, (before, membership));
            } else if membership == Membership::Join {
                items.push(FeedItem::Event { committed: Arc::clone(committed), index });
            }
        }
        items
    }

    fn receipts_of_others(&self, committed: &Arc<Committed>) -> Vec<FeedItem> {
        let in_joined = committed.receipts.iter().filter(|(_, room)| {
            self.memberships.get(room).is_some_and(|membership| *membership == Membership::Join)
        });
        in_joined
            .map(|(index, _)| FeedItem::ReceiptMoved {
                committed: Arc::clone(committed),
                index: *index,
            })
            .collect()
    }

    /// What the user is in a room, as of the last commit taken.
    #[must_use]
    pub fn membership(&self, room: &RoomId) -> Membership {
        let stream = StreamId::new(StreamKind::Room, room.as_str());
        self.memberships.get(&stream).copied().unwrap_or_default()
    }

    /// A member event of the user's own: it is always delivered, and may open or close the room.
    fn about_user(
        &self,
        items: &mut Vec<FeedItem>,
        committed: &Arc<Committed>,
        index: usize,
        event: &RoomEvent,
        (before, after): (Membership, Membership),
    ) {
        use Membership::{Ban, Invite, Join, Knock};
        let committed = || Arc::clone(committed);
        if after == Join && before != Join {
            items.push(FeedItem::Opened { committed: committed(), index });
        }
        if after == Invite && before != Invite {
            items.push(FeedItem::Invited { committed: committed(), index });
            return;
        }
        items.push(FeedItem::Event { committed: committed(), index });
        let by_self = event.pdu.sender == self.user;
        let how = match (before, after) {
            (_, Join | Invite | Knock) | (Ban, _) => return,
            (_, Ban) => Closing::Banned,
            (Join, _) if by_self => Closing::Left,
            (Join, _) => Closing::Kicked,
            (Invite | Knock, _) if by_self => Closing::Declined,
            (Invite | Knock, _) => Closing::Withdrawn,
            (Membership::None | Membership::Leave, _) => return,
        };
        items.push(FeedItem::Closed { committed: committed(), index, how });
    }
}

fn own_changes(committed: &Arc<Committed>) -> Vec<FeedItem> {
    let change = |(index, fact): (usize, &Result<Fact, _>)| match fact {
        Ok(Fact::Account(AccountEvent::ProfileChanged { .. })) => {
            Some(FeedItem::ProfileChanged { committed: Arc::clone(committed), index })
        }
        Ok(Fact::Account(AccountEvent::ReceiptMoved { .. })) => {
            Some(FeedItem::ReceiptMoved { committed: Arc::clone(committed), index })
        }
        Ok(Fact::Account(
            AccountEvent::DeviceAdded { .. } | AccountEvent::DeviceRemoved { .. },
        )) => Some(FeedItem::DevicesChanged { committed: Arc::clone(committed), index }),
        _ => None,
    };
    committed.facts.iter().enumerate().filter_map(change).collect()
}
