//! Missed calls: each counts as one unread message and one highlight, for its callee alone.
//!
//! A missed call counts from the event that ended it.
//!
//! **Invariant:** the callee is known from the invite alone, so a redacted invite is no missed call.

use std::collections::BTreeMap;

use rookery_domain::{Call, CallId, CallStep, Erased, RoomEvent, UserId};
use serde::{Deserialize, Serialize};

use super::counted::{EventPlace, SenderHash, sender_hash};

/// The calls of a room that ring, and those that were missed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MissedCalls {
    ringing: BTreeMap<CallId, Ringing>,
    /// In the order of the events that ended them.
    missed: Vec<Missed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ringing {
    invite: EventPlace,
    call: Call,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Missed {
    /// The sequence of the event that ended it.
    sequence: u64,
    invite: EventPlace,
    callee: u64,
    caller: SenderHash,
}

/// The hash of a callee. Two users with the same hash share their missed calls: one chance in 2^64.
fn callee_hash(user: &UserId) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&blake3::hash(user.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

impl MissedCalls {
    /// Folds the steps that an event makes.
    pub(super) fn apply(&mut self, event: &RoomEvent, here: EventPlace, sequence: u64) {
        for change in &event.envelope.calls {
            let before = self.ringing.remove(&change.call_id);
            if change.step == CallStep::Placed {
                let placed = Call::placed(event).map(|call| Ringing { invite: here, call });
                self.ringing.extend(placed.map(|ringing| (change.call_id.clone(), ringing)));
                continue;
            }
            let Some(Ringing { invite, mut call }) = before else { continue };
            call.follow(change, event);
            if call.is_missed() {
                self.missed.push(Missed {
                    sequence,
                    invite,
                    callee: callee_hash(&call.callee),
                    caller: sender_hash(&call.caller),
                });
            }
        }
    }

    /// Forgets the call of a redacted invite.
    pub(super) fn erase(&mut self, erased: &Erased) {
        let place = (erased.position, erased.index);
        self.ringing.retain(|_, ringing| ringing.invite != place);
        self.missed.retain(|missed| missed.invite != place);
    }

    /// How many calls the user missed after this sequence, without those of ignored callers, whose
    /// hashes are in order.
    pub(super) fn after(&self, user: &UserId, sequence: u64, ignored: &[SenderHash]) -> usize {
        let first = self.missed.partition_point(|missed| missed.sequence <= sequence);
        let later = &self.missed[first..];
        if later.is_empty() {
            return 0;
        }
        let callee = callee_hash(user);
        let is_ignored = |missed: &Missed| ignored.binary_search(&missed.caller).is_ok();
        later.iter().filter(|missed| missed.callee == callee && !is_ignored(missed)).count()
    }
}
