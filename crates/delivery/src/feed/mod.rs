//! What one user gets to see of the log while it grows.
//!
//! **Invariant:** what a commit tells follows from the commit and from what the user was in its room
//! before it, so delivery begins and ends at the event that says so, whatever the read models know
//! by then.
//! **Invariant:** of other users' account data, nothing is told but public receipts, to those who
//! are in the room.
//! **Invariant:** a state event is told only if it holds its slot after its own commit. Whoever
//! applies each told state event and each [`FeedItem::Resolved`] in order has the room's state.
//! **Invariant:** of each event of a room that the user is in it is told, or told that it is not.

mod concern;
mod delivery;
mod item;
#[cfg(test)]
mod oracle;
mod telling;

#[cfg(test)]
pub(crate) use self::oracle::Feed;
pub(crate) use self::{
    concern::{Own, about, membership_after},
    delivery::{Memberships, in_room},
};
pub use self::{
    delivery::Delivery,
    item::{FeedItem, Skipped},
};
