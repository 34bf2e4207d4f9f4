//! A shortcut for a user who is far behind: their own rooms instead of the whole log.
//!
//! The commits that concern a user between two positions are in the streams of their present and
//! former rooms, in the stream of their own account, and, as receipts, in the accounts of others.
//! If they are few beside all commits, they are collected by position and read from there.
//!
//! **Invariant:** only superseded public receipts of others are left out, because the models know
//! only the last one of each user in a room.
//! **Invariant:** if a model has parked a stream that this needs, the reader goes along the log.

use std::collections::{BTreeSet, VecDeque};

use rookery_domain::{Membership, RoomId};
use rookery_log::{PAGE_MAX, Position, ReadError, Scope, StreamId, is_last_page};
use rookery_projection::StreamKey;
use rookery_view::View;

use crate::{Feeds, feed::Own};

/// The shortcut is taken if it has at most one of this many commits of the log, because each of its
/// commits is read twice, and not in sequence.
const SHARE: u64 = if cfg!(test) { 1 } else { 8 };

/// How many rooms, receipts and commits one step of a search visits at most.
const STEP: usize = if cfg!(test) { 3 } else { 512 };

/// The commits that concern a user.
pub(crate) struct Shortcut {
    positions: VecDeque<Position>,
    /// It is complete up to here.
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

/// The results of a search so far, and how many more are allowed.
///
/// A search goes in steps, and yields between them. Commits that come meanwhile are beyond `until`;
/// so are receipts that supersede others meanwhile.
pub(crate) struct Search {
    after: Position,
    until: Position,
    left: usize,
    found: BTreeSet<Position>,
    /// The rooms to search.
    rooms: std::vec::IntoIter<StreamKey>,
    place: SearchStep,
}

/// The place of a search.
enum SearchStep {
    /// Before the next room.
    Between,
    /// In a room, after the receipt of this reader.
    Readers(StreamKey, Option<StreamKey>),
    /// In the stream of a room, or of the user's account.
    Stream(StreamId, Position),
    /// In the stream of the user's account, which is the last one.
    Account(Position),
}

/// The progress of a search.
pub(crate) enum Searched {
    /// There is more to search.
    Partly,
    /// The shortcut.
    Found(Shortcut),
    /// There is no shortcut.
    Nothing,
}

impl Feeds {
    /// Starts a search for the shortcut from `after` to the present position of the models. `None`
    /// if there is none.
    pub(crate) fn search(&self, own: &Own, after: Position) -> Option<Search> {
        let until = self.models().checkpoint_now();
        let left = usize::try_from(until.0.saturating_sub(after.0) / SHARE).unwrap_or(usize::MAX);
        let view = self.view();
        if view.models().receipts_parked() {
            return None;
        }
        let rooms = view.all_rooms_of(&own.user);
        let rooms: Vec<_> = rooms.take(left.saturating_add(1)).collect();
        let left = left.checked_sub(rooms.len())?;
        let (found, rooms) = (BTreeSet::new(), rooms.into_iter());
        Some(Search { after, until, left, found, rooms, place: SearchStep::Between })
    }

    /// Continues a search for one step, which is short whatever there is to find.
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
                SearchStep::Between => {
                    if let Some(key) = search.rooms.next() {
                        search.place = SearchStep::Readers(key, None);
                        Some(1)
                    } else {
                        search.place = SearchStep::Account(search.after);
                        Some(0)
                    }
                }
                SearchStep::Readers(key, last) => {
                    search.receipts(&self.view(), own, *key, *last, steps)
                }
                SearchStep::Stream(stream, at) => {
                    let (stream, at) = (stream.clone(), *at);
                    let read = search.stream(self, stream.clone(), at, steps).await?;
                    read.map(|(taken, more)| {
                        search.place =
                            more.map_or(SearchStep::Between, |at| SearchStep::Stream(stream, at));
                        taken
                    })
                }
                SearchStep::Account(at) => {
                    let read = search.stream(self, own.stream.clone(), *at, steps).await?;
                    let Some((taken, more)) = read else { return Ok(Searched::Nothing) };
                    let Some(at) = more else { return Ok(Searched::Found(search.shortcut())) };
                    search.place = SearchStep::Account(at);
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

    /// Finds the receipts in a room of up to `limit` readers after `last`. Returns the work; `None`
    /// if it is too much, or not known.
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
        if last.is_none() {
            // An alias opens and closes a room by a commit of another stream.
            let moved = view.followed_between(&own.user, room, (self.after, self.until));
            self.spend(moved.len())?;
            self.found.extend(moved);
        }
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
            SearchStep::Readers(key, readers.last().copied())
        } else if models.members_applied(key) > Some(self.after) {
            SearchStep::Stream(stream, self.after)
        } else {
            SearchStep::Between
        };
        Some(readers.len())
    }

    /// Finds up to `limit` commits of a stream after `at`. Returns their number, and where to
    /// continue unless the stream ended; `None` if there are too many.
    async fn stream(
        &mut self,
        feeds: &Feeds,
        stream: StreamId,
        at: Position,
        limit: usize,
    ) -> Result<Option<(usize, Option<Position>)>, ReadError> {
        let limit = limit.min(self.left.saturating_add(1)).min(PAGE_MAX);
        let records = feeds.models().log().read(&Scope::Stream(stream), at, limit).await?;
        let is_last = is_last_page(&records, limit);
        let due = records.iter().map(|record| record.position);
        let due: Vec<_> = due.take_while(|position| *position <= self.until).collect();
        if self.spend(due.len()).is_none() {
            return Ok(None);
        }
        self.found.extend(&due);
        let more = due.last().copied().filter(|_| due.len() == records.len() && !is_last);
        Ok(Some((due.len(), more)))
    }
}
