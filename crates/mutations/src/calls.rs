//! Mutations about calls.
//!
//! **Invariant:** the log decides before a signal is held, so the signals of a device that came too
//! late reach nobody.

mod signals;

use async_graphql::{Context, InputObject, Object, OneofObject, Result, SimpleObject};
use rookery_domain::{
    CallId, OwnedRoomId, PlaceCall, Rejection, RoomCommand, limits::CALL_LIFETIME_SECONDS_DEFAULT,
};
use rookery_ephemeral::{CallSide, CallSignalBody};
use rookery_schema::{
    context::{STALE_AFTER, app, session, unless_absent},
    types::{
        calls::{
            call::{Call, own_party},
            kinds::{CallMediaEnum, HangUpReasonEnum},
            signal::IceCandidateInput,
        },
        errors::{
            fault::Fault,
            refusal::{Refusal, RefusalCode},
        },
        values::scalars::{CallIdScalar, RoomIdScalar, UserIdScalar},
    },
};

use self::signals::{body, say, unless_fits};
use super::{
    acted::{Acted, act},
    ephemeral::unless_joined,
};

/// The call to place.
#[derive(InputObject)]
pub(crate) struct PlaceCallInput {
    /// The room. You and the callee have to be members.
    room_id: RoomIdScalar,
    /// The user to call.
    callee_id: UserIdScalar,
    /// Whether the call has a picture.
    media: CallMediaEnum,
    /// The description (SDP) of your offer. The server does not store it. With all other signals of
    /// the call, at most 64 KiB.
    offer: String,
    /// How many seconds the call rings, from 10 to 600; 90 by default.
    lifetime_seconds: Option<i32>,
    /// Your number for this action: 1, 2, 3 ... on each device. A retry with the same number names the
    /// same call.
    action_id: Option<i32>,
}

/// The call to answer.
#[derive(InputObject)]
pub(crate) struct AnswerCallInput {
    /// The room of the call.
    room_id: RoomIdScalar,
    /// The call. It has to ring for you.
    call_id: CallIdScalar,
    /// The description (SDP) of your answer. The server does not store it.
    answer: String,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// The call to reject.
#[derive(InputObject)]
#[expect(clippy::struct_field_names, reason = "they are the names of the schema")]
pub(crate) struct RejectCallInput {
    /// The room of the call.
    room_id: RoomIdScalar,
    /// The call. It has to ring for you.
    call_id: CallIdScalar,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// The call to end.
#[derive(InputObject)]
pub(crate) struct HangUpCallInput {
    /// The room of the call.
    room_id: RoomIdScalar,
    /// The call. This device has to have placed or answered it. A call that rings for you is rejected.
    call_id: CallIdScalar,
    /// Why your device ends the call.
    #[graphql(default_with = "HangUpReasonEnum::UserHangup")]
    reason: HangUpReasonEnum,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// The signal to send to the other device of a call.
#[derive(InputObject)]
pub(crate) struct SendCallSignalInput {
    /// The room of the call.
    room_id: RoomIdScalar,
    /// The call. This device has to have placed or answered it.
    call_id: CallIdScalar,
    /// The signal.
    signal: CallSignalInput,
}

/// A signal. The server does not store it. The signals of a call have at most 64 KiB and 200
/// candidates.
#[derive(OneofObject)]
pub(crate) enum CallSignalInput {
    /// More candidates of your latest description.
    Candidates(Vec<IceCandidateInput>),
    /// A new offer (SDP). It replaces your earlier signals. While the call rings it replaces your offer,
    /// afterwards it is a renegotiation.
    Offer(String),
    /// The answer (SDP) to a renegotiation. It replaces your earlier signals.
    Answer(String),
}

/// Defines the payload of a mutation that acts on a call.
macro_rules! call_payload {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            /// The event that it made. Null if it changed nothing, or if it was refused.
            event: Option<rookery_schema::types::events::event::RoomEvent>,
            /// The room with the effect. Null if it was refused, or if the server takes longer than a
            /// second to show the effect.
            room: Option<rookery_schema::types::rooms::room::Room>,
            /// Ask for this `minPosition` to see the effect. Null if it was refused.
            position: Option<rookery_schema::types::values::scalars::PositionScalar>,
            /// The call, as of now. With the refusal `CALL_IN_PROGRESS`: the call that you are in. Null if
            /// it was refused for another reason.
            call: Option<Call>,
            /// The ID of your device in the call. Null if it was refused.
            party_id: Option<String>,
            /// Why it was refused. Null if it was not.
            refusal: Option<Refusal>,
        }

        impl From<Called> for $name {
            fn from(called: Called) -> Self {
                let Called { acted, call, party_id } = called;
                let Acted { event, room, position, refusal, .. } = acted;
                Self { event, room, position, call, party_id, refusal }
            }
        }
    };
}

call_payload!(PlaceCallPayload, "The result of `placeCall`.");
call_payload!(AnswerCallPayload, "The result of `answerCall`.");
call_payload!(RejectCallPayload, "The result of `rejectCall`.");
call_payload!(HangUpCallPayload, "The result of `hangUpCall`.");

/// The result of `sendCallSignal`.
#[derive(SimpleObject)]
pub(crate) struct SendCallSignalPayload {
    /// The call, as of now. Null if it was refused.
    call: Option<Call>,
    /// The ID of your device in the call. Null if it was refused.
    party_id: Option<String>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The result of a mutation that acts on a call.
struct Called {
    acted: Acted,
    call: Option<Call>,
    party_id: Option<String>,
}

impl Called {
    fn refused(refusal: Refusal) -> Self {
        Self { acted: Acted::refused(refusal), call: None, party_id: None }
    }

    /// Adds the call to the result of its command, and what the device says with it.
    async fn of(
        context: &Context<'_>,
        acted: Acted,
        (room, id): (OwnedRoomId, Option<CallId>),
        said: Option<CallSignalBody>,
    ) -> Result<Self> {
        if let Some(refusal) = &acted.refusal {
            let in_progress = refusal.code == RefusalCode::CallInProgress;
            let other = in_progress.then(|| Rejection::call_named_in(&refusal.message)).flatten();
            let call = match other {
                Some((room, id)) => {
                    // Another user may have placed it a moment ago.
                    let app = app(context);
                    let tail = *app.log.tail().borrow();
                    app.models.wait_for(tail, STALE_AFTER).await.map_err(|_| Fault::stale())?;
                    found(context, &room, &id).await?
                }
                None => None,
            };
            return Ok(Self { acted, call, party_id: None });
        }
        let event = acted.event.as_ref();
        let named = || event.and_then(|event| event.text_of("call_id")?.parse().ok());
        let Some(id) = id.or_else(named) else {
            return Ok(Self { acted, call: None, party_id: None });
        };
        if let Some(body) = said {
            // It is refused if the call has ended since. Then `call` shows that.
            say(context, &room, &id, body).await?;
        }
        let call = found(context, &room, &id).await?;
        let party_id = match event.and_then(|event| event.text_of("party_id")) {
            Some(party) => Some(party),
            None => match &call {
                Some(call) => own_party(context, call.domain())?.map(|party| party.to_string()),
                None => None,
            },
        };
        Ok(Self { acted, call, party_id })
    }
}

/// A call of a room, with the effect of this request.
async fn found(context: &Context<'_>, room: &OwnedRoomId, id: &CallId) -> Result<Option<Call>> {
    let (app, session) = (app(context), session(context));
    app.fresh(session, None).await?;
    let found = app.models.call(room, id, session.viewer()?).await;
    Ok(unless_absent(found)?.flatten().map(Call::from))
}

/// Mutations about calls.
#[derive(Default)]
pub(crate) struct CallMutation;

#[Object]
impl CallMutation {
    /// Calls a member of a room. The devices of the callee ring until one of them answers or rejects
    /// the call, you hang up, or its lifetime is over.
    async fn place_call(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The call to place.")] input: PlaceCallInput,
    ) -> Result<PlaceCallPayload> {
        let PlaceCallInput { room_id, callee_id, media, offer, lifetime_seconds, action_id } =
            input;
        let offer = CallSignalBody::Offer(offer);
        if let Some(refusal) = unless_fits(context, None, CallSide::Caller, &offer) {
            return Ok(Called::refused(refusal).into());
        }
        let seconds = match lifetime_seconds {
            None => CALL_LIFETIME_SECONDS_DEFAULT,
            Some(seconds) => u32::try_from(seconds).unwrap_or_default(),
        };
        let call = PlaceCall::new(callee_id.0, media.into(), seconds);
        let acted = act(context, &room_id.0, RoomCommand::PlaceCall(call), action_id).await?;
        Ok(Called::of(context, acted, (room_id.0, None), Some(offer)).await?.into())
    }

    /// Answers a call that rings for you. The first device that answers has the call; the others get
    /// `CALL_ANSWERED_ELSEWHERE`.
    async fn answer_call(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The call to answer.")] input: AnswerCallInput,
    ) -> Result<AnswerCallPayload> {
        let AnswerCallInput { room_id, call_id: CallIdScalar(call_id), answer, action_id } = input;
        let answer = CallSignalBody::Answer(answer);
        if let Some(refusal) = unless_fits(context, Some(&call_id), CallSide::Callee, &answer) {
            return Ok(Called::refused(refusal).into());
        }
        let command = RoomCommand::AnswerCall { call_id: call_id.clone(), party_id: None };
        let acted = act(context, &room_id.0, command, action_id).await?;
        Ok(Called::of(context, acted, (room_id.0, Some(call_id)), Some(answer)).await?.into())
    }

    /// Rejects a call that rings for you, on all your devices.
    async fn reject_call(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The call to reject.")] input: RejectCallInput,
    ) -> Result<RejectCallPayload> {
        let RejectCallInput { room_id, call_id: CallIdScalar(call_id), action_id } = input;
        let command = RoomCommand::RejectCall { call_id: call_id.clone(), party_id: None };
        let acted = act(context, &room_id.0, command, action_id).await?;
        Ok(Called::of(context, acted, (room_id.0, Some(call_id)), None).await?.into())
    }

    /// Ends a call of this device. Ending a call that has ended changes nothing.
    async fn hang_up_call(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The call to end.")] input: HangUpCallInput,
    ) -> Result<HangUpCallPayload> {
        let HangUpCallInput { room_id, call_id: CallIdScalar(call_id), reason, action_id } = input;
        let (id, reason) = (call_id.clone(), reason.into());
        let command = RoomCommand::HangUpCall { call_id, reason, party_id: None };
        let acted = act(context, &room_id.0, command, action_id).await?;
        Ok(Called::of(context, acted, (room_id.0, Some(id)), None).await?.into())
    }

    /// Sends a signal to the other device of a call, which gets it as `CallSignal` on its stream. A
    /// signal that is sent again changes nothing.
    async fn send_call_signal(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The signal to send.")] input: SendCallSignalInput,
    ) -> Result<SendCallSignalPayload> {
        let SendCallSignalInput { room_id, call_id: CallIdScalar(call_id), signal } = input;
        let body = body(signal)?;
        app(context).fresh(session(context), None).await?;
        let refusal = match unless_joined(context, &room_id.0)? {
            Some(refusal) => Some(refusal),
            None => say(context, &room_id.0, &call_id, body).await?,
        };
        if let Some(refusal) = refusal {
            let refusal = Some(refusal.in_input_of(context));
            return Ok(SendCallSignalPayload { call: None, party_id: None, refusal });
        }
        let call = found(context, &room_id.0, &call_id).await?;
        let party = match &call {
            Some(call) => own_party(context, call.domain())?,
            None => None,
        };
        let party_id = party.map(|party| party.to_string());
        Ok(SendCallSignalPayload { call, party_id, refusal: None })
    }
}
