//! Files beside the endpoint, as a browser gets them.

use rookery_graphql_edge::files::{POLICY, StaticFile};

use crate::clients::http::Request;
use crate::toy::toy;

/// The page for browsers.
pub(crate) const PAGE: &str = "/page";

pub(crate) static FILES: [StaticFile; 2] = [
    StaticFile {
        path: PAGE,
        content_type: "text/html; charset=utf-8",
        bytes: b"<!doctype html><title>Toy</title>",
        compressed: false,
        brotli: None,
        versioned: false,
        policy: POLICY,
    },
    StaticFile {
        path: "/toy-1.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: b"'use strict'",
        compressed: false,
        brotli: None,
        versioned: true,
        policy: POLICY,
    },
];

#[tokio::test]
async fn every_file_comes_with_a_strict_policy() {
    let toy = toy().await;
    for file in &FILES {
        let answer = Request::get(file.path).send(toy.address).await;
        assert_eq!(answer.status, 200, "{}", file.path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    assert_eq!(Request::get("/web/../Cargo.toml").send(toy.address).await.status, 404);
}
