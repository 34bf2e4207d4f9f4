//! Mutations about the incoming webhooks of rooms.
//!
//! **Invariant:** a webhook exists before its user is invited, and its secret is gone before its user leaves. So
//! whatever stops a mutation in between leaves a webhook that is listed, posts nothing, and can be finished
//! (`rotateIncomingWebhook`) or deleted.

mod member;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rookery_accounts::{NewWebhook, Webhook, WebhookSecret};
use rookery_command::HandleError;
use rookery_domain::{Account, AccountCommand, Profile, Rejection};
use rookery_schema::{
    context::{app, millis, session},
    types::{
        errors::{
            fault::Fault,
            refusal::{Refusal, RefusalCode, refused},
        },
        values::scalars::{RoomIdScalar, Uri},
        webhooks::{IncomingWebhook, parties},
    },
};

use self::member::{bring_in, take_out};
use super::accounts::refused as refused_by_accounts;

/// The webhook to make.
#[derive(InputObject)]
pub(crate) struct CreateIncomingWebhookInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The name under which it posts.
    name: String,
    /// The `mxc:` address of its picture.
    avatar_url: Option<Uri>,
    /// Whether names in its messages mention users and the room. Otherwise they stay words.
    #[graphql(default)]
    may_mention: bool,
}

/// The webhook that gets a new secret.
#[derive(InputObject)]
pub(crate) struct RotateIncomingWebhookInput {
    /// The webhook.
    webhook_id: ID,
}

/// The webhook to delete.
#[derive(InputObject)]
pub(crate) struct DeleteIncomingWebhookInput {
    /// The webhook.
    webhook_id: ID,
}

/// Defines the payload of a mutation that makes a secret.
macro_rules! secret_payload {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            /// The webhook. Null if it was refused.
            webhook: Option<IncomingWebhook>,
            /// The path to which programs post, on the address of this server. It contains the
            /// secret, and nothing shows it again. Null if it was refused.
            path: Option<String>,
            /// Why it was refused. Null if it was not.
            refusal: Option<Refusal>,
        }

        impl $name {
            fn of(made: Result<(Webhook, WebhookSecret), Refusal>) -> Result<Self, Fault> {
                Ok(match made {
                    Ok((webhook, secret)) => Self {
                        path: Some(format!("/hooks/{}/{}", webhook.id, secret.expose())),
                        webhook: Some(IncomingWebhook::of(webhook)?),
                        refusal: None,
                    },
                    Err(refusal) => Self { webhook: None, path: None, refusal: Some(refusal) },
                })
            }
        }
    };
}

secret_payload!(CreateIncomingWebhookPayload, "The result of `createIncomingWebhook`.");
secret_payload!(RotateIncomingWebhookPayload, "The result of `rotateIncomingWebhook`.");

/// The result of `deleteIncomingWebhook`.
#[derive(SimpleObject)]
pub(crate) struct DeleteIncomingWebhookPayload {
    /// The ID of the deleted webhook. Null if it was refused.
    webhook_id: Option<ID>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations about incoming webhooks.
#[derive(Default)]
pub(crate) struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Makes an incoming webhook: an address to which other programs post messages of a room, as
    /// they post them to Slack. It posts as a user of its own, whom you invite by this.
    async fn create_incoming_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook to make.")] input: CreateIncomingWebhookInput,
    ) -> Result<CreateIncomingWebhookPayload> {
        Ok(CreateIncomingWebhookPayload::of(create(context, input).await?)?)
    }

    /// Gives an incoming webhook a new secret, and lets its user into the room again if it is not
    /// there. The previous secret works no more.
    async fn rotate_incoming_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook that gets a new secret.")] input: RotateIncomingWebhookInput,
    ) -> Result<RotateIncomingWebhookPayload> {
        Ok(RotateIncomingWebhookPayload::of(rotate(context, &input.webhook_id).await?)?)
    }

    /// Deletes an incoming webhook. Its secret works no more, and its user leaves the room. Its
    /// messages stay.
    async fn delete_incoming_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook to delete.")] input: DeleteIncomingWebhookInput,
    ) -> Result<DeleteIncomingWebhookPayload> {
        Ok(match delete(context, &input.webhook_id).await? {
            Ok(()) => {
                DeleteIncomingWebhookPayload { webhook_id: Some(input.webhook_id), refusal: None }
            }
            Err(refusal) => {
                DeleteIncomingWebhookPayload { webhook_id: None, refusal: Some(refusal) }
            }
        })
    }
}

async fn create(
    context: &Context<'_>,
    input: CreateIncomingWebhookInput,
) -> Result<Result<(Webhook, WebhookSecret), Refusal>, Fault> {
    let (app, session) = (app(context), session(context));
    let actor = session.actor()?;
    let room = input.room_id.0;
    let may = app.commands.require_webhooks(&actor.user, &room).await;
    if let Err(refusal) =
        refused(context, may.and_then(|()| check_profile(&input.name, input.avatar_url.as_ref())))?
    {
        return Ok(Err(refusal));
    }
    let new = NewWebhook {
        room_id: room.to_string(),
        creator: actor.user.to_string(),
        name: input.name,
        avatar_url: input.avatar_url.map(|url| url.0),
        may_mention: input.may_mention,
    };
    let made = app.accounts.create_webhook(new, millis(session.received)).await;
    let (webhook, secret) = match refused_by_accounts(context, made)? {
        Ok(made) => made,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Err(refusal) = bring_in(context, &actor, &webhook, true).await? {
        return Ok(Err(refusal));
    }
    Ok(Ok((webhook, secret)))
}

async fn rotate(
    context: &Context<'_>,
    id: &str,
) -> Result<Result<(Webhook, WebhookSecret), Refusal>, Fault> {
    let (app, actor) = (app(context), session(context).actor()?);
    let Some(webhook) = changeable(context, id).await? else { return Ok(Err(no_such_webhook())) };
    if let Err(refusal) = bring_in(context, &actor, &webhook, false).await? {
        return Ok(Err(refusal));
    }
    let secret = app.accounts.rotate_webhook(id).await;
    let secret = secret.map_err(|fault| Fault::accounts_unavailable(&fault))?;
    // Another user may have deleted it meanwhile.
    let Some(secret) = secret else { return Ok(Err(no_such_webhook())) };
    Ok(Ok((Webhook { has_secret: true, ..webhook }, secret)))
}

async fn delete(context: &Context<'_>, id: &str) -> Result<Result<(), Refusal>, Fault> {
    let (app, session) = (app(context), session(context));
    let Some(webhook) = changeable(context, id).await? else { return Ok(Err(no_such_webhook())) };
    let unavailable = |fault| Fault::accounts_unavailable(&fault);
    app.accounts.revoke_webhook(id).await.map_err(unavailable)?;
    take_out(context, &webhook).await?;
    app.accounts.delete_webhook(id, millis(session.received)).await.map_err(unavailable)?;
    Ok(Ok(()))
}

/// The webhook, if the viewer may change it. Others do not learn whether there is one.
async fn changeable(context: &Context<'_>, id: &str) -> Result<Option<Webhook>, Fault> {
    let (app, viewer) = (app(context), session(context).viewer()?);
    let webhook = app.accounts.webhook(id).map_err(|fault| Fault::accounts_unavailable(&fault))?;
    let Some(webhook) = webhook else { return Ok(None) };
    let (room, _) = parties(&webhook)?;
    let may = app.commands.require_webhooks(viewer, &room).await;
    Ok(refused(context, may)?.is_ok().then_some(webhook))
}

fn no_such_webhook() -> Refusal {
    let message =
        "there is no such webhook, or you may not change it: see `incomingWebhooks` of the room";
    let refusal = Refusal::of(RefusalCode::NoSuchWebhook, message.to_owned());
    Refusal { field: Some("webhookId".to_owned()), ..refusal }
}

/// Refuses names and avatars that no profile may have, and names that show nothing.
pub(crate) fn check_profile(name: &str, avatar_url: Option<&Uri>) -> Result<(), HandleError> {
    if rookery_domain::shows_nothing(name) {
        return Err(Rejection::ShowsNothing { what: "the name of a webhook" }.into());
    }
    let avatar_url = avatar_url.map(|url| url.0.clone());
    let profile = Profile { displayname: Some(name.to_owned()), avatar_url };
    Account::default().decide(&AccountCommand::SetProfile { profile })?;
    Ok(())
}
