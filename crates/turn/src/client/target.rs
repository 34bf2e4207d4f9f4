//! The address of a relay, as a URI names it.

use std::{
    fmt, io,
    net::{SocketAddr, ToSocketAddrs as _},
    str::FromStr,
};

/// The port of TURN and STUN. Source: RFC 8656, section 6.
const DEFAULT_PORT: u16 = 3478;

/// How a client reaches a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A connection.
    Tcp,
}

impl Transport {
    /// The name in a URI.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// A relay as a URI names it.
///
/// Source: RFC 7065 and RFC 7064.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name or an address; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The way to it.
    pub transport: Transport,
    /// Whether it relays, or only tells a client its address.
    pub relays: bool,
    /// Whether the connection is encrypted.
    pub secure: bool,
}

/// Why a text is no address of a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Begin with `turn:`, `turns:`, `stun:` or `stuns:`.
    #[error("has none of the schemes turn, turns, stun and stuns")]
    Scheme,
    /// Name a host and, behind a colon, a port.
    #[error("has no host, or a port that is no number from 1 to 65535")]
    Host,
    /// Write `?transport=udp` or `?transport=tcp`, or nothing.
    #[error("has a transport other than udp and tcp")]
    Transport,
}

impl Target {
    /// Finds the addresses of the host.
    ///
    /// # Errors
    /// An error of the system, if the name is not known.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (scheme, rest) = text.split_once(':').ok_or(TargetError::Scheme)?;
        let (relays, secure) = match scheme {
            "turn" => (true, false),
            "turns" => (true, true),
            "stun" => (false, false),
            "stuns" => (false, true),
            _ => return Err(TargetError::Scheme),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let transport = match query {
            "" if secure => Transport::Tcp,
            "" | "transport=udp" => Transport::Udp,
            "transport=tcp" => Transport::Tcp,
            _ => return Err(TargetError::Transport),
        };
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => {
                host.parse::<std::net::Ipv6Addr>().map_err(|_| TargetError::Host)?;
                let port = port.strip_prefix(':').or(port.is_empty().then_some(""));
                (host, port.ok_or(TargetError::Host)?)
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        let default = if secure { DEFAULT_PORT + 1871 } else { DEFAULT_PORT };
        let port = if port.is_empty() && !place.ends_with(':') {
            default
        } else {
            port.parse().ok().filter(|port| *port > 0).ok_or(TargetError::Host)?
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(TargetError::Host);
        }
        Ok(Self { host: host.to_owned(), port, transport, relays, secure })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        let scheme = if self.relays { "turn" } else { "stun" };
        let secure = if self.secure { "s" } else { "" };
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}{secure}:{open}{host}{close}:{port}")?;
        // A STUN URI has no transport.
        if self.relays { write!(f, "?transport={}", self.transport.as_str()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_name_a_host_a_port_and_a_transport() {
        for (text, expected) in [
            ("turn:example.org", "turn:example.org:3478?transport=udp"),
            ("turn:192.0.2.1:99?transport=tcp", "turn:192.0.2.1:99?transport=tcp"),
            ("turn:[2001:db8::1]", "turn:[2001:db8::1]:3478?transport=udp"),
            ("turn:[2001:db8::1]:7?transport=udp", "turn:[2001:db8::1]:7?transport=udp"),
            ("turns:example.org", "turns:example.org:5349?transport=tcp"),
            ("stun:example.org", "stun:example.org:3478"),
        ] {
            let target = text.parse::<Target>();
            assert_eq!(target.map(|target| target.to_string()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn malformed_uris_are_refused() {
        for (text, error) in [
            ("example.org", TargetError::Scheme),
            ("http://example.org", TargetError::Scheme),
            ("turn:", TargetError::Host),
            ("turn:example.org:", TargetError::Host),
            ("turn:example.org:0", TargetError::Host),
            ("turn:example.org:70000", TargetError::Host),
            ("turn:[::1", TargetError::Host),
            ("turn:[::1]x", TargetError::Host),
            ("turn:exa mple", TargetError::Host),
            ("turn:example.org?transport=sctp", TargetError::Transport),
        ] {
            assert_eq!(text.parse::<Target>(), Err(error), "{text}");
        }
    }
}
