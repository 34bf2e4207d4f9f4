//! The simple way to follow the log for one user: all of their memberships in a map, and every
//! commit of the log. Tests compare deliveries with it.

use std::{collections::HashMap, io, sync::Arc};

use rookery_domain::{Membership, OwnedUserId, UserId};
use rookery_log::{StreamId, StreamKind};
use rookery_projection::Committed;
use rookery_view::Reader;

use super::{
    FeedItem,
    ignoring::Ignoring,
    telling::{own_changes, tell_room},
};

/// Follows the log for one user.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    user: OwnedUserId,
    own_stream: StreamId,
    memberships: HashMap<StreamId, Membership>,
    ignoring: Ignoring,
}

impl Feed {
    /// A feed that continues where these memberships of `user` held.
    pub(crate) fn new(
        user: &UserId,
        memberships: impl IntoIterator<Item = (StreamId, Membership)>,
    ) -> Self {
        Self {
            user: user.to_owned(),
            own_stream: StreamId::new(StreamKind::User, user.as_str()),
            memberships: memberships.into_iter().collect(),
            ignoring: Ignoring::default(),
        }
    }

    /// The items of the next commit, which the models have applied, for the user.
    pub(crate) fn take(
        &mut self,
        committed: &Arc<Committed>,
        reader: &Reader,
    ) -> io::Result<Vec<FeedItem>> {
        if committed.stream == self.own_stream {
            self.ignoring.fold(committed);
            return Ok(own_changes(committed));
        }
        if committed.kind == Some(StreamKind::User) {
            return Ok(self.receipts_of_others(committed));
        }
        let membership = self.memberships.entry(committed.stream.clone()).or_default();
        tell_room((&*self.user, self.ignoring.users()), committed, membership, reader)
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
}
