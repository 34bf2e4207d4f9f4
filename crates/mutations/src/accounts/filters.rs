//! Mutations about stored filters.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rookery_command::Command;
use rookery_schema::{
    context::{app, retry, session},
    types::{
        errors::refusal::{Refusal, refused},
        filter::FilterInput,
        values::scalars::PositionScalar,
    },
};

/// The filter to store.
#[derive(InputObject)]
pub(crate) struct CreateFilterInput {
    /// The filter.
    filter: FilterInput,
    /// Your number for this action: 1, 2, 3 ... on each device.
    action_id: Option<i32>,
}

/// The result of `createFilter`.
#[derive(SimpleObject)]
pub(crate) struct CreateFilterPayload {
    /// The ID to use as `filterId`. Equal filters have equal IDs. Null if it was refused.
    filter_id: Option<ID>,
    /// A position at which the filter is stored. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The filter to delete.
#[derive(InputObject)]
pub(crate) struct DeleteFilterInput {
    /// The filter.
    filter_id: ID,
    /// Your number for this action: 1, 2, 3 ... on each device.
    action_id: Option<i32>,
}

/// The result of `deleteFilter`.
#[derive(SimpleObject)]
pub(crate) struct DeleteFilterPayload {
    /// The ID of the filter, which no longer exists. Null if it was refused.
    filter_id: Option<ID>,
    /// A position at which the filter does not exist. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations about stored filters.
#[derive(Default)]
pub(crate) struct FilterMutation;

#[Object]
impl FilterMutation {
    /// Stores a filter for all of your devices, at most 100 in all. Other users cannot use it.
    async fn create_filter(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The filter to store.")] input: CreateFilterInput,
    ) -> Result<CreateFilterPayload> {
        let actor = session(context).actor()?;
        let retry = retry(input.action_id)?;
        let filter = input.filter.checked()?;
        let command = Command::CreateFilter { filter: &filter };
        let result = app(context).commands.execute(&actor, command, retry).await;
        Ok(match refused(context, result)? {
            Ok(stored) => {
                app(context).wrote(session(context), stored.position);
                CreateFilterPayload {
                    filter_id: Some(filter.id().into()),
                    position: Some(app(context).token(stored.position)),
                    refusal: None,
                }
            }
            Err(refusal) => {
                CreateFilterPayload { filter_id: None, position: None, refusal: Some(refusal) }
            }
        })
    }

    /// Deletes a stored filter. Subscriptions that were started with it keep it.
    async fn delete_filter(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The filter to delete.")] input: DeleteFilterInput,
    ) -> Result<DeleteFilterPayload> {
        let actor = session(context).actor()?;
        let (filter_id, retry) = (input.filter_id, retry(input.action_id)?);
        let command = Command::DeleteFilter { filter_id: &filter_id };
        let result = app(context).commands.execute(&actor, command, retry).await;
        Ok(match refused(context, result)? {
            Ok(deleted) => {
                app(context).wrote(session(context), deleted.position);
                DeleteFilterPayload {
                    filter_id: Some(filter_id),
                    position: Some(app(context).token(deleted.position)),
                    refusal: None,
                }
            }
            Err(refusal) => {
                DeleteFilterPayload { filter_id: None, position: None, refusal: Some(refusal) }
            }
        })
    }
}
