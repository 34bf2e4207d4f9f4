//! The identity of chunks.
//!
//! **Invariant:** two chunks of one group with equal identities have the same answer. They have the
//! same items of the same decoded commits, leave out the same events, end at the same position, and
//! their rooms show the senders alike now.

use std::{
    hash::{BuildHasher, Hasher as _, RandomState},
    sync::{Arc, Weak},
};

use rookery_domain::{Origin, OwnedUserId, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::Committed;
use rookery_schema::context::App;
use rookery_view::View;

use super::document::Document;
use crate::schema::subscription::{Draft, Drafted, SkippedEvents};

/// The properties of a viewer that decide about sharing.
pub(super) struct Viewer {
    pub(super) user: OwnedUserId,
    pub(super) device: Option<String>,
}

/// One item.
struct Item {
    /// The decoded commit itself: a redaction replaces it by another one.
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

/// The identity of a chunk, for one group.
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

    /// The addresses of its decoded commits; some occur several times.
    pub(super) fn commits(&self) -> impl Iterator<Item = usize> {
        self.items.iter().map(|item| item.committed.as_ptr().addr())
    }

    /// Its approximate size.
    pub(super) fn len_bytes(&self) -> usize {
        size_of_val(&*self.items) + size_of_val(&*self.skipped) + size_of::<Self>()
    }
}

/// A hash of the names and avatars that rooms show now for the senders in a chunk; `None` if the
/// chunk is not equal for this viewer and others.
pub(super) fn shown_alike(
    draft: &Draft,
    document: &Document,
    viewer: &Viewer,
    app: &App,
    hasher: &RandomState,
) -> Option<u64> {
    if !draft.ephemeral.is_empty() || !draft.counts.is_empty() {
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

/// The fields of an item that are marked `MEMBERS`.
fn show(
    view: &View<'_>,
    (room, user, event): (&RoomId, &UserId, Option<(&Arc<Committed>, usize)>),
    viewer: &UserId,
    shown: &mut impl std::hash::Hasher,
) -> Option<()> {
    use std::hash::Hash as _;
    let room = view.room(room)?;
    if !room.reads(viewer) {
        return None;
    }
    let member = room.member(user);
    member.map(|member| (&member.displayname, &member.avatar_url)).hash(shown);
    if let Some((committed, index)) = event {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        room.redaction(committed.position, index).is_some().hash(shown);
    }
    Some(())
}
