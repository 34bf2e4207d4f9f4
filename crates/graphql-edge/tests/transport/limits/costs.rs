//! The cost of a request: it is reported, and bounded.

use std::sync::Arc;

use rookery_graphql_documents::{CostModel, CostRules, Types};
use rookery_graphql_edge::TransportOptions;
use serde_json::json;

use crate::clients::http::Request;
use crate::clients::socket::connect_as;
use crate::toy::toy_with;

const RULES: CostRules = CostRules {
    page_arguments: &["number"],
    page_max: 1_000,
    page_defaults: &[],
    inherited_argument: "",
    inheritors: &[],
    both_sides_argument: "",
    list_lengths: &[],
    type_weights: &[("Mutation", 10)],
    field_weights: &[("Subscriptions.count", 101)],
};

/// Counts costs, up to 100 for a request.
pub(crate) fn counting(options: &mut TransportOptions) {
    let sdl = "type Query { hello: String! } type Mutation { bump: Int! } type Subscriptions { count: Int! }";
    options.costs = Some(Arc::new(CostModel::new(&Types::new(sdl).unwrap(), RULES)));
    options.cost_max = 100;
}

#[tokio::test]
async fn every_answer_tells_what_it_cost_and_what_it_may_cost() {
    let toy = toy_with(|options, _| counting(options)).await;
    let answer = Request::query("{ hello again: hello }").send(toy.address).await;
    assert_eq!(answer.json()["extensions"], json!({"cost": {"requested": 2, "limit": 100}}));
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("m", "mutation { bump }").await;
    let payload = &client.receive().await["payload"];
    assert_eq!(payload["extensions"], json!({"cost": {"requested": 10, "limit": 100}}));
}

#[tokio::test]
async fn what_costs_too_much_is_refused_with_its_cost_and_does_not_run() {
    let toy = toy_with(|options, _| {
        counting(options);
        options.cost_max = 9;
    })
    .await;
    let answer = Request::query("mutation { bump }").send(toy.address).await;
    let told = json!({"code": "QUERY_TOO_COMPLEX", "cost": {"requested": 10, "limit": 9}});
    assert_eq!((answer.status, &answer.json()["errors"][0]["extensions"]), (400, &told));
    assert_eq!(toy.probe.bumps.load(std::sync::atomic::Ordering::SeqCst), 0);
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("s", "subscription { count(to: 1) }").await;
    let refused = client.receive().await;
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["extensions"]["cost"]["requested"]),
        (&json!("error"), &json!(101))
    );
}

#[tokio::test]
async fn a_document_that_cannot_be_parsed_is_refused_as_without_costs() {
    let toy = toy_with(|options, _| counting(options)).await;
    let answer = Request::query("{ hello(a: 1 }").send(toy.address).await;
    assert_eq!(answer.code(), "GRAPHQL_PARSE_FAILED");
    let answer = Request::query("{ nothing }").send(toy.address).await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
}

/// A query and variables under which its field `hello` is left out.
const SKIPPED: [(&str, &str); 4] = [
    ("query($b: Boolean = true) { hello @skip(if: $b) other: hello }", "{}"),
    ("query($b: Boolean! = false) { hello @include(if: $b) other: hello }", "{}"),
    (
        "query($b: Boolean = true) { ...F @skip(if: $b) other: hello } fragment F on Query { hello }",
        "{}",
    ),
    ("query($b: Boolean = true) { ... @skip(if: $b) { hello } other: hello }", "{\"b\": true}"),
];

#[tokio::test]
async fn what_a_default_leaves_out_is_neither_counted_nor_executed() {
    let toy = toy_with(|options, _| counting(options)).await;
    for (query, variables) in SKIPPED {
        let variables: serde_json::Value = serde_json::from_str(variables).unwrap();
        let body = json!({ "query": query, "variables": variables });
        for _ in 0..2 {
            let answer = Request::post(body.to_string()).send(toy.address).await.json();
            assert_eq!(answer["data"], json!({"other": "world"}), "{query}");
            assert_eq!(answer["extensions"]["cost"]["requested"], json!(1), "{query}");
        }
    }
}

#[tokio::test]
async fn a_mutation_that_a_default_leaves_out_is_not_carried_out() {
    let toy = toy_with(|options, _| counting(options)).await;
    let mutation = "mutation($b: Boolean = true) { bump @skip(if: $b) __typename }";
    let answer = Request::query(mutation).send(toy.address).await.json();
    assert_eq!(answer["data"], json!({"__typename": "Mutation"}));
    assert_eq!(answer["extensions"]["cost"]["requested"], json!(1));
    assert_eq!(toy.probe.bumps.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_directive_whose_condition_is_null_is_refused() {
    let toy = toy_with(|options, _| counting(options)).await;
    for directive in ["@include(if: $b)", "@skip(if: $b)"] {
        let query = format!("query($b: Boolean) {{ hello {directive} }}");
        let answer = Request::query(&query).send(toy.address).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{query}");
        let query = format!("query($b: Boolean = true) {{ hello {directive} }}");
        let body = json!({ "query": query, "variables": { "b": null } });
        let answer = Request::post(body.to_string()).send(toy.address).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{query}");
    }
}
