//! The items of a stream, from those of the feed: as the filter, and the device, want them.

use std::sync::Arc;

use rookery_delivery::FeedItem;
use rookery_domain::{Deliver, Origin, OwnedRoomId, RoomId};
use rookery_projection::Committed;
use rookery_schema::{
    context::unless_absent,
    types::{
        errors::fault::Fault,
        events::event::RoomEvent,
        rooms::{closed::RoomClosed, pages::SCREEN_DEFAULT, room::Room},
        users::{account_items::ReceiptMoved, user::User},
        values::scalars::Long,
    },
};
use rookery_view::{EventAt, Moment};

use super::{Reader, room_of};
use crate::schema::subscription::{
    draft::Drafted,
    elsewhere::elsewhere_item,
    items::{
        Invited, ProfileChanged, RoomOpened, StateResolved, StreamItem, device_item,
        preferences_item,
    },
    skipped::SkipReason,
};

impl Reader {
    /// Whether this device got the event with the answer to its join, and only there.
    fn is_in_the_answer(&self, committed: &Committed, index: usize) -> bool {
        let Some(event) = committed.room_event(index) else { return false };
        let Origin::Local { device, deliver: Some(Deliver::Response), .. } = &event.envelope.origin
        else {
            return false;
        };
        event.pdu.sender == self.user && device.is_some() && *device == self.device
    }

    pub(super) async fn item(&mut self, item: FeedItem) -> Result<Option<Drafted>, Fault> {
        let made = match item {
            FeedItem::Event { committed, index, late } => {
                return Ok(self.event(committed, index, late));
            }
            FeedItem::Skipped { committed, index, why } => {
                self.skip(&committed, index, why.into());
                None
            }
            FeedItem::Resolved { committed, kind, state_key, holder, .. } => {
                let room = room_of(&committed).filter(|room| self.filter.wants_slot(room, &kind));
                let Some(room) = room else { return Ok(None) };
                let event = match holder {
                    Some(holder) => self.fetch(&room, holder).await?,
                    None => None,
                };
                let (room, state_key) = (Room::new(room), Some(state_key));
                Some(StreamItem::Resolved(StateResolved { room, kind, state_key, event }))
            }
            FeedItem::Opened { committed, index } => self.opened(&committed, index),
            FeedItem::OpenedByAlias { committed, room_id, sequence } => {
                self.opened_by_alias(&committed, room_id, sequence)?
            }
            FeedItem::ClosedByAlias { committed, room_id } => {
                RoomClosed::by_alias(&committed, room_id).map(StreamItem::Closed)
            }
            FeedItem::Closed { how, by, .. } => Some(StreamItem::Closed(RoomClosed::new(&by, how))),
            FeedItem::Invited { committed, invite, .. } => {
                let Some(room) = room_of(&committed) else { return Ok(None) };
                let Some(event) = self.fetch(&room, invite).await? else { return Ok(None) };
                let inviter = User::in_room(event.sender_id().to_owned(), room.clone());
                let (room, event) = (Room::new(room), Some(event));
                Some(StreamItem::Invited(Invited { room, inviter, event }))
            }
            FeedItem::ProfileChanged { .. } => {
                Some(StreamItem::Profile(ProfileChanged { user: User::new(self.user.clone()) }))
            }
            FeedItem::ReceiptMoved { committed, index } => {
                let wanted = |it: &ReceiptMoved| it.is_wanted(&self.filter);
                let is_wanted = ReceiptMoved::of(&committed, index).is_some_and(|it| wanted(&it));
                return Ok(is_wanted.then_some(Drafted::Receipt { committed, index }));
            }
            FeedItem::PreferencesChanged { committed, index } => {
                preferences_item(&committed, index, &self.filter)
            }
            FeedItem::ElsewhereChanged { committed, index } => {
                elsewhere_item(&self.app, self.device.as_deref(), &committed, index)
            }
            // A service that is no bridge consumes as that user.
            FeedItem::InvitedForService { .. } => None,
            FeedItem::DevicesChanged { committed, index } => device_item(&committed, index),
        };
        Ok(made.map(Drafted::from))
    }

    /// The item of a room that the service of this bot follows from now on, because an alias points
    /// to it.
    fn opened_by_alias(
        &self,
        committed: &Committed,
        room: OwnedRoomId,
        sequence: u64,
    ) -> Result<Option<StreamItem>, Fault> {
        let end = self
            .app
            .models
            .view()
            .room(&room)
            .map(|found| found.end_at(committed.position, sequence));
        let end = end.transpose().map_err(|error| Fault::unavailable(&error.to_string()))?;
        let Some(end) = end else { return Ok(None) };
        let (limit, filter) = (Some(SCREEN_DEFAULT), Some(Arc::clone(&self.filter)));
        let moment = Moment::new(committed.position, filter, limit);
        let cursor = self.app.cursor(&room, end);
        let (room, sequence) = (Room::as_it_was(room, moment), Long::of_count(sequence));
        Ok(Some(StreamItem::Opened(RoomOpened { room, sequence, cursor })))
    }

    /// The item of a room that the user joined, unless this device gets it with the answer to the
    /// join.
    fn opened(&self, committed: &Committed, index: usize) -> Option<StreamItem> {
        if self.is_in_the_answer(committed, index) {
            return None;
        }
        let (limit, filter) = (Some(SCREEN_DEFAULT), Some(Arc::clone(&self.filter)));
        let moment = Moment::new(committed.position, filter, limit);
        let cursor = RoomEvent::of(committed, index)?.cursor_in(&self.app);
        let room = Room::as_it_was(room_of(committed)?, moment);
        let sequence = Long::of_count(committed.sequence(index));
        Some(StreamItem::Opened(RoomOpened { room, sequence, cursor }))
    }

    /// The item of an event, unless the client does not want it.
    fn event(&mut self, committed: Arc<Committed>, index: usize, late: bool) -> Option<Drafted> {
        let pdu = &committed.room_event(index)?.pdu;
        if self.is_in_the_answer(&committed, index) {
            self.skip(&committed, index, SkipReason::Answered);
            return None;
        }
        if !self.filter.wants(pdu) {
            self.skip(&committed, index, SkipReason::Filtered);
            return None;
        }
        if !late || self.filter.include_late {
            return Some(Drafted::Event { committed, index, late });
        }
        self.skip(&committed, index, SkipReason::Late);
        let event = RoomEvent::of(&committed, index)?.late_if(late);
        // Late state that holds its slot is more than a late event of the timeline.
        let (kind, state_key) = pdu.state_slot()?;
        let (room, state_key) = (Room::new(pdu.room_id.clone()), Some(state_key.to_owned()));
        let event = Some(event);
        Some(StreamItem::Resolved(StateResolved { room, kind, state_key, event }).into())
    }

    fn skip(&mut self, committed: &Committed, index: usize, reason: SkipReason) {
        if let Some(room) = room_of(committed) {
            self.skips.note(room, committed.sequence(index), reason);
        }
    }

    /// The event of an item, from anywhere in the log.
    async fn fetch(&self, room: &RoomId, at: EventAt) -> Result<Option<RoomEvent>, Fault> {
        let found = unless_absent(self.app.models.event_at(room, at).await)?.flatten();
        Ok(found.and_then(|event| RoomEvent::of_timeline(&event)))
    }
}
