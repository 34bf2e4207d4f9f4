//! How the events of a room may be seen that were fetched after events that follow them.
//!
//! **Invariant:** consecutive events that are seen alike take one entry, so a page of history takes few.

use serde::{Deserialize, Serialize};

use crate::{
    HistoryVisibility, Membership, OwnedUserId, PastMember, PastViewing, RoomEvent, UserId,
    user_of_member_event,
};

/// The events of a room that came from the past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastEvents {
    /// In order of their sequences.
    runs: Vec<PastRun>,
    /// The events with a stated state that did not come from the past: the position of the commit of
    /// each, and its last sequence.
    begins: Vec<(u64, u64)>,
}

/// Consecutive events that are seen alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PastRun {
    first: u64,
    last: u64,
    /// The sequence of an event that follows them and was here before.
    before: u64,
    visibility: HistoryVisibility,
    members: Vec<PastMember>,
    /// The user whose membership the event is about.
    own: Option<OwnedUserId>,
}

impl PastEvents {
    /// Notes an event with the position of its commit, its sequence, and the last sequence of its
    /// commit.
    pub fn note(&mut self, event: &RoomEvent, (position, sequence, last): (u64, u64, u64)) {
        let Some(past) = &event.envelope.past else {
            if event.envelope.before.is_some() {
                self.begins.push((position, last));
            }
            return;
        };
        // Without a known follower, those who are in the room now count as its later members.
        let at = self.begins.partition_point(|(begin, _)| *begin <= past.before);
        let before = at.checked_sub(1).map_or(u64::MAX, |at| self.begins[at].1);
        let known = self.runs.last().filter(|run| run.last + 1 == sequence);
        let members = past
            .members
            .clone()
            .unwrap_or_else(|| known.map(|run| run.members.clone()).unwrap_or_default());
        let own = user_of_member_event(&event.pdu).map(ToOwned::to_owned);
        let visibility = past.visibility;
        let run = PastRun { first: sequence, last: sequence, before, visibility, members, own };
        match self.runs.last_mut() {
            Some(last) if last.last + 1 == sequence && last.is_like(&run) => last.last = sequence,
            _ => self.runs.push(run),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How `viewer` relates to the event with this sequence, and the sequence of an event that follows
    /// it and was here before. `None` if it did not come from the past.
    #[must_use]
    pub fn viewing(&self, sequence: u64, viewer: Option<&UserId>) -> Option<(u64, PastViewing)> {
        let run = self.run(sequence)?;
        let is_viewer = |user: &OwnedUserId| viewer.is_some_and(|viewer| *user == viewer);
        let member = run.members.iter().find(|member| is_viewer(&member.user));
        let at = PastViewing {
            own_membership: run.own.as_ref().is_some_and(is_viewer),
            membership: member.map_or(Membership::None, |member| member.membership),
            visibility: run.visibility,
        };
        Some((run.before, at))
    }

    /// The history visibility at the event with this sequence, if it came from the past.
    #[must_use]
    pub fn visibility(&self, sequence: u64) -> Option<HistoryVisibility> {
        Some(self.run(sequence)?.visibility)
    }

    fn run(&self, sequence: u64) -> Option<&PastRun> {
        let at = self.runs.partition_point(|run| run.first <= sequence);
        self.runs.get(at.checked_sub(1)?).filter(|run| sequence <= run.last)
    }
}

impl PastRun {
    fn is_like(&self, other: &Self) -> bool {
        (self.before, self.visibility, &self.own, &self.members)
            == (other.before, other.visibility, &other.own, &other.members)
    }
}
