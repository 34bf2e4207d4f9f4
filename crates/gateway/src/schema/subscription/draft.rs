//! A chunk as it was read: it names its items, and none of them is built yet.
//!
//! **Invariant:** all items of a draft are sent: a draft is never filtered again.

use std::sync::Arc;

use rookery_log::Position;
use rookery_projection::Committed;
use rookery_schema::{
    context::App,
    types::{
        events::{event::RoomEvent, typed::EventItem},
        users::account_items::ReceiptMoved,
    },
};

use super::{EventChunk, items::StreamItem, skipped::SkippedEvents};
use crate::schema::subscription::{counts::CountsChanged, ephemeral::EphemeralItem};

/// One item of a chunk.
#[derive(Clone)]
pub(crate) enum Drafted {
    /// A room event.
    Event { committed: Arc<Committed>, index: usize, late: bool },
    /// A receipt.
    Receipt { committed: Arc<Committed>, index: usize },
    /// An item about the viewer, or a rare one.
    Made(Box<StreamItem>),
}

impl From<StreamItem> for Drafted {
    fn from(item: StreamItem) -> Self {
        Self::Made(Box::new(item))
    }
}

impl Drafted {
    pub(super) fn made(&self) -> Option<StreamItem> {
        match self {
            Self::Event { committed, index, late } => {
                let event = RoomEvent::of(committed, *index)?.late_if(*late);
                Some(StreamItem::Event(EventItem(event.into())))
            }
            Self::Receipt { committed, index } => {
                ReceiptMoved::of(committed, *index).map(StreamItem::Receipt)
            }
            Self::Made(item) => Some((**item).clone()),
        }
    }
}

/// A chunk that is not built yet.
pub(crate) struct Draft {
    pub(crate) items: Vec<Drafted>,
    pub(crate) skipped: Vec<SkippedEvents>,
    pub(crate) ephemeral: Vec<EphemeralItem>,
    pub(crate) counts: Vec<CountsChanged>,
    pub(crate) position: Position,
}

impl Draft {
    /// The commits of its items; some occur several times.
    pub(crate) fn commits(&self) -> impl Iterator<Item = &Arc<Committed>> {
        self.items.iter().filter_map(|item| match item {
            Drafted::Event { committed, .. } | Drafted::Receipt { committed, .. } => {
                Some(committed)
            }
            Drafted::Made(_) => None,
        })
    }

    /// The chunk.
    pub(crate) fn chunk(&self, app: &App) -> EventChunk {
        EventChunk {
            items: self.items.iter().filter_map(Drafted::made).collect(),
            skipped: self.skipped.clone(),
            ephemeral: self.ephemeral.clone(),
            counts: self.counts.clone(),
            position: app.token(self.position),
        }
    }
}

/// The changes of state that the log does not have, or that follows from many commits.
#[derive(Default)]
pub(super) struct Present {
    pub(super) ephemeral: Vec<EphemeralItem>,
    pub(super) counts: Vec<CountsChanged>,
}

impl Present {
    pub(super) fn is_empty(&self) -> bool {
        self.ephemeral.is_empty() && self.counts.is_empty()
    }
}
