//! The event stream: everything that concerns one user, in the order of the log.
//!
//! **Invariant:** a chunk says where it ends, and the next one begins right there: over a cut and a
//! resume, each item is delivered exactly once.
//! **Invariant:** nothing is queued: the next chunk is read when the socket asks for it.

mod skipped;

use std::sync::Arc;

use async_graphql::{
    ComplexObject, Context, Enum, Object, Result, SimpleObject, Subscription, Union,
};
use futures_util::Stream;
use rookery_domain::{
    AccountEvent, Deliver, Fact, Filter, Origin, OwnedRoomId, OwnedUserId, Pdu, RoomId,
};
use rookery_log::{Position, StreamId, StreamKind};
use rookery_query::{
    ClosedRoom, Closing, Committed, EventAt, Feed, FeedItem, FollowError, Follower, Skipped,
};

use self::skipped::{SkipReason, SkippedEvents, Skips};
use super::{
    account_items::{DeviceAdded, DeviceRemoved, ReceiptMoved},
    context::{App, app, session, unless_absent},
    ephemeral::{EphemeralItem, News},
    event::RoomEvent,
    face::Moment,
    fault::Fault,
    filter::{FilterInput, chosen},
    mutation::SCREEN_DEFAULT,
    room::Room,
    scalars::{CursorScalar, EventIdScalar, PositionScalar, RoomIdScalar},
    timeline::{self, TimelineArguments, TimelineConnection},
    user::User,
};

/// Commits that one chunk of a stream is read from, at most.
const CHUNK_COMMITS_MAX: usize = 256;

/// Items after which a chunk ends with the commit that holds them.
const CHUNK_ITEMS_MAX: usize = 256;

/// One thing that you are told of.
#[derive(Clone, Union)]
pub(crate) enum StreamItem {
    /// Something happened in a room of yours.
    Event(RoomEvent),
    /// The servers of a room have agreed on its state anew.
    Resolved(StateResolved),
    /// You have joined a room.
    Opened(RoomOpened),
    /// A room is closed to you.
    Closed(RoomClosed),
    /// You are invited.
    Invited(Invited),
    /// Your profile has changed.
    Profile(ProfileChanged),
    /// Somebody has read a room further.
    Receipt(ReceiptMoved),
    /// You have logged in on a new device.
    DeviceAdded(DeviceAdded),
    /// A device of yours is gone.
    DeviceRemoved(DeviceRemoved),
}

/// A slot of a room's state is held by another event from now on, or by none, though that event is
/// not told now: events of several servers met, and the rules of the room decided; or it arrived
/// late, and you did not ask for such events.
#[derive(Clone, SimpleObject)]
pub(crate) struct StateResolved {
    /// The room.
    room: Room,
    /// The type of the state.
    #[graphql(name = "type")]
    kind: String,
    /// Which of the states of this type it is.
    state_key: String,
    /// The event that holds it now. Null if none does: the room is as if it had never been set.
    event: Option<RoomEvent>,
}

/// You have joined a room: on this device, or on another one.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct RoomOpened {
    /// The room, as it was when you joined: what changed since comes on this stream.
    room: Room,
    /// The number of the event by which it was opened. Every number from it on is that of an event
    /// that you are told, or of one that is `skipped`, until the room is closed.
    sequence: i64,
    /// Scroll back from here: everything before it is in the timeline, everything after it is on
    /// this stream.
    cursor: CursorScalar,
}

#[ComplexObject]
impl RoomOpened {
    /// Enough of the room for a screen: the last events before `cursor`, of those that the filter
    /// lets pass.
    async fn messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 if you do not say.")] last: Option<i32>,
    ) -> Result<TimelineConnection> {
        let before = Some(self.cursor.clone());
        let arguments = TimelineArguments { before, ..TimelineArguments::last(last) };
        timeline::page(context, &self.room, arguments).await
    }
}

/// How a room was closed to you.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Closing")]
pub(crate) enum ClosingReason {
    /// You left.
    Left,
    /// Somebody removed you.
    Kicked,
    /// Somebody banned you.
    Banned,
    /// You declined the invite, or took back the request to be let in.
    Declined,
    /// Somebody took back the invite, or refused the request.
    Withdrawn,
    /// The servers of the room have agreed that you had no right to be in it.
    Resolved,
}

/// You see nothing more of a room.
#[derive(Clone, SimpleObject)]
pub(crate) struct RoomClosed {
    /// The room.
    room_id: RoomIdScalar,
    /// How it came about.
    reason: ClosingReason,
    /// The event that says so, or by whose arrival it came about.
    event_id: EventIdScalar,
    /// Who sent it.
    by: User,
}

impl RoomClosed {
    /// Reads the events by which rooms were closed: all of them at once.
    pub(crate) async fn read(context: &Context<'_>, closed: &[ClosedRoom]) -> Result<Vec<Self>> {
        let viewer = session(context).viewer()?;
        let positions = closed.iter().map(|closed| closed.change.position).collect();
        let commits = app(context).models.commits(positions).await;
        let commits = commits.map_err(|error| Fault::unavailable(&error.to_string()))?;
        let read = |closed: &ClosedRoom| {
            let committed = commits.get(&closed.change.position)?;
            let index = closed.change.sequence.checked_sub(committed.first_sequence)?;
            let pdu = &committed.room_event(usize::try_from(index).ok()?)?.pdu;
            let by_self = pdu.sender == viewer;
            let how = Closing::of(closed.before, closed.change.membership, by_self)?;
            Some(Self::new(pdu, how))
        };
        Ok(closed.iter().filter_map(read).collect())
    }

    fn new(pdu: &Pdu, how: Closing) -> Self {
        Self {
            room_id: RoomIdScalar(pdu.room_id.clone()),
            reason: how.into(),
            event_id: EventIdScalar(pdu.event_id.clone()),
            by: User::in_room(pdu.sender.clone(), pdu.room_id.clone()),
        }
    }
}

/// You are invited to a room.
#[derive(Clone, SimpleObject)]
pub(crate) struct Invited {
    /// The room, as far as it is shown to those who are invited.
    room: Room,
    /// Who invites you.
    inviter: User,
    /// The invite.
    event: RoomEvent,
}

/// Your profile has changed, on this device or on another one.
#[derive(Clone, SimpleObject)]
pub(crate) struct ProfileChanged {
    /// You.
    user: User,
}

/// What happened between two positions, as far as it is for you.
pub(crate) struct EventChunk {
    items: Vec<StreamItem>,
    skipped: Vec<SkippedEvents>,
    ephemeral: Vec<EphemeralItem>,
    position: PositionScalar,
}

/// What happened between two positions, as far as it is for you.
#[Object]
impl EventChunk {
    /// What happened, in order. It may be empty.
    async fn events(&self) -> &[StreamItem] {
        &self.items
    }

    /// Which events of your rooms are left out of `events`, and why. With these, the sequence
    /// numbers of a room are 1, 2, 3 ... without a hole for as long as you are in it.
    async fn skipped(&self) -> &[SkippedEvents] {
        &self.skipped
    }

    /// Who types and who is there, as of now: what has changed since the chunk before. The first one
    /// that has any tells all that holds; what it does not name is not so: there nobody types, and
    /// who shares a room with you and is not named is offline (of more than 500 who are there, some
    /// are left out). A chunk may have nothing else.
    async fn ephemeral(&self) -> &[EphemeralItem] {
        &self.ephemeral
    }

    /// Resume from here.
    async fn position(&self) -> &PositionScalar {
        &self.position
    }
}

/// Subscriptions.
pub struct Subscription;

/// What you can follow.
#[Subscription]
impl Subscription {
    /// Everything that happens to you and in your rooms, from `after` on: what you missed first,
    /// then what happens, with no gap and no repeat in between.
    async fn event_stream(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "From where to go on; from now on if you say nothing.")] after: Option<
            PositionScalar,
        >,
        #[graphql(desc = "Which events. Openings, closings and invites are always told.")]
        filter: Option<FilterInput>,
        #[graphql(desc = "The same as a stored filter, in place of `filter`.")] filter_id: Option<
            String,
        >,
    ) -> Result<impl Stream<Item = Result<EventChunk>> + use<>> {
        // Memberships are folded from `after` on, so the models have to be there first.
        app(context).fresh(session(context), after.as_ref()).await?;
        let filter = chosen(context, filter, filter_id).await?;
        let reader = Reader::open(context, after.as_ref(), filter)?;
        Ok(futures_util::stream::try_unfold(reader, |mut reader| async move {
            let chunk = reader.next_chunk().await?;
            Ok(chunk.map(|chunk| (chunk, reader)))
        }))
    }
}

/// The chunk after a position, for clients that poll.
pub(crate) async fn poll(
    context: &Context<'_>,
    after: &PositionScalar,
    filter: Option<Arc<Filter>>,
    limit: usize,
) -> Result<EventChunk> {
    let (app, session) = (app(context), session(context));
    app.ephemeral.polled(session.viewer()?, session.device_id()?);
    let mut reader = Reader::open(context, Some(after), filter)?;
    let items = reader.read(limit).await?;
    // To a poll everything is news.
    let ephemeral = reader.ephemeral();
    Ok(reader.chunk(items, ephemeral))
}

/// One reader of the stream.
struct Reader {
    app: Arc<App>,
    user: OwnedUserId,
    device: Option<String>,
    follower: Follower,
    feed: Feed,
    filter: Arc<Filter>,
    skips: Skips,
    /// Typing and presence, if they are asked for.
    news: Option<News>,
    position: Position,
}

impl Reader {
    fn open(
        context: &Context<'_>,
        after: Option<&PositionScalar>,
        filter: Option<Arc<Filter>>,
    ) -> Result<Self, Fault> {
        let app = Arc::clone(app(context));
        let user = session(context).viewer()?.to_owned();
        let device = session(context).device_id().ok().map(ToOwned::to_owned);
        let asked = after.map(|after| app.position(after)).transpose()?;
        let (position, feed) = {
            let view = app.models.view();
            let position = asked.unwrap_or(view.position());
            let memberships = view.memberships_of(&user).map(|(room, _)| {
                let stream = StreamId::new(StreamKind::Room, room.as_str());
                (stream, view.membership_at(room, &user, position))
            });
            (position, Feed::new(&user, memberships))
        };
        let follower = app.models.follower();
        let (filter, skips) = (filter.unwrap_or_default(), Skips::default());
        let news = News::open(context, &user, &filter);
        Ok(Self { app, user, device, follower, feed, filter, skips, news, position })
    }

    /// The next chunk with something in it; none when the server stops.
    async fn next_chunk(&mut self) -> Result<Option<EventChunk>, Fault> {
        loop {
            let items = self.read(CHUNK_COMMITS_MAX).await?;
            let ephemeral = self.ephemeral();
            if !items.is_empty() || !ephemeral.is_empty() || self.skips.is_full() {
                return Ok(Some(self.chunk(items, ephemeral)));
            }
            let news = async {
                match &self.news {
                    Some(news) => news.changed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                more = self.follower.wait(self.position) => match more {
                    Ok(_) => {}
                    Err(FollowError::Closed) => return Ok(None),
                    Err(error) => return Err(fault(&error)),
                },
                () = news => {}
            }
        }
    }

    fn chunk(&mut self, items: Vec<StreamItem>, ephemeral: Vec<EphemeralItem>) -> EventChunk {
        let (skipped, position) = (self.skips.take(), self.app.token(self.position));
        EventChunk { items, skipped, ephemeral, position }
    }

    /// Typing and presence. Who is still catching up is told afterwards: what is true now belongs
    /// to the end.
    fn ephemeral(&mut self) -> Vec<EphemeralItem> {
        let caught_up = self.position >= self.follower.checkpoint();
        let news = self.news.as_mut().filter(|_| caught_up);
        news.map(|news| news.take(&self.app, &self.user, &self.filter)).unwrap_or_default()
    }

    /// What is there after the position, from at most `limit` commits.
    async fn read(&mut self, limit: usize) -> Result<Vec<StreamItem>, Fault> {
        let batch = self.follower.next(self.position, limit).await.map_err(|e| fault(&e))?;
        let mut items = Vec::new();
        for committed in &batch.commits {
            let taken = self.feed.take(committed, &self.app.models);
            for item in taken.map_err(|error| Fault::internal(&error.to_string()))? {
                items.extend(self.item(item).await?);
            }
            self.position = committed.position;
            if items.len() >= CHUNK_ITEMS_MAX || self.skips.is_full() {
                break;
            }
        }
        Ok(items)
    }

    /// Whether the event went to this very device with the answer to its join, and there alone.
    fn is_in_the_answer(&self, committed: &Committed, index: usize) -> bool {
        let Some(event) = committed.room_event(index) else { return false };
        let Origin::Local { device, deliver: Some(Deliver::Response), .. } = &event.envelope.origin
        else {
            return false;
        };
        event.pdu.sender == self.user && device.is_some() && *device == self.device
    }

    async fn item(&mut self, item: FeedItem) -> Result<Option<StreamItem>, Fault> {
        Ok(match item {
            FeedItem::Event { committed, index, late } => self.event(&committed, index, late),
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
                let room = Room::new(room);
                Some(StreamItem::Resolved(StateResolved { room, kind, state_key, event }))
            }
            FeedItem::Opened { committed, index } => self.opened(&committed, index),
            FeedItem::Closed { how, by, .. } => Some(StreamItem::Closed(RoomClosed::new(&by, how))),
            FeedItem::Invited { committed, invite, .. } => {
                let Some(room) = room_of(&committed) else { return Ok(None) };
                let Some(event) = self.fetch(&room, invite).await? else { return Ok(None) };
                let inviter = User::in_room(event.sender_id().to_owned(), room.clone());
                Some(StreamItem::Invited(Invited { room: Room::new(room), inviter, event }))
            }
            FeedItem::ProfileChanged { .. } => {
                Some(StreamItem::Profile(ProfileChanged { user: User::new(self.user.clone()) }))
            }
            FeedItem::ReceiptMoved { committed, index } => {
                let wanted = |it: &ReceiptMoved| it.is_wanted(&self.filter);
                ReceiptMoved::of(&committed, index).filter(wanted).map(StreamItem::Receipt)
            }
            FeedItem::DevicesChanged { committed, index } => device_item(&committed, index),
        })
    }

    /// A room that the user has joined, unless the answer to the join says it to this device.
    fn opened(&self, committed: &Committed, index: usize) -> Option<StreamItem> {
        if self.is_in_the_answer(committed, index) {
            return None;
        }
        let (limit, filter) = (Some(SCREEN_DEFAULT), Some(Arc::clone(&self.filter)));
        let moment = Moment::new(committed.position, filter, limit);
        let cursor = RoomEvent::of(committed, index)?.cursor_in(&self.app);
        let room = Room::as_it_was(room_of(committed)?, moment);
        let sequence = i64::try_from(committed.sequence(index)).unwrap_or(i64::MAX);
        Some(StreamItem::Opened(RoomOpened { room, sequence, cursor }))
    }

    /// An event, unless the client does not want it.
    fn event(&mut self, committed: &Committed, index: usize, late: bool) -> Option<StreamItem> {
        let pdu = &committed.room_event(index)?.pdu;
        if self.is_in_the_answer(committed, index) {
            self.skip(committed, index, SkipReason::Answered);
            return None;
        }
        if !self.filter.wants(pdu) {
            self.skip(committed, index, SkipReason::Filtered);
            return None;
        }
        let event = RoomEvent::of(committed, index)?.late_if(late);
        if !late || self.filter.include_late {
            return Some(StreamItem::Event(event));
        }
        self.skip(committed, index, SkipReason::Late);
        // Late state that holds its slot is no late news of the timeline alone.
        let (kind, state_key) = pdu.state_slot()?;
        let (room, state_key) = (Room::new(pdu.room_id.clone()), state_key.to_owned());
        let event = Some(event);
        Some(StreamItem::Resolved(StateResolved { room, kind, state_key, event }))
    }

    fn skip(&mut self, committed: &Committed, index: usize, reason: SkipReason) {
        if let Some(room) = room_of(committed) {
            self.skips.note(room, committed.sequence(index), reason);
        }
    }

    /// An event that an item names, wherever the log has it.
    async fn fetch(&self, room: &RoomId, at: EventAt) -> Result<Option<RoomEvent>, Fault> {
        let found = unless_absent(self.app.models.event_at(room, at).await)?.flatten();
        Ok(found.and_then(|event| RoomEvent::of_timeline(&event)))
    }
}

fn device_item(committed: &Committed, index: usize) -> Option<StreamItem> {
    match committed.facts.get(index)? {
        Ok(Fact::Account(AccountEvent::DeviceAdded { device_id, name })) => {
            let (device_id, name) = (device_id.clone(), name.clone());
            Some(StreamItem::DeviceAdded(DeviceAdded { device_id, name }))
        }
        Ok(Fact::Account(AccountEvent::DeviceRemoved { device_id })) => {
            Some(StreamItem::DeviceRemoved(DeviceRemoved { device_id: device_id.clone() }))
        }
        _ => None,
    }
}

impl From<Skipped> for SkipReason {
    fn from(why: Skipped) -> Self {
        match why {
            Skipped::Hidden => Self::Hidden,
            Skipped::Superseded => Self::Superseded,
        }
    }
}

fn room_of(committed: &Committed) -> Option<OwnedRoomId> {
    let (_, room) = committed.stream.split()?;
    room.try_into().ok()
}

fn fault(error: &FollowError) -> Fault {
    match error {
        FollowError::Unknown { .. } => Fault::position_unknown(),
        FollowError::Log(error) => Fault::unavailable(&error.to_string()),
        FollowError::Closed => Fault::unavailable("the server stops"),
    }
}
