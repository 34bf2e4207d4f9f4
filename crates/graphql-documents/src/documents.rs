//! Documents that were read once and found valid, so that they are not read again.
//!
//! Clients send few documents many times. The first time, a document goes through the gate, the parser and
//! validation, and what is executed of it is written out; after that it is looked up by its text.
//!
//! **Invariant:** a document that the gate or validation refused is not kept.
//! **Invariant:** count and bytes of what is kept are bounded; what was not used for longest goes first.
//! **Invariant:** answers are the same, byte for byte, whether or not a document was kept.

mod analysed;
mod coerce;
mod executable;
mod flatten;
mod lines;
mod literals;
mod rules;
#[cfg(test)]
mod tests;
mod types;
mod validated;

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use async_graphql::{ServerError, Variables};
use lru::LruCache;
use parking_lot::Mutex;

use analysed::Analysed;
pub use analysed::Plan;
pub use executable::Executable;
pub(crate) use flatten::is_hidden;
pub use types::{FieldMarks, Types, TypesError};
pub use validated::{Validated, prepare};

use crate::answer::refusal::Refusal;
use crate::gate::{Admitted, GateLimits, Operation, choose, operations};

/// The limits of the cache.
#[derive(Clone, Debug)]
pub struct DocumentLimits {
    /// The most documents.
    pub count_max: NonZeroUsize,
    /// The most memory of all documents, in bytes, as estimated from their content.
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

/// The cached documents.
pub struct Documents {
    kept: Mutex<Kept>,
    bytes_max: usize,
    types: Arc<Types>,
}

struct Kept {
    by_text: LruCache<Arc<str>, Arc<Document>>,
    bytes: usize,
}

/// A document that passed the gate.
struct Document {
    operations: Vec<Operation>,
    /// Set once it was parsed and validated.
    read: OnceLock<Result<Analysed, Vec<ServerError>>>,
}

/// A document on its way from the gate to the executor, as data of the request.
#[derive(Clone)]
pub struct Reading {
    document: Arc<Document>,
    documents: Arc<Documents>,
    /// Its operation in executable form.
    executable: Arc<OnceLock<Arc<Executable>>>,
}

impl Documents {
    /// Creates an empty cache. Documents are validated against `types`.
    #[must_use]
    pub fn new(limits: &DocumentLimits, types: Arc<Types>) -> Self {
        let kept = Kept { by_text: LruCache::new(limits.count_max), bytes: 0 };
        Self { kept: Mutex::new(kept), bytes_max: limits.bytes_max, types }
    }

    /// Lets `query` through to the executor, and says which operation would run. The reading goes into
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
                read: OnceLock::new(),
            }),
        };
        let admitted = choose(&document.operations, operation_name)?.clone();
        let documents = Arc::clone(self);
        Ok((admitted, Reading { document, documents, executable: Arc::default() }))
    }

    /// The number of cached documents, and their memory.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let kept = self.kept.lock();
        (kept.by_text.len(), kept.bytes)
    }

    fn keep(&self, text: &str, document: &Arc<Document>) {
        let bytes = text.len() + document.bytes();
        if bytes > self.bytes_max {
            return;
        }
        let mut kept = self.kept.lock();
        kept.bytes += bytes;
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
        let bytes = displaced.map(|(text, document)| text.len() + document.bytes());
        self.bytes -= bytes.unwrap_or(0);
    }
}

impl Document {
    /// Its approximate memory.
    fn bytes(&self) -> usize {
        match self.read.get() {
            Some(Ok(analysed)) => analysed.bytes(),
            Some(Err(_)) | None => 0,
        }
    }
}

impl Reading {
    /// Whether the document was found valid before.
    #[must_use]
    pub fn is_known(&self) -> bool {
        matches!(self.document.read.get(), Some(Ok(_)))
    }

    /// The document of `text`, parsed and validated. A valid one is cached.
    fn read(&self, text: &str) -> Result<&Analysed, &[ServerError]> {
        let mut is_new = false;
        let read = self.document.read.get_or_init(|| {
            is_new = true;
            Analysed::read(text, &self.documents.types)
        });
        if is_new && read.is_ok() {
            self.documents.keep(text, &self.document);
        }
        read.as_ref().map_err(Vec::as_slice)
    }

    /// Plans the operation of the document `text`. `None` if the document is not valid, or has no such operation.
    ///
    /// # Errors
    /// A [`Refusal`] if a variable does not fit its type, or if a condition is null.
    pub fn plan(
        &self,
        text: &str,
        operation_name: Option<&str>,
        variables: Variables,
    ) -> Result<Option<Plan>, Refusal> {
        let Ok(analysed) = self.read(text) else { return Ok(None) };
        let plan = analysed.plan(operation_name, variables)?;
        if let Some(plan) = &plan {
            // Each request is planned once.
            let _ = self.executable.set(Arc::clone(&plan.executable));
        }
        Ok(plan)
    }

    /// The operation in executable form, once it was planned.
    #[must_use]
    pub fn executable(&self) -> Option<&Arc<Executable>> {
        self.executable.get()
    }
}

impl Executable {
    /// The only operation of `text` and its variables, in executable form; `None` if the document
    /// or its variables are not valid.
    #[must_use]
    pub fn of(
        types: &Arc<Types>,
        text: &str,
        variables: Variables,
    ) -> Option<(Arc<Self>, Variables)> {
        planned(types, text, None, variables).map(|plan| (plan.executable, plan.variables))
    }
}

/// The plan of an operation of `text`; `None` if the document or its variables are not valid.
pub(crate) fn planned(
    types: &Arc<Types>,
    text: &str,
    operation_name: Option<&str>,
    variables: Variables,
) -> Option<Plan> {
    let analysed = Analysed::read(text, types).ok()?;
    analysed.plan(operation_name, variables).ok()?
}
