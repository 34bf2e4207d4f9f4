//! The steps from a name to a route.

use std::{sync::Arc, time::Duration};

use rookery_domain::ServerName;
use rookery_outgoing::Client;

use super::{
    SrvLookup, SrvRecord,
    cache::Routes,
    well_known::{self, ABSENCE_KEPT},
};

/// The port without another one.
const PORT: u16 = 8_448;

/// How long a route without delegation is kept.
const PLAIN_KEPT: Duration = Duration::from_hours(1);

/// How to reach a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Hosts and ports, in the order in which to try them.
    pub places: Vec<(String, u16)>,
    /// The host name or IP address for which the server needs a certificate.
    pub tls_name: String,
    /// The value of `Host`.
    pub host: String,
}

/// Finds the routes to servers.
pub struct Discovery {
    client: Arc<Client>,
    srv: Arc<dyn SrvLookup>,
    routes: Routes,
}

impl Discovery {
    /// Knows no server yet.
    #[must_use]
    pub fn new(client: Arc<Client>, srv: Arc<dyn SrvLookup>) -> Self {
        Self { client, srv, routes: Routes::new() }
    }

    /// The route to a server.
    pub async fn route(&self, server: &ServerName, now: u64) -> Route {
        if let Some(route) = self.routes.get(server, now) {
            return route;
        }
        let (route, kept) = self.find(server, &mut |_| {}).await;
        self.routes.put(server, &route, kept, now);
        route
    }

    /// Forgets the route to a server that could not be reached, since its delegation may have changed.
    pub fn forget(&self, server: &ServerName) {
        self.routes.forget(server);
    }

    /// Finds the route, and tells each step for operators.
    pub async fn find(
        &self,
        server: &ServerName,
        tell: &mut (dyn FnMut(String) + Send),
    ) -> (Route, Duration) {
        if let Some(route) = direct(server) {
            tell(format!("{server} names its address itself: connecting to {}", route.place()));
            return (route, PLAIN_KEPT);
        }
        let host = server.host();
        let (name, mut kept) = match well_known::ask(&self.client, host).await {
            Ok(delegation) => {
                tell(format!("https://{host}/.well-known/matrix/server: {}", delegation.server));
                (delegation.server, delegation.kept)
            }
            Err(reason) => {
                tell(format!("no delegation by .well-known ({reason})"));
                (server.to_owned(), ABSENCE_KEPT)
            }
        };
        if let Some(route) = direct(&name) {
            tell(format!("connecting to {}", route.place()));
            return (route, kept);
        }
        let host = name.host().to_owned();
        for service in ["_matrix-fed._tcp", "_matrix._tcp"] {
            let asked = format!("{service}.{host}");
            match self.srv.srv(&asked).await {
                Ok(answer) if answer.records.is_empty() => tell(format!("no SRV record {asked}")),
                Ok(answer) => {
                    let places: Vec<_> = answer.records.into_iter().map(place).collect();
                    tell(format!("SRV record {asked}: {places:?}"));
                    kept = kept.min(answer.kept);
                    return (Route { places, tls_name: host.clone(), host }, kept);
                }
                Err(reason) => tell(format!("cannot look up {asked} ({reason})")),
            }
        }
        let route = Route { places: vec![(host.clone(), PORT)], tls_name: host.clone(), host };
        tell(format!("connecting to {}", route.place()));
        (route, kept)
    }
}

fn place(record: SrvRecord) -> (String, u16) {
    (record.host, record.port)
}

/// The route to a name that has an IP address or a port.
fn direct(server: &ServerName) -> Option<Route> {
    let is_address = server.is_ip_literal();
    if !is_address && server.port().is_none() {
        return None;
    }
    let host = server.host();
    let tls_name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let places = vec![(host.to_owned(), server.port().unwrap_or(PORT))];
    Some(Route { places, tls_name, host: server.to_string() })
}

impl Route {
    fn place(&self) -> String {
        let places = self.places.iter().map(|(host, port)| format!("{host}:{port}"));
        places.collect::<Vec<_>>().join(", ")
    }
}
