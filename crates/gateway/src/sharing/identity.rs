//! When two chunks are the same.
//!
//! **Invariant:** two chunks of one group with one identity have the same answer: they tell the same
//! items of the same decoded commits, leave out the same ones, end at one position, and what rooms
//! show of the senders now is the same.

use std::{
    hash::{BuildHasher, Hasher as _, RandomState},
    sync::{Arc, Weak},
};

use rookery_domain::{Membership, Origin, OwnedUserId, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::Committed;
use rookery_view::View;

use super::document::Document;
use crate::schema::{
    context::App,
    subscription::{Draft, Drafted, SkippedEvents},
};

/// Who asks, as far as it decides what can be shared with others.
pub(super) struct Viewer {
    pub(super) user: OwnedUserId,
    pub(super) device: Option<String>,
}

/// One item.
struct Item {
    /// The decoded commit itself: after a redaction another one takes its place.
    committed: Weak<Committed>,
    index: usize,
    late: bool,
    is_event: bool,
}

impl Item {
    fn of(drafted: &Drafted) -> Option<Self> {
        let (committed, index, late, is_event) = match drafted {
            Drafted::Event { committed, index, late } => (committed, *index, *late, true),
            Drafted::Receipt { committed, index } => (committed, *index, false, false),
            Drafted::Made(_) => return None,
        };
        Some(Self { committed: Arc::downgrade(committed), index, late, is_event })
    }

    fn is(&self, drafted: &Drafted) -> bool {
        let (committed, index, late, is_event) = match drafted {
            Drafted::Event { committed, index, late } => (committed, *index, *late, true),
            Drafted::Receipt { committed, index } => (committed, *index, false, false),
            Drafted::Made(_) => return false,
        };
        (self.index, self.late, self.is_event) == (index, late, is_event)
            && std::ptr::eq(self.committed.as_ptr(), Arc::as_ptr(committed))
    }
}

/// What a chunk is, for one group.
pub(super) struct Identity {
    pub(super) position: Position,
    items: Box<[Item]>,
    skipped: Box<[SkippedEvents]>,
    shown: u64,
}

impl Identity {
    pub(super) fn of(draft: &Draft, shown: u64, document: &Document) -> Option<Self> {
        let items = draft.items.iter().map(Item::of).collect::<Option<_>>()?;
        let skipped = if document.reads_skipped { draft.skipped.clone() } else { Vec::new() };
        Some(Self { position: draft.position, items, skipped: skipped.into(), shown })
    }

    pub(super) fn is(&self, draft: &Draft, shown: u64, document: &Document) -> bool {
        self.position == draft.position
            && self.shown == shown
            && self.items.len() == draft.items.len()
            && self.items.iter().zip(&draft.items).all(|(item, drafted)| item.is(drafted))
            && (!document.reads_skipped || *self.skipped == *draft.skipped)
    }

    /// The addresses of the decoded commits that it names, some of them several times.
    pub(super) fn commits(&self) -> impl Iterator<Item = usize> {
        self.items.iter().map(|item| item.committed.as_ptr().addr())
    }

    /// About what it takes.
    pub(super) fn len_bytes(&self) -> usize {
        size_of_val(&*self.items) + size_of_val(&*self.skipped) + size_of::<Self>()
    }
}

/// What rooms show now of those who sent what a chunk tells, as a hash; none if the chunk is not the
/// same for this viewer as for others.
pub(super) fn shown_alike(
    draft: &Draft,
    document: &Document,
    viewer: &Viewer,
    app: &App,
    hasher: &RandomState,
) -> Option<u64> {
    if !draft.ephemeral.is_empty() {
        return None;
    }
    let mut view = None;
    let mut shown = hasher.build_hasher();
    for drafted in &draft.items {
        let (needs, place) = match drafted {
            Drafted::Event { committed, index, .. } => {
                let needs = document.events?;
                let event = committed.room_event(*index)?;
                if needs.others && is_own_action(&event.envelope.origin, &event.pdu.sender, viewer)
                {
                    return None;
                }
                (needs, (&*event.pdu.room_id, &*event.pdu.sender, Some((committed, *index))))
            }
            Drafted::Receipt { committed, index } => {
                let (room, user) = committed.receipt_at(*index)?;
                (document.receipts?, (room, user, None))
            }
            Drafted::Made(_) => return None,
        };
        if needs.members {
            let view = view.get_or_insert_with(|| app.models.view());
            show(view, place, &viewer.user, &mut shown)?;
        }
    }
    Some(shown.finish())
}

fn is_own_action(origin: &Origin, sender: &UserId, viewer: &Viewer) -> bool {
    let Origin::Local { device: Some(device), action: Some(_), .. } = origin else { return false };
    viewer.device.as_ref() == Some(device) && *sender == *viewer.user
}

/// What the fields marked `MEMBERS` tell of an item.
fn show(
    view: &View<'_>,
    (room, user, event): (&RoomId, &UserId, Option<(&Arc<Committed>, usize)>),
    viewer: &UserId,
    shown: &mut impl std::hash::Hasher,
) -> Option<()> {
    use std::hash::Hash as _;
    let room = view.room(room)?;
    room.member(viewer).filter(|member| member.membership == Membership::Join)?;
    let member = room.member(user);
    member.map(|member| (&member.displayname, &member.avatar_url)).hash(shown);
    if let Some((committed, index)) = event {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        room.redaction(committed.position, index).is_some().hash(shown);
    }
    Some(())
}
