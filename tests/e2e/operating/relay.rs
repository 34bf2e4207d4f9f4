//! The relay for calls: in the server, or another one that the server names.

use std::{net::SocketAddr, time::Duration};

use rookery_turn::{Family, Login, RelayClient, Source, Target, Transport};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    server::{Server, fail, rookery, run, succeed},
};

const ICE_SERVERS: &str = "{ iceServers { urls username credential expiresAt } }";

const PATIENCE: Duration = Duration::from_secs(20);

/// The answer of the server to the user.
fn ice_servers(user: &Client) -> Value {
    user.run(ICE_SERVERS, &json!({}))["iceServers"].clone()
}

/// Where the relay of the server is, by UDP.
fn relay(servers: &Value) -> (String, SocketAddr) {
    let uri = servers[0]["urls"][0].as_str().unwrap().to_owned();
    let target: Target = uri.parse().unwrap();
    assert_eq!(target.transport, Transport::Udp);
    (uri, target.resolve().unwrap()[0])
}

fn client_of_the_relay(servers: &Value) -> RelayClient {
    let text = |field: &str| servers[0][field].as_str().unwrap().to_owned();
    let login = Login { username: text("username"), credential: text("credential") };
    RelayClient::open(relay(servers).1, Transport::Udp, login, PATIENCE).unwrap()
}

#[test]
fn users_get_credentials_with_which_the_relay_of_the_server_connects_them() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--turn-listen", "127.0.0.1:0"]);
    let [alice, bob] = ["alice", "bob"].map(|name| Client::register(&server, name));
    let servers = ice_servers(&alice);
    let username = servers[0]["username"].as_str().unwrap();
    assert!(username.ends_with(":@alice:localhost"), "{username}");
    let mut at_alice = client_of_the_relay(&servers);
    let mut at_bob = client_of_the_relay(&ice_servers(&bob));
    let relayed = at_alice.allocate(Family::V4).unwrap().relayed;
    let relayed_of_bob = at_bob.allocate(Family::V4).unwrap().relayed;
    at_alice.bind_channel(0x4000, relayed_of_bob).unwrap();
    at_bob.permit(&[relayed]).unwrap();
    at_alice.send_on(0x4000, b"hello").unwrap();
    let received = at_bob.receive(PATIENCE).unwrap();
    assert_eq!(received, Some((Source::Peer(relayed), b"hello".to_vec())));
    let status = succeed(data.path(), &["status"], "");
    assert!(status.contains("relay: 2 allocations of 2 users, relayed 0 MiB"), "{status}");
    let own = server.address().parse().unwrap();
    at_alice.permit(&[own]).unwrap();
    at_alice.send(own, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let private = at_alice.permit(&["10.0.0.1:80".parse().unwrap()]);
    assert_eq!(private.unwrap_err().code(), Some(403));
    assert_eq!(alice.nobody().fail(ICE_SERVERS, &json!({})), "UNAUTHENTICATED");
    assert!(server.stop().success());
}

#[test]
fn credentials_stay_valid_after_a_restart() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--turn-listen", "127.0.0.1:0"]);
    let alice = Client::register(&server, "alice");
    let before = ice_servers(&alice);
    server.kill();
    let server = Server::start_with(data.path(), &["--turn-listen", "127.0.0.1:0"]);
    let mut servers = ice_servers(&alice.at(&server));
    servers[0]["username"] = before[0]["username"].clone();
    servers[0]["credential"] = before[0]["credential"].clone();
    client_of_the_relay(&servers).allocate(Family::V4).unwrap();
}

#[test]
fn requests_for_ice_servers_have_a_pace() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rates-ice-servers", "3+1/h"]);
    let [alice, bob] = ["alice", "bob"].map(|name| Client::register(&server, name));
    for _ in 0..3 {
        assert_eq!(ice_servers(&alice), json!([]), "there is no relay");
    }
    assert_eq!(alice.fail(ICE_SERVERS, &json!({})), "RATE_LIMITED");
    assert_eq!(ice_servers(&bob), json!([]));
}

#[test]
fn another_relay_is_named_with_credentials_of_its_secret() {
    let data = tempdir().unwrap();
    let mut command = rookery();
    command.env("ROOKERY_TURN_SECRET", "north-wind-and-sun");
    let uri = "turn:turn.example.org:3478?transport=udp";
    let server = Server::start_as(command, data.path(), &["--turn-uris", uri]);
    let servers = ice_servers(&Client::register(&server, "alice"));
    assert_eq!(servers[0]["urls"], json!([uri]));
    let username = servers[0]["username"].as_str().unwrap();
    let (end, _) = username.split_once(':').unwrap();
    let secret = rookery_turn::Secret::new("north-wind-and-sun").unwrap();
    let expected = secret.issue_until("@alice:localhost", end.parse().unwrap());
    assert_eq!(servers[0]["credential"], json!(expected.credential));
}

#[test]
fn turn_check_reports_what_a_client_sees() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--turn-listen", "127.0.0.1:0"]);
    let (uri, _) = relay(&ice_servers(&Client::register(&server, "alice")));
    let ran = run(data.path(), &["turn", "check", "--uri", &uri], "");
    assert!(ran.success, "{}{}", ran.output, ran.error);
    for step in ["address", "binding", "credentials", "allocation", "clients", "release"] {
        assert!(ran.output.contains(&format!("ok       {step}")), "{step}: {}", ran.output);
    }
    server.kill();
    let other = tempdir().unwrap();
    let other_server = Server::start_with(other.path(), &["--turn-listen", "127.0.0.1:0"]);
    let (uri, _) = relay(&ice_servers(&Client::register(&other_server, "alice")));
    let ran = run(data.path(), &["turn", "check", "--uri", &uri], "");
    assert!(!ran.success && ran.output.contains("turn.secret"), "{}", ran.output);
    let refusal = fail(data.path(), &["turn", "check"], "");
    assert!(refusal.contains("turn.listen"), "{refusal}");
}

#[test]
fn a_relay_that_cannot_listen_stops_the_start_by_name() {
    let data = tempdir().unwrap();
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refusal =
        fail(data.path(), &["serve", "--listen", "127.0.0.1:0", "--turn-listen", &address], "");
    assert!(refusal.contains("turn.listen") && refusal.contains(&address), "{refusal}");
}
