//! Mutations about account data.

use async_graphql::{Context, InputObject, Json, Object, Result, SimpleObject};
use rookery_command::Command;
use rookery_schema::{
    context::{app, retry, session},
    types::{
        errors::refusal::{Refusal, refused},
        users::account_data::AccountData,
        values::scalars::{PositionScalar, RoomIdScalar},
    },
};

use crate::messages::object;

/// The account data to store.
#[derive(InputObject)]
pub(crate) struct SetAccountDataInput {
    /// The type, such as `com.example.theme`.
    #[graphql(name = "type")]
    kind: String,
    /// The content: a JSON object without fractions. It replaces the content of this type.
    content: Json<serde_json::Value>,
    /// The room that it is about. Leave it out for data about no room.
    room_id: Option<RoomIdScalar>,
    /// Your number for this action: 1, 2, 3 ... on each device.
    action_id: Option<i32>,
}

/// The result of `setAccountData`.
#[derive(SimpleObject)]
pub(crate) struct SetAccountDataPayload {
    /// The account data, as it is stored. Null if it was refused.
    account_data: Option<AccountData>,
    /// A position at which it is stored. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The account data to delete.
#[derive(InputObject)]
pub(crate) struct DeleteAccountDataInput {
    /// The type.
    #[graphql(name = "type")]
    kind: String,
    /// The room that it is about. Leave it out for data about no room.
    room_id: Option<RoomIdScalar>,
    /// Your number for this action: 1, 2, 3 ... on each device.
    action_id: Option<i32>,
}

/// The result of `deleteAccountData`.
#[derive(SimpleObject)]
pub(crate) struct DeleteAccountDataPayload {
    /// The type, of which there is no account data now. Null if it was refused.
    #[graphql(name = "type")]
    kind: Option<String>,
    /// A position at which it does not exist. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations about account data.
#[derive(Default)]
pub(crate) struct AccountDataMutation;

#[Object]
impl AccountDataMutation {
    /// Stores content of your clients for all of your devices: up to 1,000 entries with 1 MiB in
    /// all. No other user sees it, and the server does not interpret it.
    async fn set_account_data(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account data to store.")] input: SetAccountDataInput,
    ) -> Result<SetAccountDataPayload> {
        let (app, session) = (app(context), session(context));
        let (actor, retry) = (session.actor()?, retry(input.action_id)?);
        let SetAccountDataInput { kind, content, room_id, .. } = input;
        let (data, room) = (object(content)?, room_id.as_ref().map(|room| &*room.0));
        let command = Command::SetAccountData { room, kind: &kind, content: &data };
        let result = app.commands.execute(&actor, command, retry).await;
        Ok(match refused(context, result)? {
            Ok(stored) => {
                app.wrote(session, stored.position);
                SetAccountDataPayload {
                    account_data: Some(AccountData::new(kind, &data)?),
                    position: Some(app.token(stored.position)),
                    refusal: None,
                }
            }
            Err(refusal) => {
                SetAccountDataPayload { account_data: None, position: None, refusal: Some(refusal) }
            }
        })
    }

    /// Deletes account data. An unknown type changes nothing.
    async fn delete_account_data(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account data to delete.")] input: DeleteAccountDataInput,
    ) -> Result<DeleteAccountDataPayload> {
        let (app, session) = (app(context), session(context));
        let (actor, retry) = (session.actor()?, retry(input.action_id)?);
        let DeleteAccountDataInput { kind, room_id, .. } = input;
        let room = room_id.as_ref().map(|room| &*room.0);
        let command = Command::DeleteAccountData { room, kind: &kind };
        let result = app.commands.execute(&actor, command, retry).await;
        Ok(match refused(context, result)? {
            Ok(deleted) => {
                app.wrote(session, deleted.position);
                DeleteAccountDataPayload {
                    kind: Some(kind),
                    position: Some(app.token(deleted.position)),
                    refusal: None,
                }
            }
            Err(refusal) => {
                DeleteAccountDataPayload { kind: None, position: None, refusal: Some(refusal) }
            }
        })
    }
}
