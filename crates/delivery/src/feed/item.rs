//! What a user is told of.

use std::sync::Arc;

use rookery_domain::Pdu;
use rookery_projection::Committed;
use rookery_view::{Closing, EventAt};

/// One thing that a user is told of. Room events are named by their index in the commit.
#[derive(Clone, Debug)]
pub enum FeedItem {
    /// An event of a room that the user is in, or about the user.
    Event {
        /// Its commit.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// It arrived after an event that comes later in the timeline.
        late: bool,
    },
    /// An event of a room that the user is in, which the user is not told.
    Skipped {
        /// Its commit.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// Why not.
        why: Skipped,
    },
    /// State resolution has given a slot to another event than the one that arrived, or to none; or
    /// to that one, although it soft-failed and is not told.
    Resolved {
        /// The commit of the event that arrived.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// The type of the slot.
        kind: String,
        /// Its state key.
        state_key: String,
        /// The event that holds it now; none if nobody does.
        holder: Option<EventAt>,
    },
    /// The user has joined: what follows is live, what was before can be scrolled back to.
    Opened {
        /// The commit of the join.
        committed: Arc<Committed>,
        /// The index of the join there.
        index: usize,
    },
    /// The user may not see what follows.
    Closed {
        /// The commit of the event that says so.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// How it came about.
        how: Closing,
        /// The member event that says so: of that commit, or of an earlier one that holds the
        /// user's slot again. Where there is none, the event that arrived.
        by: Arc<Pdu>,
    },
    /// The user is invited.
    Invited {
        /// The commit of the event that says so.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// The invite.
        invite: EventAt,
    },
    /// The user's own profile has changed.
    ProfileChanged {
        /// The commit of the change.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// The user, or another one in a room of the user's, has read a room further.
    ReceiptMoved {
        /// The commit that says so.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// The user has a new device, or one less.
    DevicesChanged {
        /// The commit that says so.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
}

/// Why an event is not told to somebody who is in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// It failed a check on receipt.
    Hidden,
    /// It is state that was superseded before it arrived.
    Superseded,
}
