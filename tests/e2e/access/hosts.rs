//! The hosts for which the server answers, on every path.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    raw::{Raw, read, write},
    server::{Server, eventually},
};

/// Sends a request with the host `host` and more headers.
fn ask(server: &Server, host: &str, line: &str, headers: &[&str], body: &str) -> Raw {
    let mut request = format!("{line} HTTP/1.1\r\nHost: {host}\r\n");
    for header in headers {
        request += &format!("{header}\r\n");
    }
    if !headers.iter().any(|header| header.starts_with("Connection")) {
        request += "Connection: close\r\n";
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    read(write(server, request.as_bytes()))
}

fn register(name: &str) -> String {
    let query = format!(
        "mutation {{ register(input: {{ username: \"{name}\", password: \"long enough\" }}) {{
            token }} }}"
    );
    json!({ "query": query }).to_string()
}

#[test]
fn a_page_whose_name_was_rebound_to_this_machine_reaches_nothing() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let host = format!("evil.example:{port}");
    let origin = format!("Origin: http://{host}");
    let json = "Content-Type: application/json";
    let (mallory, query) = (register("mallory"), json!({ "query": "{ __typename }" }).to_string());
    let stream = "Accept: text/event-stream";
    let parts = "Accept: multipart/mixed;subscriptionSpec=1.0, application/json";
    let upgrade = [
        "Connection: Upgrade, close",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
        &origin,
    ];
    let surfaces: [(&str, &[&str], &str); 12] = [
        ("POST /graphql", &[json, &origin], &mallory),
        ("GET /graphql?query=%7B__typename%7D", &[&origin], ""),
        ("POST /graphql", &[json, stream], &query),
        ("POST /graphql", &[json, parts], &query),
        ("PUT /graphql", &[], ""),
        ("OPTIONS /graphql", &[&origin], ""),
        ("GET /graphql", &upgrade, ""),
        ("GET /", &["Accept: text/html"], ""),
        ("GET /graphiql", &["Accept: text/html"], ""),
        ("GET /healthz", &[], ""),
        ("GET /readyz", &[], ""),
        ("GET /nothing", &[], ""),
    ];
    for (line, headers, body) in surfaces {
        let answer = ask(&server, &host, line, headers, body);
        assert_eq!(answer.status, 421, "{line} {headers:?}: {}", answer.body);
        let told = answer.body.contains("evil.example") && answer.body.contains("allowed_hosts");
        assert!(told, "{}", answer.body);
        if line.contains("/graphql") && !line.contains("graphiql") {
            assert_eq!(answer.code(), "HOST_NOT_ALLOWED", "{line}");
        }
    }
    let absolute = ask(&server, &host, "GET http://localhost/readyz", &[], "");
    assert_eq!(absolute.status, 421);
    for text in ["reason=\"HOST_NOT_ALLOWED\"", "evil.example"] {
        eventually("the refusal is logged", || !server.logged(text).is_empty());
    }

    // The place of the administrator is still free.
    let alice = Client::register(&server, "alice");
    assert_eq!(alice.run("{ viewer { isAdmin } }", &json!({}))["viewer"]["isAdmin"], true);
}

#[test]
fn a_server_answers_for_its_name_and_for_the_hosts_that_are_allowed() {
    let data = tempdir().unwrap();
    let arguments =
        ["--server-name", "chat.example.org", "--allowed-hosts", "Rookery.lan,203.0.113.9"];
    let server = Server::start_with(data.path(), &arguments);
    let status = |host: &str| ask(&server, host, "GET /readyz", &[], "").status;
    for host in [
        "chat.example.org",
        "CHAT.example.org.:443",
        "rookery.lan",
        "203.0.113.9:8008",
        "localhost:1",
        "127.0.0.1",
        "[::1]:8008",
    ] {
        assert_eq!(status(host), 200, "{host}");
    }
    for host in ["example.org", "www.chat.example.org", "lan", "203.0.113.10", "xn--chat.example"] {
        assert_eq!(status(host), 421, "{host}");
    }
    for host in ["", "a b", "user@localhost", "localhost:port", "[::1", "localhost, localhost"] {
        assert_eq!(status(host), 400, "{host}");
    }
    let forwarded = ["X-Forwarded-Host: chat.example.org"];
    assert_eq!(ask(&server, "evil.example", "GET /readyz", &forwarded, "").status, 421);
    let forwarded = ["X-Forwarded-Host: evil.example"];
    assert_eq!(ask(&server, "chat.example.org", "GET /readyz", &forwarded, "").status, 200);
    for (head, expected) in [
        ("GET /readyz HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (
            "GET /readyz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            400,
        ),
        ("GET /readyz HTTP/1.0\r\n\r\n", 200),
        ("GET /readyz HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421),
    ] {
        assert_eq!(read(write(&server, head.as_bytes())).status, expected, "{head}");
    }
    let query = json!({ "query": "{ __typename }" }).to_string();
    let json = ["Content-Type: application/json"];
    let answer = ask(&server, "rookery.lan", "POST /graphql", &json, &query);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &body["data"]["__typename"]), (200, &json!("Query")));
}
