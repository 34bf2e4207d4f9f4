//! Whether other servers can find a server by its name.

use std::net::{IpAddr, Ipv4Addr};

use rookery_domain::ServerName;
use rookery_outgoing::Guard;

/// Why other servers cannot reach a server of this name, with the way to mend it. `is_named` says whether the operator
/// names an address in `federation.allow_networks`.
#[must_use]
pub fn unreachable(name: &ServerName, is_named: impl Fn(IpAddr) -> bool) -> Option<String> {
    let host = name.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    let is_allowed = |address: IpAddr| {
        Guard::for_users(|_| false).check(address, true).is_ok() || is_named(address)
    };
    let is_reachable = match address {
        Ok(address) => is_allowed(address),
        Err(_) if host == "localhost" || host.ends_with(".localhost") => {
            name.port().is_some() && is_allowed(Ipv4Addr::LOCALHOST.into())
        }
        Err(_) => host.contains('.'),
    };
    (!is_reachable).then(|| {
        format!(
            "federation.listen is set, and other servers cannot reach a server with the name {name}: a server needs a \
             server_name in the DNS, such as chat.example.org, and the name is fixed once there is data. For a test on \
             one machine, name the server localhost:PORT and set federation.allow_networks to 127.0.0.1"
        )
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_others_cannot_reach_is_refused() {
        let is_reachable = |name: &str, is_named: bool| {
            unreachable(<&ServerName>::try_from(name).unwrap(), |_| is_named).is_none()
        };
        for name in ["localhost", "localhost:1", "chat", "10.0.0.1", "127.0.0.1:1", "[::1]"] {
            assert!(!is_reachable(name, false), "{name}");
        }
        for name in ["chat.example.org", "example.org:8448", "8.8.8.8"] {
            assert!(is_reachable(name, false), "{name}");
        }
        assert!(is_reachable("localhost:1", true) && is_reachable("127.0.0.1:1", true));
        assert!(!is_reachable("localhost", true) && !is_reachable("chat", true));
    }
}
