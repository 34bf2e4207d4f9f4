//! All allocations, and the users who have them.
//!
//! **Invariant:** only a user with valid credentials has an entry, and it goes after the user's last allocation.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use parking_lot::Mutex;

use crate::{
    bucket::Bucket,
    server::{
        allocation::Allocation,
        client::ClientId,
        options::{Bounds, USER_REQUESTS},
    },
    wire::Transaction,
};

/// A user of the relay, with what is left of the user's budgets.
pub(super) struct User {
    bandwidth: Mutex<Bucket>,
    requests: Mutex<Bucket>,
    allocations: AtomicUsize,
    relayed_bytes: Arc<AtomicU64>,
    indications: AtomicU64,
}

impl User {
    fn new(now: Instant, relayed_bytes: Arc<AtomicU64>) -> Self {
        let [bandwidth, requests] = [(); 2].map(|()| Mutex::new(Bucket::full(now)));
        let (allocations, indications) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { bandwidth, requests, allocations, relayed_bytes, indications }
    }

    /// Takes `bytes` from the bandwidth, or nothing if less is left.
    pub(super) fn takes(&self, bytes: usize, bounds: &Bounds, now: Instant) -> bool {
        let takes = self.bandwidth.lock().take(bytes, bounds.bandwidth(), now);
        if takes {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            self.relayed_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        takes
    }

    /// Takes one request.
    pub(super) fn takes_request(&self, now: Instant) -> bool {
        self.requests.lock().take(1, USER_REQUESTS, now)
    }

    /// The number of an indication, which nobody answers.
    pub(super) fn next_transaction(&self) -> Transaction {
        let mut transaction = [0; 12];
        let number = self.indications.fetch_add(1, Ordering::Relaxed);
        transaction[4..].copy_from_slice(&number.to_be_bytes());
        transaction
    }

    pub(super) fn allocations(&self) -> usize {
        self.allocations.load(Ordering::Relaxed)
    }

    /// Whether the user has no allocation and full budgets.
    fn is_rested(&self, now: Instant) -> bool {
        self.allocations() == 0
            && self.bandwidth.lock().is_full(now)
            && self.requests.lock().is_full(now)
    }
}

/// All allocations, and the users who have them.
#[derive(Default)]
pub(super) struct Table {
    by_client: HashMap<ClientId, Arc<Allocation>>,
    by_relayed: HashMap<SocketAddr, Arc<Allocation>>,
    users: HashMap<Box<str>, Arc<User>>,
    relayed_bytes: Arc<AtomicU64>,
}

impl Table {
    pub(super) fn of_client(&self, client: ClientId) -> Option<&Arc<Allocation>> {
        self.by_client.get(&client)
    }

    pub(super) fn at(&self, relayed: SocketAddr) -> Option<&Arc<Allocation>> {
        self.by_relayed.get(&relayed)
    }

    /// The user with this name.
    pub(super) fn user(&mut self, name: &str, now: Instant) -> Arc<User> {
        if let Some(user) = self.users.get(name) {
            return Arc::clone(user);
        }
        let user = Arc::new(User::new(now, Arc::clone(&self.relayed_bytes)));
        self.users.insert(name.into(), Arc::clone(&user));
        user
    }

    pub(super) fn insert(&mut self, allocation: &Arc<Allocation>) {
        self.by_client.insert(allocation.client.id(), Arc::clone(allocation));
        self.by_relayed.insert(allocation.relayed, Arc::clone(allocation));
        allocation.user.allocations.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove(&mut self, client: ClientId) {
        let Some(allocation) = self.by_client.remove(&client) else { return };
        self.by_relayed.remove(&allocation.relayed);
        allocation.user.allocations.fetch_sub(1, Ordering::Relaxed);
        allocation.close();
    }

    /// Forgets what has expired. A user whose budgets are not full yet stays, so that new allocations give no new budget.
    pub(super) fn sweep(&mut self, now: Instant) {
        let expired: Vec<_> = self
            .by_client
            .iter()
            .filter(|(_, allocation)| !allocation.is_live(now))
            .map(|(client, _)| *client)
            .collect();
        for client in expired {
            self.remove(client);
        }
        for allocation in self.by_client.values() {
            allocation.sweep(now);
        }
        self.users.retain(|_, user| !user.is_rested(now));
    }

    /// Ends all allocations.
    pub(super) fn clear(&mut self) {
        let clients: Vec<_> = self.by_client.keys().copied().collect();
        for client in clients {
            self.remove(client);
        }
    }

    pub(super) fn allocations(&self) -> usize {
        self.by_client.len()
    }

    pub(super) fn users(&self) -> usize {
        self.users.len()
    }

    pub(super) fn relayed_bytes(&self) -> u64 {
        self.relayed_bytes.load(Ordering::Relaxed)
    }
}
