//! The operations that the generic part of the write side needs of a room, an account or an alias.

use std::{convert::Infallible, sync::Arc};

use rookery_domain::{Account, Alias, Envelope, Fact, Pdu, Room, RoomEvent, Subject};
use rookery_log::StreamKind;

use crate::stream::frozen::{Frozen, FrozenRoom};

/// A state that is folded from the facts of one stream.
pub(crate) trait Aggregate: Sized + Send + 'static {
    const SUBJECT: Subject;
    const KIND: StreamKind;
    /// The parts of the state that a snapshot keeps.
    type Frozen: Frozen;

    /// Folds one fact; `None` is the state of an empty stream.
    fn apply(state: Option<Self>, fact: &Fact) -> Option<Self>;

    /// Whether an answer can depend on `fact`. A message changes nothing that an answer is read
    /// from.
    fn changes_what_is_read(_: &Fact) -> bool {
        true
    }

    /// The parts for a snapshot; `None` for states that are always small.
    fn freeze(&self) -> Option<Self::Frozen> {
        None
    }

    /// Rebuilds the state from its parts.
    fn thaw(_: Self::Frozen) -> Option<Self> {
        None
    }

    /// The approximate memory of the state.
    fn weight_bytes(&self) -> usize;
}

impl Aggregate for Room {
    const SUBJECT: Subject = Subject::Room;
    const KIND: StreamKind = StreamKind::Room;
    type Frozen = FrozenRoom;

    fn apply(state: Option<Self>, fact: &Fact) -> Option<Self> {
        let Fact::Room(event) = fact else { return state };
        let mut room = state.unwrap_or_else(|| Self::new(event.pdu.room_id.clone()));
        room.evolve(event);
        Some(room)
    }

    fn changes_what_is_read(fact: &Fact) -> bool {
        let Fact::Room(event) = fact else { return true };
        let Envelope { erases, calls, .. } = &event.envelope;
        event.pdu.state_key.is_some() || !erases.is_empty() || !calls.is_empty()
    }

    fn freeze(&self) -> Option<FrozenRoom> {
        Some(FrozenRoom {
            facts: self.state_events().map(|pdu| accepted(Arc::clone(pdu))).collect(),
            extremities: self.forward_extremities().to_vec(),
            leaves: self.leaves().to_vec(),
            is_crowded: self.is_crowded(),
            depth: self.depth(),
            calls: self.calls().clone(),
        })
    }

    fn thaw(frozen: FrozenRoom) -> Option<Self> {
        let room_id = frozen.facts.first()?.pdu.room_id.clone();
        let mut room = Self::replay(room_id, &frozen.facts);
        let FrozenRoom { extremities, leaves, is_crowded, depth, calls, .. } = frozen;
        room.continue_after(extremities, leaves, is_crowded, depth, calls);
        Some(room)
    }

    fn weight_bytes(&self) -> usize {
        Self::weight_bytes(self)
    }
}

impl Aggregate for Account {
    const SUBJECT: Subject = Subject::Account;
    const KIND: StreamKind = StreamKind::User;
    type Frozen = Self;

    fn apply(state: Option<Self>, fact: &Fact) -> Option<Self> {
        let Fact::Account(event) = fact else { return state };
        let mut account = state.unwrap_or_default();
        account.evolve(event);
        Some(account)
    }

    fn freeze(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn thaw(frozen: Self) -> Option<Self> {
        Some(frozen)
    }

    fn weight_bytes(&self) -> usize {
        let (rooms, filters) = (self.rooms_read() + self.rooms_preferred(), self.filters_stored());
        512 + rooms * 128 + filters * 64 + self.data_stored() * 192 + self.users_ignored() * 64
    }
}

impl Aggregate for Alias {
    const SUBJECT: Subject = Subject::Alias;
    const KIND: StreamKind = StreamKind::Alias;
    type Frozen = Infallible;

    fn apply(state: Option<Self>, fact: &Fact) -> Option<Self> {
        let Fact::Alias(event) = fact else { return state };
        let mut alias = state.unwrap_or_default();
        alias.evolve(event);
        Some(alias)
    }

    fn weight_bytes(&self) -> usize {
        256
    }
}

fn accepted(pdu: Arc<Pdu>) -> RoomEvent {
    RoomEvent::new(Envelope::local(None, None), pdu)
}
