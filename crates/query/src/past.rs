//! A room as it was at a position of before.
//!
//! What an answer shows is of one position, also when the models have gone on since. A room that
//! has not changed since is as it is now; of one that has, the settings are read from the events
//! that held them, and members are counted by when they came and went.
//!
//! **Invariant:** the cost grows with what has changed since, and with the members of a room that
//! has changed since: not with its history.

use std::io;

use rookery_domain::{
    DIRECTORY_TYPE, HistoryVisibility, JoinRule, Membership, Pdu, PowerLevels, RoomId,
};
use rookery_log::Position;

use crate::{
    Powers, ReadModels, RoomView, RowKey, Summary, TimelineError, TimelineRow, content::Content,
};

/// Rows that are looked at to find what came since a position, at most.
const SCANNED_ROWS_MAX: usize = 20_000;

/// The settings of a room that can be read as of a position. The create event never changes.
const SETTINGS: [&str; 8] = [
    "m.room.name",
    "m.room.topic",
    "m.room.avatar",
    "m.room.canonical_alias",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.power_levels",
    DIRECTORY_TYPE,
];

/// What a room said about itself at a position, and who was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRoom {
    /// What it said about itself. (Its histories and last events are those of now.)
    pub summary: Summary,
    /// How many were joined.
    pub joined: u64,
    /// How many were invited.
    pub invited: u64,
}

impl ReadModels {
    /// The room as it was after the commit at `at`. None if there is no such room.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn room_at(
        &self,
        room: &RoomId,
        at: Position,
    ) -> Result<Option<PastRoom>, TimelineError> {
        let (mut past, changed) = {
            let view = self.view();
            let Some(found) = view.room(room) else { return Ok(None) };
            (found.counted_at(at), found.settings_changed_since(at)?)
        };
        self.restate_all(room, &mut past.summary, changed).await?;
        Ok(Some(past))
    }

    /// What the room said about itself after the commit at `at`: the same without the count of its members, so that the cost
    /// does not grow with them.
    ///
    /// # Errors
    /// As [`Self::room_at`].
    pub async fn settings_at(
        &self,
        room: &RoomId,
        at: Position,
    ) -> Result<Option<Summary>, TimelineError> {
        let (mut summary, changed) = {
            let view = self.view();
            let Some(found) = view.room(room) else { return Ok(None) };
            (found.summary().clone(), found.settings_changed_since(at)?)
        };
        self.restate_all(room, &mut summary, changed).await?;
        Ok(Some(summary))
    }

    async fn restate_all(
        &self,
        room: &RoomId,
        summary: &mut Summary,
        changed: Vec<(&'static str, Option<RowKey>)>,
    ) -> Result<(), TimelineError> {
        let keys: Vec<_> = changed.iter().filter_map(|(_, key)| *key).collect();
        let events = self.events_at(room, &keys).await?;
        for (kind, key) in changed {
            let held = events.iter().find(|event| Some(event.row.key) == key);
            restate(summary, kind, held.map(|event| &*event.event().pdu));
        }
        Ok(())
    }
}

impl RoomView<'_> {
    /// The room with the members of `at`, and the settings of now.
    fn counted_at(&self, at: Position) -> PastRoom {
        let (joined, invited) = (self.joined_count(), self.invited_count());
        let mut past = PastRoom { summary: self.summary().clone(), joined, invited };
        if self.activity() <= at {
            return past;
        }
        for (user, member) in self.members().filter(|(_, member)| member.changed_after(at)) {
            count(&mut past, member.membership, u64::wrapping_sub);
            count(&mut past, self.membership_at(user, at), u64::wrapping_add);
        }
        past
    }

    /// The settings that have changed since, with the events that held them at `at`.
    fn settings_changed_since(
        &self,
        at: Position,
    ) -> io::Result<Vec<(&'static str, Option<RowKey>)>> {
        let mut changed = Vec::new();
        if self.activity() > at {
            for kind in SETTINGS {
                let held = self.state_at(kind, "", at)?;
                if held != self.state(kind, "") {
                    changed.push((kind, held));
                }
            }
        }
        Ok(changed)
    }

    /// The rows of all events after the commit at `after`, in the order of the timeline. None if
    /// these are more than `limit`, or lie too far back to be found.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn rows_since(
        &self,
        after: Position,
        limit: usize,
    ) -> io::Result<Option<Vec<TimelineRow>>> {
        let since = self.look_back(after, limit)?;
        Ok(since.map(|since| since.rows).filter(|rows| rows.len() <= limit))
    }

    /// The last commit with an accepted event, as of the commit at `at`. None if it lies too far
    /// back to be found.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn activity_at(&self, at: Position) -> io::Result<Option<Position>> {
        if self.activity() <= at {
            return Ok(Some(self.activity()));
        }
        Ok(self.look_back(at, SCANNED_ROWS_MAX)?.and_then(|since| since.before))
    }

    /// Walks back until all that came after `after` has been seen. Sequence numbers have no holes,
    /// so that is when they reach down to one of before.
    fn look_back(&self, after: Position, limit: usize) -> io::Result<Option<Since>> {
        let mut since = Since { rows: Vec::new(), before: None };
        let end = self.summary().last_sequence + 1;
        let (mut lowest, mut known, mut scanned) = (end, 0, 0);
        let (mut key, mut chunk) = (None, 64);
        loop {
            let rows = self.rows_before(key, chunk)?;
            for row in &rows {
                if row.key.position > after {
                    since.rows.push(*row);
                    lowest = lowest.min(row.sequence);
                } else {
                    known = known.max(row.sequence);
                    let accepted = Some(row.key.position).filter(|_| !row.flags.is_hidden());
                    since.before = since.before.max(accepted);
                }
            }
            scanned += rows.len();
            let whole = known + 1 == lowest && since.rows.len() as u64 + lowest == end;
            if rows.len() < chunk || (whole && since.before.is_some()) {
                since.rows.reverse();
                return Ok(Some(since));
            }
            if since.rows.len() > limit || scanned > SCANNED_ROWS_MAX {
                return Ok(None);
            }
            key = rows.last().map(|row| row.key);
            chunk = (chunk * 2).min(1_024);
        }
    }
}

/// What a room has had since a position.
struct Since {
    /// The rows after it, in the order of the timeline.
    rows: Vec<TimelineRow>,
    /// The last commit up to it with an accepted event, as far as was looked.
    before: Option<Position>,
}

fn count(past: &mut PastRoom, membership: Membership, add: impl Fn(u64, u64) -> u64) {
    match membership {
        Membership::Join => past.joined = add(past.joined, 1),
        Membership::Invite => past.invited = add(past.invited, 1),
        _ => {}
    }
}

/// Lets a summary say what it said while `held` held the setting, or while nothing did.
fn restate(summary: &mut Summary, kind: &str, held: Option<&Pdu>) {
    let content = held.map(Content::of);
    let text = |key| content.as_ref().and_then(|content| content.owned(key));
    match kind {
        "m.room.name" => summary.name = text("name"),
        "m.room.topic" => summary.topic = text("topic"),
        "m.room.avatar" => summary.avatar_url = text("url"),
        "m.room.canonical_alias" => {
            summary.canonical_alias = text("alias");
            summary.alt_aliases =
                content.map(|content| content.texts("alt_aliases")).unwrap_or_default();
        }
        "m.room.join_rules" => summary.join_rule = held.map(JoinRule::of),
        "m.room.history_visibility" => {
            let setting = held.map(HistoryVisibility::of).unwrap_or_default();
            if let Some(last) = summary.visibility.last_mut() {
                last.setting = setting;
            }
        }
        "m.room.power_levels" => {
            summary.powers = held.map(|pdu| {
                let PowerLevels { users, users_default, .. } = PowerLevels::of(pdu);
                Powers { users: users.into_iter().collect(), users_default }
            });
        }
        DIRECTORY_TYPE => summary.listed = content.is_some_and(|content| content.flag("listed")),
        _ => {}
    }
}
