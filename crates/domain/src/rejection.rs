//! Refusals: the answers to commands that a rule forbids.
//!
//! **Invariant:** a refusal is an answer to a user, never a fault; it leaves no trace.

use ruma_common::{OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedUserId};

use crate::{Bound, shows_nothing};

/// The rule that forbids a command. The text says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The room was never created.
    #[error("there is no such room; check the room ID")]
    NoSuchRoom,
    /// The room's version is not one that this server can write to.
    #[error("room version {0} is not supported; use 10, 11 or 12")]
    UnknownRoomVersion(String),
    /// The sender has not joined.
    #[error("you are not a member of this room; join it first")]
    NotAMember,
    /// The sender is banned.
    #[error("you are banned from this room; ask a moderator to lift the ban")]
    Banned,
    /// The room is not open to the sender.
    #[error("this room is by invitation only; ask a member to invite you")]
    NotInvited,
    /// A restricted room, and the sender is in none of the rooms that would admit her.
    #[error(
        "this room admits members of certain other rooms; join one of those, or ask for an invite"
    )]
    NotInAllowedRoom,
    /// A restricted room in which no member of this server may admit others.
    #[error("nobody on this server may admit members to this room; ask a member for an invite")]
    NobodyCanAdmit,
    /// The room does not take requests to join.
    #[error("this room does not take requests to join; ask a member to invite you")]
    NotKnockable,
    /// The sender cannot decline an invite to a room that she has joined.
    #[error("you have already joined this room; leave it instead")]
    AlreadyJoined,
    /// The target is not in the room.
    #[error("{0} is not in this room; check the user ID")]
    TargetNotInRoom(OwnedUserId),
    /// The target is banned.
    #[error("{0} is banned from this room; lift the ban first")]
    TargetBanned(OwnedUserId),
    /// Banning or unbanning oneself.
    #[error("you cannot do this to yourself; leave the room instead")]
    TargetIsSelf,
    /// The target's power is not below the sender's.
    #[error("{0} has as much power as you or more; ask someone with more power")]
    TargetNotBelow(OwnedUserId),
    /// The sender's power does not reach.
    #[error("this needs power level {needed} and you have {have} ({action}); ask a moderator")]
    InsufficientPower {
        /// The level that the room asks for.
        needed: i64,
        /// The sender's level.
        have: i64,
        /// What the level is needed for.
        action: String,
    },
    /// A power level above the sender's would be given, or one at or above hers taken away.
    #[error("you may only change levels up to your own, {have}; {what} is out of your reach")]
    LevelAboveOwn {
        /// The user, event type or setting.
        what: String,
        /// The sender's level.
        have: i64,
    },
    /// Creators of a room of version 12 or newer have power beyond all levels.
    #[error("{0} created this room and keeps all power; leave this user out")]
    CreatorHasNoLevel(OwnedUserId),
    /// Nobody would be left who can change the power levels.
    #[error(
        "nobody in the room could change power levels any more; give that power to another member first"
    )]
    WouldLockOut,
    /// The same, as the last member who can change them leaves.
    #[error(
        "you are the last member who can change power levels in this room; name a successor among the members, or give that \
         power to another member first"
    )]
    LastHead,
    /// The alias is malformed or of another server.
    #[error("the alias {alias} cannot be used: {reason}")]
    InvalidAlias {
        /// The alias.
        alias: OwnedRoomAliasId,
        /// What is wrong with it.
        reason: String,
    },
    /// The alias points to another room.
    #[error("the alias {alias} is taken; choose another one")]
    AliasTaken {
        /// The alias.
        alias: OwnedRoomAliasId,
    },
    /// The alias cannot be had, for a reason that the user may not know.
    #[error(
        "the alias {alias} cannot be had; choose another one, and after several that could not be had wait some \
         minutes"
    )]
    AliasUnavailable {
        /// The alias.
        alias: OwnedRoomAliasId,
    },
    /// Neither the one who claimed the alias nor someone with power over the room's aliases.
    #[error(
        "the alias {alias} was claimed by somebody else; ask its owner or a moderator of the room"
    )]
    AliasNotYours {
        /// The alias.
        alias: OwnedRoomAliasId,
    },
    /// Something is longer than allowed.
    #[error("{what} is too large: {bytes} bytes, at most {max} fit; make it shorter")]
    TooLarge {
        /// What is too long.
        what: &'static str,
        /// How long it is, in bytes.
        bytes: usize,
        /// How long it may be, in bytes.
        max: usize,
    },
    /// A name of which a reader would see nothing.
    #[error("{what} shows nothing; use a character that can be seen, or leave it empty for none")]
    ShowsNothing {
        /// What it is.
        what: &'static str,
    },
    /// More of something than one command may name.
    #[error("{count} {what} are too many, at most {max} fit; split the request")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// There are as many of something as there may be.
    #[error("{0}")]
    Bound(Bound),
    /// There is no such user, or on a server that cannot be reached.
    #[error("there is no user {0}, or on a server that cannot be reached; check the user ID")]
    NoSuchUser(OwnedUserId),
    /// Another room has taken the place of this one.
    #[error("this room was replaced by {0}; go on there")]
    RoomReplaced(OwnedRoomId),
    /// The event is of another room, or never was, or the sender may not see it.
    #[error("there is no event {0} in this room, or you may not see it; check the event ID")]
    NoSuchEvent(OwnedEventId),
    /// Only its sender edits a message.
    #[error("{0} was sent by somebody else; edit only what you sent yourself")]
    EventNotYours(OwnedEventId),
    /// The event's content was taken back.
    #[error("{0} was redacted; there is nothing left to refer to")]
    EventRedacted(OwnedEventId),
    /// The event is not one that an edit can replace.
    #[error("{event} cannot be edited: {rule}")]
    NotEditable {
        /// The event.
        event: OwnedEventId,
        /// Why, and what to do.
        rule: &'static str,
    },
    /// Threads begin with a message that belongs to no other one.
    #[error("{0} cannot begin a thread, as it belongs to another message; name that one")]
    NotAThreadRoot(OwnedEventId),
    /// The content is not acceptable.
    #[error("the content is not valid: {0}")]
    InvalidContent(String),
    /// The event type has a command of its own, or belongs to the server.
    #[error("events of type {0} cannot be sent this way; use the command made for it")]
    ReservedType(String),
    /// A state key that is a user ID other than the sender's.
    #[error("the state key {0} belongs to another user; use your own user ID")]
    StateKeyNotYours(String),
    /// The event makes the room what it is.
    #[error(
        "events of type {0} cannot be redacted: the room would not be what it is; set a new one"
    )]
    NotRedactable(String),
    /// A room was to admit members of itself.
    #[error("the room {0} cannot admit its own members; name other rooms")]
    AdmitsItself(OwnedRoomId),
    /// The authorisation rules of Matrix forbid it, for a reason not named above.
    #[error("the rules of this room forbid it: {rule}")]
    Forbidden {
        /// The rule, in the words of the check.
        rule: String,
    },
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
            Self::AlreadyJoined => "ALREADY_JOINED",
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
            Self::TooLarge { .. } => "TOO_LARGE",
            Self::ShowsNothing { .. } => "SHOWS_NOTHING",
            Self::TooMany { .. } => "TOO_MANY",
            Self::Bound(bound) => bound.code(),
            Self::NoSuchUser(_) => "NO_SUCH_USER",
            Self::RoomReplaced(_) => "ROOM_REPLACED",
            Self::NoSuchEvent(_) => "NO_SUCH_EVENT",
            Self::EventNotYours(_) => "EVENT_NOT_YOURS",
            Self::EventRedacted(_) => "EVENT_REDACTED",
            Self::NotEditable { .. } => "NOT_EDITABLE",
            Self::NotAThreadRoot(_) => "NOT_A_THREAD_ROOT",
            Self::InvalidContent(_) => "INVALID_CONTENT",
            Self::ReservedType(_) => "RESERVED_TYPE",
            Self::StateKeyNotYours(_) => "STATE_KEY_NOT_YOURS",
            Self::NotRedactable(_) => "NOT_REDACTABLE",
            Self::AdmitsItself(_) => "ADMITS_ITSELF",
            Self::Forbidden { .. } => "FORBIDDEN",
        }
    }

    /// The room that has taken the place of another one, as the message of a refusal names it.
    #[must_use]
    pub fn replacement_named_in(message: &str) -> Option<OwnedRoomId> {
        let mut words = message.split([' ', ';']);
        words.find_map(|word| word.starts_with('!').then(|| word.try_into().ok())?)
    }

    /// Refuses `text` if it has characters, but none that can be seen.
    pub(crate) fn unless_visible(what: &'static str, text: &str) -> Result<(), Self> {
        if !text.is_empty() && shows_nothing(text) {
            Err(Self::ShowsNothing { what })
        } else {
            Ok(())
        }
    }

    /// Refuses `text` if it is longer than `max` bytes.
    pub(crate) fn if_longer(what: &'static str, text: &str, max: usize) -> Result<(), Self> {
        if text.len() > max { Err(Self::TooLarge { what, bytes: text.len(), max }) } else { Ok(()) }
    }
}
