//! The calls of the client-server API of Matrix that services make.
//!
//! **Invariant:** every request names a service by its token, and acts as a user of that service.
//! **Invariant:** a body, a name and a list are bounded before they are read.

pub(crate) mod api;
mod refusal;
mod request;
mod rooms;
pub(crate) mod router;
mod users;
