//! The calls of one room: the active ones, and the last ones that ended.
//!
//! **Invariant:** both are bounded: [`ACTIVE_CALLS_MAX`] by the decision that places a call, and
//! [`ENDED_CALLS_KEPT`] here.

use std::collections::{BTreeMap, VecDeque};

use ruma_common::{EventId, UserId};
use serde::{Deserialize, Serialize};

use super::{Call, CallId};
use crate::{RoomEvent, limits::ENDED_CALLS_KEPT};

/// The approximate memory of a call.
const CALL_BYTES: usize = 512;

/// The calls of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCalls {
    active: BTreeMap<CallId, Call>,
    /// The last calls that ended, oldest first.
    ended: VecDeque<Call>,
}

impl RoomCalls {
    /// Folds the steps that an event makes.
    pub fn evolve(&mut self, event: &RoomEvent) {
        for change in &event.envelope.calls {
            let before = self.active.remove(&change.call_id);
            if change.is_placed() {
                let call = Call::placed(event);
                self.active.extend(call.map(|call| (call.id.clone(), call)));
            } else if let Some(mut call) = before {
                call.follow(change, event);
                self.put(call);
            }
        }
    }

    fn put(&mut self, call: Call) {
        if call.is_active() {
            self.active.insert(call.id.clone(), call);
            return;
        }
        self.ended.push_back(call);
        if self.ended.len() > ENDED_CALLS_KEPT {
            self.ended.pop_front();
        }
    }

    /// Forgets the call of an invite whose content is redacted.
    pub fn forget(&mut self, invite: &EventId) {
        self.active.retain(|_, call| call.invite != invite);
        self.ended.retain(|call| call.invite != invite);
    }

    /// The call with this ID: an active one, or one of the last that ended.
    #[must_use]
    pub fn get(&self, call: &CallId) -> Option<&Call> {
        let ended = || self.ended.iter().rev().find(|ended| ended.id == *call);
        self.active.get(call).or_else(ended)
    }

    /// The active calls, by ID.
    #[must_use]
    pub fn active(&self) -> impl ExactSizeIterator<Item = &Call> {
        self.active.values()
    }

    /// The active calls of a user, by ID.
    pub fn active_of(&self, user: &UserId) -> impl Iterator<Item = &Call> {
        self.active().filter(move |call| call.is_of(user))
    }

    /// The last calls that ended, oldest first.
    pub fn ended(&self) -> impl Iterator<Item = &Call> {
        self.ended.iter()
    }

    /// How many calls there are in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.active.len() + self.ended.len()
    }

    /// Whether there is no call in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The approximate memory of the calls.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        self.len() * CALL_BYTES
    }
}
