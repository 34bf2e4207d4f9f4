//! The origin of a request: the client's address, and whether the client is on this machine.
//!
//! **Invariant:** all surfaces (HTTP, the upgrade to a socket, event streams) pass here and get one address. It is
//! a loopback address only for a client on this machine without a proxy.
//! **Invariant:** data from the client can remove this property and never add it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, Uri, Version, header::HOST},
};

use crate::{host::Host, proxies::TrustedProxies, unnamed_proxy::UnnamedProxies};

/// Headers that proxies add about the client, and that no client needs to send.
const OF_PROXIES: [&str; 18] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-real-port",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-original-host",
    "x-proxyuser-ip",
    "x-scheme",
    "x-varnish",
    "x-amzn-trace-id",
    "true-client-ip",
    "client-ip",
    "remote-addr",
    "cdn-loop",
    "x-azure-clientip",
    "x-appengine-user-ip",
];

/// The same, as prefixes.
const PREFIXES_OF_PROXIES: [&str; 5] = ["x-forwarded", "x-envoy-", "cf-", "fastly-", "x-proxy"];

/// Passes the client's address to the inner layers, as far as it is known.
pub fn behind_proxies(app: Router, proxies: &TrustedProxies) -> Router {
    let proxies = Arc::new((proxies.clone(), UnnamedProxies::default()));
    app.layer(axum::middleware::map_request(move |mut request: Request| {
        let proxies = Arc::clone(&proxies);
        async move {
            if let Some(ConnectInfo::<SocketAddr>(peer)) = request.extensions().get().copied() {
                let (proxies, unnamed) = &*proxies;
                unnamed.notice(peer.ip(), proxies.trusts(peer.ip()), request.headers());
                let client = client(proxies, peer, &request);
                request.extensions_mut().insert(ConnectInfo(client));
            }
            request
        }
    }))
}

/// The address for limits and for the local check. A client behind a proxy on this machine has the address
/// `0.0.0.0`, unless a trusted proxy names another one.
fn client<B>(
    proxies: &TrustedProxies,
    peer: SocketAddr,
    request: &axum::http::Request<B>,
) -> SocketAddr {
    let values = request.headers().get_all("x-forwarded-for").iter();
    // A value that is no text names nobody, and neither does an empty one.
    let client = proxies.client(peer.ip(), values.map(|value| value.to_str().unwrap_or_default()));
    let is_near = client.address.to_canonical().is_loopback();
    let address = if is_near && !is_direct(request) {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        client.address
    };
    SocketAddr::new(address, peer.port())
}

/// Whether a request from a loopback address comes from this machine, and not from a proxy.
///
/// Proxies name themselves or the client in a header, keep the host name of the client's request, or speak
/// HTTP/1.0 (nginx does all but the first by default). A proxy that does none of this looks like a local
/// client.
fn is_direct<B>(request: &axum::http::Request<B>) -> bool {
    request.version() != Version::HTTP_10
        && !request.headers().keys().any(is_of_proxy)
        && names_this_machine(request.headers(), request.uri())
}

fn is_of_proxy(header: &HeaderName) -> bool {
    let name = header.as_str();
    OF_PROXIES.contains(&name) || PREFIXES_OF_PROXIES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether the client asked for a host name that always means this machine: `localhost` or a loopback address, with
/// any port. A request without exactly one `Host` does not.
fn names_this_machine(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let is_loopback = |host: &str| Host::of_authority(host).is_some_and(|host| host.is_loopback());
    host.to_str().is_ok_and(is_loopback)
        && uri.authority().is_none_or(|authority| is_loopback(authority.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "127.0.0.1:40000";

    /// The address of the client of a request from `peer`, with the proxies in `trusted`.
    fn seen_from(
        trusted: &[&str],
        peer: &str,
        version: Version,
        headers: &[(&str, &str)],
    ) -> String {
        let mut request = axum::http::Request::builder().version(version).uri("/graphql");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        let network = |text: &&str| crate::Network::parse(text).expect("a network");
        let proxies = TrustedProxies(trusted.iter().map(network).collect());
        client(&proxies, peer.parse().expect("an address"), &request).ip().to_string()
    }

    fn seen(headers: &[(&str, &str)]) -> String {
        seen_from(&[], HOME, Version::HTTP_11, headers)
    }

    #[test]
    fn a_client_that_asks_for_this_machine_by_its_own_names_is_near() {
        for host in
            ["localhost", "LocalHost:8008", "127.0.0.1:8008", "127.9.9.9", "[::1]:8008", "[::1]"]
        {
            assert_eq!(seen(&[("host", host)]), "127.0.0.1", "{host}");
        }
        let six = seen_from(&[], "[::1]:40000", Version::HTTP_11, &[("host", "[::1]:8008")]);
        assert_eq!(six, "::1");
        let mapped = "[::ffff:127.0.0.1]:40000";
        assert_eq!(seen_from(&[], mapped, Version::HTTP_11, &[("host", "localhost")]), "127.0.0.1");
    }

    #[test]
    fn a_client_that_asks_for_another_name_is_not_near() {
        for host in [
            "chat.example.org",
            "localhost.example.org",
            "127.0.0.1.example.org",
            "localhost@example.org",
            "192.0.2.1:8008",
            "0.0.0.0:8008",
            "[::2]:8008",
            "rookery",
            "",
            "\u{e9}",
        ] {
            assert_eq!(seen(&[("host", host)]), "0.0.0.0", "{host}");
        }
        assert_eq!(seen(&[]), "0.0.0.0", "no host");
        let two = [("host", "localhost"), ("host", "chat.example.org")];
        assert_eq!(seen(&two), "0.0.0.0", "two hosts");
    }

    #[test]
    fn nobody_is_near_who_is_spoken_for() {
        for header in OF_PROXIES.into_iter().chain([
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Real-IP",
            "CF-Connecting-IP",
            "Fastly-Client-IP",
            "X-Envoy-External-Address",
        ]) {
            for value in ["127.0.0.1", "for=127.0.0.1", "", "\u{e9}"] {
                let headers = [("host", "localhost:8008"), (header, value)];
                assert_eq!(seen(&headers), "0.0.0.0", "{header}: {value}");
            }
        }
        let old = seen_from(&[], HOME, Version::HTTP_10, &[("host", "127.0.0.1:8008")]);
        assert_eq!(old, "0.0.0.0", "nginx speaks HTTP/1.0 by default");
    }

    #[test]
    fn a_trusted_proxy_names_the_client_and_makes_nobody_near() {
        let through = |client: &str| {
            let headers = [("host", "localhost"), ("x-forwarded-for", client)];
            seen_from(&["127.0.0.1"], HOME, Version::HTTP_10, &headers)
        };
        assert_eq!(through("203.0.113.9"), "203.0.113.9");
        assert_eq!(through("127.0.0.1, 203.0.113.9"), "203.0.113.9");
        for nobody in ["127.0.0.1", "unknown", "", "\u{e9}"] {
            assert_eq!(through(nobody), "0.0.0.0", "{nobody}");
        }
        assert_eq!(
            seen_from(&["127.0.0.1"], HOME, Version::HTTP_11, &[("host", "x.org")]),
            "0.0.0.0"
        );
    }

    #[test]
    fn a_forged_header_does_not_move_the_limits_of_a_stranger() {
        let headers = [("host", "x.org"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(seen_from(&[], "203.0.113.9:4", Version::HTTP_11, &headers), "203.0.113.9");
    }
}
