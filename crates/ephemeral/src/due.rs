//! What has to be looked at again, and when.
//!
//! **Invariant:** one entry for each subject, whatever is set how often.

use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use rookery_domain::{OwnedRoomId, OwnedUserId};

/// What a change is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    /// Who types in this room.
    Room(OwnedRoomId),
    /// The presence of this user.
    User(OwnedUserId),
}

/// Subjects by the time at which something of them ends.
#[derive(Debug, Default)]
pub(crate) struct Due {
    order: BTreeSet<(Instant, Subject)>,
    times: HashMap<Subject, Instant>,
}

impl Due {
    /// Sets when `subject` has to be looked at; none for never.
    pub(crate) fn set(&mut self, subject: &Subject, at: Option<Instant>) {
        let before = match at {
            Some(at) => self.times.insert(subject.clone(), at),
            None => self.times.remove(subject),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, subject.clone()));
        }
        self.order.extend(at.map(|at| (at, subject.clone())));
    }

    /// When the first of them is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// The first subject that is due by `now`. It stays until its time is set anew.
    pub(crate) fn first(&self, now: Instant) -> Option<Subject> {
        self.order.first().filter(|(at, _)| *at <= now).map(|(_, subject)| subject.clone())
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.order.len(), self.times.len());
        self.order.len()
    }
}
