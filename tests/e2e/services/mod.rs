//! Programs that take part.

mod following;
mod identities;
pub(crate) mod registered;
