//! Subjects that have to be checked again, by time.
//!
//! **Invariant:** each subject has one entry, however often its time is set.

use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use rookery_domain::{OwnedRoomId, OwnedUserId};

/// The subject of a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    /// The users who are typing in this room.
    Room(OwnedRoomId),
    /// The presence of this user.
    User(OwnedUserId),
}

/// Subjects by the time at which some state of theirs ends.
#[derive(Debug, Default)]
pub(crate) struct Due {
    order: BTreeSet<(Instant, Subject)>,
    times: HashMap<Subject, Instant>,
}

impl Due {
    /// Sets when to check `subject` again; `None` for never.
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

    /// When the first subject is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// The first subject that is due by `now`. It stays until its time is set again.
    pub(crate) fn first(&self, now: Instant) -> Option<Subject> {
        self.order.first().filter(|(at, _)| *at <= now).map(|(_, subject)| subject.clone())
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.order.len(), self.times.len());
        self.order.len()
    }
}
