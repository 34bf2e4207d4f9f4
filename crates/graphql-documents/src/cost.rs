//! The cost of a request, known before it is executed: the greatest number of fields of its answer.
//!
//! A field costs 1 (or its weight), plus the cost of its selection times the length of its list:
//! `cost(field) = weight + length × cost(selection)`. `docs/limits.md` publishes the rules.
//!
//! **Invariant:** the cost follows only from document, variables and schema, so it is the same for
//! all callers.
//! **Invariant:** the walk visits no more fields than the gate counts; sums and products saturate.

mod model;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Name, Value, Variables};
use serde::Serialize;

use crate::documents::{Plan, Types, planned};
pub use model::CostRules;
use model::Field;
use walk::{Length, Walk};

/// The cost of a request, and the greatest allowed cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// The cost of this request.
    pub requested: usize,
    /// The greatest cost that a request may have.
    #[serde(rename = "limit")]
    pub max: usize,
}

impl From<Cost> for Value {
    fn from(cost: Cost) -> Self {
        let entries = [("requested", cost.requested), ("limit", cost.max)];
        Self::Object(entries.map(|(name, value)| (Name::new(name), Self::from(value))).into())
    }
}

/// The costs of all fields of a schema.
#[derive(Debug)]
pub struct CostModel {
    types: HashMap<String, HashMap<String, Field>>,
    rules: CostRules,
}

impl CostModel {
    /// The cost of the only operation of `document`; `None` if the document or its variables are
    /// not valid.
    #[must_use]
    pub fn cost(&self, types: &Arc<Types>, document: &str, variables: Variables) -> Option<usize> {
        planned(types, document, None, variables).map(|plan| self.cost_of(&plan))
    }

    /// The cost of an execution of `plan`.
    #[must_use]
    pub fn cost_of(&self, plan: &Plan) -> usize {
        let Some(set) = plan.executable.selection_set() else { return 0 };
        let walk = Walk { model: self, variables: &plan.variables };
        walk.selection(Some(plan.executable.root()), set, Length::default())
    }
}
