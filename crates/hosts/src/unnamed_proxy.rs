//! Detects an untrusted reverse proxy whose clients the server cannot distinguish.
//!
//! **Invariant:** the log has one line a minute about each of a few proxies, for any traffic.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use parking_lot::Mutex;

/// Time between two lines about the same proxy.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// Most proxies in the log in that time.
const PROXIES_MAX: usize = 8;

/// The header that the server trusts.
const BELIEVED: &str = "x-forwarded-for";

/// Headers in which a proxy names its client.
const FORWARDING: [&str; 4] = [BELIEVED, "forwarded", "x-real-ip", "via"];

/// The proxies that the log has named recently.
#[derive(Default)]
pub(crate) struct UnnamedProxies(Mutex<HashMap<IpAddr, Instant>>);

impl UnnamedProxies {
    /// Checks a request from `peer`; `trusted` says whether the server trusts that proxy.
    pub(crate) fn notice(&self, peer: IpAddr, trusted: bool, headers: &HeaderMap) {
        let Some(problem) = problem(peer, trusted, headers) else { return };
        if !self.is_due(peer, Instant::now()) {
            return;
        }
        match problem {
            Problem::NotTrusted => tracing::warn!(
                "a reverse proxy at {peer} is not trusted, so all of its clients count as one for \
                 limits by address, such as those of logins: set trusted_proxies = \
                 [\"{peer}\"] (or ROOKERY_TRUSTED_PROXIES={peer}), and let the proxy send X-Forwarded-For"
            ),
            Problem::NamesNobody => tracing::warn!(
                "the reverse proxy at {peer} is trusted and sends no X-Forwarded-For, so all of \
                 its clients count as one for limits by address: let it send that header"
            ),
        }
    }

    fn is_due(&self, peer: IpAddr, now: Instant) -> bool {
        let mut told = self.0.lock();
        told.retain(|_, at| now.duration_since(*at) < TOLD_EVERY);
        if told.len() >= PROXIES_MAX || told.contains_key(&peer) {
            return false;
        }
        told.insert(peer, now);
        true
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Problem {
    NotTrusted,
    NamesNobody,
}

fn problem(peer: IpAddr, trusted: bool, headers: &HeaderMap) -> Option<Problem> {
    let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
    if !forwarded || !is_near(peer) {
        return None;
    }
    match (trusted, headers.contains_key(BELIEVED)) {
        (false, _) => Some(Problem::NotTrusted),
        (true, false) => Some(Problem::NamesNobody),
        (true, true) => None,
    }
}

/// Whether a proxy of the operator may have this address. Headers from other addresses of the
/// Internet are forged.
fn is_near(peer: IpAddr) -> bool {
    match peer.to_canonical() {
        IpAddr::V4(peer) => {
            let [a, b, ..] = peer.octets();
            let shared = a == 100 && (64..128).contains(&b);
            peer.is_loopback() || peer.is_private() || peer.is_link_local() || shared
        }
        IpAddr::V6(peer) => {
            peer.is_loopback() || peer.is_unique_local() || peer.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, trusted: bool, headers: &[&'static str]) -> Option<Problem> {
        let header = |name: &&'static str| {
            let name = axum::http::HeaderName::from_static(name);
            (name, "x".parse().expect("a value"))
        };
        problem(peer.parse().expect("an address"), trusted, &headers.iter().map(header).collect())
    }

    #[test]
    fn a_proxy_nearby_that_is_not_named_is_noticed() {
        for peer in ["127.0.0.1", "::1", "10.0.0.7", "172.17.0.1", "192.168.1.1", "fd00::1"] {
            for header in FORWARDING {
                assert_eq!(seen(peer, false, &[header]), Some(Problem::NotTrusted), "{peer}");
            }
            assert_eq!(seen(peer, false, &["user-agent"]), None);
            assert_eq!(seen(peer, true, &["x-forwarded-for", "via"]), None);
            assert_eq!(seen(peer, true, &["forwarded"]), Some(Problem::NamesNobody));
        }
        assert_eq!(seen("203.0.113.9", false, &["x-forwarded-for"]), None, "forged");
    }

    #[test]
    fn the_log_has_one_line_a_minute_about_each_of_a_few_proxies() {
        let (proxies, now) = (UnnamedProxies::default(), Instant::now());
        let peer = |n: u8| IpAddr::from([10, 0, 0, n]);
        let told = (0..100).filter(|n| proxies.is_due(peer(n % 50), now)).count();
        assert_eq!(told, PROXIES_MAX);
        assert!(!proxies.is_due(peer(0), now + TOLD_EVERY / 2));
        assert!(proxies.is_due(peer(0), now + TOLD_EVERY));
    }
}
