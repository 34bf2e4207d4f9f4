//! The steps, over answers that a test gives.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::HashMap, io, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use rookery_domain::OwnedServerName;
use rookery_outgoing::{Client, Guard, Resolver, system_tls};

use super::{Discovery, Route, SrvAnswer, SrvLookup, SrvRecord};

/// No name has an address, so no well-known file answers.
struct NoAddress;

#[async_trait]
impl Resolver for NoAddress {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::Error::other("no such name"))
    }
}

#[derive(Default)]
struct Records(HashMap<&'static str, (&'static str, u16)>);

#[async_trait]
impl SrvLookup for Records {
    async fn srv(&self, name: &str) -> Result<SrvAnswer, String> {
        let record = self
            .0
            .get(name)
            .map(|(host, port)| SrvRecord { host: (*host).to_owned(), port: *port });
        Ok(SrvAnswer { records: record.into_iter().collect(), kept: Duration::from_mins(1) })
    }
}

async fn route(records: Records, server: &str) -> Route {
    let guard = Guard::for_users(|_| false);
    let client = Client::new(guard, Arc::new(NoAddress), system_tls());
    let discovery = Discovery::new(Arc::new(client), Arc::new(records));
    discovery.route(&OwnedServerName::try_from(server).unwrap(), 0).await
}

fn expected(place: (&str, u16), tls_name: &str, host: &str) -> Route {
    let places = vec![(place.0.to_owned(), place.1)];
    Route { places, tls_name: tls_name.to_owned(), host: host.to_owned() }
}

#[tokio::test]
async fn addresses_and_ports_in_names_are_taken_as_they_are() {
    for (name, expected) in [
        ("192.0.2.7", expected(("192.0.2.7", 8448), "192.0.2.7", "192.0.2.7")),
        ("192.0.2.7:1", expected(("192.0.2.7", 1), "192.0.2.7", "192.0.2.7:1")),
        ("[2001:db8::1]", expected(("[2001:db8::1]", 8448), "2001:db8::1", "[2001:db8::1]")),
        ("one.example:443", expected(("one.example", 443), "one.example", "one.example:443")),
    ] {
        assert_eq!(route(Records::default(), name).await, expected);
    }
}

#[tokio::test]
async fn srv_records_choose_the_place_and_not_the_name_of_the_certificate() {
    let new = [("_matrix-fed._tcp.one.example", ("m.one.example", 9))];
    let old = [("_matrix._tcp.one.example", ("old.one.example", 7))];
    let both: HashMap<_, _> = new.into_iter().chain(old).collect();
    let found = route(Records(both), "one.example").await;
    assert_eq!(found, expected(("m.one.example", 9), "one.example", "one.example"));
    let found = route(Records(old.into_iter().collect()), "one.example").await;
    assert_eq!(found, expected(("old.one.example", 7), "one.example", "one.example"));
}

#[tokio::test]
async fn a_name_without_any_record_is_on_port_8448() {
    let found = route(Records::default(), "one.example").await;
    assert_eq!(found, expected(("one.example", 8448), "one.example", "one.example"));
}
