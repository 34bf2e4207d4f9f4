//! The operator's view of refused logins and requests.

use serde_json::json;
use tempfile::tempdir;

use crate::{
    client::Client,
    raw::send,
    server::{Server, eventually},
};

#[test]
fn failed_logins_and_refusals_of_security_are_logged_with_user_address_and_reason() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--trusted-proxies", "127.0.0.1"]);
    let alice = Client::register(&server, "alice");
    let from = |address: &str| format!("X-Forwarded-For: {address}");
    let post = |address: &str, token: &str, query: &str| {
        let headers = [
            "Content-Type: application/json",
            &from(address),
            &format!("Authorization: Bearer {token}"),
        ];
        let headers = if token.is_empty() { &headers[..2] } else { &headers[..] };
        send(&server, "POST /graphql", headers, json!({ "query": query }).to_string().as_bytes())
    };
    let log_in = "mutation { logIn(input: { username: \"USER\", password: \"not this one\" }) {
        refusal { code } } }";
    let logged = |address: &str, reason: &str, user: &str| {
        let lines = server.logged(&format!("address={address}"));
        let mut lines = lines.iter().filter(|line| line.contains(" INFO "));
        lines.any(|line| line.contains(reason) && line.contains(user))
    };
    let eventually_logged = |address: &str, reason: &str, user: &str| {
        eventually(&format!("{reason} of {address} is logged"), || logged(address, reason, user));
    };

    post("203.0.113.1", "", &log_in.replace("USER", "alice"));
    eventually_logged("203.0.113.1", "WRONG_CREDENTIALS", "alice");
    post("203.0.113.2", "", &log_in.replace("USER", "a\\nINFO forged"));
    eventually_logged("203.0.113.2", "WRONG_CREDENTIALS", "forged");
    assert!(server.logged("INFO forged").iter().all(|line| !line.starts_with("INFO")));
    post("203.0.113.3", "made-up", "{ viewer { isAdmin } }");
    eventually_logged("203.0.113.3", "UNAUTHENTICATED", "");
    let register = "mutation { register(input: { username: \"bob\", password: \"long enough\" }) {
        token } }";
    post("203.0.113.4", "", register);
    eventually_logged("203.0.113.4", "REGISTRATION_CLOSED", "bob");

    let origin = ["Origin: https://evil.example", "Accept: text/event-stream"];
    send(&server, "PUT /graphql", &origin, b"");
    eventually("a foreign origin is logged", || !server.logged("ORIGIN_FORBIDDEN").is_empty());
    let mut socket = alice.nobody().silent_socket();
    socket.send(&json!({ "type": "connection_init", "payload": { "token": "made-up" } }));
    assert_eq!(socket.closing(), 4403);
    eventually("a socket's token is logged", || !server.logged("refused a socket").is_empty());

    // No secret is in the log, and a stranger does not fill it.
    assert!(server.logged("made-up").is_empty() && server.logged("not this one").is_empty());
    for _ in 0..40 {
        post("203.0.113.9", "made-up", "{ viewer { isAdmin } }");
    }
    let lines = server.logged("address=203.0.113.9").len();
    assert!((1..=10).contains(&lines), "{lines} lines");
}
