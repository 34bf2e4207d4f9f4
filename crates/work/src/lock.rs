//! A lock that is held over awaits.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};

use crate::parked::Held;

/// A fair lock for work that waits while it holds the lock. Use it in tasks that always continue:
/// [`unburdened`](crate::unburdened) catches a client's future that is parked with it.
#[derive(Debug, Default)]
pub struct Lock<T>(Arc<Mutex<T>>);

/// A held lock.
#[derive(Debug)]
pub struct Guard<'a, T> {
    inner: MutexGuard<'a, T>,
    _held: Held,
}

/// A held lock, released when this is dropped.
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

    /// Waits for the lock, in the order of the callers.
    pub async fn lock(&self) -> Guard<'_, T> {
        let held = Held::new();
        Guard { inner: self.0.lock().await, _held: held }
    }

    /// Like [`Self::lock`], with a guard that can move to another task.
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
