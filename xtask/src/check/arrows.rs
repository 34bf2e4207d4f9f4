//! The allowed dependencies between crates.
//!
//! **Invariant:** `command` never depends on the read side, which is `projection`, `view` and `delivery`.
//! **Invariant:** only the schema, the gateway, its edge and the documents know GraphQL. The edge knows no schema;
//! documents know no network either.
//! **Invariant:** only the storing crates know an engine.
//! **Invariant:** a crate that is missing in the table is a violation.

use serde_json::Value;

/// May depend on every crate of the workspace.
const WIRES: &[&str] = &["rookery-bench", "rookery-server", "xtask"];

/// The crates of the workspace that each other crate may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("rookery-log", &[]),
    ("rookery-log-sled", &["rookery-log", "rookery-runs"]),
    ("rookery-runs", &[]),
    ("rookery-pdu", &[]),
    ("rookery-text", &[]),
    ("rookery-domain", &["rookery-pdu", "rookery-text"]),
    ("rookery-graph", &["rookery-domain", "rookery-pdu"]),
    ("rookery-accounts", &["rookery-rates"]),
    ("rookery-rates", &[]),
    ("rookery-namespaces", &["rookery-domain"]),
    ("rookery-terminal", &[]),
    ("rookery-services", &["rookery-accounts", "rookery-domain", "rookery-namespaces"]),
    ("rookery-ephemeral", &["rookery-domain"]),
    (
        "rookery-command",
        &[
            "rookery-actions",
            "rookery-domain",
            "rookery-graph",
            "rookery-log",
            "rookery-namespaces",
            "rookery-ports",
            "rookery-processes",
            "rookery-rates",
            "rookery-work",
        ],
    ),
    ("rookery-actions", &["rookery-log", "rookery-rates", "rookery-work"]),
    ("rookery-ports", &["rookery-domain", "rookery-log"]),
    ("rookery-processes", &["rookery-log"]),
    ("rookery-fixture", &["rookery-domain", "rookery-log"]),
    (
        "rookery-projection",
        &[
            "rookery-domain",
            "rookery-fixture",
            "rookery-log",
            "rookery-runs",
            "rookery-text",
            "rookery-work",
        ],
    ),
    (
        "rookery-view",
        &[
            "rookery-domain",
            "rookery-fixture",
            "rookery-log",
            "rookery-namespaces",
            "rookery-projection",
        ],
    ),
    (
        "rookery-delivery",
        &[
            "rookery-domain",
            "rookery-fixture",
            "rookery-log",
            "rookery-projection",
            "rookery-view",
            "rookery-work",
        ],
    ),
    (
        "rookery-matrix-bridge",
        &[
            "rookery-accounts",
            "rookery-command",
            "rookery-delivery",
            "rookery-domain",
            "rookery-ephemeral",
            "rookery-log",
            "rookery-outgoing",
            "rookery-projection",
            "rookery-services",
            "rookery-view",
            "rookery-work",
        ],
    ),
    (
        "rookery-federation",
        &[
            "rookery-command",
            "rookery-domain",
            "rookery-federation-client",
            "rookery-ephemeral",
            "rookery-log",
            "rookery-outgoing",
            "rookery-pdu",
            "rookery-processes",
            "rookery-projection",
            "rookery-rates",
            "rookery-view",
        ],
    ),
    ("rookery-federation-client", &["rookery-domain", "rookery-outgoing", "rookery-pdu"]),
    ("rookery-hosts", &["rookery-graphql-documents", "rookery-graphql-edge"]),
    ("rookery-ndjson", &["rookery-log"]),
    ("rookery-addresses", &[]),
    ("rookery-outgoing", &["rookery-addresses"]),
    (
        "rookery-outgoing-webhooks",
        &[
            "rookery-accounts",
            "rookery-delivery",
            "rookery-domain",
            "rookery-fixture",
            "rookery-log",
            "rookery-outgoing",
            "rookery-work",
        ],
    ),
    ("rookery-turn", &["rookery-addresses"]),
    ("rookery-webhooks", &["rookery-domain", "rookery-rates"]),
    ("rookery-web", &["rookery-graphql-edge"]),
    ("rookery-work", &[]),
    ("rookery-import", &["rookery-accounts", "rookery-command", "rookery-domain", "rookery-log"]),
    ("rookery-graphql-documents", &[]),
    ("rookery-graphql-edge", &["rookery-graphql-documents", "rookery-rates", "rookery-work"]),
    (
        "rookery-values",
        &[
            "rookery-accounts",
            "rookery-command",
            "rookery-domain",
            "rookery-graphql-documents",
            "rookery-graphql-edge",
            "rookery-log",
            "rookery-services",
            "rookery-view",
        ],
    ),
    (
        "rookery-schema",
        &[
            "rookery-accounts",
            "rookery-command",
            "rookery-delivery",
            "rookery-domain",
            "rookery-ephemeral",
            "rookery-graphql-documents",
            "rookery-graphql-edge",
            "rookery-log",
            "rookery-outgoing-webhooks",
            "rookery-projection",
            "rookery-rates",
            "rookery-services",
            "rookery-values",
            "rookery-view",
            "rookery-work",
        ],
    ),
    (
        "rookery-audience",
        &[
            "rookery-accounts",
            "rookery-delivery",
            "rookery-domain",
            "rookery-ephemeral",
            "rookery-log",
            "rookery-projection",
            "rookery-view",
        ],
    ),
    (
        "rookery-mutations",
        &[
            "rookery-accounts",
            "rookery-audience",
            "rookery-command",
            "rookery-delivery",
            "rookery-domain",
            "rookery-ephemeral",
            "rookery-graphql-edge",
            "rookery-log",
            "rookery-schema",
            "rookery-services",
            "rookery-view",
        ],
    ),
    (
        "rookery-gateway",
        &[
            "rookery-accounts",
            "rookery-audience",
            "rookery-command",
            "rookery-delivery",
            "rookery-domain",
            "rookery-ephemeral",
            "rookery-graphql-documents",
            "rookery-graphql-edge",
            "rookery-log",
            "rookery-mutations",
            "rookery-projection",
            "rookery-schema",
            "rookery-services",
            "rookery-view",
            "rookery-webhooks",
            "rookery-work",
        ],
    ),
];

/// Only these crates may depend on libraries with this prefix.
const CONFINED: &[(&str, &[&str])] = &[
    (
        "async-graphql",
        &[
            "rookery-gateway",
            "rookery-graphql-documents",
            "rookery-graphql-edge",
            "rookery-mutations",
            "rookery-schema",
            "rookery-values",
        ],
    ),
    ("redb", &["rookery-accounts", "rookery-federation"]),
    ("sled", &["rookery-log-sled"]),
];

/// The crates of the rules.
const PURE: &[&str] =
    &["rookery-domain", "rookery-graph", "rookery-namespaces", "rookery-pdu", "rookery-text"];

/// Libraries that would bring I/O, a clock or randomness into the rules.
const IMPURE: &[&str] = &["axum", "getrandom", "parking_lot", "redb", "sled", "tokio", "tracing"];

/// Libraries that would bring the network into documents.
const NETWORKED: &[&str] = &["axum", "hyper", "socket2", "tokio"];

/// Compares the output of `cargo metadata --no-deps` with the table.
pub(crate) fn arrows(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut violations = Vec::new();
    if ours.is_empty() {
        violations.push("`cargo metadata` lists no package".to_owned());
    }
    for (package, from) in packages.iter().zip(&ours) {
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice);
        let names = dependencies.unwrap_or_default().iter().filter_map(|to| to["name"].as_str());
        violations.extend(names.filter_map(|to| forbidden(from, to, ours.contains(&to))));
        if *from == "rookery-graphql-documents" {
            violations.extend(networked(dependencies.unwrap_or_default()));
        }
        if !WIRES.contains(from) && !ALLOWED.iter().any(|(known, _)| known == from) {
            violations.push(format!(
                "{from} is not in the table of arrows: list its allowed dependencies there"
            ));
        }
    }
    violations
}

/// The libraries of the network among the dependencies of documents. Tests may have them.
fn networked(dependencies: &[Value]) -> impl Iterator<Item = String> {
    let lasting = dependencies.iter().filter(|to| to["kind"] != "dev");
    let names = lasting.filter_map(|to| to["name"].as_str());
    names
        .filter(|to| NETWORKED.contains(to))
        .map(|to| format!("rookery-graphql-documents knows no network and must not depend on {to}"))
}

/// Why `from` must not depend on `to`, if so.
fn forbidden(from: &str, to: &str, is_ours: bool) -> Option<String> {
    if is_ours {
        let listed = ALLOWED.iter().find(|(known, _)| *known == from).map(|(_, allowed)| *allowed);
        let allowed = WIRES.contains(&from) || listed.is_some_and(|allowed| allowed.contains(&to));
        return (!allowed).then(|| format!("{from} must not depend on {to}"));
    }
    if PURE.contains(&from) && IMPURE.contains(&to) {
        return Some(format!("{from} is pure and must not depend on {to}"));
    }
    let (_, owners) = CONFINED.iter().find(|(library, _)| to.starts_with(library))?;
    (!owners.contains(&from))
        .then(|| format!("{from} must not depend on {to}: only {}", owners.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workspace(arrows: &[(&str, &[&str])]) -> Value {
        let packages: Vec<Value> = arrows
            .iter()
            .map(|(name, dependencies)| {
                let dependencies: Vec<Value> =
                    dependencies.iter().map(|to| json!({ "name": to, "kind": null })).collect();
                json!({ "name": name, "dependencies": dependencies })
            })
            .collect();
        json!({ "packages": packages })
    }

    #[test]
    fn arrows_of_the_table_pass() {
        let metadata = workspace(&[
            ("rookery-log", &["bytes"]),
            ("rookery-domain", &["ruma-common"]),
            ("rookery-view", &["rookery-domain", "rookery-log", "rookery-projection"]),
            ("rookery-projection", &["rookery-domain", "rookery-log"]),
            ("rookery-server", &["rookery-view", "rookery-log", "axum"]),
        ]);
        assert_eq!(arrows(&metadata), Vec::<String>::new());
    }

    #[test]
    fn command_must_not_know_the_read_side() {
        for read_side in ["rookery-projection", "rookery-view", "rookery-delivery"] {
            let metadata = workspace(&[("rookery-command", &[read_side]), (read_side, &[])]);
            let expected = format!("rookery-command must not depend on {read_side}");
            assert_eq!(arrows(&metadata), [expected]);
        }
    }

    #[test]
    fn arrows_of_the_read_side_point_to_the_log() {
        let metadata = workspace(&[
            ("rookery-projection", &["rookery-view"]),
            ("rookery-view", &["rookery-delivery"]),
            ("rookery-delivery", &[]),
        ]);
        let expected = [
            "rookery-projection must not depend on rookery-view",
            "rookery-view must not depend on rookery-delivery",
        ];
        assert_eq!(arrows(&metadata), expected);
    }

    #[test]
    fn only_the_gateway_its_edge_and_documents_know_graphql() {
        let metadata = workspace(&[("rookery-server", &["async-graphql-parser"])]);
        let expected = "rookery-server must not depend on async-graphql-parser: only rookery-gateway, rookery-graphql-documents, rookery-graphql-edge, rookery-mutations, rookery-schema, rookery-values";
        assert_eq!(arrows(&metadata), [expected]);
    }

    #[test]
    fn the_edge_must_not_know_the_schema_or_the_rules() {
        let metadata = workspace(&[
            ("rookery-graphql-edge", &["rookery-work", "rookery-domain", "rookery-gateway"]),
            ("rookery-work", &[]),
            ("rookery-domain", &[]),
            ("rookery-gateway", &["rookery-graphql-edge"]),
        ]);
        let expected = ["rookery-domain", "rookery-gateway"]
            .map(|to| format!("rookery-graphql-edge must not depend on {to}"));
        assert_eq!(arrows(&metadata), expected);
    }

    #[test]
    fn documents_know_neither_the_edge_nor_the_network() {
        let mut metadata = workspace(&[
            ("rookery-graphql-documents", &["rookery-graphql-edge", "apollo-compiler", "tokio"]),
            ("rookery-graphql-edge", &["rookery-graphql-documents", "tokio"]),
        ]);
        let expected = [
            "rookery-graphql-documents must not depend on rookery-graphql-edge",
            "rookery-graphql-documents knows no network and must not depend on tokio",
        ];
        assert_eq!(arrows(&metadata), expected);
        metadata["packages"][0]["dependencies"][2]["kind"] = json!("dev");
        assert_eq!(arrows(&metadata), expected[..1]);
    }

    #[test]
    fn rules_stay_pure() {
        let metadata = workspace(&[("rookery-domain", &["tokio"])]);
        assert_eq!(arrows(&metadata), ["rookery-domain is pure and must not depend on tokio"]);
    }

    #[test]
    fn unlisted_crate_is_a_violation() {
        let metadata = workspace(&[("rookery-extra", &[])]);
        assert_eq!(arrows(&metadata).len(), 1);
    }

    #[test]
    fn empty_answer_is_a_violation() {
        assert_eq!(arrows(&json!({})).len(), 1);
    }
}
