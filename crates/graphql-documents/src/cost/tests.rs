//! Tests of the rules of cost, on a small schema.

use std::sync::Arc;

use async_graphql::Variables;
use serde_json::json;

use super::{CostModel, CostRules};
use crate::documents::{Types, planned};

const SDL: &str = "
    type Query { me: User page(first: Int): UserConnection! users(first: Int): [User!]! feed: [Liked!]! home(first: Int, inner: Int): Home! }
    type Mutation { act: User secret: User }
    type Home { rooms: [User!]! }
    type UserConnection { nodes: [User!]! edges: [Edge!]! total: Int! }
    type Edge { node: User! }
    interface Named { name: String }
    interface Liked { likes(first: Int): [User!]! }
    type Post implements Liked { likes(first: Int): [User!]! title: String }
    type Photo implements Liked { likes(first: Int): [User!]! width: Int height: Int }
    type User implements Named { name: String friends: [User!]! log(last: Int, around: ID): UserConnection! tags: [String!]! }
";

const RULES: CostRules = CostRules {
    page_arguments: &["first", "last"],
    page_max: 100,
    page_defaults: &[
        ("Query.page", 20),
        ("Query.users", 30),
        ("Query.home", 5),
        ("User.log", 50),
        ("Liked.likes", 7),
    ],
    inherited_argument: "inner",
    inheritors: &["User.log"],
    both_sides_argument: "around",
    list_lengths: &[("User.friends", 10), ("User.tags", 4), ("Query.feed", 3)],
    type_weights: &[("Mutation", 10)],
    field_weights: &[("Mutation.secret", 100)],
};

fn cost_with(document: &str, variables: serde_json::Value) -> usize {
    named(document, None, variables).expect("there is an operation")
}

fn named(document: &str, name: Option<&str>, variables: serde_json::Value) -> Option<usize> {
    let types = Arc::new(Types::new(SDL).expect("a schema"));
    let model = CostModel::new(&types, RULES);
    let plan = planned(&types, document, name, Variables::from_json(variables))?;
    Some(model.cost_of(&plan))
}

fn cost(document: &str) -> usize {
    cost_with(document, json!({}))
}

#[test]
fn each_field_costs_one_and_mutations_their_weight() {
    assert_eq!(cost("{ me { name } }"), 2);
    assert_eq!(cost("{ me { name again: name } }"), 3);
    assert_eq!(cost("mutation { act { name } }"), 11);
    assert_eq!(cost("mutation { secret { name } }"), 101);
}

#[test]
fn pages_multiply_what_is_in_them_and_nested_pages_multiply_again() {
    assert_eq!(cost("{ users(first: 3) { name } }"), 1 + 3);
    assert_eq!(cost("{ page(first: 3) { nodes { name } total } }"), 1 + (1 + 3) + 1);
    assert_eq!(cost("{ page(first: 3) { edges { node { name } } } }"), 1 + (1 + 3 * 2));
    let nested = "{ page(first: 3) { nodes { log(last: 7) { nodes { name } } } } }";
    assert_eq!(cost(nested), 1 + 1 + 3 * (1 + 1 + 7));
}

#[test]
fn a_page_that_is_not_asked_for_has_its_default_and_other_lists_their_length() {
    assert_eq!(cost("{ page { nodes { name } } }"), 1 + 1 + 20);
    assert_eq!(cost("{ users { name } }"), 1 + 30);
    assert_eq!(cost("{ me { friends { name } tags } }"), 1 + (1 + 10) + (1 + 4));
}

#[test]
fn pages_come_from_variables_and_from_their_defaults() {
    let document = "query ($n: Int = 4) { users(first: $n) { name } }";
    assert_eq!(cost(document), 1 + 4);
    assert_eq!(cost_with(document, json!({ "n": 9 })), 1 + 9);
    assert_eq!(cost_with(document, json!({ "n": null })), 1 + 30);
}

#[test]
fn a_page_out_of_range_counts_as_the_nearest_in_range() {
    assert_eq!(cost("{ users(first: 100000) { name } }"), 1 + 100);
    assert_eq!(cost("{ users(first: -1) { name } }"), 1 + 1);
}

#[test]
fn a_page_for_those_below_is_inherited_and_their_own_goes_before_it() {
    assert_eq!(
        cost("{ home(first: 2, inner: 3) { rooms { log { nodes { name } } } } }"),
        1 + 1 + 2 * (1 + 1 + 3)
    );
    assert_eq!(
        cost("{ home(inner: 3) { rooms { log(last: 4) { nodes { name } } } } }"),
        1 + 1 + 5 * (1 + 1 + 4)
    );
}

#[test]
fn a_page_around_something_reaches_to_both_sides() {
    assert_eq!(cost("{ me { log(last: 7, around: \"x\") { nodes { name } } } }"), 1 + 1 + 1 + 15);
}

#[test]
fn fragments_cost_what_is_in_them_wherever_they_are_spread() {
    let spread = "{ users(first: 3) { ...F } page(first: 2) { nodes { ...F } } } fragment F on User { name tags }";
    assert_eq!(cost(spread), (1 + 3 * 6) + (1 + 1 + 2 * 6));
    assert_eq!(cost("{ users(first: 3) { ... on Named { name } ... { tags } } }"), 1 + 3 * 6);
}

#[test]
fn of_the_types_that_a_value_may_have_the_dearest_counts() {
    let photo = "... on Photo { width height }";
    assert_eq!(cost(&format!("{{ feed {{ {photo} }} }}")), 1 + 3 * 2);
    assert_eq!(cost(&format!("{{ feed {{ ... on Post {{ title }} {photo} }} }}")), 1 + 3 * 2);
    let both = format!("{{ feed {{ __typename likes {{ name }} {photo} }} }}");
    assert_eq!(cost(&both), 1 + 3 * (1 + (1 + 7) + 2));
}

#[test]
fn the_facts_of_an_interface_hold_for_its_objects() {
    assert_eq!(cost("{ feed { ... on Post { likes { name } } } }"), 1 + 3 * (1 + 7));
    assert_eq!(cost("{ feed { likes { name } } }"), 1 + 3 * (1 + 7));
}

#[test]
fn what_is_skipped_costs_nothing() {
    let document = "query ($no: Boolean!) { me { name @include(if: $no) tags @skip(if: true) } }";
    assert_eq!(cost_with(document, json!({ "no": false })), 1);
    assert_eq!(cost_with(document, json!({ "no": true })), 2);
}

#[test]
fn the_chosen_operation_alone_counts() {
    let document = "query A { me { name } } query B { users { name } }";
    let cost = |name| named(document, Some(name), json!({}));
    assert_eq!([cost("A"), cost("B"), cost("C")], [Some(2), Some(31), None]);
}

#[test]
fn what_is_beyond_all_measure_saturates() {
    let inner = (0..30)
        .fold("name".to_owned(), |inner, _| format!("log(last: 100) {{ nodes {{ {inner} }} }}"));
    assert_eq!(cost(&format!("{{ me {{ {inner} }} }}")), usize::MAX);
}
