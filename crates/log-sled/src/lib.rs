//! The event log in sled.
