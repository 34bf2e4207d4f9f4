//! Reads the stream, chunk by chunk.
//!
//! **Invariant:** a chunk holds its end, and the next one begins right there. So each item is
//! delivered exactly once, also over a reconnect.
//! **Invariant:** a client always has a position to resume from: it gets one at once if it began
//! without one.
//! **Invariant:** nothing is queued: the next chunk is read when the socket asks for it.
//! **Invariant:** missing commits are read from the log in separate tasks, a small piece in each
//! turn of the user ([`App::catching_up`]). So a socket that does not read delays nobody else.

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use async_graphql::{Context, Result};
use rookery_delivery::{
    CommitPage, Delivery, FeedItem, FollowError, NextDelivery, OwedCounts, Subscription,
};
use rookery_domain::{Deliver, Filter, Origin, OwnedRoomId, OwnedUserId, RoomId};
use rookery_graphql_edge::{Bookmark, Untaken};
use rookery_log::Position;
use rookery_projection::Committed;
use rookery_schema::{
    context::{App, app, session, unless_absent},
    types::{
        errors::fault::Fault,
        events::event::RoomEvent,
        rooms::{closed::RoomClosed, room::Room},
        users::{account_items::ReceiptMoved, user::User},
        values::scalars::{Long, PositionScalar},
    },
};
use rookery_view::{EventAt, Moment};
use tokio::time::{Sleep, sleep, sleep_until};

use super::{
    EventChunk, calls,
    counts::{self, CountsChanged},
    draft::{Draft, Drafted, Present},
    items::{
        Invited, ProfileChanged, RoomOpened, StateResolved, StreamItem, device_item,
        preferences_item,
    },
    skipped::{SkipReason, Skips},
};
use crate::{
    schema::{mutation::SCREEN_DEFAULT, subscription::ephemeral::News},
    sharing::resume_point,
};

/// A chunk ends with the commit in which it reaches this many items.
const CHUNK_ITEMS_MAX: usize = 256;

/// A chunk also ends when its commits with items reach this many bytes. The end of a chunk follows
/// from its begin and its items, so readers of the same items get the same chunks.
const CHUNK_BYTES_MAX: usize = 256 * 1024;

/// The chunk after a position, for polling.
pub(crate) async fn poll(
    context: &Context<'_>,
    after: &PositionScalar,
    filter: Option<Arc<Filter>>,
    limit: usize,
) -> Result<EventChunk> {
    let (app, session) = (app(context), session(context));
    app.ephemeral.polled(session.viewer()?, session.device_id()?);
    let mut reader = Reader::open(context, Some(after), filter)?;
    let page = reader.subscription.poll(limit).await.map_err(|error| fault(&error))?;
    let items = reader.page(page).await?;
    // A poll gets the whole ephemeral state. A client that has not reached the end gets it later.
    let caught_up = reader.subscription.position() >= reader.app.models.view().position();
    let present = reader.present(caught_up);
    let draft = reader.draft(items, present);
    Ok(draft.chunk(&reader.app))
}

/// One reader of the stream.
pub(crate) struct Reader {
    app: Arc<App>,
    user: OwnedUserId,
    device: Option<String>,
    subscription: Subscription,
    filter: Arc<Filter>,
    skips: Skips,
    /// Typing, presence and signals of calls, if they are requested.
    news: Option<News>,
    /// Unread counts, if they are requested.
    counts: Option<Box<OwedCounts>>,
    /// The position that the client began with. Commits up to there only say which counts it may lack.
    begun: Position,
    /// Reports the progress to the socket.
    bookmark: Bookmark,
    /// Places for chunks that were read from the log and not taken by the socket.
    untaken: Untaken,
    /// The position that the client has; `None` if it began without one and has got none.
    told: Option<Position>,
    /// The time for a chunk with only a position. Set once the reader waits.
    pause: Option<Pin<Box<Sleep>>>,
}

/// How long a stream is quiet before the client gets a new position, if that has moved.
const PAUSE: Duration = Duration::from_secs(30);

/// The next step of a stream.
pub(crate) enum Step {
    /// Send this chunk.
    Told(Draft),
    /// Read missing commits: see [`Reader::catch_up`].
    Behind,
    /// End: the server stops.
    Over,
}

/// The result of a piece of the log.
pub(crate) enum Piece<T> {
    /// This result.
    Told(T),
    /// Nothing for the user; there may be more.
    Nothing,
    /// Nothing: the models have no more commits.
    End,
    /// The server stops.
    Over,
}

impl Reader {
    pub(super) fn open(
        context: &Context<'_>,
        after: Option<&PositionScalar>,
        filter: Option<Arc<Filter>>,
    ) -> Result<Self, Fault> {
        let app = Arc::clone(app(context));
        let user = session(context).viewer()?.to_owned();
        let device = session(context).device_id().ok().map(ToOwned::to_owned);
        let subscription = match after.map(|after| app.position(after)).transpose()? {
            Some(after) => app.feeds.subscribe_after(&user, after),
            None => app.feeds.subscribe(&user),
        };
        let bookmark = context.data_opt::<Bookmark>().cloned().unwrap_or_default();
        bookmark.set(resume_point(subscription.position()));
        let untaken = context.data_opt::<Untaken>().cloned().unwrap_or_default();
        let (filter, skips) = (filter.unwrap_or_default(), Skips::default());
        let news = News::open(context, (&user, device.as_deref()), &filter);
        let counts = counts::open(context, &user, &filter);
        let (begun, pause) = (subscription.position(), None);
        let told = after.map(|_| begun);
        Ok(Self {
            app,
            user,
            device,
            subscription,
            filter,
            skips,
            news,
            counts,
            begun,
            bookmark,
            untaken,
            told,
            pause,
        })
    }

    /// Finds the counts that an earlier stream of a resuming client may have owed.
    pub(super) async fn looking_back(mut self) -> Result<Self, Fault> {
        if self.counts.is_some() && self.told.is_some() {
            let begin = self.app.feeds.look_back(self.begun).await;
            let begin = begin.map_err(|error| Fault::unavailable(&error.to_string()))?;
            self.subscription = self.app.feeds.subscribe_after(&self.user, begin);
        }
        Ok(self)
    }

    /// The next chunk with an item, and the reader for the later ones; `None` when the server
    /// stops.
    pub(super) async fn next_chunk(
        mut self: Box<Self>,
    ) -> Result<Option<(EventChunk, Box<Self>)>, Fault> {
        let chunk = loop {
            match self.follow().await? {
                Step::Told(draft) => break draft.chunk(&self.app),
                Step::Over => return Ok(None),
                Step::Behind => {}
            }
            let (reader, piece) = in_turn(
                self,
                |reader| reader,
                |mut reader| async move {
                    let draft = reader.catch_up().await;
                    let piece = draft.map(|piece| piece.map(|draft| draft.chunk(&reader.app)));
                    (reader, piece)
                },
            )
            .await;
            self = reader;
            match piece? {
                Piece::Told(chunk) => break chunk,
                Piece::Nothing => {}
                Piece::End => self.arrived().await,
                Piece::Over => return Ok(None),
            }
        };
        self.bookmark.set(resume_point(self.position()));
        Ok(Some((chunk, self)))
    }

    /// Follows live events until there is an item, or missing commits to read.
    pub(crate) async fn follow(&mut self) -> Result<Step, Fault> {
        loop {
            // Typing and presence come last, because the present state belongs to the end.
            let caught_up = self.subscription.is_caught_up();
            let present = self.present(caught_up);
            // A client that began without a position gets one here, so that it can resume before
            // the first item.
            if !present.is_empty() || self.told.is_none() {
                return Ok(Step::Told(self.draft(Vec::new(), present)));
            }
            if self.subscription.is_behind() {
                return Ok(Step::Behind);
            }
            let news = async {
                match &self.news {
                    Some(news) if caught_up => news.changed().await,
                    _ => std::future::pending().await,
                }
            };
            let due = self.counts.as_ref().and_then(|counts| counts.due(Instant::now()));
            let counts = async {
                match due {
                    Some(due) => sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(PAUSE)));
            let turn = tokio::select! {
                // A commit that is ready needs no check of the clock.
                biased;
                turn = self.subscription.turn() => turn,
                () = news => continue,
                () = counts => continue,
                () = pause => {
                    self.pause = None;
                    if Some(self.subscription.pass_over()) > self.told {
                        return Ok(Step::Told(self.draft(Vec::new(), Present::default())));
                    }
                    continue;
                }
            };
            let items = match turn {
                Ok(NextDelivery::Live(delivery)) => self.items(&delivery).await?,
                Ok(NextDelivery::Behind(_)) => continue,
                Err(FollowError::Closed) => return Ok(Step::Over),
                Err(error) => return Err(fault(&error)),
            };
            let present = self.present(false);
            if !items.is_empty() || self.skips.is_full() || !present.is_empty() {
                return Ok(Step::Told(self.draft(items, present)));
            }
        }
    }

    /// Reads one piece of the missing commits. Call it only in turn: see [`in_turn`].
    pub(crate) async fn catch_up(&mut self) -> Result<Piece<Draft>, Fault> {
        let page = match self.subscription.piece().await {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(Piece::End),
            Err(FollowError::Closed) => return Ok(Piece::Over),
            Err(error) => return Err(fault(&error)),
        };
        let items = self.page(page).await?;
        let present = self.present(false);
        if items.is_empty() && !self.skips.is_full() && present.is_empty() {
            return Ok(Piece::Nothing);
        }
        Ok(Piece::Told(self.draft(items, present)))
    }

    /// Waits until there is more after the [`End`](Piece::End), or the server stops.
    pub(crate) async fn arrived(&self) {
        // The next piece reports why there is no more.
        let _: Result<(), FollowError> = self.subscription.arrived().await;
    }

    fn draft(&mut self, items: Vec<Drafted>, present: Present) -> Draft {
        let (position, skipped) = (self.position(), self.skips.take());
        self.told = Some(position);
        Draft { items, skipped, ephemeral: present.ephemeral, counts: present.counts, position }
    }

    /// The position up to which the client has everything.
    fn position(&self) -> Position {
        self.subscription.position().max(self.begun)
    }

    /// The changes of the present state; typing and presence only at the end of the stream.
    fn present(&mut self, caught_up: bool) -> Present {
        let news = self.news.as_mut().filter(|_| caught_up);
        let ephemeral = news.map(|news| news.take(&self.app, &self.user, &self.filter));
        let take = |counts: &mut Box<OwedCounts>| {
            let now = Instant::now();
            // Most of the time nothing is due, and the models stay unlocked.
            let is_due = counts.due(now).is_some_and(|due| due <= now);
            let owed = is_due.then(|| counts.take(&self.app.models.view(), now));
            owed.into_iter().flatten().map(CountsChanged::from).collect()
        };
        let counts = self.counts.as_mut().map(take);
        Present { ephemeral: ephemeral.unwrap_or_default(), counts: counts.unwrap_or_default() }
    }

    /// The items of a page, up to the commit that fills a chunk.
    async fn page(&mut self, mut page: CommitPage) -> Result<Vec<Drafted>, Fault> {
        let (mut items, mut len_bytes) = (Vec::new(), 0);
        while let Some(delivery) = self.subscription.take(&mut page) {
            let told = self.items(&delivery).await?;
            if !told.is_empty() {
                len_bytes += delivery.committed.len_bytes;
            }
            items.extend(told);
            let is_full = items.len() >= CHUNK_ITEMS_MAX || len_bytes >= CHUNK_BYTES_MAX;
            if is_full || self.skips.is_full() {
                break;
            }
        }
        Ok(items)
    }

    async fn items(&mut self, delivery: &Delivery) -> Result<Vec<Drafted>, Fault> {
        if let Some(counts) = &mut self.counts {
            counts.note(delivery);
        }
        if delivery.committed.position <= self.begun {
            return Ok(Vec::new());
        }
        let told = self.subscription.items(delivery);
        let mut items = Vec::new();
        for item in told.map_err(|error| Fault::internal(&error.to_string()))? {
            let called = calls::at(&item);
            items.extend(self.item(item).await?);
            if let Some((committed, index)) = called {
                items.extend(calls::changed(&self.app, &self.user, &committed, index).await?);
            }
        }
        Ok(items)
    }

    /// Whether this device got the event with the answer to its join, and only there.
    fn is_in_the_answer(&self, committed: &Committed, index: usize) -> bool {
        let Some(event) = committed.room_event(index) else { return false };
        let Origin::Local { device, deliver: Some(Deliver::Response), .. } = &event.envelope.origin
        else {
            return false;
        };
        event.pdu.sender == self.user && device.is_some() && *device == self.device
    }

    async fn item(&mut self, item: FeedItem) -> Result<Option<Drafted>, Fault> {
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
            FeedItem::DevicesChanged { committed, index } => device_item(&committed, index),
        };
        Ok(made.map(Drafted::from))
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

impl<T> Piece<T> {
    /// The same with another type.
    pub(crate) fn map<U>(self, told: impl FnOnce(T) -> U) -> Piece<U> {
        match self {
            Self::Told(it) => Piece::Told(told(it)),
            Self::Nothing => Piece::Nothing,
            Self::End => Piece::End,
            Self::Over => Piece::Over,
        }
    }
}

/// Runs `work` on `state` in the next turn of its reader's user, in a task of its own.
pub(crate) async fn in_turn<S, T, W>(
    state: Box<S>,
    reader: impl FnOnce(&S) -> &Reader,
    work: impl FnOnce(Box<S>) -> W,
) -> T
where
    S: Send + 'static,
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let of = reader(&state);
    let (app, user, untaken) = (Arc::clone(&of.app), of.user.clone(), of.untaken.clone());
    let _place = untaken.place().await;
    app.catching_up.run(user, work(state)).await
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
