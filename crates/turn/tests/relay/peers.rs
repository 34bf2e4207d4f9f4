//! Addresses that the relay must not send to.

use std::net::SocketAddr;

use rookery_turn::{Family, RelayClient};

use crate::fixture::{Fixture, code};

const FORBIDDEN: &[&str] = &[
    "0.0.0.0:9",
    "0.1.2.3:9",
    "10.0.0.1:9",
    "10.255.255.255:9",
    "100.64.0.1:9",
    "100.100.100.200:80",
    "100.127.255.255:9",
    "127.0.0.1:8008",
    "127.255.255.254:9",
    "168.63.129.16:80",
    "169.254.0.1:9",
    "169.254.169.254:80",
    "172.16.0.1:9",
    "172.31.255.255:9",
    "192.0.0.192:80",
    "192.0.2.1:9",
    "192.88.99.1:9",
    "192.168.0.1:9",
    "198.18.0.1:9",
    "198.51.100.1:9",
    "203.0.113.1:9",
    "224.0.0.1:9",
    "239.255.255.250:1900",
    "240.0.0.1:9",
    "255.255.255.255:9",
    "[::]:9",
    "[::7f00:1]:9",
    "[::ffff:127.0.0.1]:9",
    "[::ffff:10.0.0.1]:9",
    "[::ffff:1.1.1.1]:9",
    "[::ffff:0:127.0.0.1]:9",
    "[64:ff9b::127.0.0.1]:9",
    "[64:ff9b::169.254.169.254]:80",
    "[64:ff9b:1::a00:1]:9",
    "[100::1]:9",
    "[2001::1]:9",
    "[2001:db8::1]:9",
    "[2002:7f00:1::1]:9",
    "[2002:a00:1::1]:9",
    "[3fff::1]:9",
    "[5f00::1]:9",
    "[fc00::1]:9",
    "[fd00:ec2::254]:80",
    "[fe80::1]:9",
    "[fec0::1]:9",
    "[ff02::1]:9",
    "[ff0e::1]:9",
];

/// Clients with an allocation of each family, for peers of that family.
fn clients(relay: &Fixture) -> (RelayClient, RelayClient) {
    let [mut v4, mut v6] = [(); 2].map(|()| relay.client("ada"));
    v4.allocate(Family::V4).unwrap();
    v6.allocate(Family::V6).unwrap();
    (v4, v6)
}

#[test]
fn forbidden_peers_get_no_permission_no_channel_and_no_data() {
    let relay = Fixture::new();
    let (mut v4, mut v6) = clients(&relay);
    for peer in FORBIDDEN {
        let peer: SocketAddr = peer.parse().unwrap();
        let client = if peer.is_ipv4() { &mut v4 } else { &mut v6 };
        assert_eq!(code(client.permit(&[peer])), 403, "{peer}");
        assert_eq!(code(client.bind_channel(0x4000, peer)), 403, "{peer}");
        client.send(peer, b"let me in").unwrap();
        client.send_on(0x4000, b"let me in").unwrap();
        client.mapped_address().unwrap();
    }
    assert_eq!(relay.monitor.usage().relayed_bytes, 0);
}

#[test]
fn public_peers_get_permissions() {
    let relay = Fixture::new();
    let (mut v4, mut v6) = clients(&relay);
    v4.permit(&["1.1.1.1:9".parse().unwrap()]).unwrap();
    v4.bind_channel(0x4000, "8.8.8.8:9".parse().unwrap()).unwrap();
    v6.permit(&["[2606:4700::1111]:9".parse().unwrap()]).unwrap();
}

#[test]
fn one_forbidden_peer_forbids_the_whole_request() {
    let relay = Fixture::new();
    let (mut client, _) = relay.allocated("ada");
    let [public, private] = ["1.1.1.1:9", "10.0.0.1:9"].map(|peer| peer.parse().unwrap());
    assert_eq!(code(client.permit(&[public, private])), 403);
    client.send(public, b"no permission").unwrap();
    client.mapped_address().unwrap();
    assert_eq!(relay.monitor.usage().relayed_bytes, 0);
}
