//! Mutations of administrators about the server itself.
//!
//! **Invariant:** each does what the same command of an operator does on the machine.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use rookery_schema::{
    context::{app, session},
    types::{admin::status::Rebuild, errors::refusal::Refusal},
};

/// The rebuild to start.
#[derive(InputObject)]
pub(crate) struct RebuildReadModelsInput {
    /// The reason, for the log of the server.
    reason: Option<String>,
}

/// The result of `rebuildReadModels`.
#[derive(SimpleObject)]
pub(crate) struct RebuildReadModelsPayload {
    /// The rebuild that ran already. Null if it was started now: `admin.status.rebuild` shows it.
    rebuild: Option<Rebuild>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The streams to apply again.
#[derive(InputObject)]
pub(crate) struct RetryParkedStreamsInput {
    /// The reason, for the log of the server.
    reason: Option<String>,
}

/// The result of `retryParkedStreams`.
#[derive(SimpleObject)]
pub(crate) struct RetryParkedStreamsPayload {
    /// How many read models have applied a parked stream now.
    applied: i32,
    /// How many streams are still parked, each counted for each model.
    parked: i32,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations of administrators about the server itself.
#[derive(Default)]
pub(crate) struct OperatingMutation;

#[Object]
impl OperatingMutation {
    /// Builds all read models again from the log, while the server goes on. For administrators. It
    /// answers at once.
    async fn rebuild_read_models(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The rebuild to start.")] input: RebuildReadModelsInput,
    ) -> Result<RebuildReadModelsPayload> {
        let admin = session(context).admin()?.to_owned();
        let reason = input.reason.unwrap_or_default();
        tracing::info!(%admin, reason, "an administrator rebuilds the read models");
        let rebuild = app(context).begin_rebuild().map(Rebuild::from);
        Ok(RebuildReadModelsPayload { rebuild, refusal: None })
    }

    /// Applies the streams again that a read model has parked. For administrators.
    async fn retry_parked_streams(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The streams to apply again.")] input: RetryParkedStreamsInput,
    ) -> Result<RetryParkedStreamsPayload> {
        let admin = session(context).admin()?.to_owned();
        let reason = input.reason.unwrap_or_default();
        tracing::info!(%admin, reason, "an administrator retries the parked streams");
        let retried = app(context).retry_parked().await?;
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        Ok(RetryParkedStreamsPayload {
            applied: count(retried.mended),
            parked: count(retried.parked.len()),
            refusal: None,
        })
    }
}
