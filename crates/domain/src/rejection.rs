//! Refusals: the answers to commands that a rule forbids.
//!
//! **Invariant:** a refusal is an answer to a user and never a fault. It leaves no trace.

use rookery_pdu::SealError;
use ruma_common::{OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedUserId};

use crate::{Bound, CallId, shows_nothing};

/// The rule that forbids a command. The text says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The room does not exist.
    #[error("there is no such room; check the room ID")]
    NoSuchRoom,
    /// This server cannot write to rooms of this version.
    #[error("room version {0} is not supported; use 10, 11 or 12")]
    UnknownRoomVersion(String),
    /// The sender has not joined.
    #[error("you are not a member of this room; join it first")]
    NotAMember,
    /// The sender is banned.
    #[error("you are banned from this room; ask a moderator to lift the ban")]
    Banned,
    /// The sender has no invite.
    #[error("this room is by invitation only; ask a member to invite you")]
    NotInvited,
    /// The room is restricted, and the sender is in none of the rooms whose members it admits.
    #[error(
        "this room admits members of certain other rooms; join one of those, or ask for an invite"
    )]
    NotInAllowedRoom,
    /// The room is restricted, and no member on this server has the power to admit others.
    #[error("nobody on this server may admit members to this room; ask a member for an invite")]
    NobodyCanAdmit,
    /// The room does not accept knocks.
    #[error("this room does not take requests to join; ask a member to invite you")]
    NotKnockable,
    /// The target is not in the room.
    #[error("{0} is not in this room; check the user ID")]
    TargetNotInRoom(OwnedUserId),
    /// The target is banned.
    #[error("{0} is banned from this room; lift the ban first")]
    TargetBanned(OwnedUserId),
    /// The sender tried to ban or unban themselves.
    #[error("you cannot do this to yourself; leave the room instead")]
    TargetIsSelf,
    /// The target's power is not below the sender's.
    #[error("{0} has as much power as you or more; ask someone with more power")]
    TargetNotBelow(OwnedUserId),
    /// The sender's power is too low.
    #[error("this needs power level {needed} and you have {have} ({action}); ask a moderator")]
    InsufficientPower {
        /// The level that the room asks for.
        needed: i64,
        /// The sender's level.
        have: i64,
        /// The action that needs the level.
        action: String,
    },
    /// The sender tried to give a level above their own, or to remove a level that is not below
    /// their own.
    #[error("you may only change levels up to your own, {have}; {what} is above it")]
    LevelAboveOwn {
        /// The user, event type or setting.
        what: String,
        /// The sender's level.
        have: i64,
    },
    /// A creator of a room of version 12 or newer has no level.
    #[error("{0} created this room and keeps all power; leave this user out")]
    CreatorHasNoLevel(OwnedUserId),
    /// No member would have the power to change the power levels.
    #[error(
        "nobody in the room could change power levels any more; give that power to another member first"
    )]
    WouldLockOut,
    /// The last member with the power to change the power levels tried to leave.
    #[error(
        "you are the last member who can change power levels in this room; name a successor among the members, or give that \
         power to another member first"
    )]
    LastHead,
    /// The alias is malformed, or of another server.
    #[error("the alias {alias} cannot be used: {reason}")]
    InvalidAlias {
        /// The alias.
        alias: OwnedRoomAliasId,
        /// The reason.
        reason: String,
    },
    /// The alias points to another room.
    #[error("the alias {alias} is taken; choose another one")]
    AliasTaken {
        /// The alias.
        alias: OwnedRoomAliasId,
    },
    /// The alias is not available. The user may not know the reason.
    #[error(
        "the alias {alias} is not available; choose another one, or after several attempts wait some minutes"
    )]
    AliasUnavailable {
        /// The alias.
        alias: OwnedRoomAliasId,
    },
    /// The sender did not claim the alias and has no power over the room's aliases.
    #[error(
        "the alias {alias} was claimed by another user; ask its owner or a moderator of the room"
    )]
    AliasNotYours {
        /// The alias.
        alias: OwnedRoomAliasId,
    },
    /// A user ID or alias, the first text, is reserved for a service, the second text.
    #[error("the name {0} is reserved for the service {1}; choose another one")]
    NameReserved(String, String),
    /// A value is longer than allowed.
    #[error("{what} is too large: it has {bytes} bytes and the maximum is {max}; make it shorter")]
    TooLarge {
        /// The value.
        what: &'static str,
        /// Its length in bytes.
        bytes: usize,
        /// The greatest length in bytes.
        max: usize,
    },
    /// A name has no visible character.
    #[error("{what} has no visible character; use a character that can be seen, or leave it empty")]
    ShowsNothing {
        /// The name.
        what: &'static str,
    },
    /// A command lists more entries than it may.
    #[error("{count} {what} are too many, the maximum is {max}; split the request")]
    TooMany {
        /// The kind of entries.
        what: &'static str,
        /// How many entries the command lists.
        count: usize,
        /// The greatest number.
        max: usize,
    },
    /// A count has reached its bound.
    #[error("{0}")]
    Bound(Bound),
    /// The user does not exist, or their server cannot be reached.
    #[error("there is no user {0}, or their server cannot be reached; check the user ID")]
    NoSuchUser(OwnedUserId),
    /// Other servers have to answer, and this server talks with none.
    #[error(
        "this needs other servers, and this server does not talk with other servers; ask its operator for federation"
    )]
    FederationOff,
    /// None of the servers that could answer did.
    #[error("no server could help: {0}; try again later, or name other servers in `via`")]
    ServerUnreachable(String),
    /// The room was replaced by another one.
    #[error("this room was replaced by {0}; continue there")]
    RoomReplaced(OwnedRoomId),
    /// The event does not exist in this room, or the sender may not see it.
    #[error("there is no event {0} in this room, or you may not see it; check the event ID")]
    NoSuchEvent(OwnedEventId),
    /// Only the sender of a message may edit it.
    #[error("{0} was sent by another user; edit only your own messages")]
    EventNotYours(OwnedEventId),
    /// The event was redacted.
    #[error("{0} was redacted; refer to another event")]
    EventRedacted(OwnedEventId),
    /// The event cannot be edited.
    #[error("{event} cannot be edited: {rule}")]
    NotEditable {
        /// The event.
        event: OwnedEventId,
        /// The reason, and what to do.
        rule: &'static str,
    },
    /// A thread can only begin with a message that has no relation itself.
    #[error("{0} cannot begin a thread, because it relates to another message; name that message")]
    NotAThreadRoot(OwnedEventId),
    /// The content is invalid.
    #[error("the content is not valid: {0}")]
    InvalidContent(String),
    /// Events of this type have a command of their own, or only the server makes them.
    #[error("events of type {0} cannot be sent this way; use the command made for it")]
    ReservedType(String),
    /// A state key that is a user ID other than the sender's.
    #[error("the state key {0} belongs to another user; use your own user ID")]
    StateKeyNotYours(String),
    /// The room could not work without the event.
    #[error(
        "events of type {0} cannot be redacted, because the room needs them; set a new value instead"
    )]
    NotRedactable(String),
    /// A room cannot admit its own members.
    #[error("the room {0} cannot admit its own members; name other rooms")]
    AdmitsItself(OwnedRoomId),
    /// Events of calls are made by the mutations of calls.
    #[error("events of type {event_type} cannot be sent this way; use the mutation {mutation}")]
    CallEventType {
        /// The type.
        event_type: String,
        /// The mutation.
        mutation: &'static str,
    },
    /// The caller named themselves.
    #[error("you cannot call yourself; name another member of the room")]
    CallToSelf,
    /// The caller ignores the callee, so the caller would not hear the answer.
    #[error("you ignore {0}; stop ignoring this user before you call them")]
    CalleeIgnored(OwnedUserId),
    /// The callee is a user of another server.
    #[error("{0} is a user of another server, and calls do not leave this server; write to them")]
    CalleeElsewhere(OwnedUserId),
    /// The sender is in a call already.
    #[error("the call {call_id} in {room_id} is your call now; answer it or hang it up first")]
    CallInProgress {
        /// The room of the first call.
        room_id: OwnedRoomId,
        /// The first call.
        call_id: CallId,
    },
    /// The callee is in a call with another user.
    #[error("{0} is in another call; call again later")]
    BusyInCall(OwnedUserId),
    /// The callee got many calls in a short time.
    #[error("{0} was called too often in a short time; call again later")]
    CalledTooOften(OwnedUserId),
    /// The room has no such call, or it ended long ago.
    #[error("there is no call {0} in this room, or it ended long ago; check the call ID")]
    NoSuchCall(CallId),
    /// The call has ended.
    #[error("the call {0} has ended; place a new one")]
    CallEnded(CallId),
    /// Another device of the callee answered.
    #[error("the call {0} was answered by another device; continue there")]
    CallAnsweredElsewhere(CallId),
    /// The call is of other users, or another device of the sender placed it.
    #[error(
        "the call {0} is not a call of this device, or not yours to answer; use a call of your own"
    )]
    NotYourCall(CallId),
    /// The authorisation rules of Matrix forbid it, for a reason that no other variant names.
    #[error("the rules of this room forbid it: {rule}")]
    Forbidden {
        /// The rule, as the check states it.
        rule: String,
    },
}

impl From<SealError> for Rejection {
    fn from(error: SealError) -> Self {
        match error {
            SealError::TooLarge { what, bytes, max } => Self::TooLarge { what, bytes, max },
            SealError::InvalidContent(reason) => Self::InvalidContent(reason),
        }
    }
}

impl Rejection {
    /// The stable code of the rule, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchRoom => "NO_SUCH_ROOM",
            Self::UnknownRoomVersion(_) => "UNKNOWN_ROOM_VERSION",
            Self::NotAMember => "NOT_A_MEMBER",
            Self::Banned => "BANNED",
            Self::NotInvited => "NOT_INVITED",
            Self::NotInAllowedRoom => "NOT_IN_ALLOWED_ROOM",
            Self::NobodyCanAdmit => "NOBODY_CAN_ADMIT",
            Self::NotKnockable => "NOT_KNOCKABLE",
            Self::TargetNotInRoom(_) => "TARGET_NOT_IN_ROOM",
            Self::TargetBanned(_) => "TARGET_BANNED",
            Self::TargetIsSelf => "TARGET_IS_SELF",
            Self::TargetNotBelow(_) => "TARGET_NOT_BELOW",
            Self::InsufficientPower { .. } => "INSUFFICIENT_POWER",
            Self::LevelAboveOwn { .. } => "LEVEL_ABOVE_OWN",
            Self::CreatorHasNoLevel(_) => "CREATOR_HAS_NO_LEVEL",
            Self::WouldLockOut | Self::LastHead => "WOULD_LOCK_OUT",
            Self::InvalidAlias { .. } => "INVALID_ALIAS",
            Self::AliasTaken { .. } => "ALIAS_TAKEN",
            Self::AliasUnavailable { .. } => "ALIAS_UNAVAILABLE",
            Self::AliasNotYours { .. } => "ALIAS_NOT_YOURS",
            Self::NameReserved(..) => "NAME_RESERVED",
            Self::TooLarge { .. } => "TOO_LARGE",
            Self::ShowsNothing { .. } => "SHOWS_NOTHING",
            Self::TooMany { .. } => "TOO_MANY",
            Self::Bound(bound) => bound.code(),
            Self::NoSuchUser(_) => "NO_SUCH_USER",
            Self::FederationOff => "FEDERATION_OFF",
            Self::ServerUnreachable(_) => "SERVER_UNREACHABLE",
            Self::RoomReplaced(_) => "ROOM_REPLACED",
            Self::NoSuchEvent(_) => "NO_SUCH_EVENT",
            Self::EventNotYours(_) => "EVENT_NOT_YOURS",
            Self::EventRedacted(_) => "EVENT_REDACTED",
            Self::NotEditable { .. } => "NOT_EDITABLE",
            Self::NotAThreadRoot(_) => "NOT_A_THREAD_ROOT",
            Self::InvalidContent(_) => "INVALID_CONTENT",
            Self::ReservedType(_) | Self::CallEventType { .. } => "RESERVED_TYPE",
            Self::StateKeyNotYours(_) => "STATE_KEY_NOT_YOURS",
            Self::NotRedactable(_) => "NOT_REDACTABLE",
            Self::AdmitsItself(_) => "ADMITS_ITSELF",
            Self::CallToSelf => "CALL_TO_SELF",
            Self::CalleeIgnored(_) => "CALLEE_IGNORED",
            Self::CalleeElsewhere(_) => "CALLEE_ELSEWHERE",
            Self::CallInProgress { .. } => "CALL_IN_PROGRESS",
            Self::BusyInCall(_) => "BUSY_IN_CALL",
            Self::CalledTooOften(_) => "CALLED_TOO_OFTEN",
            Self::NoSuchCall(_) => "NO_SUCH_CALL",
            Self::CallEnded(_) => "CALL_ENDED",
            Self::CallAnsweredElsewhere(_) => "CALL_ANSWERED_ELSEWHERE",
            Self::NotYourCall(_) => "NOT_YOUR_CALL",
            Self::Forbidden { .. } => "FORBIDDEN",
        }
    }

    /// The replacement room that the message of a refusal names.
    #[must_use]
    pub fn replacement_named_in(message: &str) -> Option<OwnedRoomId> {
        let mut words = message.split([' ', ';']);
        words.find_map(|word| word.starts_with('!').then(|| word.try_into().ok())?)
    }

    /// The room and the call that the message of a [`Self::CallInProgress`] names. A repeated refusal
    /// has nothing but its message.
    #[must_use]
    pub fn call_named_in(message: &str) -> Option<(OwnedRoomId, CallId)> {
        let mut words = message.strip_prefix("the call ")?.split_ascii_whitespace();
        let call_id = words.next()?.parse().ok()?;
        let room_id = words.find_map(|word| word.starts_with('!').then(|| word.try_into().ok())?);
        Some((room_id?, call_id))
    }

    /// Refuses `text` if it has characters, but no visible one.
    pub(crate) fn unless_visible(what: &'static str, text: &str) -> Result<(), Self> {
        let is_hidden = !text.is_empty() && shows_nothing(text);
        if is_hidden { Err(Self::ShowsNothing { what }) } else { Ok(()) }
    }

    /// Refuses `text` if it is longer than `max` bytes.
    pub(crate) fn if_longer(what: &'static str, text: &str, max: usize) -> Result<(), Self> {
        if text.len() > max { Err(Self::TooLarge { what, bytes: text.len(), max }) } else { Ok(()) }
    }
}
