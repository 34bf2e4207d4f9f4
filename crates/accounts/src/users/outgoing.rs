//! Outgoing webhooks of users: where to send, what to send, the secret for signatures, and how sending goes.
//!
//! **Invariant:** a webhook ends with the account of its owner, in the same transaction, and its consumer with it.
//! **Invariant:** a change of the state names the run that it is about, so that an older one changes nothing.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use redb::ReadableTableMetadata as _;
use serde::{Deserialize, Serialize};

use crate::{
    Accounts, ConsumerKey, Millis, Unavailable, WebhookError,
    consumers::row::KIND_SIGN,
    file::{
        change::Change,
        format::Stored,
        store::{OUTGOING, OUTGOING_OF, owned, stored},
    },
    passwords::secret::fill_random,
    users::{name::Localpart, webhooks::new_id},
};

/// Most outgoing webhooks of one user.
pub const OUTGOING_WEBHOOKS_OF_USER_MAX: usize = 10;

/// Most outgoing webhooks that are for one room alone.
pub const OUTGOING_WEBHOOKS_OF_ROOM_MAX: usize = 50;

/// Most outgoing webhooks of all users.
pub const OUTGOING_WEBHOOKS_MAX: u64 = 1_000;

/// Begins the secret of a webhook as text, as in the Standard Webhooks specification.
const SECRET_PREFIX: &str = "whsec_";

/// The key of the signatures of a webhook: 256 random bits. The file keeps it as it is, since each request needs it.
/// `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingSecret([u8; 32]);

impl OutgoingSecret {
    fn generate() -> Result<Self, Unavailable> {
        let mut bits = [0; 32];
        fill_random(&mut bits)?;
        Ok(Self(bits))
    }

    /// A known key.
    #[cfg(test)]
    pub(crate) fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret as text. Send it to its owner and do not keep it.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(self.0))
    }
}

impl std::fmt::Debug for OutgoingSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OutgoingSecret(hidden)")
    }
}

/// How sending goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingState {
    /// When it was made, or last resumed: names a run.
    pub begun: Millis,
    /// When the first of the failures since the last success was.
    pub failing_since: Option<Millis>,
    /// How many failures there were since the last success.
    pub failures: u32,
    /// The reason of the last of them.
    pub last_error: Option<String>,
    /// When the server gave up.
    pub disabled: Option<Millis>,
}

impl OutgoingState {
    /// A run that begins.
    #[must_use]
    pub fn new(begun: Millis) -> Self {
        Self { begun, failing_since: None, failures: 0, last_error: None, disabled: None }
    }
}

/// An outgoing webhook, by ID.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredOutgoing {
    /// The local part of its owner.
    pub(crate) owner: String,
    pub(crate) room_id: Option<String>,
    pub(crate) name: String,
    pub(crate) url: String,
    /// JSON, which the accounts do not read.
    pub(crate) filter: String,
    pub(crate) created: Millis,
    pub(crate) secret: OutgoingSecret,
    pub(crate) state: OutgoingState,
}

impl Stored for StoredOutgoing {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "the record of an outgoing webhook";
}

/// An outgoing webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingWebhook {
    /// Its ID.
    pub id: String,
    /// The ID of its owner.
    pub owner: String,
    /// The room, if it is for one alone.
    pub room_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it sends.
    pub url: String,
    /// The filter, as JSON.
    pub filter: String,
    /// When it was made.
    pub created: Millis,
    /// The key of its signatures.
    pub secret: OutgoingSecret,
    /// How sending goes.
    pub state: OutgoingState,
}

impl OutgoingWebhook {
    /// The name of its consumer, among those of its owner. No user can give a consumer such a name.
    #[must_use]
    pub fn consumer_name(&self) -> String {
        consumer_name(&self.id)
    }
}

fn consumer_name(id: &str) -> String {
    format!("webhook{KIND_SIGN}{id}")
}

/// The outgoing webhook to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutgoingWebhook {
    /// The ID of its owner.
    pub owner: String,
    /// The room, if it is for one alone.
    pub room_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it sends.
    pub url: String,
    /// The filter, as JSON.
    pub filter: String,
}

impl Accounts {
    /// Makes an outgoing webhook.
    ///
    /// # Errors
    /// [`WebhookError::TooMany`] if the user, the room or the server has as many as allowed, or a fault.
    pub async fn create_outgoing_webhook(
        &self,
        new: NewOutgoingWebhook,
        now: Millis,
    ) -> Result<OutgoingWebhook, WebhookError> {
        let id = new_id()?;
        let no_owner = || Unavailable::new("the owner of the webhook has no account");
        let name = self.inner.find(&new.owner).ok_or_else(no_owner)?;
        let stored = StoredOutgoing {
            owner: name.to_string(),
            room_id: new.room_id,
            name: new.name,
            url: new.url,
            filter: new.filter,
            created: now,
            secret: OutgoingSecret::generate()?,
            state: OutgoingState::new(now),
        };
        let made = self.describe_outgoing(&id, stored.clone());
        self.change(move |change| {
            if change.user(&name)?.is_none_or(|user| user.deactivated.is_some()) {
                return Err(no_owner().into());
            }
            let room = stored.room_id.as_deref();
            let of_user = Some((&*stored.owner, OUTGOING_WEBHOOKS_OF_USER_MAX));
            let of_room = room.map(|room| (room, OUTGOING_WEBHOOKS_OF_ROOM_MAX));
            for (of, max) in of_user.into_iter().chain(of_room) {
                if owned(&change.outgoing_of, of, None, max, Ok)?.len() >= max {
                    return Err(WebhookError::TooMany { max });
                }
            }
            if change.outgoing.len().map_err(Unavailable::from)? >= OUTGOING_WEBHOOKS_MAX {
                let max = usize::try_from(OUTGOING_WEBHOOKS_MAX).unwrap_or(usize::MAX);
                return Err(WebhookError::TooMany { max });
            }
            Ok(change.put_outgoing(&id, &stored)?)
        })
        .await?;
        Ok(made)
    }

    /// The outgoing webhook with this ID.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn outgoing_webhook(&self, id: &str) -> Result<Option<OutgoingWebhook>, Unavailable> {
        let found = self.inner.read(|read| stored(&read.open_table(OUTGOING)?, id))?;
        Ok(found.map(|stored| self.describe_outgoing(id, stored)))
    }

    /// Up to `limit` outgoing webhooks after the one with the ID `after`, by ID; only those of the user `owner`, if
    /// that is given.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn outgoing_webhooks(
        &self,
        owner: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<OutgoingWebhook>, Unavailable> {
        let owner = owner.map(|owner| self.inner.find(owner).map(|name| name.to_string()));
        self.inner.read(|read| {
            let table = read.open_table(OUTGOING)?;
            let mut found = Vec::new();
            let Some(owner) = owner else {
                for row in table.range(after.unwrap_or_default()..)? {
                    let (id, value) = row?;
                    if found.len() >= limit {
                        break;
                    }
                    if after != Some(id.value()) {
                        let stored = StoredOutgoing::decode(value.value())?;
                        found.push(self.describe_outgoing(id.value(), stored));
                    }
                }
                return Ok(found);
            };
            let Some(owner) = owner else { return Ok(found) };
            for (id, ()) in owned(&read.open_table(OUTGOING_OF)?, &owner, after, limit, Ok)? {
                let Some(value) = table.get(&*id)? else { continue };
                found.push(self.describe_outgoing(&id, StoredOutgoing::decode(value.value())?));
            }
            Ok(found)
        })
    }

    /// Gives an outgoing webhook a new secret. `None` if there is no such webhook.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn rotate_outgoing_webhook(
        &self,
        id: &str,
    ) -> Result<Option<OutgoingSecret>, Unavailable> {
        let secret = OutgoingSecret::generate()?;
        let is_set = self.change_outgoing(id, move |stored| {
            stored.secret = secret;
            true
        });
        Ok(is_set.await?.then_some(secret))
    }

    /// Begins a new run of an outgoing webhook. Returns whether there is such a webhook.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn resume_outgoing_webhook(
        &self,
        id: &str,
        now: Millis,
    ) -> Result<bool, Unavailable> {
        self.change_outgoing(id, move |stored| {
            // Another run, also if the clock stands still.
            let begun = Millis(now.0.max(stored.state.begun.0.saturating_add(1)));
            stored.state = OutgoingState::new(begun);
            true
        })
        .await
    }

    /// Stores how the run of `state` goes. Returns whether it still is the one of this webhook.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn note_outgoing_state(
        &self,
        id: &str,
        state: OutgoingState,
    ) -> Result<bool, Unavailable> {
        self.change_outgoing(id, move |stored| {
            let is_same = stored.state.begun == state.begun;
            if is_same {
                stored.state = state;
            }
            is_same
        })
        .await
    }

    /// Deletes an outgoing webhook with the record of its consumer. Returns whether it existed.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn delete_outgoing_webhook(&self, id: &str) -> Result<bool, Unavailable> {
        let id = id.to_owned();
        self.change(move |change| change.remove_outgoing(&id)).await
    }

    async fn change_outgoing(
        &self,
        id: &str,
        edit: impl FnOnce(&mut StoredOutgoing) -> bool + Send + 'static,
    ) -> Result<bool, Unavailable> {
        let id = id.to_owned();
        self.change(move |change| {
            let Some(mut stored) = change.stored_outgoing(&id)? else { return Ok(false) };
            if !edit(&mut stored) {
                return Ok(false);
            }
            change.put_outgoing(&id, &stored)?;
            Ok(true)
        })
        .await
    }

    fn describe_outgoing(&self, id: &str, stored: StoredOutgoing) -> OutgoingWebhook {
        OutgoingWebhook {
            id: id.to_owned(),
            owner: Localpart::stored(&stored.owner).user_id(self.server_name()),
            room_id: stored.room_id,
            name: stored.name,
            url: stored.url,
            filter: stored.filter,
            created: stored.created,
            secret: stored.secret,
            state: stored.state,
        }
    }
}

impl Change<'_> {
    fn stored_outgoing(&self, id: &str) -> Result<Option<StoredOutgoing>, Unavailable> {
        stored(&self.outgoing, id)
    }

    fn put_outgoing(&mut self, id: &str, stored: &StoredOutgoing) -> Result<(), Unavailable> {
        self.note_change();
        self.outgoing.insert(id, stored.encode()?.as_slice())?;
        for of in std::iter::once(&stored.owner).chain(&stored.room_id) {
            self.outgoing_of.insert((of.as_str(), id), ())?;
        }
        Ok(())
    }

    fn remove_outgoing(&mut self, id: &str) -> Result<bool, Unavailable> {
        let Some(stored) = self.stored_outgoing(id)? else { return Ok(false) };
        self.note_change();
        self.outgoing.remove(id)?;
        for of in std::iter::once(&stored.owner).chain(&stored.room_id) {
            self.outgoing_of.remove((of.as_str(), id))?;
        }
        let owner = crate::consumers::owner_of(&Localpart::stored(&stored.owner));
        self.remove_consumer(&ConsumerKey { owner, name: consumer_name(id) })?;
        Ok(true)
    }

    /// Deletes all outgoing webhooks of a user.
    pub(crate) fn remove_outgoing_of(&mut self, name: &Localpart) -> Result<(), Unavailable> {
        for (id, ()) in owned(&self.outgoing_of, name.as_str(), None, usize::MAX, Ok)? {
            self.remove_outgoing(&id)?;
        }
        Ok(())
    }
}
