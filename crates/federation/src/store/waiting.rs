//! Events of other servers that wait for events which they name, as they came.
//!
//! **Invariant:** an event that waits is here before its sender gets an answer, so a restart takes it again.
//! **Invariant:** the waiting events of one server have at most [`WAITING_PER_SERVER_BYTES_MAX`].

use std::collections::BTreeSet;

use redb::ReadableTable as _;
use rookery_command::HELD_PER_SERVER_BYTES_MAX;
use rookery_domain::{OwnedEventId, OwnedRoomId, OwnedServerName};
use serde_json::value::RawValue;

use super::{Store, StoreError, file::WAITING};

/// Most bytes of waiting events of one server that are stored.
const WAITING_PER_SERVER_BYTES_MAX: usize = HELD_PER_SERVER_BYTES_MAX;

/// The waiting events that one server sent of one room.
#[derive(Clone, Debug)]
pub(crate) struct StoredWaiting {
    pub(crate) origin: OwnedServerName,
    pub(crate) room: OwnedRoomId,
    pub(crate) events: Vec<Box<RawValue>>,
}

/// An event on its way to the file.
pub(crate) type NewWaiting = (OwnedEventId, Box<RawValue>);

impl Store {
    /// Stores waiting events of a server, and forgets those of the room that wait no more: all but `waiting`.
    pub(crate) async fn keep_waiting(
        &self,
        (origin, room): (OwnedServerName, OwnedRoomId),
        new: Vec<NewWaiting>,
        waiting: BTreeSet<OwnedEventId>,
    ) -> Result<(), StoreError> {
        self.write(move |write| {
            let mut table = write.open_table(WAITING)?;
            let (origin, room) = (origin.as_str(), room.as_str());
            let (mut gone, mut bytes) = (Vec::new(), 0);
            for row in table.range((origin, "", "")..)? {
                let (key, json) = row?;
                let (of, in_room, id) = key.value();
                if of != origin {
                    break;
                }
                if in_room == room && !waiting.iter().any(|it| it.as_str() == id) {
                    gone.push(id.to_owned());
                } else {
                    bytes += json.value().len();
                }
            }
            for id in gone {
                table.remove((origin, room, id.as_str()))?;
            }
            for (id, json) in new.iter().filter(|(id, _)| waiting.contains(id)) {
                let json = json.get().as_bytes();
                bytes += json.len();
                if bytes <= WAITING_PER_SERVER_BYTES_MAX {
                    table.insert((origin, room, id.as_str()), json)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// All waiting events.
    pub(crate) async fn waiting(&self) -> Result<Vec<StoredWaiting>, StoreError> {
        self.read(|read| {
            let table = read.open_table(WAITING)?;
            let mut all: Vec<StoredWaiting> = Vec::new();
            for row in table.range(("", "", "")..)? {
                let (key, json) = row?;
                let (origin, room, _) = key.value();
                let names = OwnedServerName::try_from(origin).ok().zip(room.try_into().ok());
                let text = String::from_utf8(json.value().to_vec()).ok();
                let event = text.and_then(|text| RawValue::from_string(text).ok());
                let (Some((origin, room)), Some(event)) = (names, event) else { continue };
                match all.last_mut().filter(|last| last.origin == origin && last.room == room) {
                    Some(last) => last.events.push(event),
                    None => all.push(StoredWaiting { origin, room, events: vec![event] }),
                }
            }
            Ok(all)
        })
        .await
    }
}
