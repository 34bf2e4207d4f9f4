//! The pages, as a browser gets them.

use crate::http_client::Request;
use crate::toy::toy;

#[tokio::test]
async fn every_page_comes_with_a_strict_policy() {
    let toy = toy().await;
    for path in ["/", "/graphiql", "/favicon.ico", "/web/index.js", "/web/graphiql-3.9.0.js"] {
        let answer = Request::get(path).send(toy.address).await;
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    assert_eq!(Request::get("/web/../Cargo.toml").send(toy.address).await.status, 404);
}
