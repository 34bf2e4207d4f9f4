//! The places of the parts of each page.

use std::io;

use super::message::{Kind, Message};

/// A fault of the engine's files, or of reading them.
#[derive(Debug)]
pub(crate) enum Flaw {
    /// The bytes are damaged.
    Damaged(String),
    /// The operating system returned an error.
    Io(io::Error),
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The place of a part of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartPlace {
    /// Its place in the sequence of all writes.
    pub(super) lsn: i64,
    /// Its place in the file.
    pub(super) offset: u64,
    /// Whether the bytes are in a file of their own.
    pub(super) blob: bool,
}

/// A page of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Page {
    /// No message has named it.
    #[default]
    Unknown,
    /// It is free.
    Free(PartPlace),
    /// Its base and the additions to it.
    Present { base: PartPlace, added: Vec<PartPlace> },
}

impl Page {
    fn places(&self) -> impl Iterator<Item = &PartPlace> {
        let (base, added) = match self {
            Self::Unknown => (None, [].as_slice()),
            Self::Free(place) => (Some(place), [].as_slice()),
            Self::Present { base, added } => (Some(base), added.as_slice()),
        };
        base.into_iter().chain(added)
    }
}

/// All pages, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages(pub(super) Vec<Page>);

impl Pages {
    pub(super) fn get(&self, page: u64) -> Option<&Page> {
        self.0.get(usize::try_from(page).ok()?)
    }

    /// Applies a message as the engine does during recovery.
    pub(super) fn apply(&mut self, message: &Message<'_>, place: PartPlace) -> Result<(), Flaw> {
        let Some(index) = usize::try_from(message.page).ok().filter(|page| *page < PAGES_MAX)
        else {
            return Err(Flaw::Damaged(format!("there cannot be a page {}", message.page)));
        };
        let grown = self.0.len() <= index;
        if grown {
            self.0.resize(index + 1, Page::Unknown);
        }
        let page = &mut self.0[index];
        match message.kind {
            Kind::Replace | Kind::BlobReplace => {
                *page = Page::Present { base: place, added: Vec::new() };
            }
            Kind::Free => *page = Page::Free(place),
            Kind::Link | Kind::BlobLink => match page {
                Page::Present { base, added } => {
                    if added.last().unwrap_or(base).lsn < place.lsn {
                        added.push(place);
                    }
                }
                // The base was moved: it comes later.
                Page::Free(_) | Page::Unknown => {
                    if grown {
                        self.0.pop();
                    }
                }
            },
            Kind::Canceled | Kind::Cap | Kind::Batch => {}
        }
        Ok(())
    }

    /// Whether a later write has replaced the write to `page` at `lsn`.
    pub(super) fn is_superseded(&self, page: u64, lsn: i64) -> bool {
        match self.get(page) {
            Some(Page::Present { base, .. }) => base.lsn > lsn,
            Some(Page::Free(place)) => place.lsn > lsn,
            Some(Page::Unknown) | None => false,
        }
    }

    /// Whether the write to `page` at `lsn` counts.
    pub(super) fn has(&self, page: u64, lsn: i64) -> bool {
        self.get(page).is_some_and(|page| page.places().any(|place| place.lsn == lsn))
    }

    /// All parts of all pages, with the number of the page; `None` for an unknown page.
    pub(super) fn parts(&self) -> impl Iterator<Item = (usize, Option<&PartPlace>)> {
        self.0.iter().enumerate().flat_map(|(number, page)| {
            let unknown = matches!(page, Page::Unknown).then_some(None);
            unknown.into_iter().chain(page.places().map(Some)).map(move |place| (number, place))
        })
    }
}

/// The engine uses 37 bits for the number of a page; a table of so many would not fit in memory.
const PAGES_MAX: usize = 1 << 32;
