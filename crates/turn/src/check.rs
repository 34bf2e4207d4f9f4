//! Does what a client does, and reports each step.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use crate::client::{Allocated, Family, Login, RelayClient, Target, Transport, Trouble};

/// How long the check waits for each answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long the check waits for each echo before it sends again.
const ECHO_PATIENCE: Duration = Duration::from_millis(500);

/// How often the check sends an echo.
const ECHOES: usize = 4;

/// Error codes. Source: RFC 8656, section 19.
const UNAUTHENTICATED: u16 = 401;
const FORBIDDEN: u16 = 403;
const FAMILY_MISMATCH: u16 = 443;

/// The outcome of a step, with what the client saw or what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Passed(String),
    /// Calls work, but the operator may want to know.
    Warned(String),
    /// This cannot be seen from here.
    Skipped(String),
    /// Calls through the relay do not work.
    Failed(String),
}

/// One step of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The part of a client's work.
    pub name: &'static str,
    /// The outcome.
    pub outcome: Outcome,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, text) = match &self.outcome {
            Outcome::Passed(text) => ("ok", text),
            Outcome::Warned(text) => ("warning", text),
            Outcome::Skipped(text) => ("skipped", text),
            Outcome::Failed(text) => ("FAILED", text),
        };
        write!(f, "{mark:<8} {:<12} {text}", self.name)
    }
}

/// Does what a client does at `target`, and tells each step as soon as its outcome is known. Stops at the first failure.
///
/// Returns whether calls through the relay work.
pub fn check(target: &Target, login: &Login, mut tell: impl FnMut(&Step)) -> bool {
    let mut works = true;
    let mut report = |name, outcome: Outcome| {
        works &= !matches!(outcome, Outcome::Failed(_));
        tell(&Step { name, outcome });
    };
    let run =
        |report: &mut dyn FnMut(&'static str, Outcome)| -> Result<(), (&'static str, String)> {
            let relay = address(target).map_err(|text| ("address", text))?;
            report("address", Outcome::Passed(relay.to_string()));
            let mut client = open(relay, target, login).map_err(|text| ("connection", text))?;
            let mapped =
                client.mapped_address().map_err(|trouble| ("binding", no_answer(&trouble)))?;
            report("binding", Outcome::Passed(format!("the relay sees this client as {mapped}")));
            if !target.relays {
                return Ok(());
            }
            let realm = client.realm().map_err(|trouble| ("credentials", trouble.to_string()))?;
            let text = format!("the relay asks for credentials of the realm {realm:?}");
            report("credentials", Outcome::Passed(text));
            let allocated = client
                .allocate(family(relay))
                .map_err(|trouble| ("allocation", no_allocation(&trouble)))?;
            let Allocated { relayed, lifetime, .. } = allocated;
            let text =
                format!("peers reach this client at {relayed}, for {} s", lifetime.as_secs());
            report("allocation", Outcome::Passed(text));
            report("peer", echo_of_a_peer(&mut client, relay, relayed));
            let other = open(relay, target, login).map_err(|text| ("clients", text))?;
            report("clients", echo_of_a_client(&mut client, other, relayed));
            report("forbidden", forbidden(&mut client, relayed));
            client.refresh(0).map_err(|trouble| ("release", trouble.to_string()))?;
            report("release", Outcome::Passed("the allocation is given back".into()));
            Ok(())
        };
    if let Err((name, text)) = run(&mut report) {
        report(name, Outcome::Failed(text));
    }
    works
}

fn address(target: &Target) -> Result<SocketAddr, String> {
    if target.secure {
        return Err("the check speaks no TLS: check the same relay by a turn: URI".into());
    }
    let host = &target.host;
    let addresses = target.resolve().map_err(|error| format!("cannot find {host}: {error}"))?;
    addresses.first().copied().ok_or_else(|| format!("{host} has no address"))
}

fn open(relay: SocketAddr, target: &Target, login: &Login) -> Result<RelayClient, String> {
    let opened = RelayClient::open(relay, target.transport, login.clone(), PATIENCE);
    opened.map_err(|error| {
        format!("cannot connect to {relay} by {}: {error}", target.transport.as_str())
    })
}

/// The family of relayed addresses that fits a client of this family best.
fn family(address: SocketAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

fn no_answer(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Silent => format!(
            "no answer within {} s: see that the relay runs, and that firewalls let its port through",
            PATIENCE.as_secs()
        ),
        other => other.to_string(),
    }
}

fn no_allocation(trouble: &Trouble) -> String {
    if trouble.code() == Some(UNAUTHENTICATED) {
        return format!(
            "{trouble}: see that turn.secret is the secret of the relay, and that the clocks agree"
        );
    }
    trouble.to_string()
}

/// Lets a peer beside the client, without an allocation, send through the relay and back.
fn echo_of_a_peer(client: &mut RelayClient, relay: SocketAddr, relayed: SocketAddr) -> Outcome {
    let login = Login { username: String::new(), credential: String::new() };
    let opened = RelayClient::open(relay, Transport::Udp, login, PATIENCE);
    let mapped = opened.map_err(Trouble::from).and_then(|mut peer| peer.mapped_address());
    let mapped = match mapped {
        Ok(mapped) => mapped,
        Err(trouble) => return Outcome::Skipped(format!("no UDP from here: {trouble}")),
    };
    if mapped.ip() == relayed.ip() {
        let text = "this machine is the relay's: run the check on another one to see whether the relay's ports are reachable";
        return Outcome::Skipped(text.into());
    }
    match client.permit(&[mapped]) {
        Ok(()) => {}
        Err(trouble) if matches!(trouble.code(), Some(FORBIDDEN | FAMILY_MISMATCH)) => {
            return Outcome::Skipped(format!(
                "the relay takes {} for no peer ({trouble}): run the check on another machine to see whether the relay's \
                 ports are reachable",
                mapped.ip()
            ));
        }
        Err(trouble) => return Outcome::Failed(trouble.to_string()),
    }
    let any: SocketAddr = match relayed {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let outcome = UdpSocket::bind(any).and_then(|peer| {
        peer.set_read_timeout(Some(ECHO_PATIENCE))?;
        let mut buffer = [0; 64];
        for _ in 0..ECHOES {
            peer.send_to(b"to the client", relayed)?;
            let Some((source, data)) = client.receive(ECHO_PATIENCE)? else { continue };
            let crate::client::Source::Peer(address) = source else { continue };
            if data != b"to the client" {
                continue;
            }
            client.send(address, b"to the peer")?;
            if peer.recv_from(&mut buffer).is_ok_and(|(bytes, from)| {
                buffer[..bytes] == *b"to the peer" && from.port() == relayed.port()
            }) {
                return Ok(true);
            }
        }
        Ok(false)
    });
    match outcome {
        Ok(true) => Outcome::Passed("data went from a peer through the relay and back".into()),
        Ok(false) => Outcome::Failed(format!(
            "no data came through {relayed}: see that firewalls let UDP to the relay's ports through"
        )),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// Lets two clients of the relay send data to each other, as two users behind firewalls do.
fn echo_of_a_client(
    client: &mut RelayClient,
    mut other: RelayClient,
    relayed: SocketAddr,
) -> Outcome {
    let echoed = other.allocate(family(relayed)).and_then(|allocated| {
        other.permit(&[relayed])?;
        client.permit(&[allocated.relayed])?;
        for _ in 0..ECHOES {
            client.send(allocated.relayed, b"ping")?;
            if other.receive(ECHO_PATIENCE)?.is_none_or(|(_, data)| data != b"ping") {
                continue;
            }
            other.send(relayed, b"pong")?;
            if client.receive(ECHO_PATIENCE)?.is_some_and(|(_, data)| data == b"pong") {
                other.refresh(0)?;
                return Ok(true);
            }
        }
        Ok(false)
    });
    match echoed {
        Ok(true) => Outcome::Passed("two clients of the relay reached each other".into()),
        Ok(false) => Outcome::Failed(
            "two clients of the relay did not reach each other: see that the relay may send to its own address".into(),
        ),
        Err(trouble) => Outcome::Failed(trouble.to_string()),
    }
}

/// Asks for a peer that no relay should reach.
fn forbidden(client: &mut RelayClient, relayed: SocketAddr) -> Outcome {
    let loopback: SocketAddr = match relayed {
        SocketAddr::V4(_) => (Ipv4Addr::LOCALHOST, 9).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::LOCALHOST, 9).into(),
    };
    match client.permit(&[loopback]) {
        Err(trouble) if trouble.code() == Some(FORBIDDEN) => {
            Outcome::Passed("the relay refuses loopback as a peer".into())
        }
        Err(trouble) => Outcome::Failed(trouble.to_string()),
        Ok(()) if relayed.ip().is_loopback() => {
            Outcome::Skipped("the relay's own address is loopback".into())
        }
        Ok(()) => Outcome::Warned(
            "the relay sends to loopback: its clients can reach services that listen only there"
                .into(),
        ),
    }
}
