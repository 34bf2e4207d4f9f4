//! A chunk as it was read: it names what it tells, and nothing of that is made yet.
//!
//! **Invariant:** what is drafted is what is told: a draft is never filtered once more.

use std::sync::Arc;

use rookery_log::Position;
use rookery_projection::Committed;

use super::{EventChunk, items::StreamItem, skipped::SkippedEvents};
use crate::schema::{
    context::App,
    subscription::ephemeral::EphemeralItem,
    types::{events::event::RoomEvent, users::account_items::ReceiptMoved},
};

/// One item of a chunk.
#[derive(Clone)]
pub(crate) enum Drafted {
    /// A room event.
    Event { committed: Arc<Committed>, index: usize, late: bool },
    /// A receipt.
    Receipt { committed: Arc<Committed>, index: usize },
    /// What is about the viewer, or rare.
    Made(Box<StreamItem>),
}

impl From<StreamItem> for Drafted {
    fn from(item: StreamItem) -> Self {
        Self::Made(Box::new(item))
    }
}

impl Drafted {
    fn made(&self) -> Option<StreamItem> {
        match self {
            Self::Event { committed, index, late } => {
                RoomEvent::of(committed, *index).map(|it| StreamItem::Event(it.late_if(*late)))
            }
            Self::Receipt { committed, index } => {
                ReceiptMoved::of(committed, *index).map(StreamItem::Receipt)
            }
            Self::Made(item) => Some((**item).clone()),
        }
    }
}

/// A chunk that is not made yet.
pub(crate) struct Draft {
    pub(crate) items: Vec<Drafted>,
    pub(crate) skipped: Vec<SkippedEvents>,
    pub(crate) ephemeral: Vec<EphemeralItem>,
    pub(crate) position: Position,
}

impl Draft {
    /// The commits that it tells of, some of them several times.
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
            position: app.token(self.position),
        }
    }
}
