#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use futures_util::FutureExt as _;

use super::*;

const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn connections(connections_max: usize, strangers_max: usize) -> Arc<Connections> {
    let stranger_lifetime = Duration::from_mins(1);
    Connections::new(ConnectionLimits { connections_max, strangers_max, stranger_lifetime })
}

fn is_evicted(place: &ConnectionPlace) -> bool {
    place.0.evicted().now_or_never().is_some()
}

fn enter(all: &Arc<Connections>, address: IpAddr) -> ConnectionPlace {
    all.enter(address, false).unwrap()
}

#[tokio::test(start_paused = true)]
async fn strangers_of_an_address_that_wait_long_make_room_for_its_next() {
    let all = connections(100, 3);
    let places: Vec<_> = (0..3).map(|_| enter(&all, ONE)).collect();
    places[0].0.works();
    places[1].0.is_known();
    let early = enter(&all, ONE);
    let more = enter(&all, ONE);
    assert!(!is_evicted(&places[2]), "its request may be on its way");
    tokio::time::advance(GRACE).await;
    let _late = enter(&all, ONE);
    assert!(is_evicted(&places[2]), "the first that waits and nobody has logged in on");
    assert!(!is_evicted(&places[0]) && !is_evicted(&places[1]) && !is_evicted(&early));
    drop(more);
}

#[tokio::test(start_paused = true)]
async fn the_largest_holder_makes_room_when_there_is_none() {
    let all = connections(8, 100);
    let many: Vec<_> = (0..4).map(|_| enter(&all, ONE)).collect();
    let few: Vec<_> = (0..3).map(|_| enter(&all, OTHER)).collect();
    let trusted = all.enter(OTHER, true).unwrap();
    let _new = all.place(OTHER, true).await.unwrap();
    assert_eq!(all.counts().0, 8);
    let evicted =
        |places: &[ConnectionPlace]| places.iter().filter(|place| is_evicted(place)).count();
    assert_eq!((evicted(&many), evicted(&few)), (0, 1), "four and four: the address of the latter");
    many[0].0.works();
    for place in &few {
        place.0.works();
    }
    trusted.0.works();
    drop(trusted);
}

#[tokio::test(start_paused = true)]
async fn an_address_never_holds_more_than_half_and_nothing_that_works_is_closed() {
    let all = connections(8, 100);
    let places: Vec<_> = (0..4).map(|_| enter(&all, ONE)).collect();
    let fifth = enter(&all, ONE);
    assert!(is_evicted(&places[0]));
    for place in &places[1..] {
        place.0.works();
    }
    fifth.0.works();
    assert!(all.enter(ONE, false).is_none());
    assert!(all.enter(ONE, true).is_some(), "a trusted proxy speaks for many");
    assert!(all.enter(OTHER, false).is_some());
    assert_eq!(all.counts().0, 4, "dropped places are free");
}

#[tokio::test(start_paused = true)]
async fn sockets_leave_an_eighth_and_count_until_they_end() {
    let all = connections(8, 100);
    let places: Vec<_> = (0..8).map(|_| all.enter(ONE, true).unwrap()).collect();
    let mut lasting: Vec<_> = places[..7].iter().map(|place| place.0.lasting().unwrap()).collect();
    let refused = places[7].0.lasting().unwrap_err();
    assert_eq!(refused.code, code::TOO_MANY_SOCKETS);
    assert_eq!(all.counts(), (8, 7));
    // A stream ends before its connection, a socket after it.
    lasting.pop();
    places[7].0.lasting().unwrap();
    drop(places);
    assert_eq!(all.counts(), (0, 6));
    drop(lasting);
    assert_eq!(all.counts(), (0, 0));
    assert!(all.table.lock().holders.is_empty() && all.table.lock().by_count.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_room_gets_it_when_a_connection_ends() {
    let all = connections(1, 1);
    let place = enter(&all, ONE);
    place.0.works();
    assert!(all.place(OTHER, false).now_or_never().is_none());
    drop(place);
    all.place(OTHER, false).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nobody_logs_in_is_overdue_after_its_time() {
    let all = connections(9, 9);
    let (stranger, user) = (enter(&all, ONE), enter(&all, ONE));
    let proxy = all.enter(OTHER, true).unwrap();
    user.0.is_known();
    assert!(!stranger.0.is_overdue());
    tokio::time::advance(Duration::from_mins(1)).await;
    assert!(stranger.0.is_overdue() && !user.0.is_overdue() && !proxy.0.is_overdue());
}
