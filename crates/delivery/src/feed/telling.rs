//! The items of a commit for one user.

use std::{io, sync::Arc};

use rookery_domain::{
    AccountEvent, Fact, IgnoredUsers, Membership, Origin, RoomEvent, RoomId, StateChange,
    StateHolder, UserId, is_own_membership,
};
use rookery_projection::{Committed, Flags, RowKey};
use rookery_view::{Closing, EventAt, FollowedCommit, Reader};

use super::{FeedItem, Skipped};

/// The items for a user who ignores some others, with `membership` in a room, of a commit there that the models have
/// applied. `membership` becomes the user's membership after it.
pub(super) fn tell_room(
    (user, ignored): (&UserId, &IgnoredUsers),
    committed: &Arc<Committed>,
    membership: &mut Membership,
    reader: &Reader,
) -> io::Result<Vec<FeedItem>> {
    let mut items = Vec::new();
    let followed = reader.view().followed_commit(user, committed);
    let followed = followed.as_ref();
    for (index, event) in committed.room_events() {
        let taking = Taking { user, ignored, committed, index, event, followed, items: &mut items };
        taking.take(membership);
    }
    mark_late(&mut items, reader)?;
    Ok(items)
}

/// One event on its way to one user.
struct Taking<'a> {
    user: &'a UserId,
    ignored: &'a IgnoredUsers,
    committed: &'a Arc<Committed>,
    index: usize,
    event: &'a RoomEvent,
    /// For the bot of a service.
    followed: Option<&'a FollowedCommit>,
    items: &'a mut Vec<FeedItem>,
}

impl Taking<'_> {
    fn take(mut self, membership: &mut Membership) {
        use Membership::{Invite, Join};
        let event = self.event;
        let before = *membership;
        let own_slot = event.state_changes().find(|change| self.is_about_user(change));
        let after = match self.followed {
            Some(followed) => followed.after(self.index),
            None => own_slot.as_ref().map_or(before, membership_of),
        };
        *membership = after;
        let (committed, index) = (Arc::clone(self.committed), self.index);
        let begins = index == 0 && self.followed.is_some_and(|followed| followed.begins);
        if after == Join && (before != Join || begins) {
            self.items.push(FeedItem::Opened { committed, index });
        } else if after == Invite
            && before != Invite
            && let Some(holder) = own_slot.as_ref().and_then(|slot| slot.holder.as_ref())
        {
            let invite = self.at(holder);
            self.close(own_slot.as_ref(), (before, after));
            if !self.ignored.contains(&holder.pdu.sender) {
                self.items.push(FeedItem::Invited { committed, index, invite });
            }
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

    /// Adds the event itself. A member event of the user is sent wherever the user is.
    fn tell_event(&mut self, is_in: bool) {
        let is_own = is_own_membership(&self.event.pdu, self.user)
            || self.followed.is_some_and(|followed| followed.is_own(self.index));
        if !is_in && !is_own {
            return;
        }
        let flags = Flags::of(self.event);
        let why = if flags.is_hidden() {
            Some(Skipped::Hidden)
        } else if flags.is_past() {
            Some(Skipped::Past)
        } else if flags.is_superseded() {
            Some(Skipped::Superseded)
        } else {
            self.ignored.hide(&self.event.pdu).then_some(Skipped::Ignored)
        };
        let (committed, index) = (Arc::clone(self.committed), self.index);
        match why {
            None => self.items.push(FeedItem::Event { committed, index, late: false }),
            Some(why) if is_in => self.items.push(FeedItem::Skipped { committed, index, why }),
            Some(_) => {}
        }
    }

    /// Adds the change of a slot that another event holds, or none.
    fn tell_change(&mut self, change: &StateChange<'_>) {
        let holder = change.holder.as_ref();
        let is_itself = holder.is_some_and(|it| it.pdu.event_id == self.event.pdu.event_id);
        let flags = Flags::of(self.event);
        // A soft-failed event, and one from the past, are not sent, but their changes of the state are.
        if is_itself && !flags.is_hidden() && !flags.is_past() {
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
        let Some(slot) = slot else {
            if before == Membership::Join && after != Membership::Join && self.followed.is_some() {
                let (committed, index) = (Arc::clone(self.committed), self.index);
                let (how, by) = (Closing::Unfollowed, Arc::clone(&self.event.pdu));
                self.items.push(FeedItem::Closed { committed, index, how, by });
            }
            return;
        };
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

/// Marks late events. Only events of other servers can be late, so the timelines are read only for
/// these.
fn mark_late(items: &mut [FeedItem], reader: &Reader) -> io::Result<()> {
    for item in items {
        let FeedItem::Event { committed, index, late } = item else { continue };
        let Some(event) = committed.room_event(*index) else { continue };
        if matches!(event.envelope.origin, Origin::Local { .. }) {
            continue;
        }
        let room = committed.stream.split().and_then(|(_, room)| <&RoomId>::try_from(room).ok());
        let key = RowKey::of(&event.pdu, committed.position, *index);
        let view = reader.view();
        let row = room.and_then(|room| view.room(room)).map(|room| room.row(key)).transpose()?;
        *late = row.flatten().is_some_and(|row| row.flags.is_late());
    }
    Ok(())
}

/// The items of a commit in a user's own stream, for that user.
pub(super) fn own_changes(committed: &Arc<Committed>) -> Vec<FeedItem> {
    let change = |(index, fact): (usize, &Result<Fact, _>)| match fact {
        Ok(Fact::Account(AccountEvent::ProfileChanged { .. })) => {
            Some(FeedItem::ProfileChanged { committed: Arc::clone(committed), index })
        }
        Ok(Fact::Account(AccountEvent::ReceiptMoved { .. })) => {
            Some(FeedItem::ReceiptMoved { committed: Arc::clone(committed), index })
        }
        Ok(Fact::Account(
            AccountEvent::RoomPreferencesChanged { .. }
            | AccountEvent::UserIgnored { .. }
            | AccountEvent::UserUnignored { .. }
            | AccountEvent::DataChanged { .. }
            | AccountEvent::DataDeleted { .. },
        )) => Some(FeedItem::PreferencesChanged { committed: Arc::clone(committed), index }),
        Ok(Fact::Account(
            AccountEvent::ElsewhereChanged { .. }
            | AccountEvent::ElsewhereEnded { .. }
            | AccountEvent::RemoteEnded { .. },
        )) => Some(FeedItem::ElsewhereChanged { committed: Arc::clone(committed), index }),
        Ok(Fact::Account(
            AccountEvent::DeviceAdded { .. } | AccountEvent::DeviceRemoved { .. },
        )) => Some(FeedItem::DevicesChanged { committed: Arc::clone(committed), index }),
        _ => None,
    };
    committed.facts.iter().enumerate().filter_map(change).collect()
}
