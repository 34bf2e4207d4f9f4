//! Services: programs that take part, and the names that they claim.
//!
//! **Invariant:** a pattern matches a whole name and never a part of it.
//! **Invariant:** the time of a match grows with the length of the name alone: patterns have no
//! references back and no look-around, and their compiled size is bounded.
//! **Invariant:** nothing here does I/O, reads a clock, draws randomness or is asynchronous.

mod list;
mod namespaces;
mod pattern;
mod service;

pub use self::{
    list::{ClaimConflict, Services},
    namespaces::{Claim, NAMESPACES_MAX, Namespaces, NamespacesError},
    pattern::{PATTERN_BYTES_MAX, PATTERN_COMPILED_BYTES_MAX, PatternError},
    service::{SERVICE_NAME_BYTES_MAX, Service, ServiceNameError, check_service_name},
};
