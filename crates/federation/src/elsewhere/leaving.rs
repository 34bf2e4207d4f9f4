//! Requests to join rooms of other servers, and leaves of rooms that this server is not in.

use std::time::Duration;

use rookery_command::{BegunAction, HandleError};
use rookery_domain::{
    Elsewhere, Membership, OwnedServerName, Rejection, RemoteOutcome, RoomId, RoomOrAliasId,
};
use rookery_log::Millis;

use super::{
    failures::Failures,
    joining::find,
    stripped::preview_of,
    template::{VERSIONS, Wish},
};
use crate::home::Home;

/// How often a leave is tried.
const LEAVE_TRIES_MAX: u32 = 8;

/// The pause after the first try of a leave; each one after it is twice as long.
const LEAVE_PAUSE: Duration = Duration::from_secs(1);

/// Asks to join a room, through one server after the other.
pub(super) async fn knock(
    home: &Home,
    begun: &BegunAction,
    (room, via, reason): (&RoomOrAliasId, &[OwnedServerName], Option<&str>),
) -> Result<RemoteOutcome, HandleError> {
    let (remote, user) = (home.remote(), &*begun.user);
    let wanted = match find(home, &remote, room, via).await {
        Ok(wanted) => wanted,
        Err(refused) => return Ok(refused),
    };
    let room = &*wanted.room;
    let profile = home.commands.profile(user).await?;
    let mut failures = Failures::default();
    for server in &wanted.servers {
        let template = match remote.make_knock(server, room, user, &VERSIONS).await {
            Ok(template) => template,
            Err(error) => {
                failures.call(error);
                continue;
            }
        };
        let now = home.now();
        let membership = "knock";
        let wish = Wish { room, user, membership, profile: Some(&profile), reason, now };
        let completed = match wish.complete(&home.own, &template) {
            Ok(completed) => completed,
            Err(why) => {
                failures.answer(server, why);
                continue;
            }
        };
        let id = &completed.pdu.event_id;
        let state = match remote.send_knock(server, room, id, &completed.signed).await {
            Ok(state) => state,
            Err(error) => {
                failures.call(error);
                continue;
            }
        };
        let mut via = vec![server.clone()];
        via.extend(wanted.servers.iter().filter(|other| *other != server).cloned());
        let standing = Elsewhere {
            membership: Membership::Knock,
            preview: preview_of(&completed.pdu, &state),
            event_id: id.clone(),
            sent: now,
            version: completed.version,
            via,
        };
        home.commands.set_elsewhere(user, standing, Millis(now)).await?;
        let position = home.reader.models().log().tail().borrow().0;
        return Ok(RemoteOutcome::Done { room_id: room.to_owned(), event_id: None, position });
    }
    Ok(failures.outcome())
}

/// Tells a room that the user declines an invite, or withdraws a request to join. The user has left
/// already, as far as this server is concerned.
pub(super) async fn leave(
    home: &Home,
    begun: &BegunAction,
    (room, via, reason): (&RoomId, &[OwnedServerName], Option<&str>),
) -> RemoteOutcome {
    let (remote, user) = (home.remote(), &*begun.user);
    let mut pause = LEAVE_PAUSE;
    let mut failures = Failures::default();
    for attempt in 0..LEAVE_TRIES_MAX {
        if attempt > 0 {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        failures = Failures::default();
        let mut is_refused = !via.is_empty();
        for server in via {
            let template = match remote.make_leave(server, room, user).await {
                Ok(template) => template,
                Err(error) => {
                    is_refused &= error.code.as_deref().is_some_and(|code| !code.is_empty());
                    failures.call(error);
                    continue;
                }
            };
            let now = home.now();
            let wish = Wish { room, user, membership: "leave", profile: None, reason, now };
            let completed = match wish.complete(&home.own, &template) {
                Ok(completed) => completed,
                Err(why) => {
                    failures.answer(server, why);
                    continue;
                }
            };
            let id = &completed.pdu.event_id;
            match remote.send_leave(server, room, id, &completed.signed).await {
                Ok(()) => {
                    let position = home.reader.models().log().tail().borrow().0;
                    let room_id = room.to_owned();
                    return RemoteOutcome::Done { room_id, event_id: None, position };
                }
                Err(error) => {
                    is_refused &= error.code.as_deref().is_some_and(|code| !code.is_empty());
                    failures.call(error);
                }
            }
        }
        if is_refused || via.is_empty() {
            break;
        }
    }
    match failures.outcome() {
        done @ RemoteOutcome::Done { .. } => done,
        RemoteOutcome::Refused { message, .. } => {
            tracing::info!(%room, %user, "no server took the leave of a user: {message}");
            RemoteOutcome::from(&Rejection::ServerUnreachable(message))
        }
    }
}
