//! The rules of rooms and accounts: commands, events, decisions, and who may see what.
//!
//! **Invariant:** nothing here does I/O, reads a clock, draws randomness or is asynchronous.

mod account;
mod action;
mod alias;
mod bound;
pub mod bucket;
mod canonical;
mod envelope;
mod fact;
mod filter;
mod incoming;
pub mod limits;
mod membership;
mod pdu;
mod power;
mod profile;
mod redaction;
mod rejection;
mod relation;
mod room;
mod room_event;
mod seal;
mod signing;
mod text;
mod visibility;

pub(crate) use self::alias::check_alias;
pub use self::{
    account::{Account, AccountCommand},
    action::{ActionOutcome, Fingerprint},
    alias::{Alias, AliasCommand, normal_alias},
    bound::Bound,
    bucket::Pace,
    canonical::JsonObject,
    envelope::{Deliver, Envelope, Erased, EventStatus, Holder, Origin, Slot, SlotChange},
    fact::{AccountEvent, AliasEvent, Fact, FactError, StoredFact, Subject},
    filter::{EphemeralKind, Filter},
    incoming::{Incoming, IncomingError, PublicKeys},
    membership::{HistoryVisibility, JoinRule, Membership},
    pdu::{Pdu, PduError},
    power::{Power, PowerLevels, PowerLevelsChange},
    profile::Profile,
    redaction::RedactError,
    rejection::Rejection,
    relation::{KnownEvent, Relation, RelationKind, plain_reaction, same_reaction},
    room::{
        Context, CreateRoom, DIRECTORY_TYPE, Decided, Graph, InvitePreview, Invitee, Mentions,
        MessageKind, MessageRelation, Preset, ResolveError, Room, RoomCommand, Verdict,
    },
    room_event::{RoomEvent, StateChange, StateHolder},
    signing::{ParseKeyError, SignError, SigningKey, sign},
    text::{composed, each_word, normal, shows_nothing},
    visibility::{
        History, MembershipHistory, ProfileAudience, Viewing, VisibilityHistory, is_own_membership,
        sees_state, viewing_at, visible, visible_at,
    },
};
pub use ruma_common::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomAliasId, OwnedRoomId,
    OwnedServerName, OwnedUserId, RoomAliasId, RoomId, RoomVersionId, ServerName, UserId,
};
pub use ruma_events::TimelineEventType;
