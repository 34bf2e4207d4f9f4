//! The signals of all calls.
//!
//! **Invariant:** the indexes name exactly the calls that are held.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rookery_domain::{OwnedRoomId, OwnedUserId, RoomId, UserId};

use super::{
    ALL_CALLS_BYTES_MAX, CallDevice, CallParties, CallSide, CallSignal, CallSignalBody,
    SignalRefused, call::Call,
};

/// The approximate memory of a call beside its texts.
const CALL_OVERHEAD_BYTES: usize = 1024;

/// The signals of all calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    calls: HashMap<Box<str>, Call>,
    by_user: BTreeMap<OwnedUserId, BTreeSet<Box<str>>>,
    by_room: BTreeMap<OwnedRoomId, BTreeSet<Box<str>>>,
    len_bytes: usize,
}

/// A device, or all devices of a user.
pub(super) type Receiver = (OwnedUserId, Option<Box<str>>);

impl Calls {
    /// Checks that a call may hold this signal, too.
    pub(super) fn check(
        &self,
        call: Option<&str>,
        side: CallSide,
        body: &CallSignalBody,
    ) -> Result<(), SignalRefused> {
        let held = call.and_then(|call| self.calls.get(call));
        match held {
            Some(held) if held.has(side, body) => return Ok(()),
            Some(held) => held.check(side, body)?,
            None => super::call::fits_alone(body)?,
        }
        let overhead = if held.is_some() { 0 } else { CALL_OVERHEAD_BYTES };
        let with = self.len_bytes.saturating_add(body.len_bytes() + overhead);
        if with > ALL_CALLS_BYTES_MAX { Err(SignalRefused::Full) } else { Ok(()) }
    }

    /// Adds what one side of a call says. Returns the receivers to wake; none for a retry.
    pub(super) fn say(
        &mut self,
        call: &str,
        parties: &CallParties,
        side: CallSide,
        body: CallSignalBody,
        wall_millis: u64,
    ) -> Result<Option<Receiver>, SignalRefused> {
        self.check(Some(call), side, &body)?;
        let held = self.open(call, parties);
        if held.has(side, &body) {
            return Ok(None);
        }
        let before = held.len_bytes();
        held.add(side, body, wall_millis);
        let after = held.len_bytes();
        let (user, device) = held.audience(side);
        let receiver = (user.to_owned(), device.map(Box::from));
        self.len_bytes = self.len_bytes - before + after;
        Ok(Some(receiver))
    }

    fn open(&mut self, call: &str, parties: &CallParties) -> &mut Call {
        if !self.calls.contains_key(call) {
            for user in [&parties.caller.user, &parties.callee] {
                self.by_user.entry(user.clone()).or_default().insert(call.into());
            }
            self.by_room.entry(parties.room.clone()).or_default().insert(call.into());
            self.len_bytes += CALL_OVERHEAD_BYTES;
        }
        let held = self.calls.entry(call.into()).or_insert_with(|| Call::new(parties.clone()));
        if held.parties.answered_by.is_none() {
            held.parties.answered_by.clone_from(&parties.answered_by);
        }
        held
    }

    /// Records that a device answered.
    pub(super) fn answered(&mut self, call: &str, device: &Arc<CallDevice>) {
        if let Some(held) = self.calls.get_mut(call) {
            held.parties.answered_by.get_or_insert_with(|| Arc::clone(device));
        }
    }

    /// Forgets a call.
    pub(super) fn end(&mut self, call: &str) {
        let Some(held) = self.calls.remove(call) else { return };
        self.len_bytes -= held.len_bytes() + CALL_OVERHEAD_BYTES;
        for user in [&held.parties.caller.user, &held.parties.callee] {
            if let Some(calls) = self.by_user.get_mut(user) {
                calls.remove(call);
                if calls.is_empty() {
                    self.by_user.remove(user);
                }
            }
        }
        if let Some(calls) = self.by_room.get_mut(&held.parties.room) {
            calls.remove(call);
            if calls.is_empty() {
                self.by_room.remove(&held.parties.room);
            }
        }
    }

    /// Forgets the calls in which a device takes part.
    pub(crate) fn end_of_device(&mut self, user: &UserId, device: &str) {
        let takes_part = |call: &Box<str>| {
            let held = self.calls.get(call);
            held.is_some_and(|held| held.parties.side_of(user, device).is_some())
        };
        let calls = self.by_user.get(user).into_iter().flatten();
        for call in calls.filter(|call| takes_part(call)).cloned().collect::<Vec<_>>() {
            self.end(&call);
        }
    }

    /// The calls of a user with signals.
    pub(super) fn of_user(&self, user: &UserId) -> impl Iterator<Item = &str> {
        self.by_user.get(user).into_iter().flatten().map(|call| &**call)
    }

    /// The calls of a room with signals.
    pub(super) fn of_room(&self, room: &RoomId) -> impl Iterator<Item = &str> {
        self.by_room.get(room).into_iter().flatten().map(|call| &**call)
    }

    /// Whether no call has signals.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The signals of a call for a device with numbers after `after`; `None` if there is no such
    /// call.
    pub(super) fn after(
        &self,
        call: &str,
        (user, device): (&UserId, &str),
        after: u64,
    ) -> Option<Vec<Arc<CallSignal>>> {
        self.calls.get(call).map(|held| held.after(user, device, after))
    }

    #[cfg(test)]
    pub(super) fn len_bytes(&self) -> usize {
        let texts: usize = self.calls.values().map(Call::len_bytes).sum();
        assert_eq!(self.len_bytes, texts + self.calls.len() * CALL_OVERHEAD_BYTES);
        assert_eq!(self.calls.is_empty(), self.by_user.is_empty() && self.by_room.is_empty());
        self.len_bytes
    }
}
