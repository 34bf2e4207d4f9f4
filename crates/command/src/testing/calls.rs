//! The active calls of users, read from the log each time.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use rookery_domain::{CallId, Fact, OwnedRoomId, Room, RoomCalls, RoomId, UserId};
use rookery_log::{EventLog, PAGE_MAX, Position, Scope, StreamKind, Unavailable};

use crate::{CallLookup, stream::state::read_facts};

/// Calls as the log has them.
pub struct CallsInLog(pub Arc<dyn EventLog>);

#[async_trait]
impl CallLookup for CallsInLog {
    async fn active_calls(
        &self,
        user: &UserId,
        _: Position,
    ) -> Result<Vec<(OwnedRoomId, CallId)>, Unavailable> {
        let rooms = calls_in(&*self.0).await?;
        let of_room = |(room, calls): (OwnedRoomId, RoomCalls)| {
            let active = calls.active_of(user).map(|call| (room.clone(), call.id.clone()));
            active.collect::<Vec<_>>()
        };
        Ok(rooms.into_iter().flat_map(of_room).collect())
    }
}

/// The calls of all rooms of a log.
///
/// # Errors
/// [`Unavailable`] if the log cannot be read.
///
/// # Panics
/// If the log has events that cannot be read.
pub async fn calls_in(log: &dyn EventLog) -> Result<BTreeMap<OwnedRoomId, RoomCalls>, Unavailable> {
    let mut rooms: BTreeMap<OwnedRoomId, RoomCalls> = BTreeMap::new();
    let mut after = Position::ORIGIN;
    loop {
        let page = log.read(&Scope::All, after, PAGE_MAX).await;
        let page = page.map_err(|error| Unavailable { reason: error.to_string().into() })?;
        let Some(last) = page.last() else { return Ok(rooms) };
        after = last.position;
        for record in page {
            let Some((StreamKind::Room, room)) = record.commit.stream.split() else { continue };
            let calls = rooms.entry(RoomId::parse(room).expect("a room ID")).or_default();
            for fact in read_facts::<Room>(&record).expect("events of this version") {
                let Fact::Room(event) = fact else { continue };
                calls.evolve(&event);
                event.erases().iter().for_each(|erased| calls.forget(&erased.event_id));
            }
        }
    }
}
