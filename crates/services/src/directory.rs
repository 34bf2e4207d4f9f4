//! The list of services of a running server.
//!
//! **Invariant:** the list follows the file: it is read again after each change, also after one
//! with an unknown outcome.
//! **Invariant:** a change has a task of its own, so it ends with the reading of the list even if
//! its caller gives up.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, OnceLock},
};

use parking_lot::RwLock;
use rookery_accounts::{
    Accounts, Millis, NewService, ServiceError, ServiceRecord, ServiceToken, ServiceTokenHash,
    Unavailable,
};
use rookery_domain::OwnedServerName;
use rookery_namespaces::{ClaimConflict, Services};
use tokio::sync::{Mutex, watch};

use crate::{
    NewRegistration, Registered, RegistrationError, RoomFollowing, registration::StoredRegistration,
};

/// The list of services was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The registration cannot be used.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// Another service claims the same names.
    #[error(transparent)]
    Conflict(#[from] ClaimConflict),
    /// The accounts refused it.
    #[error(transparent)]
    Accounts(#[from] ServiceError),
}

/// The services of one server. Cheap to clone: all clones share the list.
#[derive(Clone)]
pub struct ServiceDirectory {
    inner: Arc<Inner>,
}

struct Inner {
    accounts: Accounts,
    server_name: OwnedServerName,
    /// Admits one change at a time, so that two new services see each other's claims.
    changing: Mutex<()>,
    by_token: RwLock<Arc<HashMap<ServiceTokenHash, Arc<Registered>>>>,
    rules: watch::Sender<Arc<Services>>,
    following: OnceLock<Arc<dyn RoomFollowing>>,
}

impl ServiceDirectory {
    /// The services in the file of accounts.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn open(accounts: Accounts, server_name: OwnedServerName) -> Result<Self, Unavailable> {
        let inner = Inner::new(accounts, server_name);
        inner.reload()?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Lets all services follow rooms, those that are added later too. Call it once, before the first
    /// request.
    ///
    /// # Errors
    /// [`Unavailable`] if the log cannot be read.
    pub async fn follow_rooms(&self, following: Arc<dyn RoomFollowing>) -> Result<(), Unavailable> {
        for registered in self.list() {
            let service = &registered.service;
            if let Some(since) = registered.follows_since {
                following.prepare(service, Some(since), registered.created).await?;
                following.show(service);
            } else {
                tracing::warn!(
                    service = service.name,
                    "an earlier version added this service, so it follows no rooms: remove it and \
                     add it again"
                );
            }
        }
        self.inner.following.set(following).ok();
        Ok(())
    }

    /// An empty list, which does not follow the file before its first change.
    #[must_use]
    pub fn without_services(accounts: Accounts, server_name: OwnedServerName) -> Self {
        Self { inner: Arc::new(Inner::new(accounts, server_name)) }
    }

    /// The rules about services, with each later change.
    #[must_use]
    pub fn rules(&self) -> watch::Receiver<Arc<Services>> {
        self.inner.rules.subscribe()
    }

    /// The rules about services now.
    #[must_use]
    pub fn current(&self) -> Arc<Services> {
        self.inner.rules.borrow().clone()
    }

    /// All services, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Registered>> {
        let mut all: Vec<_> = self.inner.by_token.read().values().cloned().collect();
        all.sort_unstable_by(|one, other| one.service.name.cmp(&other.service.name));
        all
    }

    /// The service with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Registered>> {
        self.inner.by_token.read().values().find(|one| one.service.name == name).cloned()
    }

    /// The service with this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Option<Arc<Registered>> {
        let by_token = self.inner.by_token.read().clone();
        // Without services, no request pays for the hash.
        if by_token.is_empty() {
            return None;
        }
        by_token.get(&ServiceTokenHash::of(token)).cloned()
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.inner.accounts
    }

    pub(crate) fn server_name(&self) -> &OwnedServerName {
        &self.inner.server_name
    }

    /// Adds a service. Returns its token if the registration had none.
    ///
    /// # Errors
    /// [`DirectoryError`]. Nothing was changed then, unless it says otherwise.
    pub async fn add(
        &self,
        new: NewRegistration,
        now: Millis,
    ) -> Result<Option<ServiceToken>, DirectoryError> {
        self.change(|inner| async move { inner.add(new, now).await }).await
    }

    /// Gives a service another token, which is returned. Its sessions have ended then.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn rotate(&self, name: &str) -> Result<ServiceToken, DirectoryError> {
        let name = name.to_owned();
        self.change(|inner| async move {
            let token = ServiceToken::generate().map_err(ServiceError::from)?;
            let rotated = inner.accounts.rotate_service(&name, &token).await;
            inner.settle(rotated)?;
            Ok(token)
        })
        .await
    }

    /// Removes a service. Its sessions have ended then. Returns the removed devices, with the ID of
    /// the user of each.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn remove(&self, name: &str) -> Result<Vec<(String, String)>, DirectoryError> {
        let name = name.to_owned();
        self.change(|inner| async move {
            let removed = inner.accounts.remove_service(&name).await;
            Ok(inner.settle(removed)?)
        })
        .await
    }

    /// Runs one change at a time, in a task of its own.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "the task goes on whatever becomes of its caller"
    )]
    async fn change<T, F, Fut>(&self, change: F) -> Result<T, DirectoryError>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Inner>) -> Fut,
        Fut: Future<Output = Result<T, DirectoryError>> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let work = change(Arc::clone(&inner));
        let task = tokio::spawn(async move {
            let _turn = inner.changing.lock().await;
            work.await
        });
        task.await.map_err(|_| ServiceError::from(Unavailable::interrupted()))?
    }
}

impl Inner {
    fn new(accounts: Accounts, server_name: OwnedServerName) -> Self {
        Self {
            accounts,
            server_name,
            changing: Mutex::default(),
            by_token: RwLock::default(),
            rules: watch::Sender::default(),
            following: OnceLock::new(),
        }
    }

    /// Reads the list again after a change.
    fn settle<T>(&self, changed: Result<T, ServiceError>) -> Result<T, ServiceError> {
        let reloaded = self.reload();
        let changed = changed?;
        reloaded?;
        Ok(changed)
    }

    async fn add(
        &self,
        new: NewRegistration,
        now: Millis,
    ) -> Result<Option<ServiceToken>, DirectoryError> {
        let NewRegistration { registration, token, hs_token } = new;
        let service = registration.service(&self.server_name)?;
        if let Some(conflict) = self.rules.borrow().conflict(&service) {
            return Err(conflict.into());
        }
        let drawn = match &token {
            None => Some(ServiceToken::generate().map_err(ServiceError::from)?),
            Some(_) => None,
        };
        let Some(token) = token.or_else(|| drawn.clone()) else { return Ok(None) };
        let service = Arc::new(service);
        let following = self.following.get().filter(|_| !self.lists(&service.name));
        // The service may connect as soon as it is stored, and it then follows its rooms.
        let follows_since = match following {
            Some(following) => {
                let since = following.prepare(&service, None, now).await;
                Some(since.map_err(ServiceError::from)?)
            }
            None => None,
        };
        let (name, bot) = (registration.name.clone(), registration.bot.clone());
        let stored = StoredRegistration { registration, follows_since };
        let registration = serde_json::to_string(&stored).unwrap_or_default();
        let new = NewService { name, token, bot, registration, hs_token };
        let added = self.accounts.add_service(new, now).await;
        if let (Ok(()), Some(following)) = (&added, following) {
            following.show(&service);
        }
        let added = self.settle(added);
        if let Some(following) = following.filter(|_| !self.lists(&service.name)) {
            following.end(&service);
        }
        added?;
        Ok(drawn)
    }

    fn lists(&self, name: &str) -> bool {
        self.by_token.read().values().any(|one| one.service.name == name)
    }

    fn reload(&self) -> Result<(), Unavailable> {
        let mut by_token = HashMap::new();
        for record in self.accounts.services()? {
            let token = record.token;
            match self.registered(record) {
                Ok(registered) => {
                    by_token.insert(token, Arc::new(registered));
                }
                Err((name, reason)) => tracing::error!(
                    service = name,
                    "the registration of a service cannot be used ({reason}): remove the service \
                     and add it again"
                ),
            }
        }
        let mut rules: Vec<_> = by_token.values().map(|one| one.service.clone()).collect();
        rules.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let before = std::mem::replace(&mut *self.by_token.write(), Arc::new(by_token));
        if let Some(following) = self.following.get() {
            let gone = before.values().filter(|one| !self.lists(&one.service.name));
            gone.for_each(|one| following.end(&one.service));
        }
        self.rules.send_replace(Arc::new(Services::new(rules)));
        Ok(())
    }

    fn registered(&self, record: ServiceRecord) -> Result<Registered, (String, String)> {
        let ServiceRecord { name, token, created, registration, hs_token } = record;
        let stored: StoredRegistration = serde_json::from_str(&registration)
            .map_err(|error| (name.clone(), error.to_string()))?;
        let StoredRegistration { registration, follows_since } = stored;
        let service = registration.service(&self.server_name);
        let service = service.map_err(|error| (name, error.to_string()))?;
        Ok(Registered::new(service, registration, (created, follows_since), token, hs_token))
    }
}
