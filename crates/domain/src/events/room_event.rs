//! A room event with its envelope, and its changes of the room's state.
//!
//! **Invariant:** a reader that folds a room takes the changes from [`RoomEvent::state_changes`]
//! and resolves nothing. State was resolved when the event was appended.

use std::{borrow::Cow, sync::Arc};

use crate::{Envelope, Erased, EventStatus, Holder, Pdu};

/// A room event with its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomEvent {
    /// The data that the server stores beside it.
    pub envelope: Envelope,
    /// The event.
    pub pdu: Arc<Pdu>,
    /// The other events that its envelope names as holders of slots. A reader fetches them from the
    /// log, where [`Self::restated_holders`] says they are.
    pub restated: Vec<Arc<Pdu>>,
}

/// A slot whose holder an event has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange<'a> {
    /// The event type.
    pub kind: Cow<'a, str>,
    /// The state key.
    pub state_key: &'a str,
    /// The event that holds the slot now; `None` if the slot is empty.
    pub holder: Option<StateHolder<'a>>,
}

/// The event that holds a slot after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateHolder<'a> {
    /// The event that holds it.
    pub pdu: &'a Arc<Pdu>,
    /// Its place in the log, unless it is the event itself.
    pub place: Option<&'a Holder>,
}

impl RoomEvent {
    /// An event with its envelope, before its restated holders are fetched.
    #[must_use]
    pub fn new(envelope: Envelope, pdu: Arc<Pdu>) -> Self {
        Self { envelope, pdu, restated: Vec::new() }
    }

    /// The events whose content it erases; none unless it was accepted.
    #[must_use]
    pub fn erases(&self) -> &[Erased] {
        if self.envelope.status == EventStatus::Accepted { &self.envelope.erases } else { &[] }
    }

    /// The other events that hold slots again because of it: a reader fetches them into
    /// [`Self::restated`].
    pub fn restated_holders(&self) -> impl Iterator<Item = &Holder> {
        let holders = self.envelope.state.iter().flatten().filter_map(|slot| slot.holder.as_ref());
        holders.filter(|holder| holder.event_id != self.pdu.event_id)
    }

    /// Whether the event is a state event that holds its slot.
    #[must_use]
    pub fn holds_its_slot(&self) -> bool {
        let own = &self.pdu.event_id;
        self.state_changes().any(|change| change.holder.is_some_and(|it| it.pdu.event_id == *own))
    }

    /// The slots whose holders changed.
    ///
    /// A rejected event changes none. A soft-failed event changes only the slots that its envelope
    /// lists: it is not shown, but other servers may have accepted it, and they share the state. A
    /// slot is left out if its holder was not fetched.
    pub fn state_changes(&self) -> impl Iterator<Item = StateChange<'_>> {
        let status = self.envelope.status;
        let resolved = self.envelope.state.as_ref().filter(|_| status != EventStatus::Rejected);
        let is_plain = status == EventStatus::Accepted && resolved.is_none();
        let plain = is_plain.then(|| self.plain_change()).flatten();
        // Fetched holders are in the order in which the envelope names them.
        let mut fetched = self.restated.iter();
        let changes = resolved.into_iter().flatten().filter_map(move |slot| {
            let holder = match &slot.holder {
                Some(holder) => Some(self.holder(holder, &mut fetched)?),
                None => None,
            };
            let kind = Cow::Borrowed(slot.kind.as_str());
            Some(StateChange { kind, state_key: &slot.state_key, holder })
        });
        plain.into_iter().chain(changes)
    }

    fn plain_change(&self) -> Option<StateChange<'_>> {
        let (kind, state_key) = self.pdu.state_slot()?;
        let holder = Some(StateHolder { pdu: &self.pdu, place: None });
        Some(StateChange { kind: Cow::Owned(kind), state_key, holder })
    }

    fn holder<'a>(
        &'a self,
        holder: &'a Holder,
        fetched: &mut std::slice::Iter<'a, Arc<Pdu>>,
    ) -> Option<StateHolder<'a>> {
        if holder.event_id == self.pdu.event_id {
            return Some(StateHolder { pdu: &self.pdu, place: None });
        }
        let next = fetched.as_slice().first().filter(|pdu| pdu.event_id == holder.event_id);
        let pdu = match next {
            Some(pdu) => {
                fetched.next();
                pdu
            }
            None => self.restated.iter().find(|pdu| pdu.event_id == holder.event_id)?,
        };
        Some(StateHolder { pdu, place: Some(holder) })
    }
}
