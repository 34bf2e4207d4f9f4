//! Signals of calls on the stream.

use async_graphql::{Enum, SimpleObject};
use rookery_ephemeral::{CallSignal as Held, CallSignalBody, CallSignalKind};
use rookery_schema::types::{
    calls::{call::Call, signal::IceCandidate},
    users::user::User,
    values::{
        list::List,
        scalars::{CallIdScalar, Long},
        text::Text,
    },
};
use rookery_view::RoomCall;

/// The kind of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "CallSignalKind", name = "CallSignalKind")]
pub(crate) enum CallSignalKindEnum {
    /// The offer of a call that rings: `sdp`. It replaces all earlier signals of the sender.
    Offer,
    /// The answer to an offer or to a renegotiation: `sdp`. It replaces all earlier signals of the
    /// sender.
    Answer,
    /// More `candidates` of the sender.
    Candidates,
    /// An offer in a call that was answered: `sdp`. Answer it with `sendCallSignal`. It replaces all
    /// earlier signals of the sender.
    Renegotiation,
}

/// The other device of your call says how to connect with it. The server does not store it.
///
/// While a call rings, all devices of the callee get the signals of the caller. After the answer,
/// the two devices of the call get those of each other, and nobody else gets any. A new stream gets
/// all signals that hold.
#[derive(Clone, SimpleObject)]
pub(crate) struct CallSignal {
    /// The ID of the call.
    call_id: CallIdScalar,
    /// The call.
    call: Call,
    /// Greater than the numbers of all earlier signals of the call. A new stream repeats signals:
    /// ignore those up to the last number that you have had.
    number: Long,
    /// The kind.
    kind: CallSignalKindEnum,
    /// The user of the device that says it.
    sender: User,
    /// The ID of that device in the call.
    party_id: String,
    /// The description. Null for candidates.
    sdp: Option<Text>,
    /// The candidates. Empty for a description.
    candidates: List<IceCandidate>,
}

impl CallSignal {
    /// A signal of an active call.
    pub(super) fn of(call: &RoomCall, signal: &Held) -> Self {
        let (sdp, candidates) = match &signal.body {
            CallSignalBody::Offer(sdp) | CallSignalBody::Answer(sdp) => {
                (Some(Text(sdp.clone())), List::default())
            }
            CallSignalBody::Candidates(candidates) => {
                (None, candidates.iter().map(IceCandidate::from).collect())
            }
        };
        Self {
            call_id: CallIdScalar(call.call.id.clone()),
            call: Call::from(call.clone()),
            number: Long::of_count(signal.number),
            kind: signal.kind.into(),
            sender: User::in_room(signal.sender.user.clone(), call.room_id.clone()),
            party_id: signal.sender.party_id.to_string(),
            sdp,
            candidates,
        }
    }
}
