//! Events of the log as other servers get them.
//!
//! **Invariant:** an event of this server is signed when it leaves, and its other bytes are those of the log.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use rookery_domain::{
    EventId, EventStatus, OwnedEventId, Pdu, RoomEvent, RoomId, RoomVersionId, sign,
};
use rookery_log::Position;
use rookery_projection::Committed;
use rookery_view::Reader;
use serde_json::value::RawValue;

use crate::keys::OwnKeys;

/// Most commits that are read at once.
const COMMITS_MAX: usize = 512;

/// Reads events by their IDs.
#[derive(Clone)]
pub(crate) struct Events {
    pub(crate) reader: Reader,
    pub(crate) own: Arc<OwnKeys>,
}

/// An event of the log, with its place.
#[derive(Clone, Debug)]
pub(crate) struct KnownPdu {
    pub(crate) pdu: Arc<Pdu>,
    pub(crate) status: EventStatus,
    pub(crate) position: Position,
    pub(crate) sequence: u64,
}

impl Events {
    /// The known events of `room` among these, in their order.
    pub(crate) async fn get(
        &self,
        room: &RoomId,
        ids: &[OwnedEventId],
    ) -> Result<Vec<KnownPdu>, String> {
        let mut found = Vec::with_capacity(ids.len());
        for part in ids.chunks(COMMITS_MAX) {
            let places = {
                let view = self.reader.view();
                let places = part.iter().map(|id| view.event(id).map(|place| Some((id, place?))));
                places.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?
            };
            let places: Vec<_> =
                places.into_iter().flatten().filter(|(_, it)| it.room_id == room).collect();
            let positions = places.iter().map(|(_, place)| place.position).collect();
            let commits = self.reader.commits(positions).await.map_err(|it| it.to_string())?;
            for (id, place) in places {
                let event = commits.get(&place.position).and_then(|it| it.room_event(place.index));
                let Some(event) = event.filter(|it| it.pdu.event_id == *id) else { continue };
                found.push(KnownPdu {
                    pdu: Arc::clone(&event.pdu),
                    status: event.envelope.status,
                    position: place.position,
                    sequence: place.sequence,
                });
            }
        }
        Ok(found)
    }

    /// Those of these events of `room` that are in the log.
    pub(crate) fn known(
        &self,
        room: &RoomId,
        ids: &[OwnedEventId],
    ) -> Result<HashSet<OwnedEventId>, String> {
        let mut known = HashSet::new();
        for part in ids.chunks(COMMITS_MAX) {
            let view = self.reader.view();
            for id in part {
                let place = view.event(id).map_err(|error| error.to_string())?;
                if place.is_some_and(|place| place.room_id == room) {
                    known.insert(id.clone());
                }
            }
        }
        Ok(known)
    }

    /// The room of an event, and the event.
    pub(crate) async fn find(
        &self,
        id: &EventId,
    ) -> Result<Option<(rookery_domain::OwnedRoomId, KnownPdu)>, String> {
        let place = self.reader.view().event(id).map_err(|error| error.to_string())?;
        let Some(place) = place else { return Ok(None) };
        let known = self.get(&place.room_id, &[id.to_owned()]).await?.pop();
        Ok(known.map(|known| (place.room_id, known)))
    }

    /// The events at these places of the log, in their order.
    pub(crate) async fn at(&self, places: &[(u64, u16)]) -> Result<Vec<RoomEvent>, String> {
        let positions = places.iter().map(|(position, _)| Position(*position)).collect();
        let commits: BTreeMap<Position, Arc<Committed>> =
            self.reader.commits(positions).await.map_err(|error| error.to_string())?;
        let event = |(position, index): &(u64, u16)| {
            commits.get(&Position(*position))?.room_event(usize::from(*index)).cloned()
        };
        Ok(places.iter().filter_map(event).collect())
    }

    /// The bytes of an event for other servers.
    pub(crate) fn bytes(
        &self,
        pdu: &Pdu,
        version: &RoomVersionId,
    ) -> Result<Box<RawValue>, String> {
        let text = if pdu.sender.server_name() == self.own.server_name {
            sign(pdu, &self.own.current, &self.own.server_name, version)
                .map_err(|error| error.to_string())?
        } else {
            String::from_utf8(pdu.json.to_vec()).map_err(|error| error.to_string())?
        };
        RawValue::from_string(text).map_err(|error| error.to_string())
    }

    /// An event of another server with the signature of this one beside its own.
    pub(crate) fn cosigned(
        &self,
        pdu: &Pdu,
        version: &RoomVersionId,
    ) -> Result<Box<RawValue>, String> {
        let text = sign(pdu, &self.own.current, &self.own.server_name, version)
            .map_err(|error| error.to_string())?;
        RawValue::from_string(text).map_err(|error| error.to_string())
    }
}
