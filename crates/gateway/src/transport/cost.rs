//! What a request costs, known before it is executed: how many fields its answer can have at most.
//!
//! A field costs 1 (or its weight) and what is selected below it, as often as its list is long:
//! `cost(field) = weight + length × cost(selection)`. `docs/limits.md` publishes the rules.
//!
//! **Invariant:** the cost follows from document, variables and schema alone: it is the same for all who ask.
//! **Invariant:** the walk visits no more fields than the gate counts; sums and products saturate.

mod model;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Name, Value, Variables};
use serde::Serialize;

pub use model::CostRules;
use model::Field;
use walk::{Length, Walk};

/// What a request costs, and the most that one may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// What this one costs.
    pub requested: usize,
    /// The most that a request may cost.
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
    /// What the operation of `document` costs that `operation_name` chooses. A document that has no such operation
    /// costs nothing: it is refused anyway.
    #[must_use]
    pub fn cost(
        &self,
        document: &ExecutableDocument,
        operation_name: Option<&str>,
        variables: &Variables,
    ) -> usize {
        let mut operations = document.operations.iter();
        let operation = match operation_name {
            Some(chosen) => operations.find(|(name, _)| name.is_some_and(|name| name == chosen)),
            None => operations.next(),
        };
        let Some((_, operation)) = operation else { return 0 };
        let root = match operation.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let walk = Walk { model: self, document, operation: &operation.node, variables };
        walk.selection(Some(root), &operation.node.selection_set.node, Length::default())
    }
}
