//! The callers, and the calls that there are.

use std::time::Duration;

use serde_json::{Value, json};

use super::home::{Home, NAME, OTHER, TOKEN};

#[tokio::test]
async fn without_a_bridge_there_is_nothing() {
    let home = Home::open().await;
    home.without_bridges();
    for path in ["client/versions", "client/v3/account/whoami", "client/v3/nothing", ""] {
        let called = home.raw(Some(TOKEN), ("GET", &format!("/_matrix/{path}")), Vec::new()).await;
        assert_eq!((called.status.as_u16(), called.body), (404, Value::Null), "{path}");
    }
    home.close().await;
}

#[tokio::test]
async fn only_tokens_of_services_are_taken() {
    let home = Home::open().await;
    let path = "/_matrix/client/v3/account/whoami";
    let none = home.raw(None, ("GET", path), Vec::new()).await;
    assert_eq!(none.error(), (401, "M_MISSING_TOKEN"));
    let wrong = home.raw(Some("token-of-a-user"), ("GET", path), Vec::new()).await;
    assert_eq!(wrong.error(), (401, "M_UNKNOWN_TOKEN"));
    let query = format!("{path}?access_token={TOKEN}");
    let named = home.raw(None, ("GET", &query), Vec::new()).await.ok();
    assert_eq!(named["user_id"], format!("@bridge:{NAME}"));
    home.close().await;
}

#[tokio::test]
async fn every_version_of_the_path_has_the_same_calls() {
    let home = Home::open().await;
    for version in ["r0", "v1", "v3"] {
        let path = format!("/_matrix/client/{version}/account/whoami");
        home.raw(Some(TOKEN), ("GET", &path), Vec::new()).await.ok();
    }
    let versions = home.raw(Some(TOKEN), ("GET", "/_matrix/client/versions"), Vec::new()).await;
    assert!(versions.ok()["versions"].as_array().unwrap().contains(&"v1.7".into()));
    let capabilities = home.call("GET", "capabilities", Value::Null).await.ok();
    assert_eq!(capabilities["capabilities"]["m.room_versions"]["default"], "11");
    home.close().await;
}

#[tokio::test]
async fn other_calls_of_matrix_are_unrecognized() {
    let home = Home::open().await;
    for (method, path) in [
        ("GET", "/_matrix/client/v3/sync"),
        ("POST", "/_matrix/client/v3/login"),
        ("DELETE", "/_matrix/client/v3/account/whoami"),
        ("GET", "/_matrix/client/v3/rooms/!a:b/messages"),
        ("GET", "/_matrix/client/unstable/account/whoami"),
        ("GET", "/_matrix/federation/v1/version"),
        ("POST", "/_matrix/media/v3/upload"),
        ("GET", "/_matrix"),
    ] {
        let called = home.raw(Some(TOKEN), (method, path), Vec::new()).await;
        assert_eq!(called.error(), (404, "M_UNRECOGNIZED"), "{method} {path}");
    }
    home.close().await;
}

#[tokio::test]
async fn a_bridge_registers_each_of_its_users_once() {
    let home = Home::open().await;
    let made = home.register("irc_bob").await.ok();
    assert_eq!(made["user_id"], format!("@irc_bob:{NAME}"));
    assert_eq!(home.register("irc_bob").await.error(), (400, "M_USER_IN_USE"));
    assert_eq!(home.register("bridge").await.error(), (400, "M_USER_IN_USE"));
    assert_eq!(home.register("ann").await.error(), (400, "M_EXCLUSIVE"));
    let other = json!({ "type": "m.login.password", "username": "irc_cat" });
    let refused = home.call("POST", "register", other).await;
    assert_eq!(refused.error(), (400, "M_INVALID_PARAM"));
    home.close().await;
}

#[tokio::test]
async fn a_service_acts_as_its_registered_users_alone() {
    let home = Home::open().await;
    home.register("irc_bob").await.ok();
    let whoami = "account/whoami";
    let bob = home.call_as("irc_bob", "GET", whoami, Value::Null).await.ok();
    assert_eq!(bob["user_id"], format!("@irc_bob:{NAME}"));
    for foreign in ["ann", "irc_unregistered"] {
        let refused = home.call_as(foreign, "GET", whoami, Value::Null).await;
        assert_eq!(refused.error(), (403, "M_FORBIDDEN"), "{foreign}");
    }
    let path = format!("/_matrix/client/v3/{whoami}?user_id=%40irc_bob%3A{NAME}");
    let other = home.raw(Some(OTHER), ("GET", &path), Vec::new()).await;
    assert_eq!(other.error(), (403, "M_FORBIDDEN"));
    let malformed = home.call("GET", "account/whoami?user_id=bob", Value::Null).await;
    assert_eq!(malformed.error(), (400, "M_INVALID_PARAM"));
    home.close().await;
}

#[tokio::test]
async fn a_service_with_too_many_requests_learns_how_long_to_wait() {
    let home = Home::open().await;
    home.limit(Duration::from_millis(1_500));
    let limited = home.call("GET", "account/whoami", Value::Null).await;
    assert_eq!(limited.error(), (429, "M_LIMIT_EXCEEDED"));
    assert_eq!(limited.body["retry_after_ms"], 1_500);
    home.close().await;
}

#[tokio::test]
async fn bodies_are_bounded_and_have_to_be_json() {
    let home = Home::open().await;
    let path = ("POST", "/_matrix/client/v3/createRoom");
    let large = vec![b' '; 256 * 1024 + 1];
    assert_eq!(home.raw(Some(TOKEN), path, large).await.error(), (413, "M_TOO_LARGE"));
    let cut = b"{\"name\":".to_vec();
    assert_eq!(home.raw(Some(TOKEN), path, cut).await.error(), (400, "M_NOT_JSON"));
    let wrong = b"{\"name\":1}".to_vec();
    assert_eq!(home.raw(Some(TOKEN), path, wrong).await.error(), (400, "M_BAD_JSON"));
    home.close().await;
}

#[tokio::test]
async fn a_bridge_pings_itself_through_the_server() {
    let home = Home::open().await;
    home.bridge_answers(200);
    let ping = json!({ "transaction_id": "one" });
    let answer = home.call("POST", "appservice/bridge/ping", ping.clone()).await.ok();
    assert!(answer["duration_ms"].is_u64());
    let asked = home.asked();
    assert_eq!(asked[0].url, "http://bridge/_matrix/app/v1/ping");
    assert_eq!((asked[0].method, &*asked[0].token), ("POST", "hs-token"));
    assert_eq!(asked[0].body.as_deref(), Some(&b"{\"transaction_id\":\"one\"}"[..]));
    home.bridge_answers(500);
    let failed = home.call("POST", "appservice/bridge/ping", ping.clone()).await;
    assert_eq!(failed.error(), (502, "M_BAD_STATUS"));
    assert_eq!(failed.body["status"], 500);
    home.bridge_answers(0);
    let silent = home.call("POST", "appservice/bridge/ping", ping.clone()).await;
    assert_eq!(silent.error(), (504, "M_CONNECTION_TIMEOUT"));
    let foreign = home.call("POST", "appservice/other/ping", ping.clone()).await;
    assert_eq!(foreign.error(), (403, "M_FORBIDDEN"));
    let path = ("POST", "/_matrix/client/v1/appservice/other/ping");
    let unset = home.raw(Some(OTHER), path, Vec::new()).await;
    assert_eq!(unset.error(), (400, "M_URL_NOT_SET"));
    home.close().await;
}
