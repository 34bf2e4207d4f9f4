//! Connections of clients: accepting, keeping, draining and closing them.
//!
//! **Invariant:** nothing here knows GraphQL.

pub(crate) mod arriving;
pub(crate) mod connections;
pub(crate) mod patience;
pub(crate) mod serve;
pub(crate) mod shutdown;
pub(crate) mod unsent;
