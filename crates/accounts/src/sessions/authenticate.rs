//! Authentication: the owner of a token, for every request.

use std::sync::atomic::Ordering;

use redb::ReadTransaction;

use crate::{
    Accounts, Identity, Millis, Unavailable,
    accounts::Inner,
    file::store::{self, DEVICES, TOKENS, USERS},
    passwords::secret::TokenHash,
    sessions::Live,
    users::name::Localpart,
};

/// How many tokens expire in one transaction.
const EXPIRE_BATCH: usize = 4_096;

/// How long requests wait before they try again to remove expired tokens, after a failure.
const EXPIRY_RETRY_MILLIS: u64 = 1_000;

/// How often the times at which devices were seen are saved.
const SAVE_SEEN_MILLIS: u64 = 10 * 60 * 1_000;

impl Accounts {
    /// The owner of `token` at `now`; `None` if the token is unknown or has ended.
    ///
    /// Answers from memory, or after a few reads of the file. Only when a token has just expired
    /// does one caller wait for the disk. A token that has expired at any earlier `now` stays
    /// expired, even if the clock is set back.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn authenticate(&self, token: &str, now: Millis) -> Result<Option<Identity>, Unavailable> {
        let inner = &self.inner;
        let Some(hash) = TokenHash::of(token) else { return Ok(None) };
        if let Err(error) = inner.expire(now) {
            // An expired token is refused below even if it cannot be removed.
            tracing::error!(%error, "expired tokens were not removed");
        }
        inner.session(hash, now)
    }

    /// Maintenance, to be called every few seconds: ends sessions whose token has expired, and
    /// saves now and then when devices were last seen.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written. Try again at the next call.
    pub async fn maintain(&self, now: Millis) -> Result<(), Unavailable> {
        self.inner.start_reopening();
        self.end_expired(now).await?;
        self.inner.storage.check_writable()?;
        self.save_seen(now).await
    }

    /// Ends the sessions whose token has expired at `now`. Costs nothing while none has.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written. The sessions have ended then, and their
    /// tokens are not removed yet.
    pub async fn end_expired(&self, now: Millis) -> Result<(), Unavailable> {
        if !self.inner.is_expiry_due(now) {
            return Ok(());
        }
        let inner = self.inner.clone();
        let work = tokio::task::spawn_blocking(move || inner.expire(now));
        work.await.map_err(|_| Unavailable::new("removing expired tokens was interrupted"))?
    }

    async fn save_seen(&self, now: Millis) -> Result<(), Unavailable> {
        {
            let mut saved = self.inner.seen_saved.lock();
            let last = *saved.get_or_insert(now);
            if now.0.abs_diff(last.0) < SAVE_SEEN_MILLIS {
                return Ok(());
            }
            *saved = Some(now);
        }
        let all = self.inner.sessions.all();
        let unsaved: Vec<_> =
            all.into_iter().filter_map(|live| live.take_unsaved().map(|at| (live, at))).collect();
        if unsaved.is_empty() {
            return Ok(());
        }
        self.change(move |change| {
            for (live, at) in unsaved {
                let name = Localpart::stored(&live.localpart);
                if let Some(mut device) = change.device(&name, &live.device_id)? {
                    device.last_seen = device.last_seen.max(at);
                    change.put_device(&name, &live.device_id, &device)?;
                }
            }
            Ok(())
        })
        .await
    }
}

impl Inner {
    fn is_expiry_due(&self, now: Millis) -> bool {
        now.0 >= self.next_expiry.load(Ordering::Acquire)
    }

    /// Removes all expired tokens, unless another caller does.
    fn expire(&self, now: Millis) -> Result<(), Unavailable> {
        let failed = self.expiry_failed.load(Ordering::Acquire);
        if !self.is_expiry_due(now)
            || now.0.abs_diff(failed) < EXPIRY_RETRY_MILLIS
            || self.expiring.swap(true, Ordering::AcqRel)
        {
            return Ok(());
        }
        let outcome = loop {
            match self.change(|change| change.expire(now, EXPIRE_BATCH)) {
                Ok(EXPIRE_BATCH) => {}
                Ok(_) => {
                    self.expiry_failed.store(u64::MAX, Ordering::Release);
                    break Ok(());
                }
                Err(error) => {
                    self.expiry_failed.store(now.0, Ordering::Release);
                    // A connected session ends on time even if the disk is full.
                    self.sessions.expire(now);
                    // The expiry in memory may be of a change that failed.
                    self.next_expiry.store(0, Ordering::Release);
                    break Err(error);
                }
            }
        };
        self.expiring.store(false, Ordering::Release);
        outcome
    }

    /// The session of a token, from memory or the file.
    pub(crate) fn session(
        &self,
        hash: TokenHash,
        now: Millis,
    ) -> Result<Option<Identity>, Unavailable> {
        loop {
            let generation = match self.sessions.get(hash) {
                Ok(live) => return Ok(Identity::at(live, now)),
                Err(generation) => generation,
            };
            let read = self.read(|read| self.stored_session(read, hash))?;
            let Some(read) = read else { return Ok(None) };
            if let Some(live) = self.sessions.insert(hash, read, generation) {
                return Ok(Identity::at(live, now));
            }
        }
    }

    /// The session of a token, read from the file.
    pub(crate) fn stored_session(
        &self,
        read: &ReadTransaction,
        hash: TokenHash,
    ) -> Result<Option<Live>, Unavailable> {
        let Some(token) = store::token(&read.open_table(TOKENS)?, hash)? else { return Ok(None) };
        let name = Localpart::stored(&token.localpart);
        let user = store::user(&read.open_table(USERS)?, &name)?;
        let device = store::device(&read.open_table(DEVICES)?, &name, &token.device_id)?;
        let (Some(user), Some(device)) = (user, device) else { return Ok(None) };
        if user.deactivated.is_some() || device.token != Some(hash.0) {
            return Ok(None);
        }
        Ok(Some(Live::new(
            name.user_id(&self.server_name),
            token.localpart,
            token.device_id,
            user.admin,
            token.expires,
            device.last_seen,
        )))
    }
}
