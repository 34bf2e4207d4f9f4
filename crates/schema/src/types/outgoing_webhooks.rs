//! Outgoing webhooks of users.

use async_graphql::{Context, ID, Object, Result};
use rookery_accounts::OutgoingWebhook as Stored;
use rookery_delivery::{ChangeError, ConsumerKey, ConsumerOwner};
use rookery_domain::{Filter, OwnedRoomId, OwnedUserId};
use rookery_outgoing_webhooks::OutgoingWebhooks;

use super::{
    filter::FilterShown,
    users::{consumers::consumers_unavailable, user::User},
};
use crate::{
    context::{App, app, page_size},
    reads::reads,
    types::{
        errors::fault::Fault,
        values::{
            connection::{Page, connection, key},
            scalars::{DateTime, RoomIdScalar},
            text::Text,
        },
    },
};

connection!(
    OutgoingWebhookConnection,
    OutgoingWebhookEdge,
    OutgoingWebhook,
    "A page of outgoing webhooks."
);

/// Webhooks on a page, by default.
pub const PAGE_DEFAULT: usize = 20;

/// An outgoing webhook: the server sends the events that its owner may see to an address, in signed
/// batches. Only its owner and administrators see it.
#[derive(Clone)]
pub struct OutgoingWebhook {
    webhook: Stored,
    owner: OwnedUserId,
    room: Option<OwnedRoomId>,
    filter: Filter,
}

impl OutgoingWebhook {
    /// A webhook as it is stored.
    ///
    /// # Errors
    /// [`Fault`] if its record is damaged.
    pub fn of(webhook: Stored) -> Result<Self, Fault> {
        let owner = webhook.owner.as_str().try_into().map_err(damaged)?;
        let room = webhook.room_id.as_deref().map(OwnedRoomId::try_from).transpose();
        let filter = serde_json::from_str(&webhook.filter).map_err(damaged)?;
        Ok(Self { owner, room: room.map_err(damaged)?, filter, webhook })
    }
}

fn damaged<E>(_: E) -> Fault {
    Fault::internal("the record of an outgoing webhook is damaged")
}

/// An outgoing webhook: the server sends the events that its owner may see to an address, in signed
/// batches. Only its owner and administrators see it.
#[Object]
impl OutgoingWebhook {
    /// The ID of the webhook.
    async fn webhook_id(&self) -> ID {
        self.webhook.id.as_str().into()
    }

    /// Its name.
    async fn name(&self) -> Text {
        Text(self.webhook.name.clone())
    }

    /// The address to which the server sends.
    async fn url(&self) -> Text {
        Text(self.webhook.url.clone())
    }

    /// The user whose events it sends.
    async fn owner(&self) -> User {
        User::new(self.owner.clone())
    }

    /// The room whose events it sends. Null if it sends those of all rooms.
    async fn room_id(&self) -> Option<RoomIdScalar> {
        self.room.clone().map(RoomIdScalar)
    }

    /// The events that it sends.
    async fn filter(&self) -> FilterShown {
        FilterShown(self.filter.clone())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        time(self.webhook.created)
    }

    /// Whether the server sends. It stops after failures for a day; `resumeOutgoingWebhook` lets it go
    /// on where it stopped.
    async fn is_active(&self) -> bool {
        self.webhook.state.disabled.is_none()
    }

    /// When the server stopped after too many failures. Null if it did not.
    async fn disabled_at(&self) -> Option<DateTime> {
        self.webhook.state.disabled.map(time)
    }

    /// When the first of the failures since the last success was. Null if there are none.
    async fn failing_since(&self) -> Option<DateTime> {
        self.webhook.state.failing_since.map(time)
    }

    /// How many failures there were since the last success.
    async fn failures(&self) -> i32 {
        i32::try_from(self.webhook.state.failures).unwrap_or(i32::MAX)
    }

    /// The reason of the last of them, in English. Null if there are none.
    async fn last_error(&self) -> Option<Text> {
        self.webhook.state.last_error.clone().map(Text)
    }

    /// When the address last took a batch. Null if it never did.
    async fn delivered_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        let owner = ConsumerOwner::User(self.owner.clone());
        let key = ConsumerKey { owner, name: self.webhook.consumer_name() };
        reads(context).look_at_rows(1)?;
        match app(context).consumers.record(&key).await {
            Ok(record) => Ok(record.acknowledged.map(DateTime)),
            Err(ChangeError::NoSuchConsumer(_)) => Ok(None),
            Err(ChangeError::Fault(fault)) => Err(consumers_unavailable(&fault).into()),
        }
    }
}

fn time(millis: rookery_accounts::Millis) -> DateTime {
    DateTime(rookery_log::Millis(millis.0))
}

/// The outgoing webhooks of the server.
///
/// # Errors
/// [`Fault`] if this program has none.
pub fn outgoing(app: &App) -> Result<&OutgoingWebhooks, Fault> {
    let missing = || Fault::unavailable("this program sends nothing to webhooks");
    app.outgoing_webhooks.as_ref().ok_or_else(missing)
}

/// A page of the outgoing webhooks of `owner`, or of all users, by ID.
pub(crate) async fn page(
    context: &Context<'_>,
    owner: Option<OwnedUserId>,
    (first, after): (Option<i32>, Option<String>),
) -> Result<OutgoingWebhookConnection> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let after = after.as_deref().map(key).transpose()?;
    let reads = reads(context);
    reads.pause().await?;
    let owner = owner.as_ref().map(|owner| owner.as_str());
    let found = outgoing(app(context))?.list(owner, after.as_deref(), limit + 1);
    let found = found.map_err(|fault| Fault::accounts_unavailable(&fault))?;
    reads.look_at_rows(found.len())?;
    let found = found.into_iter().map(OutgoingWebhook::of).collect::<Result<Vec<_>, _>>()?;
    let key = |webhook: &OutgoingWebhook| webhook.webhook.id.clone();
    Ok(OutgoingWebhookConnection(Page::read(found, limit, after.is_some(), key)))
}
