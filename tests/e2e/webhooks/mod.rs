//! Incoming webhooks.

mod incoming;
mod limits;
mod member;
mod requests;
mod rights;
