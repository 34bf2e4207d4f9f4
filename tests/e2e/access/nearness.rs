//! The local check over real connections and a real proxy.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    client::Client,
    raw::{Raw, read, write},
    server::{Server, eventually},
};

const REGISTER: &str =
    "mutation { register(input: {username: \"NAME\", password: \"long enough\"}) {
    token user { userId } refusal { code message } } }";

/// Posts a registration over HTTP/`version`, with only these `headers`.
fn register(server: &Server, version: &str, headers: &[&str], name: &str) -> Value {
    let body = json!({ "query": REGISTER.replace("NAME", name) }).to_string();
    let mut request = format!("POST /graphql HTTP/{version}\r\nConnection: close\r\n");
    request += "Content-Type: application/json\r\n";
    request += &format!("Content-Length: {}\r\n", body.len());
    for header in headers {
        request += &format!("{header}\r\n");
    }
    let Raw { body, .. } = read(write(server, format!("{request}\r\n{body}").as_bytes()));
    let answer: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON: {body}"));
    answer["data"]["register"].clone()
}

#[test]
fn whoever_comes_through_a_proxy_is_not_local_and_is_told_what_to_do() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--allowed-hosts", "chat.example.org"]);
    let local = "Host: 127.0.0.1:8008";
    let cases: [(&str, &[&str]); 9] = [
        ("1.0", &[local]),
        ("1.0", &[]),
        ("1.1", &["Host: chat.example.org"]),
        ("1.1", &[local, "X-Forwarded-For: 203.0.113.9"]),
        ("1.1", &[local, "X-Real-IP: 203.0.113.9"]),
        ("1.1", &[local, "Forwarded: for=203.0.113.9"]),
        ("1.1", &[local, "Via: 1.1 proxy"]),
        ("1.1", &[local, "X-Forwarded-Host: chat.example.org"]),
        ("1.1", &[local, "X-Forwarded-Proto: https"]),
    ];
    for (version, headers) in cases {
        let payload = register(&server, version, headers, "mallory");
        assert_eq!(payload["refusal"]["code"], "REGISTRATION_CLOSED", "{version} {headers:?}");
        let message = payload["refusal"]["message"].as_str().unwrap();
        assert!(
            message.contains("localhost") && message.contains("rookery user create"),
            "{message}"
        );
    }
    for (n, host) in ["127.0.0.1:8008", "localhost:8008", "[::1]:8008"].iter().enumerate() {
        let payload = register(&server, "1.1", &[&format!("Host: {host}")], &format!("user{n}"));
        assert_eq!(payload["refusal"], Value::Null, "{host}");
        let client = Client::with_token(&server, "user", payload["token"].as_str().unwrap());
        let viewer = client.run("{ viewer { isAdmin } }", &json!({}))["viewer"].clone();
        assert_eq!(viewer["isAdmin"], n == 0, "the first local account is the administrator");
    }
}

#[test]
fn an_upgrade_through_a_proxy_is_not_local_either() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let nobody = Client::anonymous(&server);
    for (header, name, code) in [
        (Some(("Via", "1.1 proxy")), "mallory", "REGISTRATION_CLOSED"),
        (Some(("X-Real-IP", "203.0.113.9")), "mallory", "REGISTRATION_CLOSED"),
        (None, "alice", ""),
    ] {
        let headers: Vec<_> = header.into_iter().collect();
        let mut socket = nobody.try_socket(&headers).expect("an upgrade");
        socket.send(&json!({ "type": "connection_init" }));
        assert_eq!(socket.receive()["type"], "connection_ack");
        let payload = json!({ "query": REGISTER.replace("NAME", name) });
        socket.send(&json!({ "type": "subscribe", "id": "1", "payload": payload }));
        let answer = socket.receive();
        let refusal = &answer["payload"]["data"]["register"]["refusal"];
        assert_eq!(refusal["code"].as_str().unwrap_or_default(), code, "{header:?}: {answer}");
    }
}

/// nginx before `server` with the minimal configuration of its manual: only `proxy_pass`. `None` without
/// nginx.
struct Nginx {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn nginx(server: &Server) -> Option<Nginx> {
    let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];
    let program = program.into_iter().find(|path| Path::new(path).exists())?;
    let folder = tempdir().unwrap();
    // nginx cannot listen on port 0: a port that was free a moment ago is the next best.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let path = folder.path().display();
    let server = server.address();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {path}/{name};"))
        .join(" ");
    let text = format!(
        "daemon off; master_process off; pid {path}/pid; error_log stderr;
        events {{}}
        http {{ access_log off; {temporary}
            server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://{server}; }} }} }}"
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    let child = Command::new(program)
        .arg("-p")
        .arg(folder.path())
        .arg("-c")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nginx starts");
    Some(Nginx { child, port, _folder: folder })
}

#[test]
fn the_internet_is_not_local_behind_nginx_as_it_comes() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--allowed-hosts", "chat.example.org"]);
    let Some(nginx) = nginx(&server) else {
        eprintln!("skipped: there is no nginx here");
        return;
    };
    let address = format!("127.0.0.1:{}", nginx.port);
    eventually("nginx listens", || std::net::TcpStream::connect(&address).is_ok());
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let body = json!({ "query": REGISTER.replace("NAME", "mallory") });
    let request =
        agent.post(format!("http://{address}/graphql")).header("host", "chat.example.org");
    let mut answer = request.send_json(&body).expect("nginx answers");
    let answer: Value = answer.body_mut().read_json().expect("JSON");
    assert_eq!(answer["data"]["register"]["refusal"]["code"], "REGISTRATION_CLOSED", "{answer}");
    let alice = Client::register(&server, "alice");
    let viewer = alice.run("{ viewer { isAdmin } }", &json!({}))["viewer"].clone();
    assert_eq!(viewer["isAdmin"], true, "the first place is left to a local client");
}
