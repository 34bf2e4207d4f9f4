//! Incoming webhooks of rooms: each has a user of its own, and a secret that is stored as its SHA-256.
//!
//! **Invariant:** a secret is returned once, when it is made. It works no more once the call that revokes or replaces
//! it answers.
//! **Invariant:** nobody but a webhook gets a name that begins with [`WEBHOOK_PREFIX`].

use redb::ReadTransaction;
use sha2::{Digest as _, Sha256};

use crate::{
    Accounts, Millis, Unavailable, WebhookError,
    file::{
        change::Change,
        format::{Stored as _, StoredUser, StoredWebhook},
        store::{USERS, WEBHOOKS, WEBHOOKS_OF, owned, stored, user},
    },
    passwords::secret::{fill_random, random_secret},
    users::name::Localpart,
};

/// The prefix of the names of webhooks' users. Nobody can register such a name.
pub const WEBHOOK_PREFIX: &str = "hook.";

/// Most incoming webhooks of one room.
pub const WEBHOOKS_OF_ROOM_MAX: usize = 50;

/// Most incoming webhooks that one user has made.
pub const WEBHOOKS_OF_USER_MAX: usize = 200;

/// The letters of an ID: 16 of 32 are 80 random bits.
const ID_LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const ID_LENGTH: usize = 16;

/// An incoming webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its ID.
    pub id: String,
    /// The ID of the user as whom it posts.
    pub user_id: String,
    /// The room.
    pub room_id: String,
    /// The ID of the user who made it.
    pub creator: String,
    /// The name of its user.
    pub name: String,
    /// The `mxc:` address of the avatar of its user.
    pub avatar_url: Option<String>,
    /// Whether its messages may mention users and the room.
    pub may_mention: bool,
    /// When it was made.
    pub created: Millis,
    /// Whether it has a secret. Without one it is about to be deleted.
    pub has_secret: bool,
}

/// The webhook to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWebhook {
    /// The room.
    pub room_id: String,
    /// The ID of the user who makes it.
    pub creator: String,
    /// The name of its user.
    pub name: String,
    /// The `mxc:` address of the avatar of its user.
    pub avatar_url: Option<String>,
    /// Whether its messages may mention users and the room.
    pub may_mention: bool,
}

/// The secret of a webhook: 256 random bits. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

/// The outcome of a request with an ID and a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookLogin {
    /// The secret is that of this webhook.
    Known(Webhook),
    /// The webhook has another secret.
    WrongSecret,
    /// There is no such webhook, or its user is deactivated.
    Unknown,
}

impl WebhookSecret {
    fn generate() -> Result<(Self, [u8; 32]), Unavailable> {
        let (_, secret) = random_secret()?;
        let hash = hash(&secret);
        Ok((Self(secret), hash))
    }

    /// The secret as text, 43 characters for the path of an address. Send it to its owner and do not keep it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(hidden)")
    }
}

/// 256 random bits need no salt and no slow hash. Comparing hashes tells nothing about the secret.
fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

impl Accounts {
    /// Makes a webhook and its user, in one transaction.
    ///
    /// # Errors
    /// [`WebhookError::TooMany`] if the room or the user has as many as allowed, or a fault.
    pub async fn create_webhook(
        &self,
        new: NewWebhook,
        now: Millis,
    ) -> Result<(Webhook, WebhookSecret), WebhookError> {
        let id = new_id()?;
        let name = self.webhook_name(&id)?;
        let (secret, hash) = WebhookSecret::generate()?;
        let stored = StoredWebhook {
            room_id: new.room_id,
            creator: new.creator,
            name: new.name,
            avatar_url: new.avatar_url,
            may_mention: new.may_mention,
            created: now,
            secret: Some(hash),
        };
        let webhook = self.describe_webhook(&id, stored.clone());
        self.change(move |change| {
            for (owner, max) in
                [(&stored.room_id, WEBHOOKS_OF_ROOM_MAX), (&stored.creator, WEBHOOKS_OF_USER_MAX)]
            {
                if owned(&change.webhooks_of, owner, None, max, Ok)?.len() >= max {
                    return Err(WebhookError::TooMany { max });
                }
            }
            change.put_user(&name, &StoredUser::without_password(now))?;
            Ok(change.put_webhook(&id, &stored)?)
        })
        .await?;
        Ok((webhook, secret))
    }

    /// The webhook with this ID.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn webhook(&self, id: &str) -> Result<Option<Webhook>, Unavailable> {
        let stored = self.inner.read(|read| stored_webhook(read, id))?;
        Ok(stored.map(|stored| self.describe_webhook(id, stored)))
    }

    /// The webhook with this ID, if `secret` is its secret. The call stores nothing.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn log_in_webhook(&self, id: &str, secret: &str) -> Result<WebhookLogin, Unavailable> {
        let hash = hash(secret);
        self.inner.read(|read| {
            let Some(stored) = stored_webhook(read, id)? else { return Ok(WebhookLogin::Unknown) };
            if stored.secret != Some(hash) {
                return Ok(WebhookLogin::WrongSecret);
            }
            let name = user_name(id);
            let owner = user(&read.open_table(USERS)?, &name)?;
            if owner.is_none_or(|user| user.deactivated.is_some()) {
                return Ok(WebhookLogin::Unknown);
            }
            Ok(WebhookLogin::Known(self.describe_webhook(id, stored)))
        })
    }

    /// The webhooks of a room by ID, at most `limit`, after the one with the ID `after`.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn webhooks_of_room(
        &self,
        room_id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Webhook>, Unavailable> {
        self.inner.read(|read| {
            let table = read.open_table(WEBHOOKS_OF)?;
            let mut webhooks = Vec::new();
            for (id, ()) in owned(&table, room_id, after, limit, Ok)? {
                let stored = stored_webhook(read, &id)?;
                webhooks.extend(stored.map(|stored| self.describe_webhook(&id, stored)));
            }
            Ok(webhooks)
        })
    }

    /// Gives a webhook a new secret; the previous one works no more. `None` if there is no such webhook.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn rotate_webhook(&self, id: &str) -> Result<Option<WebhookSecret>, Unavailable> {
        let (secret, hash) = WebhookSecret::generate()?;
        let is_set = self.set_webhook_secret(id, Some(hash)).await?;
        Ok(is_set.then_some(secret))
    }

    /// Takes its secret from a webhook. Returns whether there is such a webhook.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn revoke_webhook(&self, id: &str) -> Result<bool, Unavailable> {
        self.set_webhook_secret(id, None).await
    }

    async fn set_webhook_secret(
        &self,
        id: &str,
        secret: Option<[u8; 32]>,
    ) -> Result<bool, Unavailable> {
        let id = id.to_owned();
        self.change(move |change| {
            let Some(mut webhook): Option<StoredWebhook> = stored(&change.webhooks, &*id)? else {
                return Ok(false);
            };
            webhook.secret = secret;
            change.put_webhook(&id, &webhook)?;
            Ok(true)
        })
        .await
    }

    /// Deletes a webhook, and deactivates its user. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn delete_webhook(&self, id: &str, now: Millis) -> Result<(), Unavailable> {
        let (id, name) = (id.to_owned(), user_name(id));
        self.change(move |change| {
            change.remove_webhook(&id)?;
            let Some(mut user) = change.user(&name)? else { return Ok(()) };
            if user.deactivated.is_none() {
                user.deactivated = Some(now);
                change.put_user(&name, &user)?;
            }
            Ok(())
        })
        .await
    }

    /// Removes a webhook and its user, of whom the log has no event. Call it only then: another user could get the
    /// name of a user who is in the log.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn discard_webhook(&self, id: &str) -> Result<(), Unavailable> {
        let (id, name) = (id.to_owned(), user_name(id));
        self.change(move |change| {
            change.remove_webhook(&id)?;
            change.remove_user(&name)
        })
        .await
    }

    /// The name of the user of a webhook. A server with a very long name has none.
    fn webhook_name(&self, id: &str) -> Result<Localpart, Unavailable> {
        Localpart::parse(&format!("{WEBHOOK_PREFIX}{id}"), self.server_name())
            .map_err(|error| Unavailable::new(format!("a webhook cannot have a user: {error}")))
    }

    fn describe_webhook(&self, id: &str, stored: StoredWebhook) -> Webhook {
        let user = user_name(id);
        Webhook {
            id: id.to_owned(),
            user_id: user.user_id(self.server_name()),
            room_id: stored.room_id,
            creator: stored.creator,
            name: stored.name,
            avatar_url: stored.avatar_url,
            may_mention: stored.may_mention,
            created: stored.created,
            has_secret: stored.secret.is_some(),
        }
    }
}

/// The name of the user of a webhook.
fn user_name(id: &str) -> Localpart {
    Localpart::stored(&format!("{WEBHOOK_PREFIX}{id}"))
}

/// The ID of a new webhook.
pub(crate) fn new_id() -> Result<String, Unavailable> {
    let mut bytes = [0; ID_LENGTH];
    fill_random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(ID_LETTERS[usize::from(byte % 32)])).collect())
}

fn stored_webhook(read: &ReadTransaction, id: &str) -> Result<Option<StoredWebhook>, Unavailable> {
    stored(&read.open_table(WEBHOOKS)?, id)
}

impl Change<'_> {
    fn put_webhook(&mut self, id: &str, webhook: &StoredWebhook) -> Result<(), Unavailable> {
        self.note_change();
        self.webhooks.insert(id, webhook.encode()?.as_slice())?;
        for owner in [&webhook.room_id, &webhook.creator] {
            self.webhooks_of.insert((owner.as_str(), id), ())?;
        }
        Ok(())
    }

    fn remove_webhook(&mut self, id: &str) -> Result<(), Unavailable> {
        let Some(webhook) = stored::<_, StoredWebhook>(&self.webhooks, id)? else { return Ok(()) };
        self.note_change();
        self.webhooks.remove(id)?;
        for owner in [&webhook.room_id, &webhook.creator] {
            self.webhooks_of.remove((owner.as_str(), id))?;
        }
        Ok(())
    }
}
