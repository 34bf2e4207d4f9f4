//! The kind of a call, and the reasons for its end.

use serde::{Deserialize, Serialize};

/// Whether a call has a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallMedia {
    /// Sound alone.
    Audio,
    /// Sound and picture.
    Video,
}

/// Why a device hangs up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HangUpReason {
    /// The user hangs up.
    #[default]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
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
    /// Any other failure, also one that a later version of the server named.
    #[serde(other)]
    UnknownError,
}

impl From<HangUpReason> for EndReason {
    fn from(reason: HangUpReason) -> Self {
        match reason {
            HangUpReason::UserHangup => Self::UserHangup,
            HangUpReason::IceFailed => Self::IceFailed,
            HangUpReason::IceTimeout => Self::IceTimeout,
            HangUpReason::UserMediaFailed => Self::UserMediaFailed,
            HangUpReason::UserBusy => Self::UserBusy,
            HangUpReason::UnknownError => Self::UnknownError,
        }
    }
}

/// The reasons in `m.call.hangup` events. Those that Matrix does not know have a prefix.
const IN_HANGUPS: [(EndReason, &str); 10] = [
    (EndReason::UserHangup, "user_hangup"),
    (EndReason::InviteTimeout, "invite_timeout"),
    (EndReason::IceFailed, "ice_failed"),
    (EndReason::IceTimeout, "ice_timeout"),
    (EndReason::UserMediaFailed, "user_media_failed"),
    (EndReason::UserBusy, "user_busy"),
    (EndReason::UnknownError, "unknown_error"),
    (EndReason::Abandoned, "org.rookery.abandoned"),
    (EndReason::LoggedOut, "org.rookery.logged_out"),
    (EndReason::Deactivated, "org.rookery.deactivated"),
];

impl EndReason {
    /// The `reason` of an `m.call.hangup` event. The other reasons end calls with other events.
    pub(super) fn in_hangup(self) -> &'static str {
        let found = IN_HANGUPS.iter().find(|(reason, _)| *reason == self);
        found.map_or("unknown_error", |(_, name)| name)
    }

    /// The reason in an `m.call.hangup` event.
    #[must_use]
    pub fn of_hangup(name: &str) -> Self {
        let found = IN_HANGUPS.iter().find(|(_, known)| *known == name);
        found.map_or(Self::UnknownError, |(reason, _)| *reason)
    }
}
