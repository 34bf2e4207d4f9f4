//! Passwords and access tokens, and their stored forms.

pub(crate) mod hashing;
pub(crate) mod secret;
pub(crate) mod workspace;
