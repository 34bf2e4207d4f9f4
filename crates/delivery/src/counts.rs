//! The unread counts that a stream owes to its user: those of the rooms in which they may have changed.
//!
//! **Invariant:** counts are those at the time of sending, so later ones never go back behind earlier ones.
//! **Invariant:** the counts of a room are given out at most once in [`COUNTS_PAUSE`]; those after the last change always
//! are.
//! **Invariant:** a stream that resumes owes all counts that an earlier one may have owed: it looks back over the commits
//! of [`LOOK_BACK`].

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use rookery_domain::{
    AccountEvent, Fact, Filter, OwnedRoomId, OwnedUserId, RoomId, TimelineEventType, UserId,
};
use rookery_log::{Millis, Position, ReadError, StreamId, StreamKind};
use rookery_projection::Committed;
use rookery_view::{UnreadCounts, View};

use crate::{Delivery, Feeds};

/// The time between two counts of a room.
pub const COUNTS_PAUSE: Duration = Duration::from_millis(250);

/// The time before a position in which a stream may have owed counts: [`COUNTS_PAUSE`], and the time that a commit needs
/// between the arrival of its command and its place in the log.
const LOOK_BACK: Duration = Duration::from_secs(2);

/// How many commits before a position are looked back over, at most.
const LOOK_BACK_COMMITS_MAX: u64 = 1 << 16;

/// With more rooms than this, the counts that may be given out again are forgotten.
const TOLD_MAX: usize = 64;

/// The counts that one stream gave out last, and those that it owes.
pub struct OwedCounts {
    user: OwnedUserId,
    /// The stream of the user's account.
    own: StreamId,
    filter: Arc<Filter>,
    owed: BTreeSet<OwnedRoomId>,
    told: HashMap<OwnedRoomId, Told>,
}

/// The counts of a room, as given out.
struct Told {
    at: Instant,
    /// The position of the models that they come from.
    position: Position,
    unread: UnreadCounts,
}

impl OwedCounts {
    /// Owes nothing to `user`; later on, only counts of rooms that `filter` wants.
    #[must_use]
    pub fn new(user: &UserId, filter: &Arc<Filter>) -> Self {
        let own = StreamId::new(StreamKind::User, user.as_str());
        let (user, filter) = (user.to_owned(), Arc::clone(filter));
        Self { user, own, filter, owed: BTreeSet::new(), told: HashMap::new() }
    }

    /// Owes the counts that `delivery` may have changed.
    pub fn note(&mut self, delivery: &Delivery) {
        let committed = &delivery.committed;
        match committed.kind {
            Some(StreamKind::Room) => {
                let mut events = committed.room_events();
                // A commit about the user may open the room.
                if !delivery.plain || events.any(|(_, event)| may_count(&event.pdu.kind)) {
                    let room = committed.stream.split();
                    let room = room.and_then(|(_, room)| <&RoomId>::try_from(room).ok());
                    self.owe(room, committed.position);
                }
            }
            Some(StreamKind::User) if committed.stream == self.own => {
                for fact in committed.facts.iter().flatten() {
                    if let Fact::Account(
                        AccountEvent::ReceiptMoved { room_id, .. }
                        | AccountEvent::RoomPreferencesChanged { room_id, .. },
                    ) = fact
                    {
                        self.owe(Some(room_id), committed.position);
                    }
                }
            }
            Some(StreamKind::User | StreamKind::Alias) | None => {}
        }
    }

    fn owe(&mut self, room: Option<&RoomId>, position: Position) {
        let Some(room) = room.filter(|room| self.filter.wants_room(room)) else { return };
        if self.told.get(room).is_none_or(|told| told.position < position) {
            self.owed.insert(room.to_owned());
        }
    }

    /// When the next counts may be given out, as of `now`; `None` if none are owed.
    #[must_use]
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let due = |room| self.told.get(room).map_or(now, |told| told.at + COUNTS_PAUSE);
        self.owed.iter().map(due).min()
    }

    /// The owed counts that may be given out `now` and differ from the last ones.
    pub fn take(&mut self, view: &View<'_>, now: Instant) -> Vec<(OwnedRoomId, UnreadCounts)> {
        let told = &self.told;
        let is_due =
            |room: &&OwnedRoomId| told.get(*room).is_none_or(|told| told.at + COUNTS_PAUSE <= now);
        let due: Vec<_> = self.owed.iter().filter(is_due).cloned().collect();
        let mut changed = Vec::new();
        for room in due {
            self.owed.remove(&room);
            let is_joined = view.is_joined(&room, &self.user);
            let Some(found) = view.room(&room).filter(|_| is_joined) else { continue };
            let (position, unread) = (view.position(), found.unread(&self.user));
            if let Some(told) = self.told.get_mut(&room).filter(|told| told.unread == unread) {
                told.position = position;
                continue;
            }
            self.told.insert(room.clone(), Told { at: now, position, unread });
            changed.push((room, unread));
        }
        if self.told.len() > TOLD_MAX {
            self.told.retain(|_, told| now < told.at + COUNTS_PAUSE);
        }
        changed
    }
}

/// Whether an event of this type may change unread counts: it is counted, an edit, a
/// redaction, or the end of a call.
fn may_count(kind: &TimelineEventType) -> bool {
    use TimelineEventType::{
        CallHangup, CallReject, RoomEncrypted, RoomMessage, RoomRedaction, Sticker,
    };
    matches!(kind, RoomMessage | RoomEncrypted | Sticker | RoomRedaction | CallHangup | CallReject)
}

impl Feeds {
    /// The position after which a stream with counts reads if it resumes after `after`: the commits that arrived within
    /// `LOOK_BACK` before that follow it.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn look_back(&self, after: Position) -> Result<Position, ReadError> {
        let Some(end) = self.received(after).await? else { return Ok(after) };
        let (mut begin, mut step) = (after, 1);
        while begin > Position::ORIGIN && step <= LOOK_BACK_COMMITS_MAX {
            begin = Position(after.0.saturating_sub(step));
            let age = |at: Millis| Duration::from_millis(end.0.saturating_sub(at.0));
            if self.received(begin).await?.is_some_and(|at| age(at) > LOOK_BACK) {
                break;
            }
            step *= 2;
        }
        Ok(begin)
    }

    async fn received(&self, position: Position) -> Result<Option<Millis>, ReadError> {
        let found = self.models().commits(vec![position]).await?;
        Ok(found.get(&position).map(|committed: &Arc<Committed>| committed.received))
    }
}
