//! Events of other servers that this server asks for.
//!
//! Source: Matrix server-server specification, "Backfilling and retrieving missing events".
//!
//! **Invariant:** nothing here is awaited by the answer to a transaction.
//! **Invariant:** each request, each answer and each number of requests has a bound, whatever events name.

mod backfill;
mod fetch;
mod gaps;
mod states;

#[cfg(test)]
pub(crate) use self::backfill::PAGE_EVENTS;
#[cfg(test)]
pub(crate) use self::fetch::{ROUNDS_MAX, STATES_MAX};
pub(crate) use self::{backfill::Backfills, gaps::Gaps, states::States};
