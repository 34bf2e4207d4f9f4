//! The groups of a server, and their counters.
//!
//! **Invariant:** a group exists while it has a member, and leaves nothing behind.
//! **Invariant:** documents and groups are bounded in number; beyond that nothing is shared.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    hash::RandomState,
    num::NonZeroUsize,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use async_graphql::{Request, Variables, parser::parse_query};
use lru::LruCache;
use parking_lot::Mutex;
use rookery_graphql_documents::{Reading, significant};
use rookery_graphql_edge::Budget;

use super::{document::Document, execution::Template, group::Group, shelf::Shelf};

use crate::schema::marks;

/// How many documents are remembered. The gate bounds the length of each.
const DOCUMENTS_MAX: usize = 256;

/// Most groups.
const GROUPS_MAX: usize = 10_000;

/// Bytes of answers in memory, of all groups, by default.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A document without insignificant text, and the chosen operation.
type DocumentKey = (String, Option<String>);

/// The same, with the variables that answers depend on.
type GroupKey = (DocumentKey, String);

type Groups = Mutex<HashMap<Arc<GroupKey>, Weak<Group>>>;

/// The place of a group among the others.
pub(super) struct GroupEntry {
    groups: Arc<Groups>,
    key: Arc<GroupKey>,
}

impl GroupEntry {
    /// Removes a group that ends. Another one may have its place by then.
    pub(super) fn leave(&self, group: &Group) {
        let mut groups = self.groups.lock();
        if groups.get(&self.key).is_some_and(|it| std::ptr::eq(it.as_ptr(), group)) {
            groups.remove(&self.key);
        }
    }
}

/// How a subscription is served.
pub(super) struct Served {
    pub(super) template: Arc<Template>,
    /// The group that it is served with; `None` if its answers depend on the viewer.
    pub(super) group: Option<Arc<Group>>,
}

/// The counters of sharing since the server started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FanoutCounts {
    /// The present number of groups.
    pub groups: usize,
    /// Answers that were computed for many.
    pub executed: u64,
    /// Frames that were sent with such an answer.
    pub shared: u64,
    /// Frames of subscribers in groups that were computed only for them.
    pub own: u64,
    /// Shared executions that failed: by an error, a panic, or a wait.
    pub failed: u64,
    /// Answers in memory now.
    pub kept: usize,
    /// Their approximate size in bytes.
    pub kept_bytes: usize,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) executed: AtomicU64,
    pub(super) shared: AtomicU64,
    pub(super) own: AtomicU64,
    pub(super) failed: AtomicU64,
}

/// The groups of subscribers.
pub(crate) struct Fanout {
    is_on: bool,
    documents: Mutex<LruCache<DocumentKey, Option<Arc<Document>>>>,
    groups: Arc<Groups>,
    shelf: Arc<Shelf>,
    pub(super) hasher: RandomState,
    pub(super) counters: Counters,
}

impl Fanout {
    /// `is_on`: whether anything is shared.
    pub(crate) fn new(is_on: bool) -> Self {
        Self::within(is_on, KEPT_BYTES_MAX)
    }

    /// Like [`Self::new`]; answers in memory take at most `bytes_max` in all.
    pub(crate) fn within(is_on: bool, bytes_max: usize) -> Self {
        let documents_max = NonZeroUsize::new(DOCUMENTS_MAX).unwrap_or(NonZeroUsize::MIN);
        Self {
            is_on,
            documents: Mutex::new(LruCache::new(documents_max)),
            groups: Arc::default(),
            shelf: Shelf::new(bytes_max),
            hasher: RandomState::new(),
            counters: Counters::default(),
        }
    }

    pub(crate) fn counts(&self) -> FanoutCounts {
        let (kept, kept_bytes) = self.shelf.size();
        FanoutCounts {
            groups: self.groups.lock().len(),
            kept,
            kept_bytes,
            executed: self.counters.executed.load(Relaxed),
            shared: self.counters.shared.load(Relaxed),
            own: self.counters.own.load(Relaxed),
            failed: self.counters.failed.load(Relaxed),
        }
    }

    /// How a request is served; `None` if it requests more than the event stream.
    pub(super) fn place(&self, request: &Request) -> Option<Served> {
        let key = (significant(&request.query)?, request.operation_name.clone());
        let document = self.document(&key, &request.query)?;
        let template = Arc::new(Template {
            query: request.query.clone(),
            operation_name: request.operation_name.clone(),
            variables: request.variables.clone(),
            budget: data::<Budget>(request).cloned(),
            executable: data::<Reading>(request).and_then(Reading::executable).cloned(),
        });
        let is_shared = self.is_on && document.is_shared();
        let group = is_shared.then(|| self.group(key, document, &template)).flatten();
        Some(Served { template, group })
    }

    /// The group of all subscribers with this request.
    fn group(
        &self,
        key: DocumentKey,
        document: Arc<Document>,
        template: &Arc<Template>,
    ) -> Option<Arc<Group>> {
        let key = (key, chosen(&template.variables, &document)?);
        let mut groups = self.groups.lock();
        if let Some(group) = groups.get(&key).and_then(Weak::upgrade) {
            return Some(group);
        }
        if groups.len() >= GROUPS_MAX {
            return None;
        }
        let key = Arc::new(key);
        let entry = GroupEntry { groups: Arc::clone(&self.groups), key: Arc::clone(&key) };
        let kept_in = Arc::clone(&self.shelf);
        let group = Arc::new(Group::new(document, Arc::clone(template), kept_in, entry));
        groups.insert(key, Arc::downgrade(&group));
        tracing::debug!(target: "rookery::fanout", groups = groups.len(), "a group begins");
        Some(group)
    }

    fn document(&self, key: &DocumentKey, query: &str) -> Option<Arc<Document>> {
        if let Some(known) = self.documents.lock().get(key) {
            return known.clone();
        }
        let document = parse_query(query).ok();
        let document = document.and_then(|it| Document::of(&it, key.1.as_deref(), marks()));
        let document = document.map(Arc::new);
        self.documents.lock().put(key.clone(), document.clone());
        document
    }
}

/// A value in the data of the request.
fn data<T: Any>(request: &Request) -> Option<&T> {
    request.data.get(&TypeId::of::<T>())?.downcast_ref()
}

/// The variables that answers depend on, as text.
fn chosen(variables: &Variables, document: &Document) -> Option<String> {
    let names = document.variables.iter();
    let chosen: Vec<_> =
        names.filter_map(|name| Some((name, variables.get(name.as_str())?))).collect();
    serde_json::to_string(&chosen).ok()
}
