//! The home screen: the data for a client's first screen, and the position for its stream.
//!
//! **Invariant:** all pages of a sync are of one position, that of the first page.

use std::{cell::Cell, sync::Arc};

use rookery_domain::{Filter, OwnedRoomId, Profile, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::Member;

use crate::{
    CLOSED_MAX, ClosedRoom, Meter, Missed, MissedEvents, Moved, Reader, RoomSnapshot, RoomView,
    SyncPlace, TimelineError, View, WantedRooms,
};

/// Events of each room, by default.
pub const TIMELINE_DEFAULT: usize = 20;

/// Invites on a page at most.
pub const INVITES_MAX: usize = 100;

/// The requested page of a sync.
#[derive(Clone, Debug, Default)]
pub struct WantedSync {
    /// The greatest number of rooms.
    pub limit: usize,
    /// Where the page begins: the [`InitialSync::next`] of the previous page.
    pub after: Option<SyncPlace>,
    /// Only changes since this position.
    pub since: Option<Position>,
    /// Only this room.
    pub room_id: Option<OwnedRoomId>,
    /// The filter for rooms.
    pub filter: Option<Arc<Filter>>,
    /// How many events of each room the client reads next; 0 for none.
    pub timeline_next: usize,
    /// Whether the client reads the last message of each room next.
    pub last_message_next: bool,
}

/// A page of a user's rooms, with all other data at the same position.
#[derive(Clone, Debug)]
pub struct InitialSync {
    /// The position of all data on all pages.
    pub at: Position,
    /// Where the next page begins; `None` if there are no more rooms and no more invites.
    pub next: Option<SyncPlace>,
    /// Rooms that the user has joined, most recently active first.
    pub rooms: Vec<SyncedRoom>,
    /// Rooms that the user is invited to, newest invite first.
    pub invites: Vec<SyncedRoom>,
    /// Rooms that were closed to the user since, and invites that ended, in order of time.
    pub closed: Vec<ClosedRoom>,
    /// The profile of the user.
    pub profile: Profile,
}

/// A room of a sync.
#[derive(Clone, Debug)]
pub struct SyncedRoom {
    /// The room.
    pub room_id: OwnedRoomId,
    /// Its snapshot at the position of the sync; `None` if it has changed since.
    pub snapshot: Option<RoomSnapshot>,
    /// The events that the client has missed; `None` if its copy has to be replaced.
    pub missed: Option<MissedEvents>,
}

/// A page of a sync cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The models were never at this position.
    #[error("the position is not of this log")]
    PositionUnknown,
    /// The pages of one sync have one begin.
    #[error("`since` has to be the same on every page")]
    OtherSince,
    /// The read failed.
    #[error(transparent)]
    Read(#[from] TimelineError),
}

impl WantedSync {
    fn wants(&self, room: &RoomId) -> bool {
        self.filter.as_deref().is_none_or(|filter| filter.wants_room(room))
    }

    fn is_asked(&self, room: &RoomId) -> bool {
        self.room_id.as_deref().is_none_or(|wanted| wanted == room)
    }
}

/// The positions of a page, and where it continues.
#[derive(Clone, Copy)]
struct Bounds {
    at: Position,
    since: Position,
    before: Position,
    invites_before: Position,
    is_first: bool,
}

impl Bounds {
    fn of(view: &View<'_>, wanted: &WantedSync) -> Result<Self, SyncError> {
        let Some(after) = wanted.after else {
            let at = view.position();
            let before = Position(u64::MAX);
            let since = wanted.since.unwrap_or_default().min(at);
            return Ok(Self { at, since, before, invites_before: before, is_first: true });
        };
        let SyncPlace { at, since, before, invites_before } = after;
        if at > view.position() {
            return Err(SyncError::PositionUnknown);
        }
        if wanted.since.is_some_and(|asked| asked != since) {
            return Err(SyncError::OtherSince);
        }
        Ok(Self { at, since, before, invites_before, is_first: false })
    }

    /// Whether the page lists closed rooms.
    fn tells_closed(&self) -> bool {
        self.is_first && self.since > Position::ORIGIN
    }
}

impl Reader {
    /// A page of the rooms of `user`, with all other data at the same position.
    ///
    /// # Errors
    /// [`SyncError`].
    pub async fn initial_sync(
        &self,
        user: &UserId,
        wanted: &WantedSync,
        meter: &dyn Meter,
    ) -> Result<InitialSync, SyncError> {
        let moved = self.moved_for(user, wanted, meter).await?;
        let (mut sync, bounds, next_reads) = {
            let view = self.view();
            let bounds = Bounds::of(&view, wanted)?;
            let page = pick(&view, user, bounds, (wanted, &moved), meter)?;
            if bounds.tells_closed() {
                let looked = view.closed_looked(user, bounds.since);
                meter.take_rows(looked)?;
                if looked > CLOSED_MAX {
                    return Err(TimelineError::Exhausted.into());
                }
            }
            let next_reads = next_reads(&page.0, wanted);
            (assemble(&view, user, bounds, wanted, page), bounds, next_reads)
        };
        self.find_missed(user, bounds, &mut sync.rooms, meter).await?;
        // Reads the commits for the fields of the rooms at once.
        self.read_ahead(next_reads).await.map_err(TimelineError::from)?;
        Ok(sync)
    }

    /// The earlier activity of rooms that have been active since the first page. It may take long
    /// for active rooms, so the models are released meanwhile.
    async fn moved_for(
        &self,
        user: &UserId,
        wanted: &WantedSync,
        meter: &dyn Meter,
    ) -> Result<Moved, SyncError> {
        if wanted.after.is_none() || wanted.room_id.is_some() {
            return Ok(Moved::default());
        }
        let at = Bounds::of(&self.view(), wanted)?.at;
        Ok(self.moved_since(user, at, &|room: &RoomId| wanted.wants(room), meter).await?)
    }

    /// Finds the events that a client with these rooms has missed, one room after the other.
    async fn find_missed(
        &self,
        user: &UserId,
        Bounds { at, since, .. }: Bounds,
        rooms: &mut [SyncedRoom],
        meter: &dyn Meter,
    ) -> Result<(), TimelineError> {
        if since == Position::ORIGIN {
            return Ok(());
        }
        for room in rooms {
            let missed = self.missed(&room.room_id, user, (since, at), meter).await?;
            if let Missed::Events(rows) = missed {
                room.missed = Some(MissedEvents { at, rows });
            }
        }
        Ok(())
    }
}

/// The rooms of the page, and the begin of the next one.
fn pick<'a>(
    view: &'a View<'_>,
    user: &UserId,
    Bounds { at, since, before, .. }: Bounds,
    (asked, moved): (&WantedSync, &Moved),
    meter: &dyn Meter,
) -> Result<(Vec<RoomView<'a>>, Option<Position>), TimelineError> {
    let wanted = WantedRooms { at, since, before, limit: asked.limit };
    if let Some(room) = &asked.room_id {
        return Ok((view.room_as_of(user, room, wanted).into_iter().collect(), None));
    }
    // A filter that accepts no room makes this check all of them.
    let looked = Cell::new(0);
    let wants = |room: &RoomId| {
        looked.set(looked.get() + 1);
        asked.wants(room)
    };
    let page = view.rooms_as_of(user, wanted, wants, moved);
    meter.take_rows(looked.get())?;
    let page = page?;
    Ok((page.rooms, page.next))
}

fn assemble(
    view: &View<'_>,
    user: &UserId,
    bounds: Bounds,
    asked: &WantedSync,
    (rooms, next): (Vec<RoomView<'_>>, Option<Position>),
) -> InitialSync {
    let Bounds { at, since, invites_before, .. } = bounds;
    let is_now = at == view.position();
    let synced = |room: &RoomView<'_>| SyncedRoom {
        room_id: room.id().to_owned(),
        snapshot: (is_now || room.activity() <= at).then(|| RoomSnapshot::of(room, user)),
        missed: None,
    };
    // A request for one room gets its invite, however many others there are.
    let limit = if asked.room_id.is_some() { usize::MAX } else { INVITES_MAX };
    let wanted = WantedRooms { at, since, before: invites_before, limit };
    let (mut invites, invites_next) = invites(view, user, wanted, &synced);
    invites.retain(|room| asked.is_asked(&room.room_id));
    let mut closed = Vec::new();
    if bounds.tells_closed() {
        closed = view.closed_since(user, since, at);
        closed.extend(view.closed_elsewhere(user, since, at));
        closed.retain(|closed| asked.is_asked(&closed.room_id));
        closed.sort_by_key(|closed| (closed.change.position, closed.change.sequence));
    }
    // There is another page of both while there is more of either.
    let next = (next.is_some() || invites_next.is_some()).then(|| SyncPlace {
        at,
        since,
        before: next.unwrap_or(Position::ORIGIN),
        invites_before: invites_next.unwrap_or(Position::ORIGIN),
    });
    InitialSync {
        at,
        next,
        rooms: rooms.iter().map(synced).collect(),
        invites,
        closed,
        profile: view.profile(user).cloned().unwrap_or_default(),
    }
}

/// A page of invites to rooms here and elsewhere, newest first, and the begin of the next page.
fn invites(
    view: &View<'_>,
    user: &UserId,
    wanted: WantedRooms,
    synced: &dyn Fn(&RoomView<'_>) -> SyncedRoom,
) -> (Vec<SyncedRoom>, Option<Position>) {
    let here = view.invites_as_of(user, wanted);
    let since = |room: &RoomView<'_>| room.member(user).and_then(Member::since);
    let mut all: Vec<_> =
        here.rooms.iter().filter_map(|room| Some((since(room)?.position, synced(room)))).collect();
    all.extend(view.invites_elsewhere(user, wanted).into_iter().map(|(begun, standing)| {
        let snapshot = Some(RoomSnapshot::elsewhere(standing));
        let room_id = standing.preview.room_id.clone();
        (begun, SyncedRoom { room_id, snapshot, missed: None })
    }));
    all.sort_by_key(|(begun, _)| std::cmp::Reverse(*begun));
    let has_more = here.next.is_some() || all.len() > wanted.limit;
    all.truncate(wanted.limit);
    let next = all.last().filter(|_| has_more).map(|(begun, _)| *begun);
    (all.into_iter().map(|(_, room)| room).collect(), next)
}

/// The commits of the events that the client reads next: reading them one room at a time would be
/// slow.
fn next_reads(rooms: &[RoomView<'_>], asked: &WantedSync) -> Vec<Position> {
    let mut keys = Vec::new();
    if asked.last_message_next {
        keys.extend(rooms.iter().filter_map(|room| room.summary().last_message));
    }
    if asked.timeline_next > 0 {
        let rows = rooms.iter().filter_map(|room| room.rows_before(None, asked.timeline_next).ok());
        keys.extend(rows.flatten().map(|row| row.key));
    }
    keys.into_iter().map(|key| key.position).collect()
}
