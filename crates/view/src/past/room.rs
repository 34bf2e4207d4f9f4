//! A room as it was at a position of before.
//!
//! What an answer shows is of one position, also when the models have gone on since. A room that
//! has not changed since is as it is now; of one that has, the settings are read from the events
//! that held them, and members are counted by when they came and went.
//!
//! **Invariant:** the models are let go after a bounded number of rows, members or changes.
//! **Invariant:** the cost grows with what has changed since, and with the members of a room that
//! has changed since: not with its history.

use std::{collections::HashMap, io, ops::ControlFlow};

use rookery_domain::{
    DIRECTORY_TYPE, HistoryVisibility, JoinRule, Membership, OwnedRoomId, OwnedUserId, Pdu,
    PowerLevels, RoomId, UserId,
};
use rookery_log::Position;

use crate::{
    Member, MembershipChange, Meter, Missed, Powers, ROWS_OF_A_UNIT, ReadModels, RoomView, RowKey,
    Summary, TimelineError, TimelineRow, Unmetered, content::Content, room_view::SlotWalk,
};

/// Rows that are looked at to find what came since a position, at most.
const SCANNED_ROWS_MAX: usize = 20_000;

/// Members that are looked at before the models are let go.
const MEMBERS_LOOKED_MAX: usize = if cfg!(test) { 2 } else { 1_024 };

/// Members that count as one unit of work: they are in memory, and one number is all that is read of each.
const MEMBERS_OF_A_UNIT: usize = 64;

/// Rows that a walk back looks at first.
const ROWS_MIN: usize = if cfg!(test) { 2 } else { 64 };

/// Events that a client may have missed of a room before it is better off with a new copy.
const MISSED_EVENTS_MAX: usize = 1_000;

/// Changes of a slot that are looked at before the models are let go.
const CHANGES_LOOKED_MAX: usize = if cfg!(test) { 2 } else { 256 };

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
        self.room_at_within(room, at, &Unmetered).await
    }

    /// The same, of what a request may look at.
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
        self.settings_at_within(room, at, &Unmetered).await
    }

    /// The same, of what a request may look at.
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
        for kind in SETTINGS {
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
            restate(&mut summary, kind, held.map(|event| &*event.event().pdu));
        }
        Ok(Some(summary))
    }

    /// How many were joined and invited, from what each member was then: that stays so, whatever comes meanwhile.
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

    /// The events that held these slots after the commit at `at`; slots that nobody held are left out. The cost grows with how
    /// often the slots have changed since.
    ///
    /// # Errors
    /// [`TimelineError`] if a file of the models cannot be read, or if the request may look at no more.
    pub async fn held_at<'a>(
        &self,
        room: &RoomId,
        slots: impl IntoIterator<Item = &'a (String, String)> + Send,
        at: Position,
        meter: &dyn Meter,
    ) -> Result<Vec<RowKey>, TimelineError> {
        let mut steps = Steps::of(meter);
        let mut held = Vec::new();
        for (kind, state_key) in slots.into_iter().collect::<Vec<_>>() {
            held.extend(self.slot_at(room, (kind, state_key), at, &mut steps).await?);
        }
        Ok(held)
    }

    /// The event that held a slot.
    async fn slot_at(
        &self,
        room: &RoomId,
        slot: (&str, &str),
        at: Position,
        steps: &mut Steps<'_>,
    ) -> Result<Option<RowKey>, TimelineError> {
        let mut walk = SlotWalk::default();
        loop {
            if !steps.meter.pause().await {
                return Err(TimelineError::Exhausted);
            }
            let before = walk.as_ref().map_or(0, |walked| walked.steps);
            let found = {
                let view = self.view();
                let Some(found) = view.room(room) else { return Ok(None) };
                found.walk_slot(slot, at, &mut walk, CHANGES_LOOKED_MAX)?
            };
            steps.take(walk.as_ref().map_or(0, |walked| walked.steps) - before)?;
            if let ControlFlow::Break(held) = found {
                return Ok(held);
            }
        }
    }

    /// What a client of `user` that knew the room at `since` has missed up to `at`.
    ///
    /// # Errors
    /// [`TimelineError`] if a file of the models cannot be read, or if the request may look at no more.
    pub async fn missed(
        &self,
        room: &RoomId,
        user: &UserId,
        (since, at): (Position, Position),
        meter: &dyn Meter,
    ) -> Result<Missed, TimelineError> {
        let was_in = self.view().room(room).is_some_and(|found| found.was_in(user, since, at));
        if !was_in {
            return Ok(Missed::TooMuch);
        }
        let mut look = LookBack::default();
        loop {
            if !meter.pause().await || !meter.look_at(look.chunk().div_ceil(ROWS_OF_A_UNIT)) {
                return Err(TimelineError::Exhausted);
            }
            let view = self.view();
            let Some(found) = view.room(room) else { return Ok(Missed::TooMuch) };
            if let ControlFlow::Break(whole) = look.step(&found, since, MISSED_EVENTS_MAX)? {
                let mut rows = look.since.rows;
                if !whole || rows.len() > MISSED_EVENTS_MAX {
                    return Ok(Missed::TooMuch);
                }
                rows.retain(|row| row.key.position <= at && !row.flags.is_hidden());
                return Ok(Missed::Events(rows));
            }
        }
    }

    /// When the rooms of `user` that have become active after `WantedRooms::at` were active before that, of those that
    /// `wants` lets pass.
    ///
    /// # Errors
    /// [`TimelineError`] if a file of the models cannot be read, or if the request may look at no more.
    pub async fn moved_since(
        &self,
        user: &UserId,
        at: Position,
        wants: &(dyn Fn(&RoomId) -> bool + Send + Sync),
        meter: &dyn Meter,
    ) -> Result<Moved, TimelineError> {
        let mut moved = Moved::default();
        // What becomes active meanwhile has had little since, and is looked at by whoever asks for the page.
        let rooms = self.view().rooms_after(user, at, wants);
        for room in rooms {
            let mut look = LookBack::default();
            loop {
                if !meter.pause().await || !meter.look_at(look.chunk().div_ceil(ROWS_OF_A_UNIT)) {
                    return Err(TimelineError::Exhausted);
                }
                let view = self.view();
                let Some(found) = view.room(&room) else { break };
                if let ControlFlow::Break(whole) = look.step(&found, at, SCANNED_ROWS_MAX)? {
                    let before = look.since.before.filter(|_| whole);
                    moved.0.insert(room, before);
                    break;
                }
            }
        }
        Ok(moved)
    }
}

/// When rooms were active before a position, of those that have been active since; none where that lies too far back.
#[derive(Clone, Debug, Default)]
pub struct Moved(HashMap<OwnedRoomId, Option<Position>>);

impl Moved {
    /// When a room was active before; asks `find` about one that was not looked at.
    pub(crate) fn of(
        &self,
        room: &RoomId,
        find: impl FnOnce() -> io::Result<Option<Position>>,
    ) -> io::Result<Option<Position>> {
        self.0.get(room).map_or_else(find, |before| Ok(*before))
    }
}

impl RoomView<'_> {
    /// Whether `user` was joined at `since` and all the time up to `at`.
    fn was_in(&self, user: &UserId, since: Position, at: Position) -> bool {
        let was_out = |change: &MembershipChange| {
            since < change.position
                && change.position <= at
                && change.membership != Membership::Join
        };
        let history = self.member(user).map(|member| &*member.history).unwrap_or_default();
        let first = history.partition_point(|change| change.position <= since);
        self.membership_at(user, since) == Membership::Join && !history[first..].iter().any(was_out)
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

    /// Walks back until all that came after `after` has been seen.
    fn look_back(&self, after: Position, limit: usize) -> io::Result<Option<Since>> {
        let mut look = LookBack::default();
        loop {
            if let ControlFlow::Break(whole) = look.step(self, after, limit)? {
                return Ok(Some(look.since).filter(|_| whole));
            }
        }
    }
}

/// Changes of slots that were looked at, of which some are not yet taken out of what the request may look at.
struct Steps<'a> {
    meter: &'a dyn Meter,
    open: usize,
}

impl<'a> Steps<'a> {
    fn of(meter: &'a dyn Meter) -> Self {
        Self { meter, open: 0 }
    }

    fn take(&mut self, steps: usize) -> Result<(), TimelineError> {
        let open = self.open + steps;
        self.open = open % ROWS_OF_A_UNIT;
        let units = open / ROWS_OF_A_UNIT;
        if units == 0 || self.meter.look_at(units) { Ok(()) } else { Err(TimelineError::Exhausted) }
    }
}

/// A walk back over what came after a position. It can be left and gone on with at a later view.
#[derive(Default)]
struct LookBack {
    since: Since,
    /// The sequence number after the last event that there was when it began.
    end: Option<u64>,
    lowest: u64,
    known: u64,
    scanned: usize,
    key: Option<RowKey>,
    chunk: usize,
}

impl LookBack {
    /// How many rows the next step looks at, at most.
    fn chunk(&self) -> usize {
        self.chunk.clamp(ROWS_MIN, 1_024)
    }

    /// Looks at some more rows. Sequence numbers have no holes, so all has been seen when they reach down to one of before.
    /// Breaks with whether it has.
    fn step(
        &mut self,
        room: &RoomView<'_>,
        after: Position,
        limit: usize,
    ) -> io::Result<ControlFlow<bool>> {
        let end = *self.end.get_or_insert_with(|| {
            self.lowest = room.summary().last_sequence + 1;
            self.lowest
        });
        let chunk = self.chunk();
        let rows = room.rows_before(self.key, chunk)?;
        // What came since the walk began is not counted.
        for row in rows.iter().filter(|row| row.sequence < end) {
            if row.key.position > after {
                self.since.rows.push(*row);
                self.lowest = self.lowest.min(row.sequence);
            } else {
                self.known = self.known.max(row.sequence);
                let accepted = Some(row.key.position).filter(|_| !row.flags.is_hidden());
                self.since.before = self.since.before.max(accepted);
            }
        }
        self.scanned += rows.len();
        let whole =
            self.known + 1 == self.lowest && self.since.rows.len() as u64 + self.lowest == end;
        if rows.len() < chunk || (whole && self.since.before.is_some()) {
            self.since.rows.reverse();
            return Ok(ControlFlow::Break(true));
        }
        if self.since.rows.len() > limit || self.scanned > SCANNED_ROWS_MAX {
            return Ok(ControlFlow::Break(false));
        }
        self.key = rows.last().map(|row| row.key);
        self.chunk = chunk * 2;
        Ok(ControlFlow::Continue(()))
    }
}

/// What a room has had since a position.
#[derive(Default)]
struct Since {
    /// The rows after it, in the order of the timeline.
    rows: Vec<TimelineRow>,
    /// The last commit up to it with an accepted event, as far as was looked.
    before: Option<Position>,
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
