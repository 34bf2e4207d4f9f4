//! One write transaction, and its effects on the sessions in memory.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
};

use redb::{Database, ReadableTable as _, Table, WriteTransaction};

use crate::{
    AccessToken, ConsumerKey, MaybeUnavailable, Millis, Revocation, Unavailable,
    accounts::Inner,
    consumers::row::{CONSUMERS, PARKED, StoredParkedKey},
    file::{
        format::{Stored as _, StoredDevice, StoredToken, StoredUser},
        store::{
            self, Bytes, DEVICES, EXPIRIES, ExpiryKey, IMPORTED, META, META_APPOINTED, OUTGOING,
            OUTGOING_OF, OwnedKey, TOKENS, USERS, WEBHOOKS, WEBHOOKS_OF,
        },
    },
    passwords::secret::TokenHash,
    services::{SERVICE_DEVICES, SERVICES},
    sessions::Effects,
    users::name::Localpart,
};

/// After all IDs of events, which are ASCII.
const PARKED_END: &str = "\u{10ffff}";

/// The tables within one write transaction; there is one at a time.
pub(crate) struct Change<'txn> {
    inner: &'txn Inner,
    meta: Table<'txn, &'static str, Bytes>,
    users: Table<'txn, &'static str, Bytes>,
    devices: Table<'txn, OwnedKey, Bytes>,
    tokens: Table<'txn, &'static [u8; 32], Bytes>,
    expiries: Table<'txn, ExpiryKey, ()>,
    imported: Table<'txn, &'static str, ()>,
    pub(crate) webhooks: Table<'txn, &'static str, Bytes>,
    pub(crate) webhooks_of: Table<'txn, OwnedKey, ()>,
    pub(crate) outgoing: Table<'txn, &'static str, Bytes>,
    pub(crate) outgoing_of: Table<'txn, OwnedKey, ()>,
    pub(crate) services: Table<'txn, &'static str, Bytes>,
    pub(crate) service_devices: Table<'txn, OwnedKey, &'static str>,
    consumers: Table<'txn, OwnedKey, Bytes>,
    parked: Table<'txn, StoredParkedKey, Bytes>,
    effects: Effects,
    changed: bool,
}

impl Inner {
    /// Runs `change` in a transaction. If it succeeds, commits it and then ends the affected
    /// sessions, before this returns. Blocks while others write and while the disk syncs.
    ///
    /// The error is `outcome_unknown` only if the commit itself failed.
    pub(crate) fn change<T, E: From<Unavailable> + MaybeUnavailable>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.storage.check_writable()?;
        let database = self.storage.database()?;
        let work = AssertUnwindSafe(|| self.change_in(&database, change));
        // After a panic the handle's memory is in an unknown state.
        let result = catch_unwind(work).unwrap_or_else(|_| Err(Unavailable::panicked().into()));
        if let Err(error) = &result
            && let Some(fault) = error.unavailable()
        {
            self.notice(&database, fault);
        }
        result
    }

    fn change_in<T, E: From<Unavailable>>(
        &self,
        database: &Database,
        change: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut write = database.begin_write().map_err(Unavailable::from)?;
        // The second sync is cheap at this rate. Without it a commit would depend on page checksums
        // that are not cryptographic, over content that users choose.
        write.set_two_phase_commit(true);
        let (answer, effects) = {
            let mut tables = Change::open(self, &write)?;
            let answer = change(&mut tables)?;
            if tables.changed {
                tables.note_log_mark()?;
            }
            (answer, tables.changed.then_some(tables.effects))
        };
        if let Some(effects) = effects {
            write.commit().map_err(|error| Unavailable::from(error).outcome_unknown())?;
            self.sessions.apply(effects);
        }
        Ok(answer)
    }
}

impl<'txn> Change<'txn> {
    fn open(inner: &'txn Inner, write: &'txn WriteTransaction) -> Result<Self, Unavailable> {
        Ok(Self {
            inner,
            meta: write.open_table(META)?,
            users: write.open_table(USERS)?,
            devices: write.open_table(DEVICES)?,
            tokens: write.open_table(TOKENS)?,
            expiries: write.open_table(EXPIRIES)?,
            imported: write.open_table(IMPORTED)?,
            webhooks: write.open_table(WEBHOOKS)?,
            webhooks_of: write.open_table(WEBHOOKS_OF)?,
            outgoing: write.open_table(OUTGOING)?,
            outgoing_of: write.open_table(OUTGOING_OF)?,
            services: write.open_table(SERVICES)?,
            service_devices: write.open_table(SERVICE_DEVICES)?,
            consumers: write.open_table(CONSUMERS)?,
            parked: write.open_table(PARKED)?,
            effects: Effects::default(),
            changed: false,
        })
    }

    pub(crate) fn inner(&self) -> &'txn Inner {
        self.inner
    }

    /// Records that the file will differ, so that the change is committed.
    pub(crate) fn changed(&mut self) {
        self.changed = true;
    }

    pub(crate) fn user(&self, name: &Localpart) -> Result<Option<StoredUser>, Unavailable> {
        store::user(&self.users, name)
    }

    pub(crate) fn put_user(
        &mut self,
        name: &Localpart,
        user: &StoredUser,
    ) -> Result<(), Unavailable> {
        self.changed = true;
        if user.admin {
            self.meta.insert(META_APPOINTED, &[1][..])?;
        }
        self.users.insert(name.as_str(), user.encode()?.as_slice())?;
        Ok(())
    }

    /// Removes a user who has no devices, and whom the log does not know.
    pub(crate) fn remove_user(&mut self, name: &Localpart) -> Result<(), Unavailable> {
        self.changed = true;
        self.users.remove(name.as_str())?;
        Ok(())
    }

    /// The change has to be committed.
    pub(crate) fn note_change(&mut self) {
        self.changed = true;
    }

    pub(crate) fn is_imported(&self, name: &Localpart) -> Result<bool, Unavailable> {
        Ok(self.imported.get(name.as_str())?.is_some())
    }

    /// Records that an import made the user.
    pub(crate) fn put_imported(&mut self, name: &Localpart) -> Result<(), Unavailable> {
        self.changed = true;
        self.imported.insert(name.as_str(), ())?;
        Ok(())
    }

    /// Records that the account was handed over, so that no import acts for the user.
    pub(crate) fn hand_over(&mut self, name: &Localpart) -> Result<(), Unavailable> {
        self.changed |= self.imported.remove(name.as_str())?.is_some();
        Ok(())
    }

    /// The consumers, to read.
    pub(crate) fn consumer_table(&self) -> &Table<'txn, OwnedKey, Bytes> {
        &self.consumers
    }

    pub(crate) fn put_consumer(
        &mut self,
        key: &ConsumerKey,
        row: &[u8],
    ) -> Result<(), Unavailable> {
        self.changed = true;
        self.consumers.insert((&*key.owner, &*key.name), row)?;
        Ok(())
    }

    /// Stores a parked event of a consumer, or removes it.
    pub(crate) fn put_parked(
        &mut self,
        key: &ConsumerKey,
        event: &str,
        row: Option<&[u8]>,
    ) -> Result<(), Unavailable> {
        self.changed = true;
        let place = (&*key.owner, &*key.name, event);
        match row {
            Some(row) => self.parked.insert(place, row)?,
            None => self.parked.remove(place)?,
        };
        Ok(())
    }

    /// Removes a consumer with its parked events. Returns whether it existed.
    pub(crate) fn remove_consumer(&mut self, key: &ConsumerKey) -> Result<bool, Unavailable> {
        let existed = self.consumers.remove((&*key.owner, &*key.name))?.is_some();
        let (owner, name) = (&*key.owner, &*key.name);
        self.parked.retain_in((owner, name, "")..(owner, name, PARKED_END), |_, _| false)?;
        self.changed |= existed;
        Ok(existed)
    }

    /// Stores a property of the whole file.
    pub(crate) fn put_meta(&mut self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.changed = true;
        self.meta.insert(key, value)?;
        Ok(())
    }

    /// Whether there is, or was, an administrator.
    pub(crate) fn has_appointed(&self) -> Result<bool, Unavailable> {
        Ok(self.meta.get(META_APPOINTED)?.is_some())
    }

    pub(crate) fn device(
        &self,
        name: &Localpart,
        id: &str,
    ) -> Result<Option<StoredDevice>, Unavailable> {
        store::device(&self.devices, name, id)
    }

    pub(crate) fn devices(
        &self,
        name: &Localpart,
    ) -> Result<Vec<(String, StoredDevice)>, Unavailable> {
        store::devices(&self.devices, name)
    }

    pub(crate) fn put_device(
        &mut self,
        name: &Localpart,
        id: &str,
        device: &StoredDevice,
    ) -> Result<(), Unavailable> {
        self.changed = true;
        self.devices.insert((name.as_str(), id), device.encode()?.as_slice())?;
        Ok(())
    }

    /// Removes a device that was just read, and ends its session.
    pub(crate) fn remove_device(
        &mut self,
        name: &Localpart,
        id: &str,
        device: &StoredDevice,
        why: Revocation,
    ) -> Result<(), Unavailable> {
        self.changed = true;
        self.devices.remove((name.as_str(), id))?;
        device.token.map_or(Ok(()), |hash| self.end_token(TokenHash(hash), why))
    }

    /// Removes all devices of a user, and returns them.
    pub(crate) fn remove_devices(
        &mut self,
        name: &Localpart,
        why: Revocation,
    ) -> Result<Vec<String>, Unavailable> {
        let devices = self.devices(name)?;
        for (id, device) in &devices {
            self.remove_device(name, id, device, why)?;
        }
        Ok(devices.into_iter().map(|(id, _)| id).collect())
    }

    /// Gives a device a new access token, and ends its previous one.
    pub(crate) fn issue_token(
        &mut self,
        name: &Localpart,
        id: &str,
        device: StoredDevice,
        now: Millis,
        expires: Option<Millis>,
    ) -> Result<AccessToken, Unavailable> {
        let (token, hash) = AccessToken::generate()?;
        self.give_token(name, id, device, hash, now, expires)?;
        Ok(token)
    }

    /// Gives a device the token with this hash, and ends its previous one.
    pub(crate) fn give_token(
        &mut self,
        name: &Localpart,
        id: &str,
        mut device: StoredDevice,
        hash: TokenHash,
        now: Millis,
        expires: Option<Millis>,
    ) -> Result<(), Unavailable> {
        if let Some(old) = device.token {
            self.end_token(TokenHash(old), Revocation::Replaced)?;
        }
        let record =
            StoredToken { localpart: name.to_string(), device_id: id.into(), issued: now, expires };
        self.tokens.insert(&hash.0, record.encode()?.as_slice())?;
        if let Some(Millis(at)) = expires {
            self.expiries.insert((at, &hash.0), ())?;
            self.inner.next_expiry.fetch_min(at, Ordering::AcqRel);
        }
        device.token = Some(hash.0);
        self.put_device(name, id, &device)
    }

    /// Removes at most `limit` expired access tokens, and returns their number.
    pub(crate) fn expire(&mut self, now: Millis, limit: usize) -> Result<usize, Unavailable> {
        let mut due = Vec::new();
        for row in self.expiries.range(..=(now.0, &[u8::MAX; 32]))?.take(limit) {
            due.push(TokenHash(*row?.0.value().1));
        }
        for hash in &due {
            if let Some(token) = store::token(&self.tokens, *hash)? {
                let name = Localpart::stored(&token.localpart);
                if let Some(mut device) = self.device(&name, &token.device_id)? {
                    device.token = None;
                    self.put_device(&name, &token.device_id, &device)?;
                }
            }
            self.end_token(*hash, Revocation::Expired)?;
        }
        let next = self.expiries.first()?.map_or(u64::MAX, |(key, _)| key.value().0);
        self.inner.next_expiry.store(next, Ordering::Release);
        Ok(due.len())
    }

    /// Updates the sessions of a user with the new administrator flag.
    pub(crate) fn tell_admin(&mut self, name: &Localpart, admin: bool) -> Result<(), Unavailable> {
        let hashes = self.devices(name)?.into_iter().filter_map(|(_, device)| device.token);
        self.effects.admins.extend(hashes.map(|hash| (TokenHash(hash), admin)));
        Ok(())
    }

    /// Ends the session of a token.
    pub(crate) fn end_token(
        &mut self,
        hash: TokenHash,
        why: Revocation,
    ) -> Result<(), Unavailable> {
        self.changed = true;
        let token = self.tokens.remove(&hash.0)?.map(|bytes| StoredToken::decode(bytes.value()));
        if let Some(token) = token.transpose()? {
            if let Some(Millis(at)) = token.expires {
                self.expiries.remove((at, &hash.0))?;
            }
            let user = Localpart::stored(&token.localpart).user_id(&self.inner.server_name);
            self.effects.devices.push((user, token.device_id));
        }
        self.effects.ended.push((hash, why));
        Ok(())
    }
}
