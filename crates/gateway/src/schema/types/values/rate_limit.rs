//! What is left of the cost that a caller may spend.

use async_graphql::SimpleObject;
use rookery_graphql_edge::RateStatus;
use rookery_log::Millis;

use super::scalars::DateTime;

/// How much you may still ask for. Each request takes its cost; what it took comes back over time.
/// Users have this each, and who is not logged in has it by address.
#[derive(SimpleObject)]
pub(crate) struct RateLimit {
    /// The cost that you can spend at once, if you have asked for nothing for a while.
    limit: i32,
    /// The cost of this request.
    cost: i32,
    /// What is left after this request.
    remaining: i32,
    /// When all of `limit` is there again, if you ask for nothing more.
    reset_at: DateTime,
}

impl From<&RateStatus> for RateLimit {
    fn from(status: &RateStatus) -> Self {
        let int = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let millis = status.full_at.as_nanos().div_ceil(1_000_000);
        Self {
            limit: int(status.limit),
            cost: int(status.cost),
            remaining: int(status.remaining),
            reset_at: DateTime(Millis(u64::try_from(millis).unwrap_or(u64::MAX))),
        }
    }
}
