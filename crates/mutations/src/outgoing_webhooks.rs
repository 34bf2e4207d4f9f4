//! Mutations about the outgoing webhooks of users.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rookery_accounts::{NewOutgoingWebhook, OutgoingWebhook as Stored};
use rookery_domain::{OwnedRoomId, Rejection};
use rookery_schema::{
    context::{app, session},
    types::{
        errors::{
            fault::Fault,
            refusal::{Refusal, RefusalCode, refused},
        },
        filter::{FilterBy, chosen},
        outgoing_webhooks::{OutgoingWebhook, outgoing},
        values::scalars::RoomIdScalar,
    },
};

use crate::{accounts::refused as refused_by_accounts, webhooks::check_profile};

/// The outgoing webhook to make.
#[derive(InputObject)]
pub(crate) struct CreateOutgoingWebhookInput {
    /// Its name.
    name: String,
    /// The address to which the server sends, with `https`.
    url: String,
    /// Only events of this room, of which you are a member. All your rooms by default.
    room_id: Option<RoomIdScalar>,
    /// Only these events. All by default.
    filter: Option<FilterBy>,
}

/// The outgoing webhook that gets a new secret.
#[derive(InputObject)]
pub(crate) struct RotateOutgoingWebhookInput {
    /// The webhook.
    webhook_id: ID,
}

/// The outgoing webhook to resume.
#[derive(InputObject)]
pub(crate) struct ResumeOutgoingWebhookInput {
    /// The webhook.
    webhook_id: ID,
}

/// The outgoing webhook to delete.
#[derive(InputObject)]
pub(crate) struct DeleteOutgoingWebhookInput {
    /// The webhook.
    webhook_id: ID,
}

/// The result of `createOutgoingWebhook`.
#[derive(SimpleObject)]
pub(crate) struct CreateOutgoingWebhookPayload {
    /// The webhook. Null if it was refused.
    webhook: Option<OutgoingWebhook>,
    /// The secret of its signatures. Nothing shows it again. Null if it was refused.
    secret: Option<String>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The result of `rotateOutgoingWebhook`.
#[derive(SimpleObject)]
pub(crate) struct RotateOutgoingWebhookPayload {
    /// The webhook. Null if it was refused.
    webhook: Option<OutgoingWebhook>,
    /// The new secret. Nothing shows it again. Null if it was refused.
    secret: Option<String>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The result of `resumeOutgoingWebhook`.
#[derive(SimpleObject)]
pub(crate) struct ResumeOutgoingWebhookPayload {
    /// The webhook. Null if it was refused.
    webhook: Option<OutgoingWebhook>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The result of `deleteOutgoingWebhook`.
#[derive(SimpleObject)]
pub(crate) struct DeleteOutgoingWebhookPayload {
    /// The ID of the deleted webhook. Null if it was refused.
    webhook_id: Option<ID>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations about outgoing webhooks.
#[derive(Default)]
pub(crate) struct OutgoingWebhookMutation;

#[Object]
impl OutgoingWebhookMutation {
    /// Makes an outgoing webhook: the server sends the events that you may see to an address, from now
    /// on, in signed batches. A batch comes again until the address answers with a status from 200 to
    /// 299.
    async fn create_outgoing_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook to make.")] input: CreateOutgoingWebhookInput,
    ) -> Result<CreateOutgoingWebhookPayload> {
        Ok(match create(context, input).await? {
            Ok(made) => CreateOutgoingWebhookPayload {
                secret: Some(made.secret.expose()),
                webhook: Some(OutgoingWebhook::of(made)?),
                refusal: None,
            },
            Err(refusal) => CreateOutgoingWebhookPayload {
                webhook: None,
                secret: None,
                refusal: Some(refusal.in_input_of(context)),
            },
        })
    }

    /// Gives an outgoing webhook a new secret. Requests that begin after the answer are signed with it.
    async fn rotate_outgoing_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook that gets a new secret.")] input: RotateOutgoingWebhookInput,
    ) -> Result<RotateOutgoingWebhookPayload> {
        let rotated = match own(context, &input.webhook_id)? {
            Some(webhook) => {
                let secret = outgoing(app(context))?.rotate(&webhook.id).await;
                let secret = secret.map_err(|fault| Fault::accounts_unavailable(&fault))?;
                secret.map(|secret| (webhook, secret))
            }
            None => None,
        };
        Ok(match rotated {
            Some((webhook, secret)) => RotateOutgoingWebhookPayload {
                webhook: Some(OutgoingWebhook::of(webhook)?),
                secret: Some(secret.expose()),
                refusal: None,
            },
            None => RotateOutgoingWebhookPayload {
                webhook: None,
                secret: None,
                refusal: Some(no_such_webhook(context)),
            },
        })
    }

    /// Lets an outgoing webhook go on where it stopped, at once: after the server gave up, or during the
    /// pause before its next try.
    async fn resume_outgoing_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook to resume.")] input: ResumeOutgoingWebhookInput,
    ) -> Result<ResumeOutgoingWebhookPayload> {
        if let Some(webhook) = own(context, &input.webhook_id)? {
            let now = session(context).received;
            let resumed = outgoing(app(context))?.resume(&webhook.id, now).await;
            resumed.map_err(|fault| Fault::accounts_unavailable(&fault))?;
        }
        let webhook = own(context, &input.webhook_id)?.map(OutgoingWebhook::of).transpose()?;
        let refusal = webhook.is_none().then(|| no_such_webhook(context));
        Ok(ResumeOutgoingWebhookPayload { webhook, refusal })
    }

    /// Deletes an outgoing webhook. No request begins after the answer.
    async fn delete_outgoing_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook to delete.")] input: DeleteOutgoingWebhookInput,
    ) -> Result<DeleteOutgoingWebhookPayload> {
        let existed = match own(context, &input.webhook_id)? {
            Some(webhook) => {
                let existed = outgoing(app(context))?.delete(&webhook).await;
                existed.map_err(|fault| Fault::accounts_unavailable(&fault))?
            }
            None => false,
        };
        Ok(if existed {
            DeleteOutgoingWebhookPayload { webhook_id: Some(input.webhook_id), refusal: None }
        } else {
            let refusal = Some(no_such_webhook(context));
            DeleteOutgoingWebhookPayload { webhook_id: None, refusal }
        })
    }
}

async fn create(
    context: &Context<'_>,
    input: CreateOutgoingWebhookInput,
) -> Result<Result<Stored, Refusal>, Fault> {
    let (app, session) = (app(context), session(context));
    let viewer = session.viewer()?;
    if let Err(refusal) = refused(context, check_profile(&input.name, None))? {
        return Ok(Err(refusal));
    }
    let webhooks = outgoing(app)?;
    if let Err(error) = webhooks.check(&input.url) {
        return Ok(Err(Refusal::of(RefusalCode::UrlInvalid, format!("`url` {error}"))));
    }
    let room = input.room_id.map(|room| room.0);
    if let Some(room) = &room {
        app.fresh(session, None).await?;
        let is_member = app.models.view().is_joined(room, viewer);
        let member = if is_member { Ok(()) } else { Err(Rejection::NotAMember.into()) };
        if let Err(refusal) = refused(context, member)? {
            return Ok(Err(refusal));
        }
    }
    let filter =
        chosen(context, input.filter).await?.map_or_else(Default::default, Arc::unwrap_or_clone);
    let filter = in_room(filter, room.as_ref());
    let filter = serde_json::to_string(&filter.normal());
    let new = NewOutgoingWebhook {
        owner: viewer.to_string(),
        room_id: room.map(|room| room.to_string()),
        name: input.name,
        url: input.url,
        filter: filter.map_err(|error| Fault::internal(&error.to_string()))?,
    };
    refused_by_accounts(context, webhooks.create(new, session.received).await)
}

/// The filter, for events of this room alone.
fn in_room(filter: rookery_domain::Filter, room: Option<&OwnedRoomId>) -> rookery_domain::Filter {
    let Some(room) = room else { return filter };
    let is_wanted = filter.wants_room(room);
    let rooms = if is_wanted { vec![room.clone()] } else { Vec::new() };
    rookery_domain::Filter { rooms: Some(rooms), ..filter }
}

/// The webhook, if it is the viewer's. Others do not learn whether there is one.
fn own(context: &Context<'_>, id: &str) -> Result<Option<Stored>, Fault> {
    let viewer = session(context).viewer()?;
    let found = outgoing(app(context))?.get(id);
    let found = found.map_err(|fault| Fault::accounts_unavailable(&fault))?;
    Ok(found.filter(|webhook| webhook.owner == viewer.as_str()))
}

fn no_such_webhook(context: &Context<'_>) -> Refusal {
    let message = "you have no such webhook: see `viewer { outgoingWebhooks }`";
    Refusal::of(RefusalCode::NoSuchWebhook, message.to_owned()).in_input_of(context)
}
