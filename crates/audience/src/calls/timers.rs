//! Calls that nobody ends: those that ring for too long, and those whose devices went away.
//!
//! **Invariant:** nothing is remembered about a call that the read models do not have. After a start,
//! the calls of the models and the connections of that moment decide.
//! **Invariant:** [`CallTimers`] reads no clock: the times are arguments.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rookery_domain::{CallId, CallState, EndReason, OwnedRoomId, OwnedUserId, UserId};
use rookery_ephemeral::LINGER;
use rookery_log::Millis;
use rookery_view::RoomCall;

/// How long a device in a call may be without a connection.
const ABSENCE_MAX: Duration = Duration::from_secs(30);

/// A call to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueCall {
    /// The room.
    pub room: OwnedRoomId,
    /// The call.
    pub call: CallId,
    /// A party of the call, in whose name it ends.
    pub user: OwnedUserId,
    /// The reason.
    pub reason: EndReason,
}

/// One end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Side {
    Caller,
    Callee,
}

/// Decides which calls to end, and remembers the devices in calls that have no connection.
#[derive(Debug)]
pub struct CallTimers {
    /// Devices have from here on time to connect.
    started: Instant,
    /// Until when each of them may come back.
    absent: HashMap<(OwnedRoomId, CallId, Side), Instant>,
}

impl CallTimers {
    /// No device is missed yet. `started` is the time of the server's start.
    #[must_use]
    pub fn new(started: Instant) -> Self {
        Self { started, absent: HashMap::new() }
    }

    /// The calls to end now, of all active ones. `is_connected` says whether a device is connected, or
    /// was less than [`LINGER`] ago.
    pub fn look(
        &mut self,
        calls: &[RoomCall],
        (now, wall): (Instant, Millis),
        is_connected: impl Fn(&UserId, &str) -> bool,
    ) -> Vec<DueCall> {
        let (mut absent, mut due) = (HashMap::new(), Vec::new());
        for RoomCall { room_id, call, .. } in calls {
            let end = |user: &OwnedUserId, reason| {
                let (room, call, user) = (room_id.clone(), call.id.clone(), user.clone());
                DueCall { room, call, user, reason }
            };
            if call.state == CallState::Ringing && wall.0 >= u64::from(call.expires_at.0) {
                due.push(end(&call.caller, EndReason::InviteTimeout));
                continue;
            }
            for (side, user, device) in devices(call) {
                if is_connected(user, device) {
                    continue;
                }
                let key = (room_id.clone(), call.id.clone(), side);
                let grace =
                    (self.started + ABSENCE_MAX).max(now + ABSENCE_MAX.saturating_sub(LINGER));
                let until = self.absent.remove(&key).unwrap_or(grace);
                if now >= until {
                    due.push(end(user, EndReason::Abandoned));
                    break;
                }
                absent.insert(key, until);
            }
        }
        self.absent = absent;
        due
    }
}

/// The devices that a call needs: while it rings, that of the caller. A device of the callee may wake
/// up for it later.
fn devices(call: &rookery_domain::Call) -> impl Iterator<Item = (Side, &OwnedUserId, &str)> {
    let placing = (Side::Caller, &call.caller, call.caller_device.as_deref());
    let answering = match &call.state {
        CallState::Answered { device, .. } => Some((Side::Callee, &call.callee, device.as_deref())),
        CallState::Ringing | CallState::Ended(_) => None,
    };
    let both = std::iter::once(placing).chain(answering);
    both.filter_map(|(side, user, device)| Some((side, user, device?)))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use rookery_domain::{Answer, Call, CallMedia, MilliSecondsSinceUnixEpoch, PartyId, RoomId};

    use super::*;

    const EXPIRES: Millis = Millis(90_000);

    fn user(name: &str) -> OwnedUserId {
        UserId::parse(format!("@{name}:test")).expect("a user ID")
    }

    fn call(state: CallState) -> RoomCall {
        let time = |millis: u32| MilliSecondsSinceUnixEpoch(millis.into());
        let call = Call {
            id: CallId::of([1; 16]),
            invite: "$invite".try_into().expect("an event ID"),
            caller: user("ada"),
            caller_party: PartyId::of([2; 16]),
            caller_device: Some("LAPTOP".to_owned()),
            callee: user("bob"),
            media: CallMedia::Audio,
            placed_at: time(0),
            expires_at: time(90_000),
            state,
        };
        let room_id = RoomId::parse("!room:test").expect("a room ID");
        RoomCall { room_id, call, invite: rookery_projection::RowKey::default() }
    }

    fn answered() -> RoomCall {
        let at = MilliSecondsSinceUnixEpoch(1_u32.into());
        let answer = Answer { party: PartyId::of([3; 16]), at };
        call(CallState::Answered { answer, device: Some("PHONE".to_owned()) })
    }

    /// A clock, and the devices that are connected.
    struct World {
        start: Instant,
        connected: RefCell<Vec<&'static str>>,
        timers: RefCell<CallTimers>,
    }

    impl World {
        fn new(connected: &[&'static str]) -> Self {
            let start = Instant::now();
            Self {
                start,
                connected: RefCell::new(connected.to_vec()),
                timers: RefCell::new(CallTimers::new(start)),
            }
        }

        /// The ends `seconds` after the start.
        fn look(&self, call: &RoomCall, seconds: u64) -> Vec<(OwnedUserId, EndReason)> {
            let now = (self.start + Duration::from_secs(seconds), Millis(seconds * 1_000));
            let connected = self.connected.borrow();
            let is_connected = |_: &UserId, device: &str| connected.contains(&device);
            let due = self.timers.borrow_mut().look(std::slice::from_ref(call), now, is_connected);
            due.into_iter().map(|due| (due.user, due.reason)).collect()
        }
    }

    #[test]
    fn a_call_rings_until_its_lifetime_is_over() {
        let (world, ringing) = (World::new(&["LAPTOP"]), call(CallState::Ringing));
        assert_eq!(world.look(&ringing, EXPIRES.0 / 1_000 - 1), []);
        let timeout = [(user("ada"), EndReason::InviteTimeout)];
        assert_eq!(world.look(&ringing, EXPIRES.0 / 1_000), timeout);
        assert_eq!(world.look(&ringing, EXPIRES.0 / 1_000), timeout, "until it has ended");
        assert_eq!(world.look(&answered(), 100), [], "an answered call has no such end");
    }

    #[test]
    fn a_call_ends_thirty_seconds_after_a_device_went_away() {
        for (stays, goes) in [("LAPTOP", "bob"), ("PHONE", "ada")] {
            let world = World::new(&["LAPTOP", "PHONE"]);
            assert_eq!(world.look(&answered(), 100), []);
            *world.connected.borrow_mut() = vec![stays];
            let last = 100 + ABSENCE_MAX.saturating_sub(LINGER).as_secs();
            assert_eq!(world.look(&answered(), 100), []);
            assert_eq!(world.look(&answered(), last - 1), []);
            assert_eq!(world.look(&answered(), last), [(user(goes), EndReason::Abandoned)]);
        }
    }

    #[test]
    fn a_device_that_comes_back_in_time_keeps_its_call() {
        let world = World::new(&["LAPTOP", "PHONE"]);
        for round in 0..10 {
            *world.connected.borrow_mut() = vec!["LAPTOP"];
            assert_eq!(world.look(&answered(), round * 100), []);
            assert_eq!(world.look(&answered(), round * 100 + 20), []);
            *world.connected.borrow_mut() = vec!["LAPTOP", "PHONE"];
            assert_eq!(world.look(&answered(), round * 100 + 21), []);
        }
    }

    #[test]
    fn while_it_rings_only_the_caller_has_to_be_there() {
        let world = World::new(&["LAPTOP"]);
        assert_eq!(world.look(&call(CallState::Ringing), 80), []);
        *world.connected.borrow_mut() = Vec::new();
        assert_eq!(world.look(&call(CallState::Ringing), 81), []);
    }

    #[test]
    fn after_a_start_devices_have_time_to_connect() {
        let world = World::new(&[]);
        assert_eq!(world.look(&answered(), 0), []);
        assert_eq!(world.look(&answered(), 29), []);
        assert_eq!(world.look(&answered(), 30), [(user("ada"), EndReason::Abandoned)]);
    }
}
