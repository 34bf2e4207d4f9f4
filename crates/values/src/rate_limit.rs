//! The rest of a caller's rate limit.

use async_graphql::SimpleObject;
use rookery_graphql_edge::RateStatus;
use rookery_log::Millis;

use super::scalars::DateTime;

/// Your rate limit. Each request takes its cost, and the limit refills over time. Each user has
/// their own; callers without a login share that of their address.
#[derive(SimpleObject)]
pub struct RateLimit {
    /// The cost that you can spend at once after a pause.
    limit: i32,
    /// The cost of this request.
    cost: i32,
    /// The rest after this request.
    remaining: i32,
    /// When `limit` is full again without further requests.
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
