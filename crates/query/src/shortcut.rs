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

use crate::{View, core::Core, feed::Own, models::StreamKey};

/// The way is taken if it has at most one of so many commits of the log: each is read twice, and
/// not in a row.
const SHARE: u64 = if cfg!(test) { 1 } else { 8 };

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

/// What has been found, and how much more may be.
struct Search<'a> {
    core: &'a Core,
    own: &'a Own,
    after: Position,
    until: Position,
    left: usize,
    found: BTreeSet<Position>,
}

impl Core {
    /// The shorter way from `after` to where the models are now, if there is one.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(crate) async fn shortcut(
        &self,
        own: &Own,
        after: Position,
    ) -> Result<Option<Shortcut>, ReadError> {
        let until = *self.checkpoint.borrow();
        let left = usize::try_from(until.0.saturating_sub(after.0) / SHARE).unwrap_or(usize::MAX);
        let found = BTreeSet::new();
        let mut search = Search { core: self, own, after, until, left, found };
        let Some(rooms) = search.rooms() else { return Ok(None) };
        for key in rooms {
            let Some((stream, has_more)) = search.receipts(key) else { return Ok(None) };
            if has_more && !search.stream(stream).await? {
                return Ok(None);
            }
        }
        if !search.stream(own.stream.clone()).await? {
            return Ok(None);
        }
        Ok(Some(Shortcut { positions: search.found.into_iter().collect(), until }))
    }

    fn view(&self) -> View<'_> {
        View::new(self.models.read(), self.log.epoch())
    }
}

impl Search<'_> {
    fn spend(&mut self, cost: usize) -> Option<()> {
        self.left = self.left.checked_sub(cost)?;
        Some(())
    }

    /// All rooms that the user has or had to do with; none if there are too many.
    fn rooms(&mut self) -> Option<Vec<StreamKey>> {
        let view = self.core.view();
        if !view.models().receipts.parked.is_empty() {
            return None;
        }
        let rooms = view.models().memberships.shared.all(&self.own.user);
        let rooms: Vec<_> = rooms.map(|(key, _)| key).take(self.left.saturating_add(1)).collect();
        self.spend(rooms.len())?;
        Some(rooms)
    }

    /// Finds receipts that were told in a room; gives its stream, and whether there is more to find
    /// in it. `None` if that is too much, or not known.
    fn receipts(&mut self, key: StreamKey) -> Option<(StreamId, bool)> {
        let view = self.core.view();
        let models = view.models();
        if models.memberships.parked.contains_key(&key) {
            return None;
        }
        let stream = models.directory.stream(key)?.clone();
        let (_, room) = stream.split()?;
        let room = <&RoomId>::try_from(room).ok()?;
        let readers = models.receipts.shared.of(room).take(self.left.saturating_add(1));
        let readers: Vec<_> = readers.collect();
        self.spend(readers.len())?;
        for reader in readers {
            let marks = models.receipts.get(reader).and_then(|marks| marks.of(room));
            let Some(mark) = marks.and_then(|marks| marks.public.as_ref()) else { continue };
            let at = mark.position;
            let is_told = (self.after < at && at <= self.until)
                && view.membership_at(room, &self.own.user, at) == Membership::Join;
            self.found.extend(is_told.then_some(at));
        }
        let last = models.memberships.rows.get(&key).map(|row| row.applied);
        Some((stream, last > Some(self.after)))
    }

    /// Finds the commits of a stream; whether they were not too many.
    async fn stream(&mut self, stream: StreamId) -> Result<bool, ReadError> {
        let scope = Scope::Stream(stream);
        let mut at = self.after;
        loop {
            let limit = self.left.saturating_add(1).min(PAGE_MAX);
            let records = self.core.log.read(&scope, at, limit).await?;
            let due = records.iter().map(|record| record.position);
            let due: Vec<_> = due.take_while(|position| *position <= self.until).collect();
            if self.spend(due.len()).is_none() {
                return Ok(false);
            }
            self.found.extend(&due);
            match due.last() {
                Some(last) if due.len() == limit => at = *last,
                _ => return Ok(true),
            }
        }
    }
}
