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
        addresses.collect::<Result<_, _>>().map_err(|_| io::ErrorKind::NotFound.into())
    }
}

/// Whether the operator of the test names this address.
fn named(address: IpAddr) -> bool {
    address == IpAddr::from([10, 1, 2, 3])
}

fn client(guard: Guard, resolver: impl Resolver + 'static) -> Client {
    Client::new(guard, Arc::new(resolver), trusting(RootCertStore::empty()).unwrap())
}

/// The outcome of a request: the addresses to which it may go, or why not.
async fn verdict(guard: fn() -> Guard, url: &str) -> String {
    let target = match Target::parse(url) {
        Ok(target) => target,
        Err(error) => return format!("{error:?}"),
    };
    match client(guard(), Spelled).addresses(&target).await {
        Ok(addresses) => format!("{addresses:?}"),
        Err(SendError::Refused { reason, .. }) => reason.to_string(),
        Err(error) => format!("{error:?}").chars().take_while(|c| c.is_alphabetic()).collect(),
    }
}

fn for_users() -> Guard {
    Guard::for_users(named)
}

fn for_operator() -> Guard {
    Guard::for_operator(named)
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
        ("https://[64:ff9b::7f00:1]/", "is of a translator (NAT64)"),
        ("https://[64:ff9b:1::101:101]/", "is of a translator (NAT64)"),
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
        // Other ways to write an address: decimal, octal, hexadecimal, short, mixed, percent-encoded, full width.
        ("https://127.1/", "is loopback"),
        ("https://0/", "is of this network"),
        ("https://0x7f000001/", "is loopback"),
        ("https://017700000001/", "is loopback"),
        ("https://0300.0250.1.1/", "is private"),
        ("https://0xa9.254.43518/", "is link-local"),
        ("https://%31%32%37.0.0.1/", "is loopback"),
        ("https://127.0.0.1./", "is loopback"),
        ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", "is loopback"),
        ("https://\u{2460}\u{2461}\u{2466}.0.0.1/", "is loopback"),
        ("https://127\u{3002}0\u{3002}0\u{3002}1/", "is loopback"),
        ("https://127.0.\n0.1/", "is loopback"),
        ("https:///127.0.0.1/", "is loopback"),
        ("https:127.0.0.1/", "is loopback"),
        ("https://999999999999/", "Malformed"),
        ("https://127.0.0.256/", "Malformed"),
        ("https://1.1.1.1.1/", "Malformed"),
        ("https://[0:0:0:0:0:0:0:1]/", "is loopback"),
        ("https://[0000::1]/", "is loopback"),
        ("https://[::127.0.0.1]/", "is not a public one"),
        ("https://[2001:0:53aa:64c:0:0:0:1]/", "is for protocols"),
        ("https://[2001::1]/", "is for protocols"),
        ("https://[fec0::1]/", "is not a public one"),
        ("https://[100::1]/", "is not a public one"),
        ("https://[fe80::1%25eth0]/", "Malformed"),
        ("https://[fe80::1%eth0]/", "Malformed"),
        // Names: trailing dots, letters of other scripts, an empty label.
        ("https://127.0.0.1.test./", "is loopback"),
        ("https://9.9.9.9.test./", "[9.9.9.9:443]"),
        ("https://9.9.9.9.TEST/", "[9.9.9.9:443]"),
        ("https://localhost./", "NoSuchName"),
        ("https://b\u{fc}cher.test/", "NoSuchName"),
        ("https://xn--a/", "Malformed"),
        // Parts that other readers take for the host.
        ("https://1.1.1.1@127.0.0.1/", "Credentials"),
        ("https://:secret@1.1.1.1/", "Credentials"),
        ("https://1.1.1.1\\@127.0.0.1/", "[1.1.1.1:443]"),
        ("https://1.1.1.1#@127.0.0.1/", "[1.1.1.1:443]"),
        ("https://1.1.1.1?@127.0.0.1/", "[1.1.1.1:443]"),
        ("https://127.0.0.1#@1.1.1.1/", "is loopback"),
        ("https://1.1.1.1:0/", "Malformed"),
        ("https://1.1.1.1:70000/", "Malformed"),
        ("gopher://1.1.1.1/", "Scheme"),
        ("javascript:alert(1)", "Scheme"),
        ("", "Malformed"),
    ] {
        assert_eq!(verdict(for_users, url).await, expected, "{url}");
    }
    let long = format!("https://1.1.1.1/{}", "x".repeat(crate::URL_BYTES_MAX));
    assert_eq!(Target::parse(&long), Err(TargetError::Malformed));
}

#[tokio::test]
async fn an_address_that_the_operator_wrote_may_be_near_and_needs_no_tls() {
    for (url, expected) in [
        ("http://127.0.0.1:9898/", "[127.0.0.1:9898]"),
        ("http://[::1]:9898/", "[[::1]:9898]"),
        ("http://127.0.0.1.test/", "[127.0.0.1:80]"),
        ("http://172.17.0.2:29318/", "[172.17.0.2:29318]"),
        ("http://[fd00::2]/", "[[fd00::2]:80]"),
        ("http://1.1.1.1/", "[1.1.1.1:80]"),
        ("https://1.1.1.1/", "[1.1.1.1:443]"),
        ("http://169.254.169.254/", "is link-local"),
        ("http://168.63.129.16/", "is a metadata service"),
        ("http://[fe80::1]/", "is link-local"),
        ("http://0.0.0.0/", "is of this network"),
        ("http://[::]/", "is not a public one"),
        ("http://224.0.0.1/", "is multicast"),
        ("http://[::ffff:127.0.0.1]/", "is IPv4 inside of IPv6"),
        ("http://[64:ff9b::7f00:1]/", "is of a translator (NAT64)"),
    ] {
        assert_eq!(verdict(for_operator, url).await, expected, "{url}");
    }
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
    let client = client(for_users(), Rebinding::default());
    let target = Target::parse("https://changes.test/").unwrap();
    assert_eq!(client.addresses(&target).await, Ok(vec!["9.9.9.9:443".parse().unwrap()]));
    let second = client.addresses(&target).await;
    assert!(matches!(second, Err(SendError::Refused { .. })), "{second:?}");
}
