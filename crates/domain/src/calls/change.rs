//! The effect of an event on the calls of its room, as its envelope states it.

use ruma_common::MilliSecondsSinceUnixEpoch;
use serde::{Deserialize, Serialize};

use super::{Answer, CallId, EndReason, PartyId};

/// One step of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallChange {
    /// The call.
    #[serde(rename = "call")]
    pub call_id: CallId,
    /// The step.
    #[serde(flatten)]
    pub step: CallStep,
}

/// A step of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum CallStep {
    /// The call begins to ring. The content of the event says the rest.
    Placed,
    /// A device of the callee answers.
    Answered {
        /// Its ID in the call.
        party: PartyId,
    },
    /// The call ends.
    Ended {
        /// The reason.
        reason: EndReason,
        /// The answer, if there was one: so the invite and the end tell the whole call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Answer>,
    },
}

impl CallChange {
    /// The call ends.
    pub(crate) fn ended(call_id: &CallId, reason: EndReason, answer: Option<&Answer>) -> Self {
        let step = CallStep::Ended { reason, answer: answer.cloned() };
        Self { call_id: call_id.clone(), step }
    }

    /// Adds the answer before it, if it is the end.
    pub(crate) fn with_answer(mut self, before: Option<&Answer>) -> Self {
        if let CallStep::Ended { answer, .. } = &mut self.step {
            *answer = before.cloned();
        }
        self
    }

    /// Whether it is the first step.
    #[must_use]
    pub fn is_placed(&self) -> bool {
        self.step == CallStep::Placed
    }
}

impl Answer {
    /// The answer of this device at this time.
    pub(super) fn new(party: PartyId, at: MilliSecondsSinceUnixEpoch) -> Self {
        Self { party, at }
    }
}
