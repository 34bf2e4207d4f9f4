//! The counts of definitions after their fragments are expanded.
//!
//! **Invariant:** each fragment is expanded once, however often it is spread; sums saturate.

use std::collections::HashMap;

use super::GateLimits;
use super::document::Definition;
use crate::answer::refusal::{Refusal, code};

/// The cost of a definition with everything that it spreads.
#[derive(Clone, Copy, Default)]
struct Expanded {
    selections: usize,
    depth: usize,
    lists: usize,
    root_fields: usize,
    data_fields: usize,
    guarded_fields: usize,
}

#[derive(Clone, Copy)]
enum Visit {
    Unseen,
    Open,
    Done(Expanded),
}

/// Expands the fragments of one document.
pub(super) struct Expansion<'a> {
    definitions: &'a [Definition<'a>],
    fragments: HashMap<&'a str, usize>,
    visits: Vec<Visit>,
}

impl<'a> Expansion<'a> {
    /// Checks every definition of the document, used or not, because the library validates all of
    /// them. Returns the number of root fields of its operations without introspection.
    pub(super) fn check(
        definitions: &'a [Definition<'a>],
        limits: &GateLimits,
    ) -> Result<usize, Refusal> {
        let fragments = definitions
            .iter()
            .enumerate()
            .filter(|(_, definition)| definition.kind.is_none())
            .filter_map(|(index, definition)| Some((definition.name?, index)))
            .collect();
        let visits = vec![Visit::Unseen; definitions.len()];
        let mut this = Self { definitions, fragments, visits };
        let introspects = definitions.iter().any(|definition| definition.introspects);
        let (mut total, mut data_fields) = (0usize, 0usize);
        for (index, definition) in definitions.iter().enumerate() {
            let cost = this.expand(index)?;
            if definition.kind.is_some() {
                total = total.saturating_add(cost.selections);
                data_fields = data_fields.saturating_add(cost.data_fields);
            }
            check_size(cost, total, introspects, limits)?;
            if definition.kind.is_some() {
                check_root(cost, limits)?;
            }
        }
        Ok(data_fields)
    }

    /// Recursion is bounded by the number of fragments.
    fn expand(&mut self, index: usize) -> Result<Expanded, Refusal> {
        match self.visits[index] {
            Visit::Done(cost) => return Ok(cost),
            Visit::Open => {
                let name = self.definitions[index].name.unwrap_or_default();
                let name = name.get(..64).unwrap_or(name);
                let message = format!("Fragment `{name}` contains itself.");
                return Err(Refusal::new(code::FRAGMENT_CYCLE, message));
            }
            Visit::Unseen => self.visits[index] = Visit::Open,
        }
        let definition = &self.definitions[index];
        let mut cost = Expanded {
            selections: definition.selections,
            depth: definition.depth,
            lists: definition.lists,
            root_fields: definition.root_fields,
            data_fields: definition.data_fields,
            guarded_fields: definition.guarded_fields,
        };
        for spread in &definition.spreads {
            let Some(&fragment) = self.fragments.get(spread.name) else { continue };
            let inner = self.expand(fragment)?;
            cost.selections = cost.selections.saturating_add(inner.selections);
            cost.depth = cost.depth.max(spread.place.depth.saturating_add(inner.depth));
            cost.lists = cost.lists.max(spread.place.lists.saturating_add(inner.lists));
            if spread.place.at_root {
                cost.root_fields = cost.root_fields.saturating_add(inner.root_fields);
                cost.data_fields = cost.data_fields.saturating_add(inner.data_fields);
                cost.guarded_fields = cost.guarded_fields.saturating_add(inner.guarded_fields);
            }
        }
        self.visits[index] = Visit::Done(cost);
        Ok(cost)
    }
}

fn check_root(cost: Expanded, limits: &GateLimits) -> Result<(), Refusal> {
    let guarded = &limits.guarded;
    if cost.guarded_fields > guarded.max {
        return Err(Refusal::new(guarded.code, guarded.message));
    }
    if cost.root_fields > limits.root_fields_max {
        let max = limits.root_fields_max;
        let message =
            format!("The operation has more than {max} root fields; send several requests.");
        return Err(Refusal::new(code::TOO_MANY_ROOT_FIELDS, message));
    }
    Ok(())
}

fn check_size(
    cost: Expanded,
    total: usize,
    introspects: bool,
    limits: &GateLimits,
) -> Result<(), Refusal> {
    let (max, what) = if introspects {
        (limits.introspection_fields_max, "asks for the schema and selects")
    } else {
        (limits.fields_max, "selects")
    };
    if cost.selections.max(total) > max {
        let message =
            format!("The document {what} more than {max} fields once its fragments are expanded.");
        return Err(Refusal::new(code::TOO_MANY_FIELDS, message));
    }
    if cost.depth > limits.nesting_max {
        let max = limits.nesting_max;
        let message = format!(
            "The document is nested deeper than {max} levels once its fragments are expanded."
        );
        return Err(Refusal::new(code::QUERY_TOO_DEEP, message));
    }
    if cost.lists > limits.introspection_lists_max {
        let max = limits.introspection_lists_max;
        let message = format!(
            "The document nests `fields`, `inputFields`, `interfaces` or `possibleTypes` more than {max} deep."
        );
        return Err(Refusal::new(code::QUERY_TOO_DEEP, message));
    }
    Ok(())
}
