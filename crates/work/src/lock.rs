//! A lock that is held over awaits.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};

use crate::parked::Held;

/// A fair lock for work that waits while it has it. It belongs into tasks that always go on: a client's future that is
/// parked with it is caught by [`unburdened`](crate::unburdened).
#[derive(Debug, Default)]
pub struct Lock<T>(Arc<Mutex<T>>);

/// The lock is held.
#[derive(Debug)]
pub struct Guard<'a, T> {
    inner: MutexGuard<'a, T>,
    _held: Held,
}

/// The lock is held, for as long as this is there.
#[derive(Debug)]
pub struct OwnedGuard<T> {
    inner: OwnedMutexGuard<T>,
    _held: Held,
}

impl<T> Lock<T> {
    /// A lock around `value`.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// Waits for the lock, first come, first served.
    pub async fn lock(&self) -> Guard<'_, T> {
        let held = Held::new();
        Guard { inner: self.0.lock().await, _held: held }
    }

    /// The same, for a guard that goes elsewhere.
    pub async fn lock_owned(&self) -> OwnedGuard<T> {
        let held = Held::new();
        OwnedGuard { inner: Arc::clone(&self.0).lock_owned().await, _held: held }
    }

    /// Takes the lock if it is free.
    #[must_use]
    pub fn try_lock_owned(&self) -> Option<OwnedGuard<T>> {
        let inner = Arc::clone(&self.0).try_lock_owned().ok()?;
        Some(OwnedGuard { inner, _held: Held::new() })
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T> Deref for OwnedGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}
