//! The groups of a server, and what is counted about them.
//!
//! **Invariant:** a group is there for as long as it has a member.
//! **Invariant:** documents and groups are bounded in number; beyond that nothing is shared.

use std::{
    collections::HashMap,
    hash::RandomState,
    num::NonZeroUsize,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use async_graphql::{Request, Variables, parser::parse_query};
use lru::LruCache;
use parking_lot::Mutex;

use super::{document::Document, execution::Template, group::Group, mark::Marks};
use crate::{schema::Schema, transport::significant};

/// Documents that are remembered. Each is at most as long as the gate lets through.
const DOCUMENTS_MAX: usize = 256;

/// Groups at a time.
const GROUPS_MAX: usize = 10_000;

/// A document without what does not count, and the operation that is chosen.
type DocumentKey = (String, Option<String>);

/// The same, and the variables that answers depend on.
type GroupKey = (DocumentKey, String);

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
    groups: Mutex<HashMap<GroupKey, Weak<Group>>>,
    kept_bytes: Arc<AtomicUsize>,
    pub(super) hasher: RandomState,
    pub(super) counters: Counters,
}

impl Fanout {
    /// `is_on`: whether anything is shared.
    pub(crate) fn new(is_on: bool) -> Self {
        let documents_max = NonZeroUsize::new(DOCUMENTS_MAX).unwrap_or(NonZeroUsize::MIN);
        Self {
            is_on,
            marks: OnceLock::new(),
            documents: Mutex::new(LruCache::new(documents_max)),
            groups: Mutex::default(),
            kept_bytes: Arc::default(),
            hasher: RandomState::new(),
            counters: Counters::default(),
        }
    }

    pub(crate) fn counts(&self) -> FanoutCounts {
        let groups = self.groups.lock();
        FanoutCounts {
            groups: groups.values().filter(|group| group.strong_count() > 0).count(),
            executed: self.counters.executed.load(Relaxed),
            shared: self.counters.shared.load(Relaxed),
            own: self.counters.own.load(Relaxed),
            failed: self.counters.failed.load(Relaxed),
        }
    }

    /// The group of all who ask like this; none if their answers depend on who asks.
    pub(super) fn group(&self, schema: &Schema, request: &Request) -> Option<Arc<Group>> {
        if !self.is_on {
            return None;
        }
        let key = (significant(&request.query)?, request.operation_name.clone());
        let document = self.document(schema, &key, &request.query)?;
        let variables = chosen(&request.variables, &document)?;
        let key = (key, variables);
        let mut groups = self.groups.lock();
        if let Some(group) = groups.get(&key).and_then(Weak::upgrade) {
            return Some(group);
        }
        if groups.len() >= GROUPS_MAX {
            groups.retain(|_, group| group.strong_count() > 0);
            if groups.len() >= GROUPS_MAX {
                return None;
            }
        }
        let template = Template {
            query: request.query.clone(),
            operation_name: request.operation_name.clone(),
            variables: request.variables.clone(),
        };
        let group = Arc::new(Group::new(document, template, Arc::clone(&self.kept_bytes)));
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

/// The variables that answers depend on, as text.
fn chosen(variables: &Variables, document: &Document) -> Option<String> {
    let names = document.variables.iter();
    let chosen: Vec<_> =
        names.filter_map(|name| Some((name, variables.get(name.as_str())?))).collect();
    serde_json::to_string(&chosen).ok()
}
