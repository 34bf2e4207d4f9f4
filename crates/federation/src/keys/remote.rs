//! The keys of other servers: from memory, from the file, from the server itself, from notaries.
//!
//! **Invariant:** a key is valid for an event only if it was valid when the event was sent.
//! **Invariant:** a server is asked once at a time, and not again within [`ASKED_AGAIN_AFTER_MILLIS`], whatever others send.

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use lru::LruCache;
use parking_lot::Mutex;
use rookery_command::ServerKeys;
use rookery_domain::{MilliSecondsSinceUnixEpoch, OwnedServerName, ServerName};
use rookery_log::Unavailable;
use ruma_common::CanonicalJsonObject;
use serde::Deserialize;
use serde_json::json;

use super::{OwnKeys, answer::read_answer};
use crate::{
    client::{Call, Transport},
    clock::Clock,
    store::{Store, StoredKey},
};

/// Most servers whose keys are in memory.
const SERVERS_MAX: usize = 10_000;

/// Time between two requests for the keys of one server, in milliseconds.
const ASKED_AGAIN_AFTER_MILLIS: u64 = 10_000;

/// Keys are fetched again this long before they expire, in milliseconds: an hour.
const EARLY_MILLIS: u64 = 60 * 60 * 1_000;

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The keys of other servers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RemoteKeys(Arc<Shared>);

struct Shared {
    own: Arc<OwnKeys>,
    transport: Transport,
    store: Store,
    notaries: Vec<OwnedServerName>,
    clock: Clock,
    known: Mutex<LruCache<OwnedServerName, Arc<Known>>>,
}

/// The known keys of one server.
#[derive(Default)]
struct Known {
    keys: Mutex<Option<Vec<StoredKey>>>,
    /// The last request for them: when, and whether it had an answer. Locked during a request.
    asked: tokio::sync::Mutex<Option<(u64, bool)>>,
}

/// The result of a search among the keys in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Valid([u8; 32], IsFresh),
    /// It is an old key, and the time is after its end. Its server will say nothing else.
    Expired,
    Unknown,
}

type IsFresh = bool;

impl RemoteKeys {
    pub(crate) fn new(
        own: Arc<OwnKeys>,
        transport: Transport,
        store: Store,
        notaries: Vec<OwnedServerName>,
        clock: Clock,
    ) -> Self {
        let known = LruCache::new(NonZeroUsize::new(SERVERS_MAX).unwrap_or(NonZeroUsize::MIN));
        let known = Mutex::new(known);
        Self(Arc::new(Shared { own, transport, store, notaries, clock, known }))
    }

    /// The key of a server, if it is valid at `at`.
    ///
    /// # Errors
    /// If it is not known, and nobody answers.
    pub(crate) async fn key(
        &self,
        server: &ServerName,
        key_id: &str,
        at: u64,
    ) -> Result<Option<[u8; 32]>, String> {
        if *server == *self.0.own.server_name {
            return Ok(self.0.own.key_at(key_id, at));
        }
        let known = self.known(server).await?;
        match known.find(key_id, at, (self.0.clock)()) {
            Found::Valid(key, true) => return Ok(Some(key)),
            Found::Valid(key, false) => {
                let (this, server, key_id) = (self.clone(), server.to_owned(), key_id.to_owned());
                tokio::spawn(async move {
                    this.fetch(&server, &known, &key_id, at).await.ok();
                });
                return Ok(Some(key));
            }
            Found::Expired => return Ok(None),
            Found::Unknown => {}
        }
        let fetched = self.fetch(server, &known, key_id, at).await;
        match (known.find(key_id, at, (self.0.clock)()), fetched) {
            (Found::Valid(key, _), _) => Ok(Some(key)),
            (_, Ok(())) => Ok(None),
            (_, Err(error)) => Err(error),
        }
    }

    /// The IDs of the keys of a server that are stored, each with the end of its validity.
    pub(crate) async fn stored(&self, server: &ServerName) -> Vec<(String, u64)> {
        let keys = self.0.store.keys_of(server).await.unwrap_or_default();
        keys.into_iter().map(|key| (key.key_id, key.valid_until)).collect()
    }

    /// Asks a server for its keys now, and returns their IDs.
    ///
    /// # Errors
    /// If it does not answer, or its answer is not valid.
    pub(crate) async fn ask(&self, server: &ServerName) -> Result<Vec<String>, String> {
        let keys = self.ask_server(server, (self.0.clock)()).await?;
        Ok(keys.into_iter().map(|key| key.key_id).collect())
    }

    async fn known(&self, server: &ServerName) -> Result<Arc<Known>, String> {
        let known = {
            let mut all = self.0.known.lock();
            Arc::clone(all.get_or_insert(server.to_owned(), Arc::default))
        };
        if known.keys.lock().is_none() {
            let stored = self.0.store.keys_of(server).await.map_err(|error| error.to_string())?;
            known.keys.lock().get_or_insert(stored);
        }
        Ok(known)
    }

    /// Asks the server for its keys, then the notaries. It runs in a task of its own, since others wait for it.
    async fn fetch(
        &self,
        server: &ServerName,
        known: &Arc<Known>,
        key_id: &str,
        at: u64,
    ) -> Result<(), String> {
        let (this, known) = (self.clone(), Arc::clone(known));
        let (server, key_id) = (server.to_owned(), key_id.to_owned());
        let work = tokio::spawn(async move { this.fetch_now(&server, &known, &key_id, at).await });
        work.await.map_err(|error| error.to_string())?
    }

    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn fetch_now(
        &self,
        server: &ServerName,
        known: &Known,
        key_id: &str,
        at: u64,
    ) -> Result<(), String> {
        let mut asked = known.asked.lock().await;
        let now = (self.0.clock)();
        if let Some((when, answered)) = *asked
            && now.saturating_sub(when) < ASKED_AGAIN_AFTER_MILLIS
        {
            let again = "it was asked a moment ago".to_owned();
            return if answered { Ok(()) } else { Err(again) };
        }
        if matches!(known.find(key_id, at, now), Found::Valid(_, true)) {
            return Ok(());
        }
        let mut fetched = self.ask_server(server, now).await;
        if let Err(error) = &fetched {
            tracing::debug!(%server, %error, "a server does not give its keys: asking the notaries");
            for notary in &self.0.notaries {
                match self.ask_notary(notary, server, key_id, at).await {
                    Ok(keys) => {
                        fetched = Ok(keys);
                        break;
                    }
                    Err(error) => tracing::debug!(%notary, %server, %error, "a notary has no keys"),
                }
            }
        }
        *asked = Some(((self.0.clock)(), fetched.is_ok()));
        let keys = fetched?;
        self.0.store.put_keys(server.to_owned(), keys).await.map_err(|error| error.to_string())?;
        let stored = self.0.store.keys_of(server).await.map_err(|error| error.to_string())?;
        *known.keys.lock() = Some(stored);
        Ok(())
    }

    async fn ask_server(&self, server: &ServerName, now: u64) -> Result<Vec<StoredKey>, String> {
        let call = Call::unsigned("/_matrix/key/v2/server").answer_bytes_max(ANSWER_BYTES_MAX);
        let answer = self.0.transport.send(server, call).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let object: CanonicalJsonObject =
            serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        read_answer(&object, server, now)
    }

    async fn ask_notary(
        &self,
        notary: &ServerName,
        server: &ServerName,
        key_id: &str,
        at: u64,
    ) -> Result<Vec<StoredKey>, String> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            server_keys: Vec<CanonicalJsonObject>,
        }
        let now = (self.0.clock)();
        let wanted = json!({ server.as_str(): { key_id: { "minimum_valid_until_ts": at } } });
        let body = json!({ "server_keys": wanted });
        let call = Call::unsigned("/_matrix/key/v2/query")
            .posting(&body)
            .answer_bytes_max(ANSWER_BYTES_MAX);
        let answer = self.0.transport.send(notary, call).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let answer: Answer = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        let mut keys = Vec::new();
        let notary_keys = self.ask_server(notary, now).await?;
        for object in &answer.server_keys {
            let has_signed = notary_keys.iter().any(|key| {
                rookery_pdu::verify_object(object.clone(), notary, &key.key_id, key.key).is_ok()
            });
            if has_signed {
                keys.extend(read_answer(object, server, now)?);
            }
        }
        let mut seen = BTreeSet::new();
        keys.retain(|key| seen.insert(key.key_id.clone()));
        if keys.is_empty() { Err("it has no answer that it signed".to_owned()) } else { Ok(keys) }
    }
}

impl Known {
    fn find(&self, key_id: &str, at: u64, now: u64) -> Found {
        let keys = self.keys.lock();
        let key = keys.iter().flatten().find(|key| key.key_id == key_id);
        match key {
            Some(key) if at <= key.valid_until => {
                let is_fresh = key.is_old || now.saturating_add(EARLY_MILLIS) < key.valid_until;
                Found::Valid(key.key, is_fresh)
            }
            Some(key) if key.is_old => Found::Expired,
            _ => Found::Unknown,
        }
    }
}

#[async_trait]
impl ServerKeys for RemoteKeys {
    async fn public_key(
        &self,
        server: &ServerName,
        key_id: &str,
        at: MilliSecondsSinceUnixEpoch,
    ) -> Result<Option<[u8; 32]>, Unavailable> {
        let key = self.key(server, key_id, u64::from(at.0)).await;
        key.map_err(|reason| Unavailable { reason: reason.into() })
    }
}
