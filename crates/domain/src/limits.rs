//! Limits of sizes and counts. Sizes are in bytes.

pub(crate) mod bound;
pub mod bucket;

/// Longest event that this server makes, as canonical JSON without signatures.
///
/// Source: Matrix client-server specification, "Size limits" (65,535 bytes for a whole event), less
/// 1 KiB for the signatures. The server adds signatures when another server gets the event.
pub const EVENT_BYTES_MAX: usize = 65_535 - 1_024;

/// Longest event that another server may send, with its signatures.
///
/// Source: Matrix client-server specification, "Size limits".
pub const PDU_BYTES_MAX: usize = 65_535;

/// Longest event type, state key, user, room or event ID, or alias.
///
/// Source: Matrix client-server specification, "Size limits".
pub const ID_BYTES_MAX: usize = 255;

/// How deep objects and arrays in the content of an event may nest. Deeper content could be stored
/// but not read again, because JSON readers limit their recursion (`serde_json`: 128).
pub const CONTENT_DEPTH_MAX: usize = 64;

/// The greatest depth of an event. Events after it have the same depth.
///
/// Source: Matrix server-server specification, "PDUs" (integers of canonical JSON).
pub const DEPTH_MAX: u64 = (1 << 53) - 1;

/// Most events that one event follows.
///
/// Source: Matrix server-server specification, "PDUs".
pub const PREV_EVENTS_MAX: usize = 20;

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

/// Most rooms that one user has joined.
pub const ROOMS_MAX: usize = 20_000;

/// Most rooms that one user knocks on at a time.
pub const KNOCKS_MAX: usize = 100;

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
