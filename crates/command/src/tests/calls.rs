//! Calls: one for each user in all rooms, whatever happens at the same time.

mod claims;
mod ends;
mod model;

use std::sync::Arc;

use rookery_domain::{
    Call, CallId, CallMedia, HangUpReason, OwnedRoomId, PlaceCall, RoomCalls, RoomCommand, RoomId,
};
use rookery_log::{ErasableLog, EventLog};

use super::{actor, join};
use crate::{Actor, Commands, HandleError, Outcome, Retry, testing::calls_in};

/// The actor on this device.
fn on(name: &str, device: &str) -> Actor {
    Actor { device: Some(device.to_owned()), ..actor(name) }
}

fn call(callee: &str) -> RoomCommand {
    RoomCommand::PlaceCall(PlaceCall::new(actor(callee).user, CallMedia::Audio, 90))
}

fn answer(call_id: &CallId) -> RoomCommand {
    RoomCommand::AnswerCall { call_id: call_id.clone(), party_id: None }
}

fn reject(call_id: &CallId) -> RoomCommand {
    RoomCommand::RejectCall { call_id: call_id.clone(), party_id: None }
}

fn hang_up(call_id: &CallId) -> RoomCommand {
    let (call_id, reason) = (call_id.clone(), HangUpReason::UserHangup);
    RoomCommand::HangUpCall { call_id, reason, party_id: None }
}

/// A public room that these users have joined.
async fn room_of(commands: &Commands, users: &[&str]) -> OwnedRoomId {
    let room = super::public_room(commands, users[0]).await;
    for user in &users[1..] {
        commands.room(&actor(user), &room, &join(), Retry::Unnamed).await.unwrap();
    }
    room
}

/// Places a call, and returns its ID.
async fn place(commands: &Commands, who: &str, room: &RoomId, whom: &str) -> CallId {
    let placed = commands.room(&actor(who), room, &call(whom), Retry::Unnamed).await;
    call_of(&placed.unwrap())
}

/// The ID of the call of an event.
fn call_of(outcome: &Outcome) -> CallId {
    let content: serde_json::Value = outcome.events[0].content_as().unwrap();
    content["call_id"].as_str().unwrap().parse().unwrap()
}

#[track_caller]
fn code<T: std::fmt::Debug>(result: Result<T, HandleError>) -> String {
    result.unwrap_err().kept_code().expect("a refusal").to_owned()
}

/// The active calls of a log.
async fn active(log: &Arc<dyn ErasableLog>) -> Vec<Call> {
    let log: Arc<dyn EventLog> = Arc::clone(log) as _;
    let rooms = calls_in(&*log).await.unwrap();
    rooms.values().flat_map(RoomCalls::active).cloned().collect()
}
