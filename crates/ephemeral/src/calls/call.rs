//! The signals of one call.
//!
//! **Invariant:** a description replaces the earlier signals of the same side, since it contains the
//! candidates that are still valid. So a call may renegotiate for ever.

use std::sync::Arc;

use rookery_domain::{OwnedRoomId, OwnedUserId, UserId};

use super::{
    CALL_BYTES_MAX, CALL_CANDIDATES_MAX, CallSignal, CallSignalBody, CallSignalKind, SignalRefused,
};

/// A device that takes part in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallDevice {
    /// Its user.
    pub user: OwnedUserId,
    /// The device.
    pub device: Box<str>,
    /// Its name in the call, which does not reveal the device.
    pub party_id: Box<str>,
}

impl CallDevice {
    pub(super) fn is(&self, user: &UserId, device: &str) -> bool {
        self.user == user && *self.device == *device
    }
}

/// The parties of a call, as the log has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallParties {
    /// The room.
    pub room: OwnedRoomId,
    /// The device that calls.
    pub caller: Arc<CallDevice>,
    /// The user who is called.
    pub callee: OwnedUserId,
    /// The device that answered.
    pub answered_by: Option<Arc<CallDevice>>,
}

/// One of the two ends of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallSide {
    /// The device that calls.
    Caller,
    /// The device that answered.
    Callee,
}

impl CallSide {
    fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

impl CallParties {
    /// The side of a device; `None` for a device that only rings, or that has no part in the call.
    #[must_use]
    pub fn side_of(&self, user: &UserId, device: &str) -> Option<CallSide> {
        if self.caller.is(user, device) {
            return Some(CallSide::Caller);
        }
        let answered = self.answered_by.as_ref().is_some_and(|it| it.is(user, device));
        answered.then_some(CallSide::Callee)
    }

    /// The device of a side.
    fn device(&self, side: CallSide) -> Option<&Arc<CallDevice>> {
        match side {
            CallSide::Caller => Some(&self.caller),
            CallSide::Callee => self.answered_by.as_ref(),
        }
    }

    /// The side whose signals this device receives.
    fn hears(&self, user: &UserId, device: &str) -> Option<CallSide> {
        let rings = self.answered_by.is_none() && self.callee == user;
        let side = self.side_of(user, device);
        side.map(CallSide::other).or(rings.then_some(CallSide::Caller))
    }
}

/// Checks that a signal fits into a call without others.
pub(super) fn fits_alone(body: &CallSignalBody) -> Result<(), SignalRefused> {
    fits(body.len_bytes(), body.candidates())
}

fn fits(bytes: usize, candidates: usize) -> Result<(), SignalRefused> {
    if bytes > CALL_BYTES_MAX {
        return Err(SignalRefused::TooLarge { bytes });
    }
    if candidates > CALL_CANDIDATES_MAX {
        return Err(SignalRefused::TooManyCandidates { candidates });
    }
    Ok(())
}

/// The signals of a call that hold now.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) parties: CallParties,
    by_caller: Vec<Arc<CallSignal>>,
    by_callee: Vec<Arc<CallSignal>>,
    last: u64,
}

impl Call {
    pub(super) fn new(parties: CallParties) -> Self {
        Self { parties, by_caller: Vec::new(), by_callee: Vec::new(), last: 0 }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<CallSignal>> {
        self.by_caller.iter().chain(&self.by_callee)
    }

    fn by(&self, side: CallSide) -> &[Arc<CallSignal>] {
        match side {
            CallSide::Caller => &self.by_caller,
            CallSide::Callee => &self.by_callee,
        }
    }

    /// The bytes of its signals.
    pub(super) fn len_bytes(&self) -> usize {
        self.all().map(|signal| signal.body.len_bytes()).sum()
    }

    /// Whether that side has said this already: then it is a retry.
    pub(super) fn has(&self, side: CallSide, body: &CallSignalBody) -> bool {
        self.by(side).iter().any(|signal| signal.body == *body)
    }

    /// The bytes and candidates that the call would hold with another signal.
    fn with(&self, side: CallSide, body: &CallSignalBody) -> (usize, usize) {
        let stays = self.by(side.other()).iter();
        let own = self.by(side).iter().filter(|_| !body.is_description());
        let bodies = stays.chain(own).map(|signal| &signal.body).chain([body]);
        bodies.fold((0, 0), |(bytes, candidates), body| {
            (bytes + body.len_bytes(), candidates + body.candidates())
        })
    }

    /// Checks that the signal fits into the call.
    pub(super) fn check(&self, side: CallSide, body: &CallSignalBody) -> Result<(), SignalRefused> {
        let (bytes, candidates) = self.with(side, body);
        fits(bytes, candidates)
    }

    /// Adds a signal, which [fits](Self::check). Numbers follow the clock, so they grow over a
    /// restart, too.
    pub(super) fn add(&mut self, side: CallSide, body: CallSignalBody, wall_millis: u64) {
        let Some(sender) = self.parties.device(side).cloned() else { return };
        let kind = match &body {
            CallSignalBody::Offer(_) if self.parties.answered_by.is_none() => CallSignalKind::Offer,
            CallSignalBody::Offer(_) => CallSignalKind::Renegotiation,
            CallSignalBody::Answer(_) => CallSignalKind::Answer,
            CallSignalBody::Candidates(_) => CallSignalKind::Candidates,
        };
        self.last = wall_millis.max(self.last + 1);
        let signals = match side {
            CallSide::Caller => &mut self.by_caller,
            CallSide::Callee => &mut self.by_callee,
        };
        if body.is_description() {
            signals.clear();
        }
        signals.push(Arc::new(CallSignal { number: self.last, kind, sender, body }));
    }

    /// The signals for a device with numbers after `after`, in order.
    pub(super) fn after(&self, user: &UserId, device: &str, after: u64) -> Vec<Arc<CallSignal>> {
        let Some(side) = self.parties.hears(user, device) else { return Vec::new() };
        self.by(side).iter().filter(|signal| signal.number > after).cloned().collect()
    }

    /// The users and devices that receive the signals of a side; without a device, all of the user.
    pub(super) fn audience(&self, side: CallSide) -> (&UserId, Option<&str>) {
        match (self.parties.device(side.other()), side) {
            (Some(device), _) => (&device.user, Some(&device.device)),
            (None, _) => (&self.parties.callee, None),
        }
    }
}
