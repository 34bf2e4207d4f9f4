//! The registry of read models: the one list from which all work on all models follows.
//!
//! **Invariant:** nothing else lists the models. To add one is one line here, and its own file.

use std::{
    io,
    path::{Path, PathBuf},
};

use rookery_domain::Profile;
use rookery_log::Position;

use super::{
    ActionNumbers, AliasTarget, AnyModel, Directory, EventIndex, Filters, Folded, Model, Parked,
    Preferences, Receipts, Redactions, RoomMembers, RoomRelations, Source, StreamKey, Summary,
};
use crate::{Committed, calls::RoomCalls, timeline::RoomTimeline, unread::RoomUnread};

/// Makes [`Models`] of a list of models, in the order of their application.
macro_rules! models {
    ($($(#[$when:meta])* $field:ident: $model:ty,)+) => {
        /// Every read model, each at its own checkpoint; [`Self::position`] is that of all.
        pub struct Models {
            /// The position of all models.
            pub(crate) position: Position,
            /// The directory of their files.
            pub(crate) dir: PathBuf,
            $($(#[$when])* pub(crate) $field: $model,)+
        }

        impl Models {
            /// Name and version of each model.
            #[cfg(test)]
            pub(crate) const VERSIONS: &[(&'static str, u32)] =
                &[$($(#[$when])* (<$model>::NAME, <$model>::VERSION),)+];

            /// Models of an empty log, with their files in `dir`. A rebuild has several, identified
            /// by `part`; each gets a share of the streams.
            pub(crate) fn create(dir: &Path, part: usize) -> io::Result<Self> {
                Ok(Self {
                    position: Position::ORIGIN,
                    dir: dir.to_owned(),
                    $($(#[$when])* $field: <$model>::create(dir, part)?,)+
                })
            }

            /// The models of `source`, with their files in `dir`. `None` if it refuses one of them;
            /// it gets its say on all of them.
            pub(crate) fn open(dir: &Path, source: &mut impl Source) -> Option<Self> {
                $($(#[$when])* let $field = source.open::<$model>();)+
                Some(Self {
                    position: Position::ORIGIN,
                    dir: dir.to_owned(),
                    $($(#[$when])* $field: $field?,)+
                })
            }

            /// Applies a commit to every model that has not applied it.
            fn apply_each(&mut self, key: StreamKey, committed: &Committed) {
                $($(#[$when])* self.$field.apply(key, committed);)+
            }

            /// Takes over the streams of another worker of the same rebuild.
            pub(crate) fn merge(&mut self, other: Self) {
                $($(#[$when])* self.$field.merge(other.$field);)+
                self.position = self.position.max(other.position);
            }

            /// All models, in the order of their application.
            pub(crate) fn each(&self) -> Vec<&dyn AnyModel> {
                Vec::from([$($(#[$when])* (&self.$field as &dyn AnyModel),)+])
            }

            /// Like [`Self::each`], to change them.
            pub(crate) fn each_mut(&mut self) -> Vec<&mut dyn AnyModel> {
                Vec::from([$($(#[$when])* (&mut self.$field as &mut dyn AnyModel),)+])
            }
        }
    };
}

models! {
    directory: Directory,
    redactions: Folded<Redactions>,
    timelines: Folded<RoomTimeline>,
    memberships: Folded<RoomMembers>,
    summaries: Folded<Summary>,
    profiles: Folded<Profile>,
    aliases: Folded<AliasTarget>,
    relations: Folded<RoomRelations>,
    actions: Folded<ActionNumbers>,
    filters: Folded<Filters>,
    preferences: Folded<Preferences>,
    receipts: Folded<Receipts>,
    unread: Folded<RoomUnread>,
    calls: Folded<RoomCalls>,
    events: EventIndex,
    #[cfg(test)]
    toys: Folded<crate::tests::Toy>,
}

impl Models {
    /// Applies a commit to every model that has not applied it.
    pub(crate) fn apply(&mut self, committed: &Committed) {
        let key = self.directory.enter(&committed.stream, committed.position);
        self.apply_at(key, committed);
    }

    /// Like [`Self::apply`], for a stream with a known key.
    pub(crate) fn apply_at(&mut self, key: StreamKey, committed: &Committed) {
        // The redactions decide what the other models get: an event that gets its slot back may
        // have been redacted before, and not yet erased when it was fetched.
        self.redactions.apply(key, committed);
        let clean = self.without_redacted_at(key, committed);
        self.apply_each(key, clean.as_ref().unwrap_or(committed));
        self.position = self.position.max(committed.position);
    }

    /// Records that all commits up to `position` were applied.
    pub(crate) fn reach(&mut self, position: Position) {
        self.each_mut().into_iter().for_each(|model| model.reach(position));
        self.position = position;
    }

    /// The position from which the log has to be read so that no model misses a commit, and the
    /// position of the furthest model.
    pub(crate) fn span(&self) -> (Position, Position) {
        let checkpoints = || self.each().into_iter().map(AnyModel::checkpoint);
        (checkpoints().min().unwrap_or_default(), checkpoints().max().unwrap_or_default())
    }

    /// Name, checkpoint, and number of parked streams of each model.
    #[must_use]
    pub fn states(&self) -> Vec<(&'static str, Position, usize)> {
        let state = |it: &dyn AnyModel| (it.name(), it.checkpoint(), it.parked().len());
        self.each().into_iter().map(state).collect()
    }

    /// All streams that a model has parked.
    #[must_use]
    pub fn parked(&self) -> Vec<Parked> {
        self.each().into_iter().flat_map(AnyModel::parked).collect()
    }
}
