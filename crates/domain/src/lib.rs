//! The rules of rooms and accounts: commands, events, decisions and visibility.
//!
//! **Invariant:** nothing here does I/O, reads a clock, draws randomness or is asynchronous.

mod alias;
mod calls;
mod events;
pub mod limits;
mod membership;
mod past;
mod power;
mod rejection;
mod room;
mod servers;
mod users;
mod visibility;

pub(crate) use self::alias::check_alias;
pub use self::{
    alias::{Alias, AliasCommand, normal_alias},
    calls::{
        Answer, Call, CallChange, CallId, CallMedia, CallState, CallStep, End, EndReason,
        HangUpReason, PartyId, RoomCalls, is_call_type,
    },
    events::{
        action::{ActionOutcome, Fingerprint},
        envelope::{
            Deliver, Envelope, Erased, EventStatus, Holder, Origin, Past, PastMember, Slot,
            SlotChange, StatedBefore,
        },
        fact::{AccountEvent, AliasEvent, Fact, FactError, StoredFact, Subject},
        relation::{KnownEvent, Relation, RelationKind, plain_reaction, same_reaction},
        room_event::{RoomEvent, StateChange, StateHolder},
    },
    limits::bound::Bound,
    membership::{HistoryVisibility, JoinRule, Membership},
    past::PastEvents,
    power::{Power, PowerLevels, PowerLevelsChange, UserLevels},
    rejection::Rejection,
    room::{
        Context, CreateRoom, Creators, DIRECTORY_TYPE, InvitePreview, Invitee, Mentions,
        MessageKind, MessageRelation, Permissions, PlaceCall, Preset, Room, RoomCommand,
        RoomVersion, follow, redaction_target, settings,
    },
    servers::{ServerInRoom, ServersInRoom},
    users::{
        account::{Account, AccountCommand},
        account_data::DataKey,
        elsewhere::{
            Elsewhere, ElsewhereClosed, ElsewhereEnd, ElsewhereSince, RemoteAction, RemoteAsk,
            RemoteOutcome, RoomsElsewhere,
        },
        filter::{EphemeralKind, Filter},
        ignored::IgnoredUsers,
        preferences::{Notifications, RoomPreferences, RoomPreferencesChange},
        profile::Profile,
    },
    visibility::{
        Change, Histories, MembershipStep, PastViewing, ProfileAudience, Viewing,
        is_own_membership, sees_state, user_of_member_event, visible,
    },
};
pub use rookery_pdu::{
    Incoming, IncomingError, JsonObject, ParseKeyError, Pdu, PduError, PublicKeys, RedactError,
    SignError, SigningKey, sign,
};
pub use rookery_text::{composed, each_word, normal, shows_nothing};
pub use ruma_common::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomAliasId, OwnedRoomId,
    OwnedRoomOrAliasId, OwnedServerName, OwnedUserId, RoomAliasId, RoomId, RoomOrAliasId,
    RoomVersionId, ServerName, UserId,
};
pub use ruma_events::TimelineEventType;
