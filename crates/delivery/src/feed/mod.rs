//! The feed of one user: the updates from the log while it grows.
//!
//! **Invariant:** the items of a commit follow from the commit and from the user's membership
//! before it. So delivery begins and ends at the right event, whatever the read models know by
//! then.
//! **Invariant:** of other users' account data, the feed only has public receipts, for members of
//! the room.
//! **Invariant:** the feed has a state event only if it holds its slot after its own commit. A
//! client that applies each state event and each [`FeedItem::Resolved`] in order has the room's
//! state.
//! **Invariant:** for each event of a room of the user, the feed has the event or an item that it
//! was skipped.

mod concern;
mod delivery;
mod ignoring;
mod item;
#[cfg(test)]
mod oracle;
mod telling;

#[cfg(test)]
pub(crate) use self::oracle::Feed;
pub(crate) use self::{
    concern::{Own, about, membership_after},
    delivery::{Memberships, in_room, is_about},
    ignoring::Ignoring,
};
pub use self::{
    delivery::Delivery,
    item::{FeedItem, Skipped},
};
