//! The groups of a server, and what is counted about them.
//!
//! **Invariant:** a group is there for as long as it has a member, and then nothing is left of it.
//! **Invariant:** documents and groups are bounded in number; beyond that nothing is shared.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    hash::RandomState,
    num::NonZeroUsize,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use async_graphql::{Request, Variables, parser::parse_query};
use lru::LruCache;
use parking_lot::Mutex;
use rookery_graphql_edge::{Budget, Reading, significant};

use super::{document::Document, execution::Template, group::Group, mark::Marks, shelf::Shelf};
use crate::schema::Schema;

/// Documents that are remembered. Each is at most as long as the gate lets through.
const DOCUMENTS_MAX: usize = 256;

/// Groups at a time.
const GROUPS_MAX: usize = 10_000;

/// Bytes of answers that are kept, those of all groups together, unless the program says otherwise.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A document without what does not count, and the operation that is chosen.
type DocumentKey = (String, Option<String>);

/// The same, and the variables that answers depend on.
type GroupKey = (DocumentKey, String);

type Groups = Mutex<HashMap<Arc<GroupKey>, Weak<Group>>>;

/// The place of a group among the others.
pub(super) struct Entry {
    groups: Arc<Groups>,
    key: Arc<GroupKey>,
}

impl Entry {
    /// Takes away a group that ends. Another one may have its place by then.
    pub(super) fn leave(&self, group: &Group) {
        let mut groups = self.groups.lock();
        if groups.get(&self.key).is_some_and(|it| std::ptr::eq(it.as_ptr(), group)) {
            groups.remove(&self.key);
        }
    }
}

/// How a subscription is served.
pub(super) struct Place {
    pub(super) template: Arc<Template>,
    /// Together with whom; none if its answers depend on who asks.
    pub(super) group: Option<Arc<Group>>,
}

/// What was shared since the server started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FanoutCounts {
    /// Groups that there are now.
    pub groups: usize,
    /// Answers that were computed for many.
    pub executed: u64,
    /// Frames that were sent with such an answer.
    pub shared: u64,
    /// Frames of subscribers in groups that were computed for them alone.
    pub own: u64,
    /// Executions for many that could not answer: an error, a panic, or something to wait for.
    pub failed: u64,
    /// Answers that are kept now.
    pub kept: usize,
    /// About what these take, in bytes.
    pub kept_bytes: usize,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) executed: AtomicU64,
    pub(super) shared: AtomicU64,
    pub(super) own: AtomicU64,
    pub(super) failed: AtomicU64,
}

/// Who is served together with whom.
pub(crate) struct Fanout {
    is_on: bool,
    marks: OnceLock<Marks>,
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

    /// The same; answers that are kept take `bytes_max` together.
    pub(crate) fn within(is_on: bool, bytes_max: usize) -> Self {
        let documents_max = NonZeroUsize::new(DOCUMENTS_MAX).unwrap_or(NonZeroUsize::MIN);
        Self {
            is_on,
            marks: OnceLock::new(),
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

    /// How a request is served; none if it is not for the event stream alone.
    pub(super) fn place(&self, schema: &Schema, request: &Request) -> Option<Place> {
        let key = (significant(&request.query)?, request.operation_name.clone());
        let document = self.document(schema, &key, &request.query)?;
        let template = Arc::new(Template {
            query: request.query.clone(),
            operation_name: request.operation_name.clone(),
            variables: request.variables.clone(),
            budget: data::<Budget>(request).cloned(),
            executable: data::<Reading>(request).and_then(Reading::executable).cloned(),
        });
        let is_shared = self.is_on && document.is_shared();
        let group = is_shared.then(|| self.group(key, document, &template)).flatten();
        Some(Place { template, group })
    }

    /// The group of all who ask like this.
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
        let entry = Entry { groups: Arc::clone(&self.groups), key: Arc::clone(&key) };
        let kept_in = Arc::clone(&self.shelf);
        let group = Arc::new(Group::new(document, Arc::clone(template), kept_in, entry));
        groups.insert(key, Arc::downgrade(&group));
        tracing::debug!(target: "rookery::fanout", groups = groups.len(), "a group begins");
        Some(group)
    }

    fn document(&self, schema: &Schema, key: &DocumentKey, query: &str) -> Option<Arc<Document>> {
        if let Some(known) = self.documents.lock().get(key) {
            return known.clone();
        }
        let marks = self.marks.get_or_init(|| Marks::of_sdl(&schema.sdl()));
        let document = parse_query(query).ok();
        let document = document.and_then(|it| Document::of(&it, key.1.as_deref(), marks));
        let document = document.map(Arc::new);
        self.documents.lock().put(key.clone(), document.clone());
        document
    }
}

/// What goes with the request.
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
