//! A room as it was at an earlier position.
//!
//! All parts of an answer are of one position, even if the models have moved on. A room that has
//! not changed since is read as it is now. For a changed room, the settings are read from the
//! events that held them then, and members are counted by their histories.
//!
//! **Invariant:** the models are released after a bounded number of rows, members or changes.
//! **Invariant:** the cost grows with the changes since, and with the members of a changed room,
//! but not with its history.

use rookery_domain::{Membership, OwnedUserId, RoomId, settings};
use rookery_log::Position;
use rookery_projection::{Member, Summary};

use super::slots::Steps;
use crate::{Meter, Reader, TimelineError, Unmetered};

/// Members that are checked before the models are released.
const MEMBERS_LOOKED_MAX: usize = if cfg!(test) { 2 } else { 1_024 };

/// Members that count as one unit of work: they are in memory, and only one number of each is read.
const MEMBERS_OF_A_UNIT: usize = 64;

/// The settings and member counts of a room at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRoom {
    /// The settings. (Histories and last events are those of now.)
    pub summary: Summary,
    /// How many users were joined.
    pub joined: u64,
    /// How many users were invited.
    pub invited: u64,
}

impl Reader {
    /// The room as it was after the commit at `at`. `None` if there is no such room.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn room_at(
        &self,
        room: &RoomId,
        at: Position,
    ) -> Result<Option<PastRoom>, TimelineError> {
        self.room_at_within(room, at, &Unmetered).await
    }

    /// Like [`room_at`](Self::room_at), within the budget of a request.
    ///
    /// # Errors
    /// As [`room_at`](Self::room_at).
    pub async fn room_at_within(
        &self,
        room: &RoomId,
        at: Position,
        meter: &dyn Meter,
    ) -> Result<Option<PastRoom>, TimelineError> {
        let now = {
            let view = self.view();
            let Some(found) = view.room(room) else { return Ok(None) };
            let counts = (found.joined_count(), found.invited_count());
            (found.activity() <= at).then_some(counts)
        };
        let Some(summary) = self.settings_at_within(room, at, meter).await? else {
            return Ok(None);
        };
        let (joined, invited) = match now {
            Some(counts) => counts,
            None => self.counts_at(room, at, meter).await?,
        };
        Ok(Some(PastRoom { summary, joined, invited }))
    }

    /// The settings of the room after the commit at `at`, without the count of its members, so the
    /// cost does not grow with them.
    ///
    /// # Errors
    /// As [`Self::room_at`].
    pub async fn settings_at(
        &self,
        room: &RoomId,
        at: Position,
    ) -> Result<Option<Summary>, TimelineError> {
        self.settings_at_within(room, at, &Unmetered).await
    }

    /// Like [`Self::settings_at`], within the budget of a request.
    ///
    /// # Errors
    /// As [`Self::room_at`].
    pub async fn settings_at_within(
        &self,
        room: &RoomId,
        at: Position,
        meter: &dyn Meter,
    ) -> Result<Option<Summary>, TimelineError> {
        let mut summary = {
            let view = self.view();
            let Some(found) = view.room(room) else { return Ok(None) };
            let summary = found.summary().clone();
            if found.activity() <= at {
                return Ok(Some(summary));
            }
            summary
        };
        let mut changed = Vec::new();
        let mut steps = Steps::of(meter);
        // The create event never changes.
        let changing = settings::KINDS.into_iter().filter(|kind| *kind != "m.room.create");
        for kind in changing {
            let held = self.slot_at(room, (kind, ""), at, &mut steps).await?;
            let view = self.view();
            if held != view.room(room).and_then(|room| room.state(kind, "")) {
                changed.push((kind, held));
            }
        }
        let keys: Vec<_> = changed.iter().filter_map(|(_, key)| *key).collect();
        let events = self.events_at(room, &keys).await?;
        for (kind, key) in changed {
            let held = events.iter().find(|event| Some(event.row.key) == key);
            summary.restate(kind, held.map(|event| &*event.event().pdu));
        }
        Ok(Some(summary))
    }

    /// How many users were joined and invited, by the membership of each then. Later commits do not
    /// change that.
    async fn counts_at(
        &self,
        room: &RoomId,
        at: Position,
        meter: &dyn Meter,
    ) -> Result<(u64, u64), TimelineError> {
        let (mut joined, mut invited) = (0, 0);
        let mut last: Option<OwnedUserId> = None;
        loop {
            if !meter.pause().await
                || !meter.look_at(MEMBERS_LOOKED_MAX.div_ceil(MEMBERS_OF_A_UNIT))
            {
                return Err(TimelineError::Exhausted);
            }
            let view = self.view();
            let Some(found) = view.room(room) else { return Ok((0, 0)) };
            let mut looked = 0;
            let mut count = |user: &OwnedUserId, member: &Member| {
                looked += 1;
                match member.membership_at(at) {
                    Membership::Join => joined += 1,
                    Membership::Invite => invited += 1,
                    _ => {}
                }
                (looked == MEMBERS_LOOKED_MAX).then(|| user.clone())
            };
            let next = match &last {
                None => found.members().find_map(|(user, member)| count(user, member)),
                Some(last) => {
                    found.members_after(last).find_map(|(user, member)| count(user, member))
                }
            };
            match next {
                None => return Ok((joined, invited)),
                next => last = next,
            }
        }
    }
}
