//! Passwords and access tokens, and what is stored of them.

pub(crate) mod hashing;
pub(crate) mod secret;
pub(crate) mod workspace;
