//! The relay passes data on, and keeps to the standard.

use std::{
    io::Read as _,
    net::{TcpStream, UdpSocket},
    time::Duration,
};

use rookery_turn::{Bounds, Family, Login, Outcome, Source, Target, check};

use crate::fixture::{Fixture, RELAY, arrived, code, is_silent, peer};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn data_goes_from_a_client_to_its_peer_and_back() {
    let relay = Fixture::new();
    let (peer, peer_address) = peer();
    for mut client in [relay.client("ada"), relay.client_by_tcp("ada")] {
        let allocated = client.allocate(Family::V4).unwrap();
        assert_eq!(allocated.mapped, client.local_addr().unwrap());
        assert_eq!(allocated.lifetime, Duration::from_mins(10));
        client.permit(&[peer_address]).unwrap();
        client.send(peer_address, b"hello").unwrap();
        assert_eq!(arrived(&mut client, &peer, 1), [(b"hello".to_vec(), allocated.relayed)]);
        peer.send_to(b"hi", allocated.relayed).unwrap();
        let received = client.receive(PATIENCE).unwrap();
        assert_eq!(received, Some((Source::Peer(peer_address), b"hi".to_vec())));
        client.bind_channel(0x4001, peer_address).unwrap();
        client.send_on(0x4001, b"short").unwrap();
        assert_eq!(arrived(&mut client, &peer, 1), [(b"short".to_vec(), allocated.relayed)]);
        peer.send_to(b"way", allocated.relayed).unwrap();
        let received = client.receive(PATIENCE).unwrap();
        assert_eq!(received, Some((Source::Channel(0x4001), b"way".to_vec())));
    }
}

#[test]
fn two_clients_reach_each_other() {
    let relay = Fixture::new();
    let (mut ada, at_ada) = relay.allocated("ada");
    let mut grace = relay.client_by_tcp("grace");
    let at_grace = grace.allocate(Family::V4).unwrap().relayed;
    ada.permit(&[at_grace]).unwrap();
    ada.send(at_grace, b"too early").unwrap();
    ada.mapped_address().unwrap();
    assert!(is_silent(&mut grace), "grace does not permit ada yet");
    grace.permit(&[at_ada]).unwrap();
    ada.send(at_grace, b"hello").unwrap();
    let received = grace.receive(PATIENCE).unwrap();
    assert_eq!(received, Some((Source::Peer(at_ada), b"hello".to_vec())));
    grace.bind_channel(0x4000, at_ada).unwrap();
    grace.send_on(0x4000, b"hi").unwrap();
    let received = ada.receive(PATIENCE).unwrap();
    assert_eq!(received, Some((Source::Peer(at_grace), b"hi".to_vec())));
}

#[test]
fn the_relays_own_address_is_no_way_to_its_machine() {
    let relay = Fixture::new();
    let (mut client, _) = relay.allocated("ada");
    let service = UdpSocket::bind((RELAY, 0)).unwrap();
    let address = service.local_addr().unwrap();
    client.permit(&[address]).unwrap();
    client.send(address, b"let me in").unwrap();
    client.bind_channel(0x4000, address).unwrap();
    client.send_on(0x4000, b"let me in").unwrap();
    assert_eq!(arrived(&mut client, &service, 0), []);
}

#[test]
fn a_peer_without_permission_reaches_nobody() {
    let relay = Fixture::new();
    let (mut client, relayed) = relay.allocated("ada");
    let (peer, peer_address) = peer();
    peer.send_to(b"hello", relayed).unwrap();
    assert!(is_silent(&mut client));
    client.permit(&[peer_address]).unwrap();
    peer.send_to(b"hello", relayed).unwrap();
    assert!(!is_silent(&mut client));
    relay.pass(Duration::from_secs(301));
    peer.send_to(b"hello", relayed).unwrap();
    assert!(is_silent(&mut client), "a permission lives for 300 s");
}

#[test]
fn a_client_that_never_refreshes_is_gone() {
    let relay = Fixture::new();
    let (mut client, relayed) = relay.allocated("ada");
    let (peer, peer_address) = peer();
    client.bind_channel(0x4000, peer_address).unwrap();
    relay.pass(Duration::from_secs(500));
    client.refresh(600).unwrap();
    client.bind_channel(0x4000, peer_address).unwrap();
    relay.pass(Duration::from_secs(599));
    client.send_on(0x4000, b"in time").unwrap();
    assert_eq!(arrived(&mut client, &peer, 1).len(), 1);
    relay.pass(Duration::from_secs(1));
    client.send_on(0x4000, b"too late").unwrap();
    assert_eq!(arrived(&mut client, &peer, 0), []);
    relay.wait_for_allocations(0);
    assert_eq!(code(client.refresh(600)), 437);
    // Its port is free: the socket is closed as soon as its task has ended.
    while UdpSocket::bind(relayed).is_err() {
        std::thread::yield_now();
    }
    assert!(client.allocate(Family::V4).is_ok());
}

#[test]
fn an_allocation_ends_with_its_connection() {
    let relay = Fixture::new();
    let mut client = relay.client_by_tcp("ada");
    client.allocate(Family::V4).unwrap();
    relay.wait_for_allocations(1);
    drop(client);
    relay.wait_for_allocations(0);
}

#[test]
fn connections_of_one_address_are_bounded() {
    let relay = Fixture::with(Bounds { address_connections: 2, ..Bounds::default() });
    let [mut first, _second] = [(); 2].map(|()| relay.client_by_tcp("ada"));
    first.mapped_address().unwrap();
    let mut third = TcpStream::connect(relay.address).unwrap();
    let read = third.read(&mut [0]);
    assert!(read.is_err() || read.is_ok_and(|bytes| bytes == 0));
}

#[test]
fn requests_get_the_errors_of_the_standard() {
    let relay = Fixture::new();
    let (mut client, relayed) = relay.allocated("ada");
    let (_peer, peer_address) = peer();
    assert_eq!(code(client.allocate(Family::V4)), 437);
    assert_eq!(code(client.permit(&[])), 400);
    assert_eq!(code(client.permit(&["[2606:4700::1111]:9".parse().unwrap()])), 443);
    assert_eq!(code(client.bind_channel(0x3fff, peer_address)), 400);
    client.bind_channel(0x4000, peer_address).unwrap();
    assert_eq!(code(client.bind_channel(0x4001, peer_address)), 400);
    assert_eq!(code(client.bind_channel(0x4000, relayed)), 400);
    client.refresh(0).unwrap();
    assert_eq!(code(client.permit(&[peer_address])), 437);
    assert_eq!(code(relay.client("ada").refresh(600)), 437);
}

#[test]
fn the_check_passes_each_step() {
    let relay = Fixture::new();
    let Login { username, credential } = relay.login("check");
    let login = Login { username, credential };
    for transport in ["udp", "tcp"] {
        let uri = format!("turn:{}?transport={transport}", relay.address);
        let target: Target = uri.parse().unwrap();
        let mut failed = Vec::new();
        let works = check(&target, &login, |step| {
            if !matches!(step.outcome, Outcome::Passed(_) | Outcome::Skipped(_)) {
                failed.push(step.to_string());
            }
        });
        assert!(works && failed.is_empty(), "{failed:?}");
    }
    let wrong = Login { credential: "wrong".to_owned(), ..login };
    let target: Target = format!("turn:{}", relay.address).parse().unwrap();
    let mut last = String::new();
    assert!(!check(&target, &wrong, |step| last = step.to_string()));
    assert!(last.contains("turn.secret"), "{last}");
}
