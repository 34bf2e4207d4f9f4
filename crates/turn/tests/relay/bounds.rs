//! The bounds for one user, and for all users together.

use std::{net::SocketAddr, time::Duration};

use rookery_turn::{Bounds, Family, RelayClient};

use crate::fixture::{Fixture, arrived, code, peer};

fn public(last: u8) -> SocketAddr {
    SocketAddr::from(([1, 1, 1, last], 9))
}

#[test]
fn allocations_of_a_user_are_bounded() {
    let relay = Fixture::with(Bounds { user_allocations: 3, ..Bounds::default() });
    let mut clients: Vec<RelayClient> = (0..3).map(|_| relay.allocated("ada").0).collect();
    // Other credentials of the same user count for the same user.
    relay.pass(Duration::from_secs(1));
    assert_eq!(code(relay.client("ada").allocate(Family::V4)), 486);
    relay.allocated("grace");
    clients[0].refresh(0).unwrap();
    relay.allocated("ada");
}

#[test]
fn allocations_of_all_users_are_bounded() {
    let relay = Fixture::with(Bounds { allocations: 2, ..Bounds::default() });
    let _first = [relay.allocated("ada"), relay.allocated("grace")];
    assert_eq!(code(relay.client("bob").allocate(Family::V4)), 508);
}

#[test]
fn permissions_of_an_allocation_are_bounded() {
    let relay = Fixture::with(Bounds { permissions: 3, ..Bounds::default() });
    let (mut client, _) = relay.allocated("ada");
    client.permit(&[public(1), public(2)]).unwrap();
    assert_eq!(code(client.permit(&[public(3), public(4)])), 508);
    client.permit(&[public(3)]).unwrap();
    client.permit(&[public(1), public(2), public(3)]).unwrap();
    assert_eq!(code(client.bind_channel(0x4000, public(4))), 508);
    relay.pass(Duration::from_secs(301));
    client.permit(&[public(4), public(5), public(6)]).unwrap();
}

#[test]
fn channels_of_an_allocation_are_bounded() {
    let relay = Fixture::with(Bounds { channels: 2, ..Bounds::default() });
    let (mut client, _) = relay.allocated("ada");
    client.bind_channel(0x4000, public(1)).unwrap();
    client.bind_channel(0x4001, public(2)).unwrap();
    assert_eq!(code(client.bind_channel(0x4002, public(3))), 508);
    client.bind_channel(0x4001, public(2)).unwrap();
}

#[test]
fn bandwidth_of_a_user_is_bounded_in_both_directions_and_over_all_allocations() {
    let relay = Fixture::with(Bounds { user_bandwidth: 10_000, ..Bounds::default() });
    let (socket, address) = peer();
    let (mut first, relayed) = relay.allocated("ada");
    let (mut second, _) = relay.allocated("ada");
    for client in [&mut first, &mut second] {
        client.permit(&[address]).unwrap();
    }
    let data = [7; 1_000];
    socket.send_to(&data, relayed).unwrap();
    assert!(first.receive(Duration::from_secs(20)).unwrap().is_some());
    for _ in 0..20 {
        second.send(address, &data).unwrap();
    }
    assert_eq!(arrived(&mut second, &socket, 9).len(), 9);
    // An allocation of its own gives no budget of its own.
    second.refresh(0).unwrap();
    second.allocate(Family::V4).unwrap();
    second.permit(&[address]).unwrap();
    second.send(address, &data).unwrap();
    assert_eq!(arrived(&mut second, &socket, 0).len(), 0);
    relay.pass(Duration::from_millis(500));
    for _ in 0..20 {
        second.send(address, &data).unwrap();
    }
    assert_eq!(arrived(&mut second, &socket, 5).len(), 5);
    assert_eq!(relay.monitor.usage().relayed_bytes, 15_000);
}
