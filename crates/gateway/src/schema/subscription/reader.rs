//! Reads the stream, chunk by chunk.
//!
//! **Invariant:** a chunk holds its end, and the next one begins right there. So each item is
//! delivered exactly once, also over a reconnect.
//! **Invariant:** a client always has a position to resume from: it gets one at once if it began
//! without one.
//! **Invariant:** nothing is queued: the next chunk is read when the socket asks for it.
//! **Invariant:** missing commits are read from the log in separate tasks, a small piece in each
//! turn of the user ([`rookery_delivery::Feeds::catching_up`]). So a socket that does not read delays nobody else.

mod told;

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use async_graphql::{Context, Result};
use rookery_delivery::{CommitPage, Delivery, FollowError, NextDelivery, OwedCounts, Subscription};
use rookery_domain::{Filter, OwnedRoomId, OwnedUserId};
use rookery_graphql_edge::{Bookmark, Untaken};
use rookery_log::Position;
use rookery_projection::Committed;
use rookery_schema::{
    context::{App, app, session},
    types::{errors::fault::Fault, values::scalars::PositionScalar},
};
use tokio::time::{Sleep, sleep, sleep_until};

use super::{
    EventChunk, calls,
    counts::{self, CountsChanged},
    draft::{Draft, Drafted, Present},
    skipped::Skips,
    space::ChunkSpace,
};
use crate::{schema::subscription::ephemeral::News, sharing::resume_point};

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
    let items = reader.page(page, &mut ChunkSpace::default()).await?;
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
    pub(super) subscription: Subscription,
    filter: Arc<Filter>,
    pub(super) skips: Skips,
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

    /// A reader of what is in the log alone, for a consumer: it belongs to the user, and to no device.
    pub(super) fn of_consumer(
        app: &Arc<App>,
        subscription: Subscription,
        (user, filter, untaken): (&OwnedUserId, &Arc<Filter>, &Untaken),
    ) -> Self {
        let begun = subscription.position();
        Self {
            app: Arc::clone(app),
            user: user.clone(),
            device: None,
            subscription,
            filter: Arc::clone(filter),
            skips: Skips::default(),
            news: None,
            counts: None,
            begun,
            bookmark: Bookmark::default(),
            untaken: untaken.clone(),
            told: Some(begun),
            pause: None,
        }
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
            // Counts differ for each user. They follow in a chunk of their own, so that this one is
            // equal for many. A stream that resumes in between owes them: see `look_back`.
            if !items.is_empty() || self.skips.is_full() {
                return Ok(Step::Told(self.draft(items, Present::default())));
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
        let items = self.page(page, &mut ChunkSpace::default()).await?;
        // A client that resumes from here has the counts of these items, however old they are.
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
    pub(super) fn position(&self) -> Position {
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

    /// The items of a page, up to the commit that fills the chunk.
    pub(super) async fn page(
        &mut self,
        mut page: CommitPage,
        space: &mut ChunkSpace,
    ) -> Result<Vec<Drafted>, Fault> {
        let mut items = Vec::new();
        while !space.is_full(&self.skips)
            && let Some(delivery) = self.subscription.take(&mut page)
        {
            let told = self.items(&delivery).await?;
            space.take(&told, &delivery.committed);
            items.extend(told);
        }
        Ok(items)
    }

    pub(super) async fn items(&mut self, delivery: &Delivery) -> Result<Vec<Drafted>, Fault> {
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
    app.feeds.catching_up().run(user, work(state)).await
}

fn room_of(committed: &Committed) -> Option<OwnedRoomId> {
    let (_, room) = committed.stream.split()?;
    room.try_into().ok()
}

pub(super) fn fault(error: &FollowError) -> Fault {
    match error {
        FollowError::Unknown { .. } => Fault::position_unknown(),
        FollowError::Log(error) => Fault::unavailable(&error.to_string()),
        FollowError::Closed => Fault::unavailable("the server stops"),
    }
}
