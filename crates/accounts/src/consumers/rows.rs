//! Reading and changing the rows of consumers.
//!
//! **Invariant:** a deactivated user has no consumers, and gets none.

use std::ops::Bound;

use redb::ReadableTable as _;

use super::{
    grouped::Outcome,
    row::{CONSUMERS, ConsumerKey, ConsumerRow, KIND_SIGN, PARKED, ParkedRow},
};
use crate::{
    Accounts, ConsumerError, Unavailable,
    file::{change::Change, format::Stored as _, store::stored},
    passwords::secret::fill_random,
    users::name::Localpart,
};

/// Begins the owner of a row that belongs to a user. No local part contains it.
const USER_SIGN: char = '@';

impl Accounts {
    /// The consumer with this key.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn consumer(&self, key: &ConsumerKey) -> Result<Option<ConsumerRow>, Unavailable> {
        self.inner.read(|read| stored(&read.open_table(CONSUMERS)?, (&*key.owner, &*key.name)))
    }

    /// Up to `limit` consumers after the one with the key `after`, by owner and name; only those of
    /// `owner`, if that is given.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn consumers(
        &self,
        owner: Option<&str>,
        after: Option<&ConsumerKey>,
        limit: usize,
    ) -> Result<Vec<(ConsumerKey, ConsumerRow)>, Unavailable> {
        let start = match after {
            Some(after) => Bound::Excluded((&*after.owner, &*after.name)),
            None => Bound::Included((owner.unwrap_or_default(), "")),
        };
        self.inner.read(|read| {
            let mut found = Vec::new();
            let table = read.open_table(CONSUMERS)?;
            for row in table.range::<(&str, &str)>((start, Bound::Unbounded))? {
                let (key, value) = row?;
                let (of, name) = key.value();
                if found.len() >= limit || owner.is_some_and(|owner| owner != of) {
                    break;
                }
                let key = ConsumerKey { owner: of.to_owned(), name: name.to_owned() };
                found.push((key, ConsumerRow::decode(value.value())?));
            }
            Ok(found)
        })
    }

    /// Up to `limit` parked events of a consumer after the event `after`, by event ID.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn parked(
        &self,
        key: &ConsumerKey,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, ParkedRow)>, Unavailable> {
        let of = |event| (&*key.owner, &*key.name, event);
        let start = after.map_or(Bound::Included(of("")), |after| Bound::Excluded(of(after)));
        self.inner.read(|read| {
            let mut found = Vec::new();
            let table = read.open_table(PARKED)?;
            for row in table.range::<(&str, &str, &str)>((start, Bound::Unbounded))? {
                let (place, value) = row?;
                let (owner, name, event) = place.value();
                if found.len() >= limit || (owner, name) != (&*key.owner, &*key.name) {
                    break;
                }
                found.push((event.to_owned(), ParkedRow::decode(value.value())?));
            }
            Ok(found)
        })
    }

    /// Stores a new consumer with an incarnation of its own, unless its owner has `max` of them. An
    /// existing consumer stays as it is. Returns the stored one.
    ///
    /// # Errors
    /// [`ConsumerError`].
    pub async fn create_consumer(
        &self,
        key: ConsumerKey,
        mut row: ConsumerRow,
        max: usize,
    ) -> Result<ConsumerRow, ConsumerError> {
        let mut drawn = [0; 8];
        fill_random(&mut drawn)?;
        // Resets count on from here.
        row.incarnation = u64::from_le_bytes(drawn) >> 1;
        let stored = key.clone();
        let made = self.change_grouped(move |change| change.create_consumer(&stored, &row, max));
        match made.await? {
            Outcome::Full => Err(ConsumerError::TooMany { max }),
            Outcome::Absent => Err(ConsumerError::NoOwner),
            Outcome::Made => self.consumer(&key)?.ok_or(ConsumerError::NoOwner),
        }
    }

    /// Replaces a consumer, and those of its parked events that changed; `None` removes one. Returns
    /// whether the consumer exists: otherwise nothing was changed.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn save_consumer(
        &self,
        key: ConsumerKey,
        row: ConsumerRow,
        parked: Vec<(String, Option<ParkedRow>)>,
    ) -> Result<bool, Unavailable> {
        let save = move |change: &mut Change<'_>| change.save_consumer(&key, &row, &parked);
        Ok(self.change_grouped(save).await? == Outcome::Made)
    }

    /// Deletes a consumer. Returns whether it existed.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn delete_consumer(&self, key: ConsumerKey) -> Result<bool, Unavailable> {
        let deleted = self.change_grouped(move |change| change.delete_consumer(&key)).await?;
        Ok(deleted == Outcome::Made)
    }

    /// The owner of the consumers of a user of this server, given as ID or local part.
    #[must_use]
    pub fn consumer_owner(&self, user: &str) -> Option<String> {
        Some(owner_of(&self.inner.find(user)?))
    }

    /// The full ID of the user who owns consumers; `None` if the owner is no user.
    #[must_use]
    pub fn user_of_owner(&self, owner: &str) -> Option<String> {
        let localpart = owner.strip_prefix(USER_SIGN)?;
        Some(Localpart::stored(localpart).user_id(&self.inner.server_name))
    }
}

/// The owner of the consumers of a user.
pub(crate) fn owner_of(name: &Localpart) -> String {
    format!("{USER_SIGN}{name}")
}

impl Change<'_> {
    fn create_consumer(
        &mut self,
        key: &ConsumerKey,
        row: &ConsumerRow,
        max: usize,
    ) -> Result<Outcome, Unavailable> {
        if let Some(localpart) = key.owner.strip_prefix(USER_SIGN) {
            let user = self.user(&Localpart::stored(localpart))?;
            if user.is_none_or(|user| user.deactivated.is_some()) {
                return Ok(Outcome::Absent);
            }
        }
        let names = self.consumers_of(&key.owner)?;
        if names.contains(&key.name) {
            return Ok(Outcome::Made);
        }
        // Those of the server itself are bounded by what they are for.
        let is_chosen = |name: &&String| !name.contains(KIND_SIGN);
        if is_chosen(&&key.name) && names.iter().filter(is_chosen).count() >= max {
            return Ok(Outcome::Full);
        }
        self.put_consumer(key, &row.encode()?)?;
        Ok(Outcome::Made)
    }

    fn save_consumer(
        &mut self,
        key: &ConsumerKey,
        row: &ConsumerRow,
        parked: &[(String, Option<ParkedRow>)],
    ) -> Result<Outcome, Unavailable> {
        if self.consumer_table().get((&*key.owner, &*key.name))?.is_none() {
            return Ok(Outcome::Absent);
        }
        self.put_consumer(key, &row.encode()?)?;
        for (event, row) in parked {
            let row = row.as_ref().map(ParkedRow::encode).transpose()?;
            self.put_parked(key, event, row.as_deref())?;
        }
        Ok(Outcome::Made)
    }

    fn delete_consumer(&mut self, key: &ConsumerKey) -> Result<Outcome, Unavailable> {
        let existed = self.remove_consumer(key)?;
        Ok(if existed { Outcome::Made } else { Outcome::Absent })
    }

    /// Deletes all consumers of a user.
    pub(crate) fn remove_consumers(&mut self, name: &Localpart) -> Result<(), Unavailable> {
        let owner = owner_of(name);
        for name in self.consumers_of(&owner)? {
            self.remove_consumer(&ConsumerKey { owner: owner.clone(), name })?;
        }
        Ok(())
    }

    /// The names of the consumers of an owner.
    fn consumers_of(&self, owner: &str) -> Result<Vec<String>, Unavailable> {
        let mut names = Vec::new();
        for row in self.consumer_table().range((owner, "")..)? {
            let (key, _) = row?;
            let (of, name) = key.value();
            if of != owner {
                break;
            }
            names.push(name.to_owned());
        }
        Ok(names)
    }
}
