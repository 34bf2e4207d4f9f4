//! Programs that take part.

mod identities;
pub(crate) mod registered;
