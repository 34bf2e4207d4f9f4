//! The signals of all calls.
//!
//! **Invariant:** the index by user names exactly the calls that are held.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rookery_domain::{OwnedRoomId, OwnedUserId, UserId};

use super::{
    ALL_CALLS_BYTES_MAX, CallDevice, CallParties, CallSide, CallSignal, CallSignalBody,
    SignalRefused, call::Call,
};

/// The approximate memory of a call beside its texts.
const CALL_OVERHEAD_BYTES: usize = 1024;

/// The signals of all calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    held: HashMap<Box<str>, Call>,
    by_user: BTreeMap<OwnedUserId, BTreeSet<Box<str>>>,
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
        let held = call.and_then(|call| self.held.get(call));
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
        if !self.held.contains_key(call) {
            for user in [&parties.caller.user, &parties.callee] {
                self.by_user.entry(user.clone()).or_default().insert(call.into());
            }
            self.len_bytes += CALL_OVERHEAD_BYTES;
        }
        let held = self.held.entry(call.into()).or_insert_with(|| Call::new(parties.clone()));
        if held.parties.answered_by.is_none() {
            held.parties.answered_by.clone_from(&parties.answered_by);
        }
        held
    }

    /// Records that a device answered.
    pub(super) fn answered(&mut self, call: &str, device: &Arc<CallDevice>) {
        if let Some(held) = self.held.get_mut(call) {
            held.parties.answered_by.get_or_insert_with(|| Arc::clone(device));
        }
    }

    /// Forgets a call.
    pub(super) fn end(&mut self, call: &str) {
        let Some(held) = self.held.remove(call) else { return };
        self.len_bytes -= held.len_bytes() + CALL_OVERHEAD_BYTES;
        for user in [&held.parties.caller.user, &held.parties.callee] {
            if let Some(calls) = self.by_user.get_mut(user) {
                calls.remove(call);
                if calls.is_empty() {
                    self.by_user.remove(user);
                }
            }
        }
    }

    /// Forgets the calls in which a device takes part.
    pub(crate) fn end_of_device(&mut self, user: &UserId, device: &str) {
        let takes_part = |call: &&str| {
            let held = self.held.get(*call);
            held.is_some_and(|held| held.parties.side_of(user, device).is_some())
        };
        let calls: Vec<Box<str>> = self.of_user(user).filter(takes_part).map(Box::from).collect();
        for call in calls {
            self.end(&call);
        }
    }

    /// The calls of a user with signals.
    pub(super) fn of_user(&self, user: &UserId) -> impl Iterator<Item = &str> {
        self.by_user.get(user).into_iter().flatten().map(|call| &**call)
    }

    /// All calls with signals, each with its room.
    pub(super) fn all(&self) -> impl Iterator<Item = (&OwnedRoomId, &str)> {
        self.held.iter().map(|(call, held)| (&held.parties.room, &**call))
    }

    /// Whether no call has signals.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The signals of a call for a device with numbers after `after`; `None` if there is no such
    /// call.
    pub(super) fn after(
        &self,
        call: &str,
        (user, device): (&UserId, &str),
        after: u64,
    ) -> Option<Vec<Arc<CallSignal>>> {
        self.held.get(call).map(|held| held.after(user, device, after))
    }

    #[cfg(test)]
    pub(super) fn len_bytes(&self) -> usize {
        let texts: usize = self.held.values().map(Call::len_bytes).sum();
        assert_eq!(self.len_bytes, texts + self.held.len() * CALL_OVERHEAD_BYTES);
        assert_eq!(self.held.is_empty(), self.by_user.is_empty());
        self.len_bytes
    }
}
