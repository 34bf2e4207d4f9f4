//! The event stream: everything that concerns one user, in the order of the log.
//!
//! **Invariant:** a chunk says where it ends, and the next one begins right there: over a cut and a
//! resume, each item is delivered exactly once.
//! **Invariant:** nothing is queued: the next chunk is read when the socket asks for it.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result, SimpleObject, Subscription, Union};
use futures_util::Stream;
use rookery_domain::{AccountEvent, Fact, Filter, OwnedRoomId, OwnedUserId};
use rookery_log::{Position, StreamId, StreamKind};
use rookery_query::{Closing, Committed, Feed, FeedItem, FollowError, Follower};

use super::{
    account_items::{DeviceAdded, DeviceRemoved, ReceiptMoved},
    context::{App, app, session},
    event::RoomEvent,
    fault::Fault,
    filter::{FilterInput, chosen},
    room::Room,
    scalars::{CursorScalar, EventIdScalar, PositionScalar, RoomIdScalar},
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

/// You have joined a room: on this device, or on another one.
#[derive(Clone, SimpleObject)]
pub(crate) struct RoomOpened {
    /// The room.
    room: Room,
    /// Scroll back from here: everything before it is in the timeline, everything after it is on
    /// this stream.
    cursor: Option<CursorScalar>,
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
}

/// You see nothing more of a room.
#[derive(Clone, SimpleObject)]
pub(crate) struct RoomClosed {
    /// The room.
    room_id: RoomIdScalar,
    /// How it came about.
    reason: ClosingReason,
    /// The event that says so.
    event_id: EventIdScalar,
    /// Who did it.
    by: User,
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
    position: PositionScalar,
}

/// What happened between two positions, as far as it is for you.
#[Object]
impl EventChunk {
    /// What happened, in order. It may be empty.
    async fn events(&self) -> &[StreamItem] {
        &self.items
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
    let mut reader = Reader::open(context, Some(after), filter)?;
    Ok(reader.read(limit).await?)
}

/// One reader of the stream.
struct Reader {
    app: Arc<App>,
    user: OwnedUserId,
    follower: Follower,
    feed: Feed,
    filter: Arc<Filter>,
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
        let filter = filter.unwrap_or_default();
        Ok(Self { app, user, follower, feed, filter, position })
    }

    /// The next chunk with something in it; none when the server stops.
    async fn next_chunk(&mut self) -> Result<Option<EventChunk>, Fault> {
        loop {
            let chunk = self.read(CHUNK_COMMITS_MAX).await?;
            if !chunk.items.is_empty() {
                return Ok(Some(chunk));
            }
            match self.follower.wait(self.position).await {
                Ok(_) => {}
                Err(FollowError::Closed) => return Ok(None),
                Err(error) => return Err(fault(&error)),
            }
        }
    }

    /// What is there after the position, from at most `limit` commits.
    async fn read(&mut self, limit: usize) -> Result<EventChunk, Fault> {
        let batch = self.follower.next(self.position, limit).await.map_err(|e| fault(&e))?;
        let mut items = Vec::new();
        for committed in &batch.commits {
            let taken = self.feed.take(committed);
            items.extend(taken.into_iter().filter_map(|item| self.item(item)));
            self.position = committed.position;
            if items.len() >= CHUNK_ITEMS_MAX {
                break;
            }
        }
        Ok(EventChunk { items, position: self.app.token(self.position) })
    }

    fn item(&self, item: FeedItem) -> Option<StreamItem> {
        Some(match item {
            FeedItem::Event { committed, index } => {
                let wanted = self.filter.wants(&committed.room_event(index)?.pdu);
                StreamItem::Event(RoomEvent::of(&committed, index).filter(|_| wanted)?)
            }
            FeedItem::Opened { committed, index } => StreamItem::Opened(RoomOpened {
                cursor: Some(RoomEvent::of(&committed, index)?.cursor_in(&self.app)),
                room: Room::new(room_of(&committed)?),
            }),
            FeedItem::Closed { committed, index, how } => {
                let pdu = &committed.room_event(index)?.pdu;
                StreamItem::Closed(RoomClosed {
                    room_id: RoomIdScalar(pdu.room_id.clone()),
                    reason: how.into(),
                    event_id: EventIdScalar(pdu.event_id.clone()),
                    by: User::in_room(pdu.sender.clone(), pdu.room_id.clone()),
                })
            }
            FeedItem::Invited { committed, index } => {
                let event = RoomEvent::of(&committed, index)?;
                let room = room_of(&committed)?;
                let sender = committed.room_event(index)?.pdu.sender.clone();
                let inviter = User::in_room(sender, room.clone());
                StreamItem::Invited(Invited { room: Room::new(room), inviter, event })
            }
            FeedItem::ProfileChanged { .. } => {
                StreamItem::Profile(ProfileChanged { user: User::new(self.user.clone()) })
            }
            FeedItem::ReceiptMoved { committed, index } => {
                StreamItem::Receipt(ReceiptMoved::of(&committed, index)?)
            }
            FeedItem::DevicesChanged { committed, index } => match committed.facts.get(index)? {
                Ok(Fact::Account(AccountEvent::DeviceAdded { device_id, name })) => {
                    let (device_id, name) = (device_id.clone(), name.clone());
                    StreamItem::DeviceAdded(DeviceAdded { device_id, name })
                }
                Ok(Fact::Account(AccountEvent::DeviceRemoved { device_id })) => {
                    StreamItem::DeviceRemoved(DeviceRemoved { device_id: device_id.clone() })
                }
                _ => return None,
            },
        })
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
