//! What the fields of this schema cost: the rules that its text does not tell.
//!
//! **Invariant:** each list that a client may ask a page of has its default here; a test compares.

use super::{
    context::PAGE_MAX,
    members, query,
    sync::{ROOMS_DEFAULT, TIMELINE_DEFAULT},
    timeline,
};
use crate::transport::{CostModel, CostRules};

/// A write waits for the disk, and others wait for it.
const MUTATION_WEIGHT: usize = 10;

/// Hashing a password takes 19 MiB and as long as thousands of fields.
const PASSWORD_WEIGHT: usize = 1_000;

/// Reactions and typing users are few; who wants more of a list says how many.
const LIST_ASSUMED: usize = 10;

const RULES: CostRules = CostRules {
    page_arguments: &["first", "last", "limit"],
    page_max: PAGE_MAX,
    page_defaults: &[
        ("Query.events", PAGE_MAX),
        ("Query.initialSync", ROOMS_DEFAULT),
        ("Query.publicRooms", query::PAGE_DEFAULT),
        ("Room.members", members::PAGE_DEFAULT),
        ("Room.receipts", PAGE_MAX),
        ("Room.state", PAGE_MAX),
        ("Room.timeline", timeline::PAGE_DEFAULT),
        ("RoomUpdate.timeline", TIMELINE_DEFAULT),
        ("Reaction.users", PAGE_MAX),
        ("CreateRoomPayload.messages", TIMELINE_DEFAULT),
        ("JoinRoomPayload.messages", TIMELINE_DEFAULT),
        ("RoomOpened.messages", TIMELINE_DEFAULT),
    ],
    inherited_argument: "timelineLimit",
    inheritors: &["Room.timeline", "RoomUpdate.timeline"],
    both_sides_argument: "around",
    list_assumed: LIST_ASSUMED,
    type_weights: &[("Mutation", MUTATION_WEIGHT)],
    field_weights: &[("Mutation.logIn", PASSWORD_WEIGHT), ("Mutation.register", PASSWORD_WEIGHT)],
};

/// What requests to this schema cost.
///
/// # Panics
/// Never: the schema is one.
#[must_use]
pub fn costs() -> CostModel {
    match CostModel::new(&super::sdl(), RULES) {
        Ok(model) => model,
        Err(error) => unreachable!("the schema is not readable: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Variables, parser::parse_query};
    use serde_json::json;

    use super::*;

    const DOCUMENT: &str = include_str!("../../../../docs/limits.md");

    #[test]
    fn every_list_that_has_pages_has_a_default() {
        assert_eq!(costs().without_default(), [""; 0]);
    }

    /// The blocks of the page in this language, in their order.
    fn blocks(language: &str) -> Vec<&'static str> {
        let parts = DOCUMENT.split("\n```").skip(1).step_by(2);
        let parts = parts.filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n'));
        parts.collect()
    }

    #[test]
    fn every_worked_example_costs_what_the_page_says() {
        let (model, examples) = (costs(), blocks("graphql"));
        assert!(examples.len() >= 5, "{}", examples.len());
        for example in examples {
            let said = example.lines().rev().find_map(|line| line.trim().strip_prefix("# cost: "));
            let said = said.expect("an example ends with its cost");
            let (_, said) = said.rsplit_once("= ").unwrap_or(("", said));
            let document = parse_query(example).expect("an example is GraphQL");
            let cost = model.cost(&document, None, &Variables::from_json(json!({})));
            assert_eq!(said.replace(',', ""), cost.to_string(), "{example}");
        }
    }

    #[test]
    fn every_number_of_the_rules_stands_on_the_page() {
        for (field, size) in RULES.page_defaults {
            assert!(DOCUMENT.contains(&format!("| `{field}` | {size} |")), "{field}: {size}");
        }
        for number in [MUTATION_WEIGHT, PASSWORD_WEIGHT, LIST_ASSUMED] {
            assert!(DOCUMENT.contains(&format!("**{number}**")), "{number}");
        }
    }
}
