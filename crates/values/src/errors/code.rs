//! The codes of refusals: one list, into which every rule of the domain has to be translated.
//!
//! **Invariant:** a new rule without a code does not compile.

use std::time::Duration;

use async_graphql::{Enum, resolver_utils::EnumType};
use rookery_accounts::{
    DeviceError, LoginError, PasswordError, RegisterError, UserError, WebhookError,
};
use rookery_domain::{Bound, Rejection};
use rookery_services::UserRefusal;

/// The reason why the server refused: one code for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum RefusalCode {
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
    /// You are banned from the room.
    Banned,
    /// The server is busy with logins, or with calls: retry after the time in the message.
    Busy,
    /// The user is in another call: call again later.
    BusyInCall,
    /// Another device answered the call: continue there.
    CallAnsweredElsewhere,
    /// The user was called too often in a short time: call again later.
    CalledTooOften,
    /// The user is a user of another server, and calls do not leave this server.
    CalleeElsewhere,
    /// You ignore the user: stop ignoring them before you call them.
    CalleeIgnored,
    /// The call has ended.
    CallEnded,
    /// You are in a call: answer it, or hang it up first.
    CallInProgress,
    /// You cannot call yourself.
    CallToSelf,
    /// Others keep writing to the same room: retry.
    Contended,
    /// Creators of the room keep all power and have no level.
    CreatorHasNoLevel,
    /// The device name is too long or has control characters.
    DeviceNameInvalid,
    /// You have no such device.
    DeviceNotFound,
    /// The event is in no outstanding batch of the consumer.
    EventNotDelivered,
    /// The event was sent by another user.
    EventNotYours,
    /// This needs other servers, and this server talks with none.
    FederationOff,
    /// The event was redacted: refer to another event.
    EventRedacted,
    /// The rules of the room, or the namespaces of the service, forbid it, for the reason in the
    /// message.
    Forbidden,
    /// Your power level is too low.
    InsufficientPower,
    /// The alias is malformed, or of another server.
    InvalidAlias,
    /// The content is invalid, for the reason in the message.
    InvalidContent,
    /// Levels can be given and removed only up to your own.
    LevelAboveOwn,
    /// A service claims the name for itself: choose another one.
    NameReserved,
    /// Nobody on this server may admit members to this room.
    NobodyCanAdmit,
    /// There is no such call in this room, or it ended long ago.
    NoSuchCall,
    /// You have no consumer of this name.
    NoSuchConsumer,
    /// There is no such event in this room, or you may not see it.
    NoSuchEvent,
    /// There is no such room, or you may not see it.
    NoSuchRoom,
    /// There is no such user, or the user's server cannot be reached.
    NoSuchUser,
    /// There is no such webhook, or you may not change it.
    NoSuchWebhook,
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
    /// The call is of other users, or another device of yours placed it.
    NotYourCall,
    /// The password has more than 512 bytes.
    PasswordTooLong,
    /// The password has fewer than 8 characters.
    PasswordTooShort,
    /// No outstanding batch of the consumer ends at this position.
    PositionNotDelivered,
    /// Too many tries: retry after the time in the message.
    RateLimited,
    /// Registration is closed on this server, or to your address.
    RegistrationClosed,
    /// Events of this type have a mutation of their own, or belong to the server.
    ReservedType,
    /// Another room has replaced this one: continue there.
    RoomReplaced,
    /// No other server could help. The message names each server that was asked, and why it failed.
    ServerUnreachable,
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
    /// There are as many calls in the room as there may be at a time.
    TooManyCalls,
    /// You have as many devices as a user may have: remove one.
    TooManyDevices,
    /// The message has as many edits as it may have: send a new message.
    TooManyEdits,
    /// You have stored as many filters as a user may: delete one.
    TooManyFilters,
    /// You ignore as many users as a user may: ignore one of them no longer.
    TooManyIgnoredUsers,
    /// The user has as many unanswered invites as allowed.
    TooManyInvites,
    /// You knock on as many rooms as you may: withdraw a knock.
    TooManyKnocks,
    /// The consumer has set as many events aside as it may: retry or discard some.
    TooManyParked,
    /// You have preferences for as many rooms as a user may: set those of one back to the defaults.
    TooManyPreferences,
    /// You have reacted to the event in as many ways as you may, or the event has as many reactions
    /// as it may: redact one of yours, or use an existing key.
    TooManyReactions,
    /// As many of your actions as allowed wait for other servers: wait until one of them ends.
    TooManyRemoteActions,
    /// You have joined as many rooms as a user may: leave one.
    TooManyRooms,
    /// The room has as much state as it may have: change existing state.
    TooManyStateKeys,
    /// The room has, or you have made, as many webhooks as allowed: delete one.
    TooManyWebhooks,
    /// Your account data has as many entries or bytes as it may have: delete some.
    TooMuchAccountData,
    /// The room version is not supported.
    UnknownRoomVersion,
    /// The address of a webhook cannot be read, or the server sends nothing there.
    UrlInvalid,
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
    pub fn name(self) -> &'static str {
        Self::items().iter().find(|item| item.value == self).map_or("", |item| item.name)
    }

    /// The code with this name, as the log keeps it; [`RefusalCode::Forbidden`] if there is none.
    pub fn named(name: &str) -> Self {
        let item = Self::items().iter().find(|item| item.name == name);
        item.map_or(Self::Forbidden, |item| item.value)
    }

    /// The fields of inputs that the rule may be about.
    pub(super) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::ActionIdReused | Self::ActionTooLate => &["actionId"],
            Self::AdmitsItself => &["joinRule"],
            Self::AliasNotYours
            | Self::AliasTaken
            | Self::AliasUnavailable
            | Self::InvalidAlias
            | Self::TooManyAliases => &["alias", "canonical", "alternative"],
            Self::Banned
            | Self::NobodyCanAdmit
            | Self::NoSuchRoom
            | Self::NotAMember
            | Self::NotInAllowedRoom
            | Self::NotInvited
            | Self::NotKnockable
            | Self::RoomReplaced => &["roomId", "room"],
            Self::BusyInCall
            | Self::CalledTooOften
            | Self::CalleeElsewhere
            | Self::CalleeIgnored
            | Self::CallToSelf => &["calleeId"],
            Self::CallAnsweredElsewhere
            | Self::CallEnded
            | Self::NoSuchCall
            | Self::NotYourCall => &["callId"],
            Self::CreatorHasNoLevel | Self::LevelAboveOwn => &["powerLevels"],
            Self::DeviceNameInvalid => &["deviceName", "name"],
            Self::DeviceNotFound => &["deviceId"],
            Self::EventNotYours | Self::NotEditable | Self::TooManyEdits => &["edits"],
            Self::EventNotDelivered | Self::EventRedacted | Self::NoSuchEvent => {
                &["eventId", "edits", "replyTo", "threadRoot"]
            }
            Self::InvalidContent => &["content"],
            Self::NoSuchConsumer => &["name"],
            Self::PositionNotDelivered => &["position"],
            Self::NoSuchUser => &["userId", "successor", "invite"],
            Self::NoSuchWebhook => &["webhookId"],
            Self::UrlInvalid => &["url"],
            Self::NameReserved => &["username", "localpart", "alias", "canonical", "alternative"],
            Self::NotAThreadRoot => &["threadRoot"],
            Self::NotRedactable => &["eventId"],
            Self::PasswordTooLong | Self::PasswordTooShort => &["password", "newPassword"],
            Self::ReservedType => &["type"],
            Self::ShowsNothing => &["name", "key", "displayName"],
            Self::StateKeyNotYours => &["stateKey"],
            Self::TargetBanned
            | Self::TargetIsSelf
            | Self::TargetNotBelow
            | Self::TargetNotInRoom
            | Self::TooManyInvites => &["userId"],
            Self::UnknownRoomVersion => &["roomVersion", "newVersion"],
            Self::UserNameInvalid | Self::UserNameTaken => &["username", "localpart"],
            // These are about all of the input, or about none of it.
            Self::Busy
            | Self::CallInProgress
            | Self::Contended
            | Self::FederationOff
            | Self::Forbidden
            | Self::InsufficientPower
            | Self::RateLimited
            | Self::RegistrationClosed
            | Self::ServerUnreachable
            | Self::TooLarge
            | Self::TooMany
            | Self::TooManyBans
            | Self::TooManyCalls
            | Self::TooManyDevices
            | Self::TooManyFilters
            | Self::TooManyIgnoredUsers
            | Self::TooManyKnocks
            | Self::TooManyParked
            | Self::TooManyPreferences
            | Self::TooManyReactions
            | Self::TooManyRemoteActions
            | Self::TooManyRooms
            | Self::TooManyStateKeys
            | Self::TooManyWebhooks
            | Self::TooMuchAccountData
            | Self::WouldLockOut
            | Self::WrongCredentials => &[],
        }
    }
}

impl From<&Rejection> for RefusalCode {
    fn from(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::NoSuchRoom => Self::NoSuchRoom,
            Rejection::UnknownRoomVersion(_) => Self::UnknownRoomVersion,
            Rejection::NotAMember => Self::NotAMember,
            Rejection::Banned => Self::Banned,
            Rejection::NotInvited => Self::NotInvited,
            Rejection::NotInAllowedRoom => Self::NotInAllowedRoom,
            Rejection::NobodyCanAdmit => Self::NobodyCanAdmit,
            Rejection::NotKnockable => Self::NotKnockable,
            Rejection::TargetNotInRoom(_) => Self::TargetNotInRoom,
            Rejection::TargetBanned(_) => Self::TargetBanned,
            Rejection::TargetIsSelf => Self::TargetIsSelf,
            Rejection::TargetNotBelow(_) => Self::TargetNotBelow,
            Rejection::InsufficientPower { .. } => Self::InsufficientPower,
            Rejection::LevelAboveOwn { .. } => Self::LevelAboveOwn,
            Rejection::CreatorHasNoLevel(_) => Self::CreatorHasNoLevel,
            Rejection::WouldLockOut | Rejection::LastHead => Self::WouldLockOut,
            Rejection::InvalidAlias { .. } => Self::InvalidAlias,
            Rejection::AliasTaken { .. } => Self::AliasTaken,
            Rejection::AliasUnavailable { .. } => Self::AliasUnavailable,
            Rejection::AliasNotYours { .. } => Self::AliasNotYours,
            Rejection::NameReserved(..) => Self::NameReserved,
            Rejection::TooLarge { .. } => Self::TooLarge,
            Rejection::ShowsNothing { .. } => Self::ShowsNothing,
            Rejection::TooMany { .. } => Self::TooMany,
            Rejection::Bound(bound) => Self::from(*bound),
            Rejection::NoSuchUser(_) => Self::NoSuchUser,
            Rejection::FederationOff => Self::FederationOff,
            Rejection::ServerUnreachable(_) => Self::ServerUnreachable,
            Rejection::RoomReplaced(_) => Self::RoomReplaced,
            Rejection::NoSuchEvent(_) => Self::NoSuchEvent,
            Rejection::EventNotYours(_) => Self::EventNotYours,
            Rejection::EventRedacted(_) => Self::EventRedacted,
            Rejection::NotEditable { .. } => Self::NotEditable,
            Rejection::NotAThreadRoot(_) => Self::NotAThreadRoot,
            Rejection::InvalidContent(_) => Self::InvalidContent,
            Rejection::ReservedType(_) | Rejection::CallEventType { .. } => Self::ReservedType,
            Rejection::StateKeyNotYours(_) => Self::StateKeyNotYours,
            Rejection::NotRedactable(_) => Self::NotRedactable,
            Rejection::AdmitsItself(_) => Self::AdmitsItself,
            Rejection::CallToSelf => Self::CallToSelf,
            Rejection::CalleeIgnored(_) => Self::CalleeIgnored,
            Rejection::CalleeElsewhere(_) => Self::CalleeElsewhere,
            Rejection::CallInProgress { .. } => Self::CallInProgress,
            Rejection::BusyInCall(_) => Self::BusyInCall,
            Rejection::CalledTooOften(_) => Self::CalledTooOften,
            Rejection::NoSuchCall(_) => Self::NoSuchCall,
            Rejection::CallEnded(_) => Self::CallEnded,
            Rejection::CallAnsweredElsewhere(_) => Self::CallAnsweredElsewhere,
            Rejection::NotYourCall(_) => Self::NotYourCall,
            Rejection::Forbidden { .. } => Self::Forbidden,
        }
    }
}

impl From<Bound> for RefusalCode {
    fn from(bound: Bound) -> Self {
        match bound {
            Bound::Aliases => Self::TooManyAliases,
            Bound::Filters => Self::TooManyFilters,
            Bound::RoomPreferences => Self::TooManyPreferences,
            Bound::IgnoredUsers => Self::TooManyIgnoredUsers,
            Bound::AccountData | Bound::AccountDataBytes => Self::TooMuchAccountData,
            Bound::OwnReactions | Bound::Reactions => Self::TooManyReactions,
            Bound::Edits => Self::TooManyEdits,
            Bound::StateKeys => Self::TooManyStateKeys,
            Bound::Bans => Self::TooManyBans,
            Bound::Rooms => Self::TooManyRooms,
            Bound::Knocks => Self::TooManyKnocks,
            Bound::Invites => Self::TooManyInvites,
            Bound::Calls => Self::TooManyCalls,
            Bound::RemoteActions => Self::TooManyRemoteActions,
        }
    }
}

impl From<PasswordError> for RefusalCode {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::TooShort => Self::PasswordTooShort,
            PasswordError::TooLong => Self::PasswordTooLong,
        }
    }
}

/// The code of an account's refusal; `None` for a fault.
pub trait AccountRefusal {
    /// The code.
    fn code_for_clients(&self) -> Option<RefusalCode>;

    /// After how long a retry makes sense.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

impl AccountRefusal for RegisterError {
    fn code_for_clients(&self) -> Option<RefusalCode> {
        Some(match self {
            Self::Closed | Self::LoopbackOnly => RefusalCode::RegistrationClosed,
            Self::Localpart(_) => RefusalCode::UserNameInvalid,
            Self::Taken => RefusalCode::UserNameTaken,
            Self::Password(error) => RefusalCode::from(*error),
            Self::DeviceName(_) => RefusalCode::DeviceNameInvalid,
            Self::Busy { .. } => RefusalCode::Busy,
            Self::Unavailable(_) => return None,
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

impl AccountRefusal for UserRefusal {
    fn code_for_clients(&self) -> Option<RefusalCode> {
        Some(match self {
            Self::Name(_) => RefusalCode::UserNameInvalid,
            Self::Outside { .. } => RefusalCode::Forbidden,
            Self::Reserved { .. } => RefusalCode::NameReserved,
            Self::Deactivated { .. } => RefusalCode::UserNameTaken,
            Self::Unavailable(_) => return None,
        })
    }
}

impl AccountRefusal for LoginError {
    fn code_for_clients(&self) -> Option<RefusalCode> {
        Some(match self {
            Self::WrongCredentials => RefusalCode::WrongCredentials,
            Self::RateLimited { .. } => RefusalCode::RateLimited,
            Self::Busy { .. } => RefusalCode::Busy,
            Self::NoSuchDevice => RefusalCode::DeviceNotFound,
            Self::TooManyDevices { .. } => RefusalCode::TooManyDevices,
            Self::DeviceName(_) => RefusalCode::DeviceNameInvalid,
            Self::Unavailable(_) => return None,
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Busy { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

impl AccountRefusal for DeviceError {
    fn code_for_clients(&self) -> Option<RefusalCode> {
        match self {
            Self::NoSuchDevice => Some(RefusalCode::DeviceNotFound),
            Self::DeviceName(_) => Some(RefusalCode::DeviceNameInvalid),
            Self::Unavailable(_) => None,
        }
    }
}

impl AccountRefusal for UserError {
    fn code_for_clients(&self) -> Option<RefusalCode> {
        Some(match self {
            // The account closed while its user was asking.
            Self::NoSuchUser { .. } | Self::Deactivated { .. } => RefusalCode::WrongCredentials,
            Self::TooManyDevices { .. } => RefusalCode::TooManyDevices,
            Self::Password(error) => RefusalCode::from(*error),
            Self::DeviceName(_) => RefusalCode::DeviceNameInvalid,
            Self::Busy { .. } => RefusalCode::Busy,
            Self::Unavailable(_) => return None,
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

impl AccountRefusal for WebhookError {
    fn code_for_clients(&self) -> Option<RefusalCode> {
        match self {
            Self::TooMany { .. } => Some(RefusalCode::TooManyWebhooks),
            Self::Unavailable(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_named_as_the_log_keeps_it() {
        let bounds = [Bound::Aliases, Bound::Edits, Bound::Invites].map(Rejection::Bound);
        let rejections = [Rejection::NoSuchRoom, Rejection::TargetIsSelf, Rejection::LastHead];
        for rejection in rejections.iter().chain(&bounds) {
            let code = RefusalCode::from(rejection);
            assert_eq!(code.name(), rejection.code());
            assert_eq!(RefusalCode::named(rejection.code()), code);
        }
        assert_eq!(RefusalCode::named("OF_A_LATER_VERSION"), RefusalCode::Forbidden);
    }
}
