//! Who gets which commit: found by index, never by asking each subscriber.
//!
//! Behind the models, each commit goes into the inboxes of those whom it concerns, and each of them is
//! woken once per batch. Whoever is behind reads along the log until the rest fits into an inbox,
//! and joins the live side there.
//!
//! **Invariant:** a subscriber gets each commit that concerns her exactly once and in order: from the log
//! up to the seam, from the inbox after it, and from the log again when the inbox has overflowed.
//! **Invariant:** the index is as of one position, and a commit moves it: the commit by which
//! somebody joins or leaves goes to those who were joined before it, and to whom it is about.
//! **Invariant:** an inbox holds positions, not commits, and is bounded.

mod counters;
mod inbox;
mod index;
mod routing;
mod subscription;

pub(crate) use self::{counters::Counters, routing::Router};
pub use self::{
    counters::DeliveryCounters,
    subscription::{Page, Subscription, Turn},
};
