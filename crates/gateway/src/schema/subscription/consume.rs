//! The stream of a consumer: batches that come again until they are acknowledged.
//!
//! **Invariant:** a batch is made outstanding before it is sent: durably, unless its end follows from the log.
//! **Invariant:** the record of the consumer decides what comes next. The stream looks at it before
//! each batch, so it follows acknowledgements, resets and another connection at once.
//! **Invariant:** commits are read in turns of the owner, as on the event stream, and long batches of one owner are made
//! one after the other.

mod chunk;
mod gathering;
mod open;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rookery_delivery::{
    Attachment, BatchPlace, ConsumerRecord, ConsumerTurn, Detached, FollowError, NextDelivery,
    OUTSTANDING_MAX, SendError,
};
use rookery_domain::OwnedEventId;
use rookery_log::{Millis, Position};
use rookery_schema::{
    context::{App, unless_absent},
    types::{
        errors::fault::Fault,
        events::{event::RoomEvent, typed::EventItem},
    },
};
use rookery_view::Viewer;
use tokio::time::sleep_until;

pub(super) use self::{chunk::ConsumerChunk, open::open};
use self::{
    chunk::Sent,
    gathering::{Gathering, Source},
};
use super::{
    items::StreamItem,
    reader::{Piece, fault, in_turn},
};

/// How long a consumer without events waits for a batch that only moves its position.
const PAUSE: Duration = Duration::from_secs(30);

/// A connection that consumes.
struct Consuming {
    app: Arc<App>,
    source: Source,
    attachment: Attachment,
    /// Most items of a batch.
    max: usize,
    /// The time of the request, and the moment of it.
    began: (Millis, Instant),
    incarnation: u64,
    /// The outstanding batches that were sent on this connection since the last silence.
    sent: Vec<BatchPlace>,
    /// When a batch was last sent or acknowledged.
    progress: Instant,
    gathering: Option<Box<Gathering>>,
    /// Whether the client knows that it has everything.
    is_told_caught_up: bool,
}

/// The next batch, or the reason to look at the record again.
enum Next {
    Batch(ConsumerChunk),
    Again,
    /// The server stops.
    Over,
}

impl Consuming {
    /// The next chunk; `None` when the server stops.
    async fn next_chunk(mut self: Box<Self>) -> Result<Option<(ConsumerChunk, Box<Self>)>, Fault> {
        loop {
            let next = match self.attachment.record() {
                Ok(record) => self.step(&record).await?,
                Err(Detached::TakenOver) if self.attachment.regain().await => Next::Again,
                Err(Detached::TakenOver) => return Err(Fault::consumer_taken_over()),
                Err(Detached::Deleted) => return Err(Fault::consumer_deleted()),
            };
            match next {
                Next::Batch(chunk) => {
                    self.progress = Instant::now();
                    self.is_told_caught_up = chunk.caught_up;
                    return Ok(Some((chunk, self)));
                }
                Next::Again => {}
                Next::Over => return Ok(None),
            }
        }
    }

    /// One step towards the next batch of a consumer with this record.
    async fn step(&mut self, record: &ConsumerRecord) -> Result<Next, Fault> {
        self.follow(record);
        let unsent = record.places().find(|(place, _)| !self.sent.contains(place));
        if let Some((place, _)) = unsent {
            return self.send_again(place).await;
        }
        if self.silence_ends().is_some_and(|end| end <= Instant::now()) {
            self.sent.clear();
            return Ok(Next::Again);
        }
        if record.batches.len() >= OUTSTANDING_MAX {
            let silence = self.silence_ends();
            tokio::select! {
                () = self.attachment.changed() => {}
                () = until(silence) => {}
            }
            return Ok(Next::Again);
        }
        if let Some(event) = record.next_retry() {
            return self.retry(event, record).await;
        }
        let gathering = self.gathering.take().unwrap_or_else(|| {
            let begin = record.next_begin();
            Box::new(Gathering::new(&self.app, &self.source, begin, self.max))
        });
        self.gather(gathering, record).await
    }

    /// Forgets what the record does not have any more.
    fn follow(&mut self, record: &ConsumerRecord) {
        if self.incarnation != record.incarnation {
            self.incarnation = record.incarnation;
            (self.sent, self.gathering) = (Vec::new(), None);
            self.is_told_caught_up = false;
        }
        let before = self.sent.len();
        self.sent.retain(|sent| record.places().any(|(place, _)| place == *sent));
        if self.sent.len() < before {
            self.progress = Instant::now();
        }
        let next = record.next_begin();
        self.gathering.take_if(|gathering| gathering.begin != next);
    }

    /// When the outstanding batches come again, unless one is acknowledged before.
    fn silence_ends(&self) -> Option<Instant> {
        let silence = self.app.consumers.silence();
        (!self.sent.is_empty()).then(|| self.progress + silence)
    }

    /// Sends an outstanding batch, as often as it takes.
    async fn send_again(&mut self, place: BatchPlace) -> Result<Next, Fault> {
        let sent = self.attachment.send_again(self.incarnation, &place).await;
        let (attempt, end) = match sent {
            Ok(sent) => sent,
            Err(SendError::Moved | SendError::Detached) => return Ok(Next::Again),
            Err(SendError::Fault(fault)) => return Err(Fault::unavailable(&fault.reason)),
        };
        let begin = match &place {
            BatchPlace::After(begin) => *begin,
            BatchPlace::Retry(_) => return self.send_retry(place, (attempt, end)).await,
        };
        let mut gathering = Box::new(Gathering::between(&self.app, &self.source, begin));
        while gathering.reader.position() < end {
            let (read, piece) = in_turn(
                gathering,
                |gathering| &gathering.reader,
                |mut gathering| async move {
                    let piece = gathering.read_to(end).await;
                    (gathering, piece)
                },
            )
            .await;
            gathering = read;
            match piece? {
                Piece::Told(()) | Piece::Nothing => {}
                Piece::End => gathering.reader.arrived().await,
                Piece::Over => return Ok(Next::Over),
            }
        }
        let caught_up = end >= self.app.models.view().position();
        let turn = self.turn(&gathering).await;
        let Some(record) = self.still_outstanding(&place) else { return Ok(Next::Again) };
        self.sent.push(place.clone());
        let sent = Sent { incarnation: self.incarnation, place, attempt, caught_up, turn };
        Ok(Next::Batch(gathering.chunk(&self.app, sent, (&record, end))))
    }

    /// The record now, if the batch at `place` is still outstanding. While the server read it, or waited for its turn,
    /// the batch may have been acknowledged, or the consumer reset: then it must not come any more.
    fn still_outstanding(&mut self, place: &BatchPlace) -> Option<Arc<ConsumerRecord>> {
        let record = self.attachment.record().ok()?;
        let is_outstanding = record.incarnation == self.incarnation
            && record.places().any(|(outstanding, _)| outstanding == *place);
        is_outstanding.then_some(record)
    }

    /// Makes a batch of a parked event that its owner lets come again.
    async fn retry(
        &mut self,
        event: &OwnedEventId,
        record: &ConsumerRecord,
    ) -> Result<Next, Fault> {
        let begun = self.attachment.begin_retry(record.incarnation, event, self.now()).await;
        match begun {
            Ok(end) => self.send_retry(BatchPlace::Retry(event.clone()), (1, end)).await,
            Err(SendError::Moved | SendError::Detached) => Ok(Next::Again),
            Err(SendError::Fault(fault)) => Err(Fault::unavailable(&fault.reason)),
        }
    }

    /// Sends the batch of a parked event, as the owner may see the event now.
    async fn send_retry(
        &mut self,
        place: BatchPlace,
        (attempt, end): (u32, Position),
    ) -> Result<Next, Fault> {
        let BatchPlace::Retry(event) = &place else { return Ok(Next::Again) };
        let viewer = Viewer::User(self.source.user.clone());
        let found = unless_absent(self.app.models.event(event, &viewer).await)?.flatten();
        let event = found.and_then(|(_, event)| RoomEvent::of_timeline(&event));
        let items = event.into_iter().map(|event| StreamItem::Event(EventItem(event.into())));
        let items = items.collect();
        if self.still_outstanding(&place).is_none() {
            return Ok(Next::Again);
        }
        self.sent.push(place.clone());
        let (caught_up, turn) = (false, None);
        let sent = Sent { incarnation: self.incarnation, place, attempt, caught_up, turn };
        Ok(Next::Batch(ConsumerChunk::of(&self.app, sent, (items, Vec::new()), end)))
    }

    /// Reads on for a new batch.
    async fn gather(
        &mut self,
        mut gathering: Box<Gathering>,
        record: &ConsumerRecord,
    ) -> Result<Next, Fault> {
        if gathering.is_full() {
            return self.send(gathering).await;
        }
        let caught_up = gathering.reader.subscription.is_caught_up();
        if caught_up {
            if !gathering.is_empty() {
                return self.send(gathering).await;
            }
            if !self.is_told_caught_up && record.batches.is_empty() {
                return self.tell_caught_up(gathering).await;
            }
        }
        if gathering.reader.subscription.is_behind() {
            return self.read_piece(gathering).await;
        }
        let (silence, pause) = (self.silence_ends(), self.pause_ends(record));
        let turn = tokio::select! {
            biased;
            turn = gathering.reader.subscription.turn() => Some(turn),
            () = self.attachment.changed() => None,
            () = until(silence) => None,
            () = until(pause) => None,
        };
        match turn {
            Some(Ok(NextDelivery::Live(delivery))) => gathering.take(&delivery).await?,
            Some(Ok(NextDelivery::Behind(_))) | None => {}
            Some(Err(FollowError::Closed)) => return Ok(Next::Over),
            Some(Err(error)) => return Err(fault(&error)),
        }
        if pause.is_some_and(|end| end <= Instant::now()) {
            self.progress = Instant::now();
            // If the position has moved, the client gets it in another chunk.
            self.is_told_caught_up &= gathering.reader.subscription.pass_over() == gathering.begin;
        }
        self.gathering = Some(gathering);
        Ok(Next::Again)
    }

    /// When a consumer that has everything gets a batch without events, if its position can move.
    fn pause_ends(&self, record: &ConsumerRecord) -> Option<Instant> {
        record.batches.is_empty().then(|| self.progress + PAUSE)
    }

    async fn read_piece(&mut self, gathering: Box<Gathering>) -> Result<Next, Fault> {
        let (gathering, piece) = in_turn(
            gathering,
            |gathering| &gathering.reader,
            |mut gathering| async move {
                let piece = gathering.read().await;
                (gathering, piece)
            },
        )
        .await;
        match piece? {
            Piece::Told(()) | Piece::Nothing => {}
            Piece::End if !gathering.is_empty() => return self.send(gathering).await,
            Piece::End => {
                let silence = self.silence_ends();
                tokio::select! {
                    () = gathering.reader.arrived() => {}
                    () = self.attachment.changed() => {}
                    () = until(silence) => {}
                }
            }
            Piece::Over => return Ok(Next::Over),
        }
        self.gathering = Some(gathering);
        Ok(Next::Again)
    }

    /// Tells a consumer without outstanding batches that it has everything. If its position can move,
    /// that is a batch without events.
    async fn tell_caught_up(&mut self, mut gathering: Box<Gathering>) -> Result<Next, Fault> {
        if gathering.reader.subscription.pass_over() > gathering.begin {
            return self.send(gathering).await;
        }
        let chunk = ConsumerChunk::nothing_new(&self.app, gathering.begin);
        self.gathering = Some(gathering);
        Ok(Next::Batch(chunk))
    }

    /// Makes a new batch of what was gathered.
    async fn send(&mut self, mut gathering: Box<Gathering>) -> Result<Next, Fault> {
        let caught_up = gathering.reader.subscription.is_caught_up();
        let (begin, end) = (gathering.begin, gathering.reader.position());
        let (of, known) = ((begin, end), gathering.end(end));
        match self.attachment.begin_batch(self.incarnation, of, known, self.now()).await {
            Ok(()) => {}
            Err(SendError::Moved | SendError::Detached) => return Ok(Next::Again),
            Err(SendError::Fault(fault)) => return Err(Fault::unavailable(&fault.reason)),
        }
        let place = BatchPlace::After(begin);
        let turn = self.turn(&gathering).await;
        let Some(record) = self.still_outstanding(&place) else { return Ok(Next::Again) };
        self.sent.push(place.clone());
        let sent = Sent { incarnation: self.incarnation, place, attempt: 1, caught_up, turn };
        let chunk = gathering.chunk(&self.app, sent, (&record, end));
        self.gathering = Some(gathering);
        Ok(Next::Batch(chunk))
    }

    /// The turn to make a batch, if that takes long.
    async fn turn(&self, gathering: &Gathering) -> Option<ConsumerTurn> {
        if gathering.is_long() { Some(self.attachment.turn().await) } else { None }
    }

    fn now(&self) -> Millis {
        let (received, began) = self.began;
        let since = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Millis(received.0.saturating_add(since))
    }
}

/// Waits until the moment; for ever without one.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}
