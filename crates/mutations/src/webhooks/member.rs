//! The user of a webhook as a member of its room.

use async_graphql::Context;
use rookery_accounts::Webhook;
use rookery_command::{Actor, Command, HandleError, ProfileChange, Retry};
use rookery_domain::{Invitee, OwnedRoomId, RoomCommand};
use rookery_schema::{
    context::{STALE_AFTER, app, millis, session},
    types::{
        errors::{
            fault::Fault,
            refusal::{Refusal, refused},
        },
        webhooks::parties,
    },
};

/// Lets the user of a webhook into its room: `actor` invites it, and it joins under its name. Steps that were done
/// before are left out. If the invite of a new webhook is refused, there is no webhook; the log has nothing of it.
pub(super) async fn bring_in(
    context: &Context<'_>,
    actor: &Actor,
    webhook: &Webhook,
    is_new: bool,
) -> Result<Result<(), Refusal>, Fault> {
    let (room, bot) = acting(context, webhook)?;
    let (app, commands) = (app(context), &app(context).commands);
    let unavailable = |fault| Fault::accounts_unavailable(&fault);
    let invite = RoomCommand::Invite { invitee: Invitee::from(bot.user.clone()), reason: None };
    let invite = Command::InRoom { room: &room, command: &invite };
    let invited = commands.execute(actor, invite, Retry::Unnamed).await;
    if let Err(refusal) = refused(context, invited)? {
        if is_new {
            app.accounts.discard_webhook(&webhook.id).await.map_err(unavailable)?;
        }
        return Ok(Err(refusal));
    }
    match refused(context, join(context, &room, &bot, webhook).await)? {
        Ok(()) => Ok(Ok(())),
        Err(refusal) => {
            if is_new {
                let now = millis(session(context).received);
                app.accounts.delete_webhook(&webhook.id, now).await.map_err(unavailable)?;
            }
            Ok(Err(refusal))
        }
    }
}

async fn join(
    context: &Context<'_>,
    room: &OwnedRoomId,
    bot: &Actor,
    webhook: &Webhook,
) -> Result<(), HandleError> {
    let commands = &app(context).commands;
    let change = ProfileChange {
        displayname: Some(Some(webhook.name.clone())),
        avatar_url: Some(webhook.avatar_url.clone()),
    };
    commands.execute(bot, Command::SetProfile { change: &change }, Retry::Unnamed).await?;
    let join = RoomCommand::Join { reason: None, member_of: None };
    let join = Command::InRoom { room, command: &join };
    let joined = commands.execute(bot, join, Retry::Unnamed).await?;
    app(context).wrote(session(context), joined.position);
    // So that the answer shows the member, unless the server takes longer.
    app(context).models.wait_for(joined.position, STALE_AFTER).await.ok();
    Ok(())
}

/// Lets the user of a webhook leave its room. If the rules refuse that, it stays a member without a secret.
pub(super) async fn take_out(context: &Context<'_>, webhook: &Webhook) -> Result<(), Fault> {
    let (room, bot) = acting(context, webhook)?;
    let leave = RoomCommand::Leave { reason: None, successor: None };
    let leave = Command::InRoom { room: &room, command: &leave };
    let left = app(context).commands.execute(&bot, leave, Retry::Unnamed).await;
    if let Ok(outcome) = refused(context, left)? {
        app(context).wrote(session(context), outcome.position);
    }
    Ok(())
}

/// The room of a webhook, and its user. The server acts for that user, so no rate of users counts it.
fn acting(context: &Context<'_>, webhook: &Webhook) -> Result<(OwnedRoomId, Actor), Fault> {
    let (room, user) = parties(webhook)?;
    let now = session(context).received;
    Ok((room, Actor { user, device: None, now, deliver: None, received: None, service: None }))
}
