//! Expected refusals: data, with a code from one documented list.

use async_graphql::{Enum, SimpleObject, resolver_utils::EnumType};
use rookery_command::HandleError;
use rookery_domain::{OwnedRoomId, Rejection};

use super::fault::Fault;
use crate::schema::types::values::scalars::RoomIdScalar;

/// The reason why the server refused: one code for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum RefusalCode {
    /// This device has used the action ID for another action: take the next one.
    ActionIdReused,
    /// This device's next action was carried out before this one arrived, so this one was not.
    ActionTooLate,
    /// The room cannot admit its own members: name other rooms.
    AdmitsItself,
    /// The alias was claimed by another user.
    AliasNotYours,
    /// The alias points to another room.
    AliasTaken,
    /// The alias is not available. The server does not say why: choose another one.
    AliasUnavailable,
    /// You have already joined: leave instead of declining.
    AlreadyJoined,
    /// You are banned from the room.
    Banned,
    /// The server is busy with logins: retry after the time in the message.
    Busy,
    /// Others keep writing to the same room: retry.
    Contended,
    /// Creators of the room keep all power and have no level.
    CreatorHasNoLevel,
    /// The device name is too long or has control characters.
    DeviceNameInvalid,
    /// You have no such device.
    DeviceNotFound,
    /// The event was sent by another user.
    EventNotYours,
    /// The event was redacted: refer to another event.
    EventRedacted,
    /// The rules of the room forbid it, for the reason in the message.
    Forbidden,
    /// Your power level is too low.
    InsufficientPower,
    /// The alias is malformed, or of another server.
    InvalidAlias,
    /// The content is invalid, for the reason in the message.
    InvalidContent,
    /// Levels can be given and removed only up to your own.
    LevelAboveOwn,
    /// Nobody on this server may admit members to this room.
    NobodyCanAdmit,
    /// There is no such event in this room, or you may not see it.
    NoSuchEvent,
    /// There is no such room, or you may not see it.
    NoSuchRoom,
    /// There is no such user, or the user's server cannot be reached.
    NoSuchUser,
    /// Only messages can be edited, and edits cannot.
    NotEditable,
    /// You are not a member of the room.
    NotAMember,
    /// The event relates to another message and cannot begin a thread.
    NotAThreadRoot,
    /// You are in none of the rooms whose members this room admits.
    NotInAllowedRoom,
    /// The room is by invitation only.
    NotInvited,
    /// The room takes no requests to join.
    NotKnockable,
    /// The room needs the event.
    NotRedactable,
    /// The password has more than 512 bytes.
    PasswordTooLong,
    /// The password has fewer than 8 characters.
    PasswordTooShort,
    /// Too many tries: retry after the time in the message.
    RateLimited,
    /// Registration is closed on this server, or to your address.
    RegistrationClosed,
    /// Events of this type have a mutation of their own, or belong to the server.
    ReservedType,
    /// Another room has replaced this one: continue there.
    RoomReplaced,
    /// The name, or the key of the reaction, has no visible character.
    ShowsNothing,
    /// The state key belongs to another user.
    StateKeyNotYours,
    /// The user is banned: lift the ban first.
    TargetBanned,
    /// You cannot do this to yourself.
    TargetIsSelf,
    /// The user has as much power as you, or more.
    TargetNotBelow,
    /// The user is not in the room.
    TargetNotInRoom,
    /// A value is longer than allowed.
    TooLarge,
    /// The request lists more entries than it may.
    TooMany,
    /// You have given as many aliases to rooms as a user may: remove some.
    TooManyAliases,
    /// As many users are banned from the room as allowed: lift a ban.
    TooManyBans,
    /// You have as many devices as a user may have: remove one.
    TooManyDevices,
    /// The message has as many edits as it may have: send a new message.
    TooManyEdits,
    /// You have stored as many filters as a user may: delete one.
    TooManyFilters,
    /// The user has as many unanswered invites as allowed.
    TooManyInvites,
    /// You knock on as many rooms as you may: withdraw a knock.
    TooManyKnocks,
    /// You have reacted to the event in as many ways as you may, or the event has as many reactions
    /// as it may: redact one of yours, or use an existing key.
    TooManyReactions,
    /// You have joined as many rooms as a user may: leave one.
    TooManyRooms,
    /// The room has as much state as it may have: change existing state.
    TooManyStateKeys,
    /// The room version is not supported.
    UnknownRoomVersion,
    /// The user name has characters that names cannot have, or is too long.
    UserNameInvalid,
    /// The user name is taken.
    UserNameTaken,
    /// No member would have the power to change the power levels.
    WouldLockOut,
    /// The user name or the password is wrong.
    WrongCredentials,
}

impl RefusalCode {
    /// The code in the form for clients.
    pub(crate) fn name(self) -> &'static str {
        Self::items().iter().find(|item| item.value == self).map_or("", |item| item.name)
    }
}

/// A refusal. Nothing was changed.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct Refusal {
    /// The code of the rule.
    pub(crate) code: RefusalCode,
    /// The rule, and what to do, in English.
    pub(crate) message: String,
    /// After how many seconds to retry; for `RATE_LIMITED` of an action.
    pub(crate) retry_after: Option<i32>,
    /// The room that has replaced this one; for `ROOM_REPLACED`.
    pub(crate) replaced_by: Option<RoomIdScalar>,
}

impl Refusal {
    /// The refusal with the code of this text; [`RefusalCode::Forbidden`] if the list lacks it.
    pub(crate) fn new(code: &str, message: String) -> Self {
        let item = RefusalCode::items().iter().find(|item| item.name == code);
        Self::of(item.map_or(RefusalCode::Forbidden, |item| item.value), message)
    }

    /// The refusal with this code.
    pub(crate) fn of(code: RefusalCode, message: String) -> Self {
        Self { code, message, retry_after: None, replaced_by: None }
    }

    /// Adds the room that replaces this one.
    pub(crate) fn in_favour_of(self, room: Option<OwnedRoomId>) -> Self {
        Self { replaced_by: room.map(RoomIdScalar), ..self }
    }
}

/// The result of a command for a payload: a refusal is data, a fault is an error.
pub(crate) fn refused<T>(result: Result<T, HandleError>) -> Result<Result<T, Refusal>, Fault> {
    let error = match result {
        Ok(value) => return Ok(Ok(value)),
        Err(error) => error,
    };
    let message = error.to_string();
    let code = match error {
        HandleError::Rejected(Rejection::RoomReplaced(room)) => {
            return Ok(Err(Refusal::new("ROOM_REPLACED", message).in_favour_of(Some(room))));
        }
        HandleError::Rejected(rejection) => rejection.code(),
        HandleError::NoSuchRoom => "NO_SUCH_ROOM",
        HandleError::ActionIdReused => "ACTION_ID_REUSED",
        HandleError::ActionTooLate { .. } => "ACTION_TOO_LATE",
        HandleError::RefusedBefore { code, .. } => {
            let replaced = code == "ROOM_REPLACED";
            let room = replaced.then(|| Rejection::replacement_named_in(&message)).flatten();
            return Ok(Err(Refusal::new(&code, message).in_favour_of(room)));
        }
        HandleError::Contended { .. } => "CONTENDED",
        HandleError::RateLimited { wait, .. } => {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let retry_after = Some(i32::try_from(seconds).unwrap_or(i32::MAX));
            return Ok(Err(Refusal { retry_after, ..Refusal::new("RATE_LIMITED", message) }));
        }
        HandleError::TooLarge => "TOO_MANY",
        HandleError::LoggedOut => return Err(Fault::unauthenticated()),
        HandleError::Unavailable(unavailable) => {
            return Err(Fault::unavailable(&unavailable.reason));
        }
        HandleError::Unreadable { .. } => return Err(Fault::internal(&message)),
    };
    Ok(Err(Refusal::new(code, message)))
}
