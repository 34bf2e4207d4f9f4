//! Delivery of commits to the users who follow them.
//!
//! [`Feeds`] routes each commit that the models have applied to the subscribers that it concerns. A
//! [`Subscription`] that is behind reads the log until it joins the live side; a [`Follower`] reads
//! every commit. A program of a user reads batches by name and acknowledges them: [`Consumers`].
//!
//! **Invariant:** no follower gets a commit before the models have applied it.
//! **Invariant:** the items of a user follow from the commit and the membership before it, not from
//! the present models. Only unread counts ([`OwedCounts`]) are those of the present.

mod consumers;
mod counts;
mod feed;
mod feeds;
mod options;
mod reading;
mod router;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use self::{
    consumers::{
        AcknowledgeError, Arrival, AttachError, Attachment, BatchCommits, BatchEnd, BatchPlace,
        COMMITS_PASSED_MAX, ChangeError, ConsumerFault, ConsumerKey, ConsumerOwner, ConsumerPlace,
        ConsumerRecord, ConsumerState, ConsumerStore, ConsumerTurn, Consumers, CreateError,
        Detached, ListedConsumer, NamedBatch, NoSuchConsumer, OUTSTANDING_MAX, OutstandingBatch,
        PARKED_MAX, ParkError, ParkedEvent, ParkedFate, PushError, PushedBatch, PushedConsumer,
        PushedEvent, SendError,
    },
    counts::{COUNTS_PAUSE, OwedCounts},
    feed::{Delivery, FeedItem, Skipped},
    feeds::Feeds,
    options::Options,
    reading::{Batch, FollowError, Follower},
    router::{CommitPage, DeliveryCounters, NextDelivery, Subscription},
};
