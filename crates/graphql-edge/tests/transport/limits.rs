//! Bounds on requests, answers, connections and rates.

mod answers;
mod bounds;
pub(crate) mod costs;
mod rates;
mod requests;
