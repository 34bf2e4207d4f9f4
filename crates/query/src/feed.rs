//! What one user gets to see of the log while it grows.
//!
//! **Invariant:** the user's memberships are folded from the very commits that are delivered, so
//! delivery begins and ends at the event that says so, whatever the read models know by then.
//! **Invariant:** of other users' account data, nothing is told but public receipts, to those who
//! are in the room.
//! **Invariant:** a state event is told only if it holds its slot after its own commit. Whoever
//! applies each told state event and each [`FeedItem::Resolved`] in order has the room's state.
//! **Invariant:** of each event of a room that the user is in it is told, or told that it is not.

use std::{collections::HashMap, io, sync::Arc};

use rookery_domain::{
    AccountEvent, Fact, Membership, Origin, OwnedUserId, Pdu, RoomEvent, RoomId, StateChange,
    StateHolder, UserId, is_own_membership,
};
use rookery_log::{Position, StreamId, StreamKind};

use crate::{Committed, Flags, ReadModels, RowKey};

/// One thing that a user is told of. Room events are named by their index in the commit.
#[derive(Clone, Debug)]
pub enum FeedItem {
    /// An event of a room that the user is in, or about the user.
    Event {
        /// Its commit.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// It arrived after an event that comes later in the timeline.
        late: bool,
    },
    /// An event of a room that the user is in, which the user is not told.
    Skipped {
        /// Its commit.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// Why not.
        why: Skipped,
    },
    /// State resolution has given a slot to another event than the one that arrived, or to none; or
    /// to that one, although it soft-failed and is not told.
    Resolved {
        /// The commit of the event that arrived.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// The type of the slot.
        kind: String,
        /// Its state key.
        state_key: String,
        /// The event that holds it now; none if nobody does.
        holder: Option<EventAt>,
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
        /// The commit of the event that says so.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// How it came about.
        how: Closing,
        /// The member event that says so: of that commit, or of an earlier one that holds the
        /// user's slot again. Where there is none, the event that arrived.
        by: Arc<Pdu>,
    },
    /// The user is invited.
    Invited {
        /// The commit of the event that says so.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// The invite.
        invite: EventAt,
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

/// Where the log has an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventAt {
    /// Its commit.
    pub position: Position,
    /// Its index there.
    pub index: usize,
}

/// Why an event is not told to somebody who is in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// It failed a check on receipt.
    Hidden,
    /// It is state that was superseded before it arrived.
    Superseded,
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
    /// State resolution found that the user was never rightly in the room.
    Resolved,
}

impl Closing {
    /// How a change of the membership, by the user herself or not, closes a room to her.
    #[must_use]
    pub fn of(before: Membership, after: Membership, by_self: bool) -> Option<Self> {
        use Membership::{Ban, Invite, Join, Knock, Leave};
        match (before, after) {
            // No event leads from a join to an invite, but resolution may.
            (Join, Membership::None | Invite | Knock) => Some(Self::Resolved),
            (_, Join | Invite | Knock)
            | (Ban, _)
            | (Membership::None | Leave, Leave | Membership::None) => None,
            (_, Ban) => Some(Self::Banned),
            (Join, _) if by_self => Some(Self::Left),
            (Join, _) => Some(Self::Kicked),
            (Invite | Knock, _) if by_self => Some(Self::Declined),
            (Invite | Knock, _) => Some(Self::Withdrawn),
        }
    }
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

    /// What the user sees of the next commit, which `models` have applied.
    ///
    /// # Errors
    /// If a file of the models cannot be read.
    pub fn take(
        &mut self,
        committed: &Arc<Committed>,
        models: &ReadModels,
    ) -> io::Result<Vec<FeedItem>> {
        if committed.stream == self.own_stream {
            return Ok(own_changes(committed));
        }
        if committed.kind == Some(StreamKind::User) {
            return Ok(self.receipts_of_others(committed));
        }
        let mut items = Vec::new();
        for (index, event) in committed.room_events() {
            Taking { user: &self.user, committed, index, event, items: &mut items }
                .take(&mut self.memberships);
        }
        mark_late(&mut items, models)?;
        Ok(items)
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
}

/// One event on its way to one user.
struct Taking<'a> {
    user: &'a UserId,
    committed: &'a Arc<Committed>,
    index: usize,
    event: &'a RoomEvent,
    items: &'a mut Vec<FeedItem>,
}

impl Taking<'_> {
    fn take(mut self, memberships: &mut HashMap<StreamId, Membership>) {
        use Membership::{Invite, Join};
        let (event, stream) = (self.event, &self.committed.stream);
        let before = memberships.get(stream).copied().unwrap_or_default();
        let own_slot = event.state_changes().find(|change| self.is_about_user(change));
        let after = own_slot.as_ref().map_or(before, membership_of);
        if after != before {
            memberships.insert(stream.clone(), after);
        }
        let (committed, index) = (Arc::clone(self.committed), self.index);
        if after == Join && before != Join {
            self.items.push(FeedItem::Opened { committed, index });
        } else if after == Invite
            && before != Invite
            && let Some(holder) = own_slot.as_ref().and_then(|slot| slot.holder.as_ref())
        {
            let invite = self.at(holder);
            self.close(own_slot.as_ref(), (before, after));
            self.items.push(FeedItem::Invited { committed, index, invite });
            return;
        }
        self.tell_event(after == Join);
        for change in event.state_changes() {
            if after == Join || self.is_about_user(&change) {
                self.tell_change(&change);
            }
        }
        self.close(own_slot.as_ref(), (before, after));
    }

    fn is_about_user(&self, change: &StateChange<'_>) -> bool {
        change.kind == "m.room.member" && change.state_key == self.user.as_str()
    }

    fn at(&self, holder: &StateHolder<'_>) -> EventAt {
        let RowKey { position, index, .. } = RowKey::of_holder(holder, self.committed, self.index);
        EventAt { position, index: index.into() }
    }

    /// The event itself: a member event of the user's own is told wherever the user is.
    fn tell_event(&mut self, is_in: bool) {
        if !is_in && !is_own_membership(&self.event.pdu, self.user) {
            return;
        }
        let flags = Flags::of(self.event);
        let why = if flags.is_hidden() {
            Some(Skipped::Hidden)
        } else {
            flags.is_superseded().then_some(Skipped::Superseded)
        };
        let (committed, index) = (Arc::clone(self.committed), self.index);
        match why {
            None => self.items.push(FeedItem::Event { committed, index, late: false }),
            Some(why) if is_in => self.items.push(FeedItem::Skipped { committed, index, why }),
            Some(_) => {}
        }
    }

    /// A slot that another event has got, or none.
    fn tell_change(&mut self, change: &StateChange<'_>) {
        let holder = change.holder.as_ref();
        let is_itself = holder.is_some_and(|it| it.pdu.event_id == self.event.pdu.event_id);
        // An event that soft-failed is not told, but what it did to the state is.
        if is_itself && !Flags::of(self.event).is_hidden() {
            return;
        }
        self.items.push(FeedItem::Resolved {
            committed: Arc::clone(self.committed),
            index: self.index,
            kind: change.kind.clone().into_owned(),
            state_key: change.state_key.to_owned(),
            holder: holder.map(|holder| self.at(holder)),
        });
    }

    fn close(&mut self, slot: Option<&StateChange<'_>>, (before, after): (Membership, Membership)) {
        let Some(slot) = slot else { return };
        let holder = slot.holder.as_ref();
        let by_self = holder.is_some_and(|holder| holder.pdu.sender == self.user);
        let Some(how) = Closing::of(before, after, by_self) else { return };
        let by = Arc::clone(holder.map_or(&self.event.pdu, |holder| holder.pdu));
        let (committed, index) = (Arc::clone(self.committed), self.index);
        self.items.push(FeedItem::Closed { committed, index, how, by });
    }
}

fn membership_of(change: &StateChange<'_>) -> Membership {
    change.holder.as_ref().map(|holder| Membership::of(holder.pdu)).unwrap_or_default()
}

/// Notes which of the events are late. Only those of other servers can be, so the timelines are
/// asked for these alone.
fn mark_late(items: &mut [FeedItem], models: &ReadModels) -> io::Result<()> {
    for item in items {
        let FeedItem::Event { committed, index, late } = item else { continue };
        let Some(event) = committed.room_event(*index) else { continue };
        if matches!(event.envelope.origin, Origin::Local { .. }) {
            continue;
        }
        let room = committed.stream.split().and_then(|(_, room)| <&RoomId>::try_from(room).ok());
        let key = RowKey::of(&event.pdu, committed.position, *index);
        let view = models.view();
        let row = room.and_then(|room| view.room(room)).map(|room| room.row(key)).transpose()?;
        *late = row.flatten().is_some_and(|row| row.flags.is_late());
    }
    Ok(())
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
