//! The values that say what a call is like, and how it went.

use async_graphql::Enum;
use rookery_domain::{CallMedia, CallState, EndReason, HangUpReason};

/// Whether a call has a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "CallMedia", name = "CallMedia")]
pub enum CallMediaEnum {
    /// Sound alone.
    Audio,
    /// Sound and picture.
    Video,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "CallState")]
pub enum CallStateEnum {
    /// It rings at the devices of the callee.
    Ringing,
    /// A device of the callee answered.
    Answered,
    /// It ended.
    Ended,
}

impl From<&CallState> for CallStateEnum {
    fn from(state: &CallState) -> Self {
        match state {
            CallState::Ringing => Self::Ringing,
            CallState::Answered { .. } => Self::Answered,
            CallState::Ended(_) => Self::Ended,
        }
    }
}

/// Why a device hangs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "HangUpReason", name = "HangUpReason")]
pub enum HangUpReasonEnum {
    /// The user hangs up.
    UserHangup,
    /// The devices found no way to reach each other.
    IceFailed,
    /// The devices lost each other.
    IceTimeout,
    /// The device got no microphone or no camera.
    UserMediaFailed,
    /// The user has a call elsewhere.
    UserBusy,
    /// Any other failure of the device.
    UnknownError,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "EndReason", name = "CallEndReason")]
pub enum CallEndReasonEnum {
    /// A party hung up.
    UserHangup,
    /// The callee rejected it.
    Rejected,
    /// Nobody answered during its lifetime.
    InviteTimeout,
    /// The devices found no way to reach each other.
    IceFailed,
    /// The devices lost each other.
    IceTimeout,
    /// A device got no microphone or no camera.
    UserMediaFailed,
    /// A party had a call elsewhere.
    UserBusy,
    /// The connection of a party to the server was gone for too long.
    Abandoned,
    /// A party's device was logged out.
    LoggedOut,
    /// A party's account was closed.
    Deactivated,
    /// A party left the room.
    Left,
    /// A party was removed from the room.
    Kicked,
    /// A party was banned from the room.
    Banned,
    /// Another room replaced the room.
    RoomReplaced,
    /// A party lost the power to send the events of calls.
    PowerLost,
    /// The invite was redacted.
    Redacted,
    /// Any other failure.
    UnknownError,
}

/// The step of a call that an event makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum CallStep {
    /// A user calls another one: `m.call.invite`.
    Invite,
    /// A device of the callee answers: `m.call.answer`.
    Answer,
    /// The callee rejects the call: `m.call.reject`.
    Reject,
    /// A party, or the server in the name of a party, ends the call: `m.call.hangup`.
    Hangup,
}
