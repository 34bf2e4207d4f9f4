//! Documents for callers of one kind, each with a share of the places.
//!
//! **Invariant:** a caller with a full share evicts their own documents; nobody has more than a
//! share.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use super::DocumentHash;
use crate::limits::callers::CallerKey;

/// Documents by hash; the least recently used is evicted first.
#[derive(Debug)]
pub(super) struct Shelf {
    kept: Mutex<Kept>,
    share_max: usize,
}

#[derive(Debug)]
struct Kept {
    documents: LruCache<DocumentHash, (CallerKey, Arc<str>)>,
    /// How many documents each caller has.
    shares: HashMap<CallerKey, usize>,
}

impl Shelf {
    pub(super) fn new(documents_max: usize, share_max: usize) -> Self {
        let max = NonZeroUsize::new(documents_max).unwrap_or(NonZeroUsize::MIN);
        let kept = Kept { documents: LruCache::new(max), shares: HashMap::new() };
        Self { kept: Mutex::new(kept), share_max }
    }

    pub(super) fn find(&self, hash: DocumentHash) -> Option<Arc<str>> {
        self.kept.lock().documents.get(&hash).map(|(_, text)| Arc::clone(text))
    }

    pub(super) fn keep(&self, key: CallerKey, hash: DocumentHash, text: Arc<str>) {
        let mut kept = self.kept.lock();
        if kept.documents.get(&hash).is_some() {
            return;
        }
        if kept.shares.get(&key).is_some_and(|share| *share >= self.share_max) {
            let own = kept.documents.iter().rev().find(|(_, (owner, _))| *owner == key);
            if let Some(own) = own.map(|(hash, _)| *hash) {
                kept.documents.pop(&own);
                kept.forget(key);
            }
        }
        *kept.shares.entry(key).or_default() += 1;
        if let Some((_, (owner, _))) = kept.documents.push(hash, (key, text)) {
            kept.forget(owner);
        }
    }
}

impl Kept {
    fn forget(&mut self, key: CallerKey) {
        if let Some(share) = self.shares.get_mut(&key) {
            *share -= 1;
            if *share == 0 {
                self.shares.remove(&key);
            }
        }
    }
}
