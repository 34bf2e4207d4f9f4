//! Addresses and names, and whether a request may go there.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tokio_rustls::rustls::RootCertStore;

use crate::{Client, Guard, Resolver, SendError, Target, TargetError, tls::trusting};

/// Each name has the addresses that it spells, with `_` between them and `-` for `:`.
struct Spelled;

#[async_trait]
impl Resolver for Spelled {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let name = name.strip_suffix(".test").ok_or(io::ErrorKind::NotFound)?;
        let address = |text: &str| text.replace('-', ":").parse();
        let addresses = name.split('_').filter(|text| !text.is_empty()).map(address);
        Ok(addresses.collect::<Result<_, _>>().unwrap())
    }
}

fn client(resolver: impl Resolver + 'static) -> Client {
    let own: IpAddr = "10.1.2.3".parse().unwrap();
    let guard = Guard::new(move |address| address == own);
    Client::new(guard, Arc::new(resolver), trusting(RootCertStore::empty()).unwrap())
}

/// What happens to a request: `sent`, or why not.
async fn verdict(url: &str) -> String {
    let target = match Target::parse(url) {
        Ok(target) => target,
        Err(error) => return format!("{error:?}"),
    };
    match client(Spelled).addresses(&target).await {
        Ok(addresses) => format!("{addresses:?}"),
        Err(SendError::Refused { reason, .. }) => reason.to_string(),
        Err(error) => format!("{error:?}").chars().take_while(|c| c.is_alphabetic()).collect(),
    }
}

#[tokio::test]
async fn requests_go_to_public_addresses_and_to_those_that_an_operator_names() {
    for (url, expected) in [
        ("https://1.1.1.1/", "[1.1.1.1:443]"),
        ("https://1.1.1.1:8443/x?y", "[1.1.1.1:8443]"),
        ("https://[2606:4700::1111]/", "[[2606:4700::1111]:443]"),
        ("https://9.9.9.9.test/", "[9.9.9.9:443]"),
        ("https://9.9.9.9_2606-4700--1111.test/", "[9.9.9.9:443, [2606:4700::1111]:443]"),
        ("https://10.1.2.3/", "[10.1.2.3:443]"),
        ("http://10.1.2.3:9000/", "[10.1.2.3:9000]"),
        ("http://10.1.2.3.test/", "[10.1.2.3:80]"),
        ("http://1.1.1.1/", "is public, and the address does not begin with `https:`"),
        ("http://9.9.9.9.test/", "is public, and the address does not begin with `https:`"),
        ("https://127.0.0.1/", "is loopback"),
        ("https://127.9.9.9/", "is loopback"),
        ("https://localhost/", "NoSuchName"),
        ("https://127.0.0.1.test/", "is loopback"),
        ("https://0x7f.1/", "is loopback"),
        ("https://2130706433/", "is loopback"),
        ("https://0177.0.0.1/", "is loopback"),
        ("https://[::1]/", "is loopback"),
        ("https://[::]/", "is not a public one"),
        ("https://0.0.0.0/", "is of this network"),
        ("https://10.1.2.4/", "is private"),
        ("https://172.16.0.1/", "is private"),
        ("https://192.168.1.1/", "is private"),
        ("https://[fc00::1]/", "is private"),
        ("https://[fd00:ec2::254]/", "is private"),
        ("https://169.254.169.254/latest/meta-data/", "is link-local"),
        ("https://169.254.169.254.test/", "is link-local"),
        ("https://[fe80::1]/", "is link-local"),
        ("https://168.63.129.16/", "is a metadata service"),
        ("https://100.64.0.1/", "is behind a provider's NAT"),
        ("https://100.100.100.200/", "is behind a provider's NAT"),
        ("https://224.0.0.1/", "is multicast"),
        ("https://[ff02::1]/", "is multicast"),
        ("https://255.255.255.255/", "is reserved"),
        ("https://[::ffff:1.1.1.1]/", "is IPv4 inside of IPv6"),
        ("https://[::ffff:127.0.0.1]/", "is IPv4 inside of IPv6"),
        ("https://[::ffff:10.1.2.3]/", "is IPv4 inside of IPv6"),
        ("https://[64:ff9b::101:101]/", "is of a translator (NAT64)"),
        ("https://[64:ff9b::7f00:1]/", "is loopback"),
        ("https://[64:ff9b:1::101:101]/", "is not a public one"),
        ("https://[2002:7f00:1::]/", "is of a tunnel"),
        ("https://[2001:db8::1]/", "is for documentation"),
        ("https://9.9.9.9_127.0.0.1.test/", "is loopback"),
        ("https://2606-4700--1111_fd00--1.test/", "is private"),
        ("https://unknown/", "NoSuchName"),
        ("https://.test/", "NoSuchName"),
        ("https://ada:secret@1.1.1.1/", "Credentials"),
        ("ftp://1.1.1.1/", "Scheme"),
        ("file:///etc/passwd", "Scheme"),
        ("1.1.1.1", "Malformed"),
    ] {
        assert_eq!(verdict(url).await, expected, "{url}");
    }
    let long = format!("https://1.1.1.1/{}", "x".repeat(crate::URL_BYTES_MAX));
    assert_eq!(Target::parse(&long), Err(TargetError::Malformed));
}

/// Answers with a public address first, and with loopback from then on.
#[derive(Default)]
struct Rebinding(AtomicUsize);

#[async_trait]
impl Resolver for Rebinding {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        let address = match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => "9.9.9.9",
            _ => "127.0.0.1",
        };
        Ok(vec![address.parse().unwrap()])
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_checked_again_and_resolved_once_each_time() {
    let client = client(Rebinding::default());
    let target = Target::parse("https://changes.test/").unwrap();
    assert_eq!(client.addresses(&target).await, Ok(vec!["9.9.9.9:443".parse().unwrap()]));
    let second = client.addresses(&target).await;
    assert!(matches!(second, Err(SendError::Refused { .. })), "{second:?}");
}
