//! The durable consumers: how far each has come, and which of its batches are outstanding.

pub(crate) mod grouped;
pub(crate) mod row;
mod rows;

pub(crate) use self::rows::owner_of;
