//! Invites of users of other servers.

use rookery_command::{BegunAction, HandleError, Received};
use rookery_domain::{
    EventStatus, Incoming, Invitee, OwnedRoomId, OwnedUserId, Rejection, RemoteOutcome, Room,
    RoomCommand, sign,
};
use rookery_log::Millis;
use serde_json::{json, value::RawValue};

use super::{
    failures::Failures,
    signatures::{is_signed_by, with_signatures_of},
    worker::logged_out,
};
use crate::{home::Home, inbound::preview};

/// The invite that is wanted.
pub(super) struct Wanted {
    pub(super) room: OwnedRoomId,
    pub(super) user: OwnedUserId,
    pub(super) is_direct: bool,
    pub(super) reason: Option<String>,
}

/// Invites a user of another server: that server signs the invite before it is part of the room.
pub(super) async fn invite(
    home: &Home,
    begun: &BegunAction,
    wanted: Wanted,
) -> Result<RemoteOutcome, HandleError> {
    let Wanted { room, user, is_direct, reason } = wanted;
    let actor = begun.actor(home.now());
    let server = user.server_name().to_owned();
    let invitee = Invitee { is_direct, ..Invitee::from(user) };
    let command = RoomCommand::Invite { invitee, reason };
    let drafted = match home.commands.draft(&actor, &room, &command).await {
        Ok(Some(drafted)) => drafted,
        Ok(None) => {
            let position = home.reader.models().log().tail().borrow().0;
            return Ok(RemoteOutcome::Done { room_id: room, event_id: None, position });
        }
        Err(error) => match error.kept_code() {
            Some(code) => {
                let (code, message) = (code.to_owned(), error.to_string());
                return Ok(RemoteOutcome::Refused { code, message });
            }
            None => return Err(error),
        },
    };
    let mut failures = Failures::default();
    let (version, event_id) = (&drafted.version, drafted.pdu.event_id.clone());
    let signed = sign(&drafted.pdu, &home.own.current, &home.own.server_name, version);
    let signed = signed.ok().and_then(|text| RawValue::from_string(text).ok());
    let Some(signed) = signed else {
        failures.answer(&server, "the invite cannot be signed");
        return Ok(failures.outcome());
    };
    let member = begun.user.clone();
    let look = |room: &Room| {
        let mut state = preview(room);
        state.extend(room.state("m.room.member", member.as_str()).map(|event| {
            json!({
                "type": "m.room.member", "state_key": member, "sender": event.sender,
                "content": event.content,
            })
        }));
        state
    };
    let state = home.look(&room, look).await?.unwrap_or_default();
    let answer = home.remote().invite(&server, &room, &event_id, (version, &signed), &state).await;
    let cosigned = match answer {
        Ok(cosigned) => cosigned,
        Err(error) => {
            failures.call(error);
            return Ok(failures.outcome());
        }
    };
    let is_same = Incoming::read(&cosigned, version).is_ok_and(|it| *it.event_id() == *event_id);
    if !is_same {
        failures.answer(&server, "it answered with another event than the invite");
        return Ok(failures.outcome());
    }
    if let Err(why) = is_signed_by(&home.keys, &cosigned, version, &server).await {
        failures.answer(&server, format!("it did not sign the invite: {why}"));
        return Ok(failures.outcome());
    }
    if !home.commands.is_still_wanted(begun)? {
        return Ok(RemoteOutcome::from(&logged_out()));
    }
    let invite = match with_signatures_of(&server, &signed, &cosigned) {
        Ok(invite) => invite,
        Err(why) => {
            failures.answer(&server, why);
            return Ok(failures.outcome());
        }
    };
    let (device, now) = (begun.action.device.clone(), Millis(home.now()));
    let received = home.commands.accept_own(&room, version, &invite, device, now).await?;
    Ok(match received {
        Received::Accepted { position } => {
            RemoteOutcome::Done { room_id: room, event_id: Some(event_id), position: position.0 }
        }
        Received::Known { status: EventStatus::Accepted } => {
            let position = home.reader.models().log().tail().borrow().0;
            RemoteOutcome::Done { room_id: room, event_id: None, position }
        }
        Received::Refused { reason } | Received::Rejected { reason, .. } => {
            RemoteOutcome::from(&Rejection::Forbidden { rule: reason })
        }
        other => RemoteOutcome::from(&Rejection::Forbidden { rule: format!("{other:?}") }),
    })
}
