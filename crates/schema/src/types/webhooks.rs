//! Incoming webhooks of rooms.

use async_graphql::{Context, ID, Object, Result};
use rookery_accounts::Webhook;
use rookery_domain::{OwnedRoomId, OwnedUserId, RoomId};

use crate::{
    context::{app, page_size, session},
    reads::reads,
    types::{
        errors::fault::Fault,
        users::user::User,
        values::{
            connection::{Page, connection, key},
            scalars::DateTime,
            text::{Text, UriText},
        },
    },
};

connection!(
    IncomingWebhookConnection,
    IncomingWebhookEdge,
    IncomingWebhook,
    "A page of the incoming webhooks of a room."
);

/// Webhooks on a page, by default.
pub const PAGE_DEFAULT: usize = 20;

/// An incoming webhook: an address to which other programs post messages of a room, as they post
/// them to Slack. Only users who may change it see it.
#[derive(Clone)]
pub struct IncomingWebhook {
    webhook: Webhook,
    user: OwnedUserId,
    creator: OwnedUserId,
    room: OwnedRoomId,
}

impl IncomingWebhook {
    /// A webhook as it is stored.
    ///
    /// # Errors
    /// [`Fault`] if its IDs are damaged.
    pub fn of(webhook: Webhook) -> Result<Self, Fault> {
        let (room, user) = parties(&webhook)?;
        let creator = webhook.creator.as_str().try_into().map_err(damaged)?;
        Ok(Self { webhook, user, creator, room })
    }
}

/// The room of a webhook, and its user.
pub fn parties(webhook: &Webhook) -> Result<(OwnedRoomId, OwnedUserId), Fault> {
    let room = webhook.room_id.as_str().try_into().map_err(damaged)?;
    let user = webhook.user_id.as_str().try_into().map_err(damaged)?;
    Ok((room, user))
}

fn damaged<E>(_: E) -> Fault {
    Fault::internal("the record of a webhook has a damaged ID")
}

/// An incoming webhook: an address to which other programs post messages of a room, as they post
/// them to Slack. Only users who may change it see it.
#[Object]
impl IncomingWebhook {
    /// The ID of the webhook.
    async fn webhook_id(&self) -> ID {
        self.webhook.id.as_str().into()
    }

    /// Its name.
    async fn name(&self) -> Text {
        Text(self.webhook.name.clone())
    }

    /// The `mxc:` address of its avatar.
    async fn avatar_url(&self) -> Option<UriText> {
        self.webhook.avatar_url.clone().map(UriText)
    }

    /// The user as whom it posts.
    async fn user(&self) -> User {
        User::in_room(self.user.clone(), self.room.clone())
    }

    /// The user who made it.
    async fn creator(&self) -> User {
        User::in_room(self.creator.clone(), self.room.clone())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(rookery_log::Millis(self.webhook.created.0))
    }

    /// Whether names in its messages mention users and the room.
    async fn may_mention(&self) -> bool {
        self.webhook.may_mention
    }

    /// Whether it can post: it has a secret, and its user is in the room. `rotateIncomingWebhook`
    /// gives it both.
    async fn is_active(&self, context: &Context<'_>) -> bool {
        let view = app(context).models.view();
        self.webhook.has_secret && view.is_joined(&self.room, &self.user)
    }
}

/// A page of the webhooks of a room, by ID. Empty if the viewer may not change them.
pub(crate) async fn page(
    context: &Context<'_>,
    room: &RoomId,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<IncomingWebhookConnection> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let (app, viewer, reads) = (app(context), session(context).viewer()?, reads(context));
    let after = after.map(key).transpose()?;
    reads.pause().await?;
    let may = app.commands.permissions(viewer, room).await;
    let may = may.map_err(|error| Fault::unavailable(&error.to_string()))?;
    if !may.manage_webhooks {
        return Ok(IncomingWebhookConnection(Page::default()));
    }
    reads.look_at_rows(limit)?;
    let webhooks = app.accounts.webhooks_of_room(room.as_str(), after.as_deref(), limit + 1);
    let webhooks = webhooks.map_err(|fault| Fault::accounts_unavailable(&fault))?;
    let webhooks = webhooks.into_iter().map(IncomingWebhook::of).collect::<Result<Vec<_>, _>>()?;
    let key = |webhook: &IncomingWebhook| webhook.webhook.id.clone();
    Ok(IncomingWebhookConnection(Page::read(webhooks, limit, after.is_some(), key)))
}
