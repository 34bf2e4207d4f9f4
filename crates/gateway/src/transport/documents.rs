//! Documents that were read once and found valid, so that they are not read again.
//!
//! Clients send few documents many times. The first time, a document goes through the gate, the parser and
//! validation; after that it is looked up by its text.
//!
//! **Invariant:** what the gate or validation refused is not kept.
//! **Invariant:** count and bytes of what is kept are bounded; what was not used for longest goes first.
//! **Invariant:** answers are the same, byte for byte, whether or not a document was kept.

mod plan;
#[cfg(test)]
mod tests;
mod validated;
mod variables;

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use async_graphql::parser::types::ExecutableDocument;
use lru::LruCache;
use parking_lot::Mutex;

pub(super) use plan::Plan;
pub use validated::{Check, Validated};

use super::gate::{Admitted, GateLimits, Operation, choose, operations};
use super::refusal::Refusal;
use variables::Uses;

/// How many documents are kept.
#[derive(Clone, Debug)]
pub struct DocumentLimits {
    /// How many.
    pub count_max: NonZeroUsize,
    /// How much memory they take together, in bytes, as estimated from what they hold.
    pub bytes_max: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            count_max: NonZeroUsize::new(1_000).unwrap_or(NonZeroUsize::MIN),
            bytes_max: 16 << 20,
        }
    }
}

/// The documents that are kept.
pub struct Documents {
    kept: Mutex<Kept>,
    bytes_max: usize,
}

struct Kept {
    by_text: LruCache<Arc<str>, Arc<Document>>,
    bytes: usize,
}

/// A document that the gate let through.
struct Document {
    operations: Vec<Operation>,
    /// Once validation has found nothing wrong with it.
    valid: OnceLock<Valid>,
}

/// A document without mistakes, but for those that its variables may bring.
struct Valid {
    document: ExecutableDocument,
    uses: Uses,
    bytes: usize,
}

/// A document on its way through the gate to the executor, as data of the request.
#[derive(Clone)]
pub struct Reading {
    document: Arc<Document>,
    documents: Arc<Documents>,
    /// What is to be executed of it.
    planned: Arc<Mutex<Option<ExecutableDocument>>>,
}

impl Documents {
    /// Keeps no document yet.
    #[must_use]
    pub fn new(limits: &DocumentLimits) -> Self {
        let kept = Kept { by_text: LruCache::new(limits.count_max), bytes: 0 };
        Self { kept: Mutex::new(kept), bytes_max: limits.bytes_max }
    }

    /// Lets `query` through to the executor, and says which operation would run. What comes back second goes into
    /// the data of the request, for [`Validated`] to find.
    ///
    /// # Errors
    /// A [`Refusal`] that names the limit, or the place that is not GraphQL.
    pub fn admit(
        self: &Arc<Self>,
        query: &str,
        operation_name: Option<&str>,
        limits: &GateLimits,
    ) -> Result<(Admitted, Reading), Refusal> {
        let known = self.kept.lock().by_text.get(query).cloned();
        let document = match known {
            Some(document) => document,
            None => Arc::new(Document {
                operations: operations(query.as_bytes(), limits)?,
                valid: OnceLock::new(),
            }),
        };
        let admitted = choose(&document.operations, operation_name)?.clone();
        let documents = Arc::clone(self);
        Ok((admitted, Reading { document, documents, planned: Arc::default() }))
    }

    /// How many documents are kept, and how much memory they take.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let kept = self.kept.lock();
        (kept.by_text.len(), kept.bytes)
    }

    fn keep(&self, text: &str, document: &Arc<Document>) {
        let Some(valid) = document.valid.get() else { return };
        if valid.bytes > self.bytes_max {
            return;
        }
        let mut kept = self.kept.lock();
        kept.bytes += valid.bytes;
        let displaced = kept.by_text.push(text.into(), Arc::clone(document));
        kept.forget(displaced);
        while kept.bytes > self.bytes_max {
            let oldest = kept.by_text.pop_lru();
            kept.forget(oldest);
        }
    }
}

impl Kept {
    fn forget(&mut self, displaced: Option<(Arc<str>, Arc<Document>)>) {
        let bytes =
            displaced.and_then(|(_, document)| document.valid.get().map(|valid| valid.bytes));
        self.bytes -= bytes.unwrap_or(0);
    }
}

impl Reading {
    /// The document as the parser read it, if it has been found valid before.
    #[must_use]
    pub fn document(&self) -> Option<&ExecutableDocument> {
        self.document.valid.get().map(|valid| &valid.document)
    }

    /// Has `document` executed once the one that it was planned from is found valid.
    pub(super) fn plan(&self, document: ExecutableDocument) {
        *self.planned.lock() = Some(document);
    }

    fn planned(&self) -> Option<ExecutableDocument> {
        self.planned.lock().take()
    }

    fn valid(&self) -> Option<&Valid> {
        self.document.valid.get()
    }

    /// Keeps the document of `text`, which has been found valid.
    fn keep(&self, text: &str, valid: Valid) {
        if self.document.valid.set(valid).is_ok() {
            self.documents.keep(text, &self.document);
        }
    }
}
