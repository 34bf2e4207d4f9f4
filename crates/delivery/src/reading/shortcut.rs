//! A shorter way for one who is far behind: her own rooms, in place of the whole log.
//!
//! What concerns a user between two positions lies in the streams of the rooms that she has or had to do
//! with, in the stream of her own account, and, as receipts, in the accounts of others. If that
//! is little beside all that was committed, it is collected by position and read from there.
//!
//! **Invariant:** nothing is left out but public receipts of others that a later one of the same user in
//! the same room has superseded: the models know the last one alone.
//! **Invariant:** where a model had to set something aside that this needs, the way is along the log.

use std::collections::{BTreeSet, VecDeque};

use rookery_domain::{Membership, RoomId};
use rookery_log::{PAGE_MAX, Position, ReadError, Scope, StreamId};
use rookery_projection::StreamKey;
use rookery_view::View;

use crate::{Feeds, feed::Own};

/// The way is taken if it has at most one of so many commits of the log: each is read twice, and
/// not in a row.
const SHARE: u64 = if cfg!(test) { 1 } else { 8 };

/// What a step of a search looks at, at most: rooms, receipts and commits.
const STEP: usize = if cfg!(test) { 3 } else { 512 };

/// The commits that concern a user.
pub(crate) struct Shortcut {
    positions: VecDeque<Position>,
    /// Up to here none is missing.
    pub(crate) until: Position,
}

impl Shortcut {
    /// Up to `limit` positions after `after`.
    pub(crate) fn after(&mut self, after: Position, limit: usize) -> Vec<Position> {
        while self.positions.front().is_some_and(|first| *first <= after) {
            self.positions.pop_front();
        }
        self.positions.iter().take(limit).copied().collect()
    }
}

/// What has been found so far, and how much more may be.
///
/// A search goes in steps, between which others have their turns. What is committed meanwhile is beyond `until`, and the
/// same for what was superseded meanwhile: the later receipt is beyond it too.
pub(crate) struct Search {
    after: Position,
    until: Position,
    left: usize,
    found: BTreeSet<Position>,
    /// The rooms to go through.
    rooms: std::vec::IntoIter<StreamKey>,
    place: Place,
}

/// Where a search is.
enum Place {
    /// Before the next room.
    Between,
    /// In a room, after the receipt of this reader.
    Readers(StreamKey, Option<StreamKey>),
    /// In the stream of a room, or of the user's account.
    Stream(StreamId, Position),
    /// In the stream of the user's account, which is the last one.
    Account(Position),
}

/// How far a search has come.
pub(crate) enum Searched {
    /// There is more to look at.
    Partly,
    /// The shorter way.
    Found(Shortcut),
    /// There is none.
    Nothing,
}

impl Feeds {
    /// Begins to look for the shorter way from `after` to where the models are now. `None` if there is none.
    pub(crate) fn search(&self, own: &Own, after: Position) -> Option<Search> {
        let until = self.models().checkpoint_now();
        let left = usize::try_from(until.0.saturating_sub(after.0) / SHARE).unwrap_or(usize::MAX);
        let view = self.view();
        if view.models().receipts_parked() {
            return None;
        }
        let rooms = view.models().rooms_of_users().all(&own.user);
        let rooms: Vec<_> = rooms.map(|(key, _)| key).take(left.saturating_add(1)).collect();
        let left = left.checked_sub(rooms.len())?;
        let (found, rooms) = (BTreeSet::new(), rooms.into_iter());
        Some(Search { after, until, left, found, rooms, place: Place::Between })
    }

    /// Goes on with a search, for a step that is short whatever there is to find.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(crate) async fn search_on(
        &self,
        search: &mut Search,
        own: &Own,
    ) -> Result<Searched, ReadError> {
        let mut steps = STEP;
        while steps > 0 {
            let taken = match &search.place {
                Place::Between => {
                    if let Some(key) = search.rooms.next() {
                        search.place = Place::Readers(key, None);
                        Some(1)
                    } else {
                        search.place = Place::Account(search.after);
                        Some(0)
                    }
                }
                Place::Readers(key, last) => search.receipts(&self.view(), own, *key, *last, steps),
                Place::Stream(stream, at) => {
                    let (stream, at) = (stream.clone(), *at);
                    let read = search.stream(self, stream.clone(), at, steps).await?;
                    read.map(|(taken, more)| {
                        search.place = more.map_or(Place::Between, |at| Place::Stream(stream, at));
                        taken
                    })
                }
                Place::Account(at) => {
                    let read = search.stream(self, own.stream.clone(), *at, steps).await?;
                    let Some((taken, more)) = read else { return Ok(Searched::Nothing) };
                    let Some(at) = more else { return Ok(Searched::Found(search.shortcut())) };
                    search.place = Place::Account(at);
                    Some(taken)
                }
            };
            let Some(taken) = taken else { return Ok(Searched::Nothing) };
            steps = steps.saturating_sub(taken);
        }
        Ok(Searched::Partly)
    }
}

impl Search {
    fn shortcut(&mut self) -> Shortcut {
        let positions = std::mem::take(&mut self.found).into_iter().collect();
        Shortcut { positions, until: self.until }
    }

    fn spend(&mut self, cost: usize) -> Option<()> {
        self.left = self.left.checked_sub(cost)?;
        Some(())
    }

    /// Finds receipts that were told in a room, of up to `limit` readers after `last`. Gives what that took; `None` if it
    /// is too much, or not known.
    fn receipts(
        &mut self,
        view: &View<'_>,
        own: &Own,
        key: StreamKey,
        last: Option<StreamKey>,
        limit: usize,
    ) -> Option<usize> {
        let models = view.models();
        if models.members_parked(key) {
            return None;
        }
        let stream = models.stream(key)?.clone();
        let (_, room) = stream.split()?;
        let room = <&RoomId>::try_from(room).ok()?;
        let readers: Vec<_> = models.readers().after(room, last).take(limit).collect();
        self.spend(readers.len())?;
        for reader in &readers {
            let marks = models.read_marks(*reader, room);
            let Some(mark) = marks.and_then(|marks| marks.public.as_ref()) else { continue };
            let at = mark.position;
            let is_told = (self.after < at && at <= self.until)
                && view.membership_at(room, &own.user, at) == Membership::Join;
            self.found.extend(is_told.then_some(at));
        }
        self.place = if readers.len() == limit {
            Place::Readers(key, readers.last().copied())
        } else if models.members_applied(key) > Some(self.after) {
            Place::Stream(stream, self.after)
        } else {
            Place::Between
        };
        Some(readers.len())
    }

    /// Finds up to `limit` commits of a stream after `at`. Gives how many there were, and from where to read on, unless that
    /// was all; `None` if they are too many.
    async fn stream(
        &mut self,
        feeds: &Feeds,
        stream: StreamId,
        at: Position,
        limit: usize,
    ) -> Result<Option<(usize, Option<Position>)>, ReadError> {
        let limit = limit.min(self.left.saturating_add(1)).min(PAGE_MAX);
        let records = feeds.models().log().read(&Scope::Stream(stream), at, limit).await?;
        let due = records.iter().map(|record| record.position);
        let due: Vec<_> = due.take_while(|position| *position <= self.until).collect();
        if self.spend(due.len()).is_none() {
            return Ok(None);
        }
        self.found.extend(&due);
        let more = due.last().copied().filter(|_| due.len() == limit);
        Ok(Some((due.len(), more)))
    }
}
