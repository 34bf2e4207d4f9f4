//! The relay works only for users with valid credentials.

use std::time::Duration;

use rookery_turn::{Family, Login, Secret};

use crate::fixture::{Fixture, code, peer};

#[test]
fn expired_credentials_neither_allocate_nor_refresh() {
    let relay = Fixture::new();
    let (_peer, peer_address) = peer();
    let (mut client, _) = relay.allocated("ada");
    let mut late = relay.client("ada");
    for _ in 0..7 {
        relay.pass(Duration::from_secs(500));
        client.refresh(600).unwrap();
    }
    relay.pass(Duration::from_secs(99));
    client.refresh(600).unwrap();
    relay.pass(Duration::from_secs(1));
    assert_eq!(code(client.refresh(600)), 401);
    assert_eq!(code(client.permit(&[peer_address])), 401);
    assert_eq!(code(client.bind_channel(0x4000, peer_address)), 401);
    assert_eq!(code(late.allocate(Family::V4)), 401);
    relay.pass(Duration::from_mins(10));
    relay.wait_for_allocations(0);
}

#[test]
fn forged_credentials_do_not_allocate() {
    let relay = Fixture::new();
    let right = relay.login("ada");
    let other = Secret::new("fedcba9876543210").unwrap();
    let foreign = other.issue_until("ada", 1_700_003_600);
    for login in [
        Login { credential: "guess".to_owned(), ..right.clone() },
        Login { username: right.username.replace("ada", "bob"), ..right.clone() },
        Login { username: format!("9{}", right.username), ..right.clone() },
        Login { username: "ada".to_owned(), ..right.clone() },
        Login { username: String::new(), ..right },
        Login { username: foreign.username, credential: foreign.credential },
    ] {
        assert_eq!(code(relay.client_with(login.clone()).allocate(Family::V4)), 401, "{login:?}");
    }
    let usage = relay.monitor.usage();
    assert_eq!((usage.allocations, usage.users), (0, 0));
}

#[test]
fn a_stale_nonce_is_replaced() {
    let relay = Fixture::new();
    let issued = relay.secret.issue_until("ada", 1_800_000_000);
    let login = Login { username: issued.username, credential: issued.credential };
    let mut client = relay.client_with(login);
    client.allocate(Family::V4).unwrap();
    client.refresh(0).unwrap();
    relay.pass(Duration::from_secs(3_700));
    client.allocate(Family::V4).unwrap();
}
