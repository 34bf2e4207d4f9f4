//! Limits of sizes and counts. Sizes are in bytes.

pub(crate) mod bound;

pub use rookery_pdu::limits::{
    CONTENT_DEPTH_MAX, DEPTH_MAX, EVENT_BYTES_MAX, ID_BYTES_MAX, PDU_BYTES_MAX,
};

/// Most events that one event follows.
///
/// Source: Matrix server-server specification, "PDUs".
pub const PREV_EVENTS_MAX: usize = 20;

/// Most ends of a room's graph that are remembered for events made here to follow.
pub const EXTREMITIES_MAX: usize = 256;

/// Most leaves of one server that count towards the state of a room.
pub const LEAVES_PER_SERVER_MAX: usize = 4;

/// Longest display name.
pub const DISPLAYNAME_BYTES_MAX: usize = 256;

/// Longest `mxc:` address.
pub const MXC_BYTES_MAX: usize = 1_024;

/// Longest room name.
pub const NAME_BYTES_MAX: usize = 255;

/// Longest topic.
pub const TOPIC_BYTES_MAX: usize = 8_192;

/// Longest reason for a change of membership.
pub const REASON_BYTES_MAX: usize = 4_096;

/// Longest key of a reaction.
pub const REACTION_KEY_BYTES_MAX: usize = 255;

/// Most users that one message mentions.
pub const MENTIONS_MAX: usize = 100;

/// Most entries of one list of a filter.
pub const FILTER_ENTRIES_MAX: usize = 100;

/// Most filters that one user can store.
pub const FILTERS_MAX: usize = 100;

/// Most rooms for which one user has preferences: as many as one user joins.
pub const ROOM_PREFERENCES_MAX: usize = ROOMS_MAX;

/// Most users whom one user ignores.
pub const IGNORED_USERS_MAX: usize = 1_000;

/// Longest content of account data, as canonical JSON: as long as an event.
pub const ACCOUNT_DATA_BYTES_MAX: usize = EVENT_BYTES_MAX;

/// Most entries of account data of one user, those about rooms included.
pub const ACCOUNT_DATA_MAX: usize = 1_000;

/// Most bytes of all account data of one user: content, types and room IDs.
pub const ACCOUNT_DATA_TOTAL_BYTES_MAX: usize = 1 << 20;

/// Most reactions of one user to one event.
pub const REACTIONS_OF_USER_MAX: usize = 20;

/// Most different reactions to one event.
pub const REACTIONS_MAX: usize = 100;

/// Most edits of one message.
pub const EDITS_MAX: usize = 1_000;

/// Most state of a room beside its members, as pairs of type and state key.
pub const STATE_KEYS_MAX: usize = 10_000;

/// Most users that are banned from one room.
pub const BANS_MAX: usize = 10_000;

/// Longest ID of a call, and of a device in it. Those that this server makes have 22 bytes.
pub const CALL_ID_BYTES_MAX: usize = 64;

/// How long a call rings, in seconds.
pub const CALL_LIFETIME_SECONDS: std::ops::RangeInclusive<u32> = 10..=600;

/// How long a call rings if the caller does not say, in seconds.
pub const CALL_LIFETIME_SECONDS_DEFAULT: u32 = 90;

/// Most calls in one room at a time.
pub const ACTIVE_CALLS_MAX: usize = 1_000;

/// How many calls of a room the write side remembers after their end, to tell a call that ended from
/// one that never was.
pub const ENDED_CALLS_KEPT: usize = 32;

/// Most rooms that one user has joined.
pub const ROOMS_MAX: usize = 20_000;

/// Most rooms that one user knocks on at a time.
pub const KNOCKS_MAX: usize = 100;

/// Most actions of one user that wait for the answers of other servers.
pub const REMOTE_ACTIONS_MAX: usize = 20;

/// Most unanswered invites of one user.
pub const INVITES_PENDING_MAX: usize = 1_000;

/// Most aliases that one user has given to rooms.
pub const ALIASES_OF_USER_MAX: usize = 250;

/// Longest nonce of a new room.
pub const NONCE_BYTES_MAX: usize = 64;

/// Most invites that come with a new room.
pub const INVITES_MAX: usize = 100;

/// Most bans that a new room takes over in its first commit.
pub const BANS_TAKEN_OVER_MAX: usize = 500;

/// Most alternative aliases, and most rooms whose members a restricted room admits.
pub const LISTED_MAX: usize = 100;
