//! Builds a new log of the intact records, without gaps.
//!
//! **Invariant:** a room of the new log has its beginning. Records of other rooms are returned
//! separately.

use std::collections::{BTreeMap, HashMap, HashSet};

use rookery_log::{Commit, Epoch, Hash, Position, Record, Revision, StreamId, StreamKind};

use super::Salvage;
use crate::OpenError;

/// A saved record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// A record of the new log.
    Chained(Record),
    /// An unchanged record that the new log cannot hold, because the beginning of its room is lost.
    Orphan(Record),
}

/// Returns the records of the new log, in order.
///
/// Up to the first gap they are unchanged. After it, they get new positions, revisions and hashes,
/// in the epoch `epoch`.
pub struct Saving<'a> {
    salvage: &'a Salvage,
    positions: Box<dyn Iterator<Item = Position> + 'a>,
    epoch: Epoch,
    last: (Position, Hash),
    /// By stream: the revision in the new log, and the one in the old log.
    revisions: HashMap<StreamId, (Revision, Revision)>,
    lost: BTreeMap<StreamId, u64>,
    orphans: HashSet<StreamId>,
    edit: Edit<'a>,
    moved: Moved,
}

/// Adapts a commit after a gap, where records have other positions than before.
pub type Edit<'a> = Box<dyn FnMut(&mut Commit, &Moved) + Send + 'a>;

/// The positions in the new log of the records of the old one.
#[derive(Debug, Default)]
pub struct Moved(Vec<Position>);

impl Moved {
    /// The position in the new log of the record that was at `old`; `None` if it is lost.
    #[must_use]
    pub fn position(&self, old: Position) -> Option<Position> {
        self.0.binary_search(&old).ok().map(|index| Position(index as u64 + 1))
    }
}

impl Salvage {
    /// The records of a new log, in the epoch `epoch` if this one has gaps. `edit` is called with
    /// every commit after the first gap.
    #[must_use]
    pub fn saving<'a>(&'a self, epoch: Epoch, edit: Edit<'a>) -> Saving<'a> {
        Saving {
            salvage: self,
            positions: Box::new(self.positions()),
            epoch,
            last: (Position::ORIGIN, Hash::ORIGIN),
            revisions: HashMap::new(),
            lost: BTreeMap::new(),
            orphans: HashSet::new(),
            edit,
            moved: Moved::default(),
        }
    }
}

impl Saving<'_> {
    /// The streams with lost events so far, and how many they lost. Streams without an intact
    /// record after a gap are missing here.
    #[must_use]
    pub const fn lost(&self) -> &BTreeMap<StreamId, u64> {
        &self.lost
    }

    /// The rooms whose beginning is lost, so far.
    #[must_use]
    pub const fn orphans(&self) -> &HashSet<StreamId> {
        &self.orphans
    }

    fn chain(&mut self, was: Position) -> Result<Saved, OpenError> {
        let mut old = self.salvage.record(was)?;
        let events = old.commit.events.len() as u64;
        let stream = &old.commit.stream;
        let begins = self.revisions.contains_key(stream) || old.revision.0 == events;
        if !begins && matches!(stream.split(), Some((StreamKind::Room, _))) {
            self.orphans.insert(stream.clone());
            return Ok(Saved::Orphan(old));
        }
        let (now, before) = self.revisions.get(stream).copied().unwrap_or_default();
        let gap = old.revision.0.saturating_sub(events).saturating_sub(before.0);
        if gap > 0 {
            *self.lost.entry(stream.clone()).or_default() += gap;
        }
        let revision = Revision(now.0 + events);
        self.revisions.insert(stream.clone(), (revision, old.revision));
        let position = self.last.0.next();
        let same = (old.position, old.previous, old.revision) == (position, self.last.1, revision);
        self.moved.0.push(was);
        let record = if same {
            old
        } else {
            (self.edit)(&mut old.commit, &self.moved);
            Record::chain(self.epoch, position, revision, self.last.1, old.commit)
        };
        self.last = (record.position, record.hash);
        Ok(Saved::Chained(record))
    }
}

impl Iterator for Saving<'_> {
    type Item = Result<Saved, OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        let was = self.positions.next()?;
        Some(self.chain(was))
    }
}
