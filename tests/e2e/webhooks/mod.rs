//! Incoming and outgoing webhooks.

mod incoming;
mod limits;
mod member;
mod outgoing;
mod requests;
mod rights;
