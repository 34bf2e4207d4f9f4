//! The hosts for which the server answers.
//!
//! A web page can make its own name resolve to this machine (DNS rebinding). The browser then takes the server for the page's
//! own, and `Origin` and `Host` agree. But they name a host that is not this server.
//!
//! **Invariant:** every request to every route passes here before any other code sees it.
//! **Invariant:** the server does not read `X-Forwarded-Host` and the like: only the host in the client's own request counts.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri, Version, header, request::Parts, uri::Authority,
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use rookery_graphql_documents::{Refusal, code};
use rookery_graphql_edge::{Refused, SecurityLog, refused};

use crate::host::Host;

/// The hosts for which the server answers.
#[derive(Debug)]
pub struct Hosts {
    listener: SocketAddr,
    /// The server's name, and the hosts that the operator allows.
    named: Vec<Host>,
}

/// Why the server refuses the host of a request.
#[derive(Debug, PartialEq, Eq)]
enum Misdirected {
    /// The request does not name exactly one host, as HTTP demands (RFC 9112, section 3.2).
    Malformed,
    /// The request is for another host.
    Foreign(Host),
}

impl Hosts {
    /// For a server named `server_name`, with or without a port, that listens on `listener`.
    #[must_use]
    pub fn new(listener: SocketAddr, server_name: &str, allowed: &[Host]) -> Self {
        let named = Host::of_authority(server_name).into_iter().chain(allowed.iter().cloned());
        Self { listener, named: named.collect() }
    }

    fn answers_for(&self, host: &Host) -> bool {
        host.is_loopback() || self.is_of_listener(host) || self.named.contains(host)
    }

    /// Whether clients can reach the listener by this address. Behind a router or a published port of a container it
    /// differs from the listener's own. But no other machine can reach a loopback address.
    fn is_of_listener(&self, host: &Host) -> bool {
        let listener = self.listener.ip().to_canonical();
        match host {
            Host::Address(address) => !listener.is_loopback() || *address == listener,
            Host::Name(_) => false,
        }
    }

    /// Checks the host of a request. The port may be any, since forwarding changes it.
    fn check(&self, version: Version, headers: &HeaderMap, uri: &Uri) -> Result<(), Misdirected> {
        let mut fields = headers.get_all(header::HOST).iter();
        let field = match (fields.next(), fields.next()) {
            (Some(field), None) => field.to_str().map(Some).map_err(|_| Misdirected::Malformed)?,
            // HTTP/1.0 is older than `Host`; no browser speaks it.
            (None, _) if version < Version::HTTP_11 => None,
            _ => return Err(Misdirected::Malformed),
        };
        // A target in absolute form names the host too: then both count.
        let target = uri.authority().map(Authority::as_str);
        for named in [field, target].into_iter().flatten() {
            let host = Host::of_authority(named).ok_or(Misdirected::Malformed)?;
            if !self.answers_for(&host) {
                return Err(Misdirected::Foreign(host));
            }
        }
        Ok(())
    }
}

/// Passes requests for one of `hosts` to `app`, and writes the others to the `security` log.
pub fn only_for(app: Router, hosts: Hosts, security: SecurityLog) -> Router {
    app.layer(from_fn_with_state(Arc::new((hosts, security)), pass))
}

async fn pass(
    State(state): State<Arc<(Hosts, SecurityLog)>>,
    request: Request,
    next: Next,
) -> Response {
    let (hosts, security) = &*state;
    match hosts.check(request.version(), request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(misdirected) => refuse(&misdirected, security, request.into_parts().0).await,
    }
}

async fn refuse(misdirected: &Misdirected, security: &SecurityLog, request: Parts) -> Response {
    let (code, message, named) = match misdirected {
        Misdirected::Malformed => {
            let message =
                "Name one host in `Host`, such as `chat.example.org` or `127.0.0.1:8008`.";
            (code::BAD_REQUEST, message.to_owned(), None)
        }
        Misdirected::Foreign(host) => {
            let message = format!(
                "This server does not answer for the host {host}. If it is a name of this server, add it to \
                 `allowed_hosts` in the server's configuration."
            );
            (code::HOST_NOT_ALLOWED, message, Some(host.to_string()))
        }
    };
    if let Some(ConnectInfo::<SocketAddr>(peer)) = request.extensions.get() {
        let (what, named, address) = ("a request", named.as_deref(), peer.ip());
        security.refused(&Refused { what, reason: code, user: None, named, address });
    }
    if request.uri.path() == "/graphql" {
        return refused(&request.headers, Refusal::new(code, message)).await;
    }
    let status = match misdirected {
        Misdirected::Malformed => StatusCode::BAD_REQUEST,
        Misdirected::Foreign(_) => StatusCode::MISDIRECTED_REQUEST,
    };
    let no_store = HeaderValue::from_static("no-store");
    (status, [(header::CACHE_CONTROL, no_store)], message + "\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(listener: &str, version: Version, target: &str, fields: &[&str]) -> String {
        let listener = listener.parse().expect("an address");
        let allowed = [Host::without_port("Rookery.lan").expect("a host")];
        let hosts = Hosts::new(listener, "chat.example.org:8448", &allowed);
        let field = |text: &&str| HeaderValue::from_bytes(text.as_bytes()).expect("a value");
        let headers = fields.iter().map(|text| (header::HOST, field(text))).collect();
        match hosts.check(version, &headers, &target.parse().expect("a target")) {
            Ok(()) => "fine".to_owned(),
            Err(Misdirected::Malformed) => "malformed".to_owned(),
            Err(Misdirected::Foreign(host)) => host.to_string(),
        }
    }

    fn near(fields: &[&str]) -> String {
        checked("127.0.0.1:8008", Version::HTTP_11, "/graphql", fields)
    }

    #[test]
    fn a_server_answers_for_its_names_whatever_the_port() {
        for host in [
            "localhost",
            "LocalHost:8008",
            "localhost.",
            "127.0.0.1:8008",
            "127.9.9.9",
            "[::1]:1",
            "[::ffff:127.0.0.1]",
            "chat.example.org",
            "Chat.Example.ORG.:443",
            "rookery.lan:80",
        ] {
            assert_eq!(near(&[host]), "fine", "{host}");
        }
    }

    #[test]
    fn a_name_that_resolves_here_is_no_name_of_the_server() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "chat.example.org.evil.example",
            "evil.localhost",
            "example.org",
            "rookery",
            "2130706433",
            "192.0.2.1",
            "0.0.0.0",
            "::2",
        ] {
            let written = if host.contains("::") { format!("[{host}]") } else { host.to_owned() };
            assert_eq!(near(&[&written]), host);
            assert_eq!(near(&[&format!("{written}:8008")]), host);
        }
    }

    #[test]
    fn a_server_that_others_reach_answers_for_any_address_and_no_other_name() {
        for listener in ["0.0.0.0:8008", "[::]:8008", "192.0.2.1:8008"] {
            let at = |host| checked(listener, Version::HTTP_11, "/readyz", &[host]);
            for host in ["192.0.2.1", "203.0.113.9:80", "[2001:db8::1]", "127.0.0.1", "localhost"] {
                assert_eq!(at(host), "fine", "{host} at {listener}");
            }
            assert_eq!(at("evil.example"), "evil.example", "{listener}");
        }
    }

    #[test]
    fn a_request_names_one_host() {
        let malformed: [&[&str]; 6] = [
            &[],
            &["localhost", "localhost"],
            &["localhost", "evil.example"],
            &[""],
            &["evil.example@localhost"],
            &["localhost, evil.example"],
        ];
        for fields in malformed {
            assert_eq!(near(fields), "malformed", "{fields:?}");
        }
        let old = |fields| checked("127.0.0.1:8008", Version::HTTP_10, "/", fields);
        assert_eq!(old(&[]), "fine", "HTTP/1.0 has no `Host`");
        assert_eq!(old(&["evil.example"]), "evil.example");
    }

    #[test]
    fn a_target_in_absolute_form_counts_beside_the_header() {
        let at = |target, host: &str| checked("127.0.0.1:8008", Version::HTTP_11, target, &[host]);
        assert_eq!(at("http://localhost:8008/graphql", "localhost:8008"), "fine");
        assert_eq!(at("http://evil.example/graphql", "localhost"), "evil.example");
        assert_eq!(at("http://localhost/graphql", "evil.example"), "evil.example");
        assert_eq!(at("http://evil.example@localhost/", "localhost"), "malformed");
    }
}
