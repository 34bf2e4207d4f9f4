//! Limits of events. Sizes are in bytes.

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
