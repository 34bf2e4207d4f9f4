//! The signals of calls, behind their lock.

use std::sync::Arc;

use rookery_domain::{OwnedRoomId, UserId};

use super::{CallDevice, CallParties, CallSide, CallSignal, CallSignalBody, SignalRefused};
use crate::Ephemeral;

impl Ephemeral {
    /// Checks that a call may hold this signal. `None` for a call that does not exist yet.
    ///
    /// # Errors
    /// [`SignalRefused`], which names the bound.
    pub fn check_signal(
        &self,
        call: Option<&str>,
        side: CallSide,
        body: &CallSignalBody,
    ) -> Result<(), SignalRefused> {
        self.inner.calls.lock().check(call, side, body)
    }

    /// Adds what one side of a call says, and wakes the devices that it is for. A signal that the
    /// call already holds changes nothing.
    ///
    /// # Errors
    /// [`SignalRefused`], which names the bound.
    pub fn signal(
        &self,
        call: &str,
        parties: &CallParties,
        side: CallSide,
        body: CallSignalBody,
    ) -> Result<(), SignalRefused> {
        let now = (self.inner.clock)().wall_millis;
        let said = self.inner.calls.lock().say(call, parties, side, body, now)?;
        if let Some((user, device)) = said {
            self.inner.readers.tell_call(&user, device.as_deref(), call);
        }
        Ok(())
    }

    /// Records that a device answered a call: from now on the signals of the caller are for that
    /// device alone.
    pub fn answered(&self, call: &str, device: &Arc<CallDevice>) {
        self.inner.calls.lock().answered(call, device);
    }

    /// Forgets the signals of a call that ended.
    pub fn end_call(&self, call: &str) {
        self.inner.calls.lock().end(call);
    }

    /// The signals of a call for a device, with numbers after `after`; `None` if the call has none
    /// for anybody.
    #[must_use]
    pub fn signals(
        &self,
        call: &str,
        device: (&UserId, &str),
        after: u64,
    ) -> Option<Vec<Arc<CallSignal>>> {
        self.inner.calls.lock().after(call, device, after)
    }

    /// The calls of a user that have signals.
    #[must_use]
    pub fn signaling_calls_of(&self, user: &UserId) -> Vec<Box<str>> {
        self.inner.calls.lock().of_user(user).map(Box::from).collect()
    }

    /// All calls that have signals, each with its room.
    #[must_use]
    pub fn signaling_calls(&self) -> Vec<(OwnedRoomId, Box<str>)> {
        self.inner.calls.lock().all().map(|(room, call)| (room.clone(), call.into())).collect()
    }

    /// Whether any call has signals.
    #[must_use]
    pub fn somebody_calls(&self) -> bool {
        !self.inner.calls.lock().is_empty()
    }
}
