//! The fields of the events of calls.

use async_graphql::Object;
use rookery_domain::{CallMedia, EndReason, OwnedUserId, TimelineEventType};
use serde::Deserialize as _;

use super::kinds::{CallEndReasonEnum, CallMediaEnum, CallStep};
use crate::{
    marks::{SharedBy, shared},
    types::{
        events::content::EventContent,
        values::scalars::{CallIdScalar, UserIdScalar},
    },
};

/// The fields of an event of a call.
#[derive(Clone)]
pub(crate) struct CallFields {
    pub(crate) content: EventContent,
    pub(crate) step: CallStep,
}

impl CallStep {
    /// The step of events of this type.
    pub(crate) fn of(kind: &TimelineEventType) -> Option<Self> {
        match kind {
            TimelineEventType::CallInvite => Some(Self::Invite),
            TimelineEventType::CallAnswer => Some(Self::Answer),
            TimelineEventType::CallReject => Some(Self::Reject),
            TimelineEventType::CallHangup => Some(Self::Hangup),
            _ => None,
        }
    }
}

#[Object]
impl CallFields {
    /// The step of the call that the event makes.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn step(&self) -> CallStep {
        self.step
    }

    /// The ID of the call. Null after a redaction.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn call_id(&self) -> Option<CallIdScalar> {
        self.content.str("call_id")?.parse().ok().map(CallIdScalar)
    }

    /// The ID of the sender's device in the call.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn party_id(&self) -> Option<&str> {
        self.content.str("party_id")
    }

    /// The user who is called. Null unless the event places the call.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn callee_id(&self) -> Option<UserIdScalar> {
        self.content.id::<OwnedUserId>("invitee").map(UserIdScalar)
    }

    /// Whether the call has a picture. Null unless the event places the call.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn media(&self) -> Option<CallMediaEnum> {
        let media = self.content.get("org.rookery.media")?;
        CallMedia::deserialize(media).ok().map(CallMediaEnum::from)
    }

    /// How many seconds the call rings. Null unless the event places the call.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn lifetime_seconds(&self) -> Option<i32> {
        let millis = self.content.get("lifetime")?.as_u64()?;
        i32::try_from(millis / 1_000).ok()
    }

    /// Why the call ended. Null unless the event ends the call.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn end_reason(&self) -> Option<CallEndReasonEnum> {
        match self.step {
            CallStep::Reject => Some(CallEndReasonEnum::Rejected),
            CallStep::Hangup => {
                let reason = self.content.str("reason").map(EndReason::of_hangup);
                Some(reason.unwrap_or(EndReason::UserHangup).into())
            }
            CallStep::Invite | CallStep::Answer => None,
        }
    }
}
