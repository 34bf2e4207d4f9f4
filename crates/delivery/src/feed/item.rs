//! Items: the updates that a user receives.

use std::sync::Arc;

use rookery_domain::{OwnedRoomId, Pdu};
use rookery_projection::Committed;
use rookery_view::{Closing, EventAt};

/// One update for a user. Room events are named by their index in the commit.
#[derive(Clone, Debug)]
pub enum FeedItem {
    /// An event in a room of the user, or about the user.
    Event {
        /// Its commit.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// Whether it arrived after an event that comes later in the timeline.
        late: bool,
    },
    /// An event in a room of the user that the user does not receive.
    Skipped {
        /// Its commit.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// The reason.
        why: Skipped,
    },
    /// State resolution has given a slot to another event than the one that arrived, or has emptied
    /// it. Or it has given the slot to the arrived event, which soft-failed and is not sent.
    Resolved {
        /// The commit of the event that arrived.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// The type of the slot.
        kind: String,
        /// Its state key.
        state_key: String,
        /// The event that holds it now; `None` if the slot is empty.
        holder: Option<EventAt>,
    },
    /// The user has joined, or the room concerns the user's service from now on: the following events
    /// are live, and earlier ones are available by scrollback.
    Opened {
        /// The commit of the event that opened the room.
        committed: Arc<Committed>,
        /// The index of that event there.
        index: usize,
    },
    /// The user may not see the following events.
    Closed {
        /// The commit of the event that closed it.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
        /// The way in which it was closed.
        how: Closing,
        /// The member event of the closing: of that commit, or an earlier one that holds the user's
        /// slot again. If the slot is empty, the event that arrived.
        by: Arc<Pdu>,
    },
    /// A room concerns the user's service from now on, because an alias points to it.
    OpenedByAlias {
        /// The commit of the alias.
        committed: Arc<Committed>,
        /// The room.
        room_id: OwnedRoomId,
        /// The number of the next event of the room.
        sequence: u64,
    },
    /// A room does not concern the user's service any more, because an alias points elsewhere.
    ClosedByAlias {
        /// The commit of the alias.
        committed: Arc<Committed>,
        /// The room.
        room_id: OwnedRoomId,
    },
    /// The user is invited.
    Invited {
        /// The commit of the invite, or of the event that restored it.
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
    /// A read receipt moved: of the user, or of another member of the user's rooms.
    ReceiptMoved {
        /// The commit of the receipt.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// Preferences, account data or ignored users of the user have changed.
    PreferencesChanged {
        /// The commit of the change.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// An invite of the user to a room that this server is not in, or a request to join one, began or
    /// ended; or an action of the user that other servers had to answer has ended.
    ElsewhereChanged {
        /// The commit of the change.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// A user of the bot's service, and not the bot, is invited to a room that this server is not in.
    InvitedForService {
        /// The commit of the invite, in the stream of that user.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
    /// A device of the user was added or removed.
    DevicesChanged {
        /// The commit of the change.
        committed: Arc<Committed>,
        /// Its index there.
        index: usize,
    },
}

/// The reason why a member does not receive an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// It failed a check on receipt.
    Hidden,
    /// It is state that was superseded before it arrived.
    Superseded,
    /// The user ignores its sender.
    Ignored,
    /// It is history that was asked for.
    Past,
}
