//! All models together.

use std::{
    io,
    path::{Path, PathBuf},
};

use rookery_domain::Profile;
use rookery_log::Position;

use super::{
    ActionNumbers, AliasTarget, AliasesOfRooms, Directory, EventIndex, Filters, Folded,
    LastNumbers, Parked, ReadersOfRooms, Receipts, Redactions, RoomMembers, RoomRelations,
    RoomsOfUsers, StreamKey, Summary,
};
use crate::{
    Committed,
    timeline::{BlockStore, RoomTimeline},
    unread::RoomUnread,
};

/// Every read model, each at its own checkpoint; [`Self::position`] is the least one.
pub struct Models {
    /// The position of all models.
    pub(crate) position: Position,
    /// The directory of their files.
    pub(crate) dir: PathBuf,
    pub(crate) directory: Directory,
    pub(crate) summaries: Folded<Summary>,
    pub(crate) memberships: Folded<RoomMembers>,
    pub(crate) timelines: Folded<RoomTimeline>,
    pub(crate) profiles: Folded<Profile>,
    pub(crate) aliases: Folded<AliasTarget>,
    pub(crate) relations: Folded<RoomRelations>,
    pub(crate) actions: Folded<ActionNumbers>,
    pub(crate) filters: Folded<Filters>,
    pub(crate) redactions: Folded<Redactions>,
    pub(crate) receipts: Folded<Receipts>,
    pub(crate) unread: Folded<RoomUnread>,
    pub(crate) events: EventIndex,
}

impl Models {
    /// Models of an empty log, with their files in `dir`. A rebuild has several, identified by
    /// `part`; each gets a share of the streams.
    pub(crate) fn create(dir: &Path, part: usize) -> io::Result<Self> {
        Ok(Self {
            position: Position::ORIGIN,
            dir: dir.to_owned(),
            directory: Directory::default(),
            summaries: Folded::new(()),
            memberships: Folded::new(RoomsOfUsers::default()),
            timelines: Folded::new(BlockStore::create(dir, part)?),
            profiles: Folded::new(()),
            aliases: Folded::new(AliasesOfRooms::default()),
            relations: Folded::new(()),
            actions: Folded::new(LastNumbers::default()),
            filters: Folded::new(()),
            redactions: Folded::new(()),
            receipts: Folded::new(ReadersOfRooms::default()),
            unread: Folded::new(()),
            events: EventIndex::create(dir, part),
        })
    }

    /// Applies a commit to every model that has not applied it.
    pub(crate) fn apply(&mut self, committed: &Committed) {
        let key = self.directory.enter(&committed.stream, committed.position);
        self.apply_at(key, committed);
    }

    /// Like [`Self::apply`], for a stream with a known key.
    pub(crate) fn apply_at(&mut self, key: StreamKey, committed: &Committed) {
        self.redactions.apply(key, committed);
        // An event that gets its slot back may have been redacted before, and not yet erased when
        // it was fetched.
        let clean = self.without_redacted_at(key, committed);
        let committed = clean.as_ref().unwrap_or(committed);
        self.timelines.apply(key, committed);
        self.memberships.apply(key, committed);
        self.summaries.apply(key, committed);
        self.profiles.apply(key, committed);
        self.aliases.apply(key, committed);
        self.relations.apply(key, committed);
        self.actions.apply(key, committed);
        self.filters.apply(key, committed);
        self.receipts.apply(key, committed);
        self.unread.apply(key, committed);
        self.events.apply(key, committed);
        self.position = self.position.max(committed.position);
    }

    /// Records that all commits up to `position` were applied.
    pub(crate) fn reach(&mut self, position: Position) {
        for checkpoint in self.checkpoints_mut() {
            *checkpoint = position.max(*checkpoint);
        }
        self.position = position;
    }

    fn checkpoints_mut(&mut self) -> [&mut Position; 13] {
        [
            &mut self.directory.checkpoint,
            &mut self.summaries.checkpoint,
            &mut self.memberships.checkpoint,
            &mut self.timelines.checkpoint,
            &mut self.profiles.checkpoint,
            &mut self.aliases.checkpoint,
            &mut self.relations.checkpoint,
            &mut self.actions.checkpoint,
            &mut self.filters.checkpoint,
            &mut self.redactions.checkpoint,
            &mut self.receipts.checkpoint,
            &mut self.unread.checkpoint,
            &mut self.events.checkpoint,
        ]
    }

    /// The position from which the log has to be read so that no model misses a commit, and the
    /// position of the furthest model.
    pub(crate) fn span(&mut self) -> (Position, Position) {
        let checkpoints = self.checkpoints_mut().map(|checkpoint| *checkpoint);
        let lowest = checkpoints.iter().min().copied().unwrap_or_default();
        (lowest, checkpoints.iter().max().copied().unwrap_or_default())
    }

    /// Takes over the streams of another worker of the same rebuild.
    pub(crate) fn merge(&mut self, other: Self) {
        self.summaries.merge(other.summaries);
        self.memberships.merge(other.memberships);
        self.timelines.merge(other.timelines);
        self.profiles.merge(other.profiles);
        self.aliases.merge(other.aliases);
        self.relations.merge(other.relations);
        self.actions.merge(other.actions);
        self.filters.merge(other.filters);
        self.redactions.merge(other.redactions);
        self.receipts.merge(other.receipts);
        self.unread.merge(other.unread);
        self.events.merge(other.events);
        self.position = self.position.max(other.position);
    }

    /// All streams that a model has parked.
    #[must_use]
    pub fn parked(&self) -> Vec<Parked> {
        let parked = self.summaries.parked.values();
        let parked = parked.chain(self.memberships.parked.values());
        let parked = parked.chain(self.timelines.parked.values());
        let parked = parked.chain(self.profiles.parked.values());
        let parked = parked.chain(self.aliases.parked.values());
        let parked = parked.chain(self.actions.parked.values());
        let parked = parked.chain(self.relations.parked.values());
        let parked = parked.chain(self.filters.parked.values());
        let parked = parked.chain(self.redactions.parked.values());
        let parked = parked.chain(self.receipts.parked.values());
        parked.chain(self.unread.parked.values()).cloned().collect()
    }
}
