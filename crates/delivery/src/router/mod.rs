//! The router finds the subscribers of each commit by index, and never asks each subscriber.
//!
//! Behind the models, each commit goes into the inboxes of the users that it concerns, and each of
//! them is woken once a batch. A subscriber that is behind reads along the log until the rest fits
//! into its inbox, and joins the live side there.
//!
//! **Invariant:** a subscriber gets each commit that concerns its user exactly once and in order:
//! from the log up to the seam, from the inbox after it, and from the log again when the inbox has
//! overflowed.
//! **Invariant:** the index is as of one position, and a commit moves it: a join or leave goes to
//! the members before it, and to its user.
//! **Invariant:** an inbox holds positions, not commits, and is bounded.

mod counters;
mod inbox;
mod index;
mod routing;
mod subscription;

pub(crate) use self::{counters::Counters, routing::Router};
pub use self::{
    counters::DeliveryCounters,
    subscription::{CommitPage, NextDelivery, Subscription},
};
