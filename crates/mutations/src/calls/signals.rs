//! The signals that devices send.

use std::time::Duration;

use async_graphql::{Context, Result};
use rookery_audience::calls::{parties, settle};
use rookery_domain::{CallId, CallState, Rejection, RoomId};
use rookery_ephemeral::{
    CALL_BYTES_MAX, CALL_CANDIDATES_MAX, CallSide, CallSignalBody, SignalRefused,
};
use rookery_schema::{
    context::{app, session, unless_absent},
    types::{
        calls::signal::IceCandidateInput,
        errors::{
            fault::Fault,
            refusal::{Refusal, RefusalCode},
        },
    },
};
use rookery_view::RoomCall;

use super::CallSignalInput;
use crate::ephemeral::unless_over;

/// After how long to retry when the signals of all calls leave no room.
const FULL_RETRY: Duration = Duration::from_secs(5);

/// The signal of an input.
pub(super) fn body(signal: CallSignalInput) -> Result<CallSignalBody, Fault> {
    Ok(match signal {
        CallSignalInput::Offer(sdp) => CallSignalBody::Offer(sdp),
        CallSignalInput::Answer(sdp) => CallSignalBody::Answer(sdp),
        CallSignalInput::Candidates(candidates) if candidates.is_empty() => {
            return Err(Fault::bad_input("`candidates` is empty: name at least one candidate"));
        }
        CallSignalInput::Candidates(candidates) => {
            let candidates = candidates.into_iter().map(IceCandidateInput::checked);
            CallSignalBody::Candidates(candidates.collect::<Result<_, _>>()?)
        }
    })
}

/// The refusal for a signal that is too large. Nothing was decided, so an action that is refused for
/// that does not use up its number.
pub(super) fn unless_fits(
    context: &Context<'_>,
    call: Option<&CallId>,
    side: CallSide,
    body: &CallSignalBody,
) -> Option<Refusal> {
    let checked = app(context).ephemeral.check_signal(call.map(CallId::as_str), side, body);
    checked.err().map(refusal)
}

fn refusal(refused: SignalRefused) -> Refusal {
    match refused {
        SignalRefused::TooLarge { bytes } => {
            let message = format!(
                "with this the signals of the call have {bytes} bytes and the maximum is \
                 {CALL_BYTES_MAX}; send a shorter description"
            );
            Refusal::of(RefusalCode::TooLarge, message)
        }
        SignalRefused::TooManyCandidates { candidates } => {
            let message = format!(
                "with this the call has {candidates} candidates and the maximum is \
                 {CALL_CANDIDATES_MAX}; send fewer, or a new description"
            );
            Refusal::of(RefusalCode::TooMany, message)
        }
        SignalRefused::Full => {
            let message = "the server holds as many signals as it may; try again in 5 s";
            Refusal::until(RefusalCode::Busy, message.to_owned(), FULL_RETRY)
        }
    }
}

/// Holds what this device says in a call, unless it may not.
pub(super) async fn say(
    context: &Context<'_>,
    room: &RoomId,
    id: &CallId,
    body: CallSignalBody,
) -> Result<Option<Refusal>> {
    let (app, session) = (app(context), session(context));
    let (viewer, device) = (session.viewer()?, session.device_id()?);
    app.fresh(session, None).await?;
    let active = app.models.view().call_for(room, id, viewer);
    let Some(call) = active else {
        let past = unless_absent(app.models.call(room, id, viewer).await)?.flatten();
        let is_own = past.is_some_and(|past| past.call.is_of(viewer));
        let rejection = if is_own {
            Rejection::CallEnded(id.clone())
        } else {
            Rejection::NoSuchCall(id.clone())
        };
        return Ok(Some(refused(&rejection)));
    };
    let parties = parties(&call);
    let side = parties.as_ref().and_then(|parties| parties.side_of(viewer, device));
    let (Some(parties), Some(side)) = (parties, side) else {
        return Ok(Some(not_a_party(context, &call)?));
    };
    if call.call.state == CallState::Ringing && matches!(body, CallSignalBody::Answer(_)) {
        let message = "the call rings, so there is nothing to answer yet; wait for the answer";
        return Ok(Some(Refusal::of(RefusalCode::InvalidContent, message.to_owned())));
    }
    let said = app.ephemeral.signal(id.as_str(), &parties, side, body);
    // The call may have been answered or ended meanwhile, and the session may be over.
    settle(&app.ephemeral, &app.models, room, id);
    unless_over(context)?;
    Ok(said.err().map(refusal))
}

/// The refusal for a device that has no part in an active call.
fn not_a_party(context: &Context<'_>, call: &RoomCall) -> Result<Refusal, Fault> {
    let (id, viewer) = (call.call.id.clone(), session(context).viewer()?);
    let is_answered = call.call.state != CallState::Ringing;
    Ok(refused(&if call.call.callee == *viewer && is_answered {
        Rejection::CallAnsweredElsewhere(id)
    } else {
        Rejection::NotYourCall(id)
    }))
}

fn refused(rejection: &Rejection) -> Refusal {
    Refusal::of(RefusalCode::from(rejection), rejection.to_string())
}
