//! The cost of senders without credentials.

use std::net::UdpSocket;

use rookery_turn::Family;

use crate::fixture::Fixture;

/// A request for an allocation without credentials, by RFC 8656.
const ALLOCATE: &[u8] =
    b"\x00\x03\x00\x08\x21\x12\xa4\x42transactions\x00\x19\x00\x04\x11\x00\x00\x00";

/// The answers that one address gets before its budget is empty. The clock of the test stands still.
const ANSWERS: usize = 100;

#[test]
fn strangers_leave_nothing_behind_and_get_few_answers() {
    let relay = Fixture::new();
    let sockets: Vec<_> = (0..50).map(|_| UdpSocket::bind("127.0.0.7:0").unwrap()).collect();
    for _ in 0..40 {
        for socket in &sockets {
            socket.send_to(ALLOCATE, relay.address).unwrap();
        }
        // Another address has a budget of its own, and its answer shows that the relay has read all.
        relay.client("ada").realm().unwrap();
    }
    let mut answers = 0;
    for socket in &sockets {
        socket.set_nonblocking(true).unwrap();
        while let Ok(bytes) = socket.recv(&mut [0; 512]) {
            assert!(bytes < 8 * ALLOCATE.len(), "an answer of {bytes} bytes");
            answers += 1;
        }
    }
    assert_eq!(answers, ANSWERS);
    let usage = relay.monitor.usage();
    assert_eq!((usage.allocations, usage.users, usage.relayed_bytes), (0, 0, 0));
}

#[test]
fn malformed_datagrams_change_nothing() {
    let relay = Fixture::new();
    let (mut client, _) = relay.allocated("ada");
    let stranger = UdpSocket::bind("127.0.0.7:0").unwrap();
    let mut bytes = ALLOCATE.to_vec();
    bytes.extend([0x40, 0, 0xff, 0xff, 0, 0x12, 0, 3, 9, 9, 9, 0]);
    for length in 0..bytes.len() {
        for flipped in 0..length {
            let mut datagram = bytes[..length].to_vec();
            datagram[flipped] ^= 0xff;
            stranger.send_to(&datagram, relay.address).unwrap();
            client.send_raw(&datagram).unwrap();
        }
        client.refresh(600).unwrap();
    }
    stranger.send_to(&vec![0; 65_000], relay.address).unwrap();
    assert_eq!(relay.monitor.usage().allocations, 1);
    client.refresh(0).unwrap();
    client.allocate(Family::V4).unwrap();
}
