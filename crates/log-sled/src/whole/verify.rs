//! Verifies the whole log: every record is intact, and the indexes agree.

use std::{collections::HashMap, sync::Arc};

use rookery_log::{Hash, PAGE_MAX, Position, ReadError, Record, Revision, StreamId};

use crate::{SledLog, engine::store::Store};

/// The counts of a verified log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many commits, which is also the last position.
    pub commits: u64,
    /// How many events.
    pub events: u64,
    /// How many streams.
    pub streams: u64,
    /// How many commits have a command ID.
    pub commands: u64,
    /// The hash of the last record.
    pub hash: Option<Hash>,
}

impl SledLog {
    /// Reads the whole log as it is now, and checks checksums, density, the hash chain, the
    /// revisions of each stream, and the indexes. Appends may continue meanwhile.
    ///
    /// `progress` is called now and then with the position reached and the last one.
    ///
    /// # Errors
    /// The first damage, with its position.
    pub fn verify(
        &self,
        mut progress: impl FnMut(Position, Position),
    ) -> Result<Verified, ReadError> {
        let store = &*self.shared().slot.now()?;
        let last = *tail(self).borrow();
        let mut walk = Walk::default();
        let mut after = Position::ORIGIN;
        while after < last {
            for record in store.page(after, last, PAGE_MAX)? {
                walk.check(store, &record)?;
                after = record.position;
            }
            progress(after, last);
        }
        let (streams, commands) = store.index_sizes(last).map_err(|error| error.at(last))?;
        if (streams, commands) != (walk.found.commits, walk.found.commands) {
            return Err(damage(last, "an index names commits that do not exist"));
        }
        walk.found.streams = walk.revisions.len() as u64;
        Ok(walk.found)
    }
}

fn tail(log: &SledLog) -> tokio::sync::watch::Receiver<Position> {
    rookery_log::EventLog::tail(log)
}

#[derive(Default)]
struct Walk {
    found: Verified,
    revisions: HashMap<StreamId, Revision>,
}

impl Walk {
    fn check(&mut self, store: &Store, record: &Arc<Record>) -> Result<(), ReadError> {
        let position = record.position;
        if record.previous != self.found.hash.unwrap_or(Hash::ORIGIN) {
            return Err(damage(position, "it does not follow the record before"));
        }
        if !record.is_intact() {
            return Err(damage(position, "its hash does not match its content"));
        }
        let events = record.commit.events.len() as u64;
        let revision = self.revisions.entry(record.commit.stream.clone()).or_default();
        if record.revision.0 != revision.0 + events {
            return Err(damage(position, "its revision is not the next of its stream"));
        }
        *revision = record.revision;
        if !store.is_indexed(record).map_err(|error| error.at(position))? {
            return Err(damage(position, "an index does not name it"));
        }
        self.found.commits += 1;
        self.found.events += events;
        self.found.commands += u64::from(record.commit.command.is_some());
        self.found.hash = Some(record.hash);
        Ok(())
    }
}

fn damage(position: Position, damage: &str) -> ReadError {
    ReadError::Damaged { position, damage: damage.into() }
}
