//! GraphQL over HTTP: from a request to one body.

pub(crate) mod body;
pub(crate) mod compress;
pub(crate) mod endpoint;
pub mod files;
pub(crate) mod media;
pub(crate) mod origin;
pub(crate) mod respond;
pub(crate) mod router;
