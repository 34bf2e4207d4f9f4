//! Incoming webhooks: the accounts know their secrets, and the write side takes their messages.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use rookery_accounts::{Accounts, WebhookLogin};
use rookery_command::{Actor, Command, Commands, HandleError, Retry};
use rookery_domain::{MessageKind, OwnedRoomId, OwnedUserId, Rejection, RoomCommand};
use rookery_log::Millis;
use rookery_webhooks::{Answer, Hook, HookRates, Hooks, Mentioning, Message};

/// The route of incoming webhooks. `clock` is read for each request.
pub fn webhooks(
    accounts: Accounts,
    commands: Arc<Commands>,
    clock: fn() -> Millis,
    rates: HookRates,
) -> Router {
    let hooks = Arc::new(Stored { accounts, commands, clock });
    rookery_webhooks::router(hooks, rates)
}

struct Stored {
    accounts: Accounts,
    commands: Arc<Commands>,
    clock: fn() -> Millis,
}

#[async_trait]
impl Hooks for Stored {
    fn find(&self, id: &str, secret: &str) -> Result<Hook, Answer> {
        let webhook = match self.accounts.log_in_webhook(id, secret) {
            Ok(WebhookLogin::Known(webhook)) => webhook,
            Ok(WebhookLogin::WrongSecret) => return Err(Answer::InvalidToken),
            Ok(WebhookLogin::Unknown) => return Err(Answer::NoService),
            Err(error) => {
                tracing::error!(%error, "cannot check the secrets of webhooks");
                return Err(Answer::Unavailable);
            }
        };
        let room = OwnedRoomId::try_from(webhook.room_id.as_str());
        let user = OwnedUserId::try_from(webhook.user_id.as_str());
        let (Ok(room_id), Ok(user_id)) = (room, user) else {
            tracing::error!(id, "the record of a webhook has an ID that is none");
            return Err(Answer::Unavailable);
        };
        let mentioning = if webhook.may_mention {
            Mentioning::At(self.commands.server_name().clone())
        } else {
            Mentioning::Never
        };
        Ok(Hook { id: webhook.id, room_id, user_id, mentioning })
    }

    async fn post(&self, hook: &Hook, message: Message) -> Answer {
        let command = RoomCommand::SendMessage {
            kind: MessageKind::Notice,
            body: message.body,
            formatted_body: message.formatted_body,
            relation: None,
            mentions: Some(message.mentions),
        };
        let command = Command::InRoom { room: &hook.room_id, command: &command };
        let (user, now) = (hook.user_id.clone(), (self.clock)());
        let actor = Actor::for_server(user, now);
        match self.commands.execute(&actor, command, Retry::Unnamed).await {
            Ok(_) => Answer::Posted,
            Err(error) => answer(&error),
        }
    }

    fn now_millis(&self) -> u64 {
        (self.clock)().0
    }
}

/// The answer to a message that was not made.
fn answer(error: &HandleError) -> Answer {
    match error {
        HandleError::NoSuchRoom
        | HandleError::Rejected(
            Rejection::NoSuchRoom
            | Rejection::NotAMember
            | Rejection::Banned
            | Rejection::RoomReplaced(_),
        ) => Answer::ChannelIsArchived,
        HandleError::Rejected(Rejection::TooLarge { .. }) | HandleError::TooLarge => {
            Answer::InvalidPayload
        }
        HandleError::Rejected(_) => Answer::ActionProhibited,
        error => {
            tracing::error!(%error, "cannot store the message of a webhook");
            Answer::Unavailable
        }
    }
}
