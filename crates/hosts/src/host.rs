//! Host names, in `Host` headers and in settings.

use std::net::{IpAddr, Ipv6Addr};

/// The host of a URL, without its port.
///
/// **Invariant:** equal hosts have equal values: names are in lower case and do not end in a dot, and an IPv4 address
/// inside IPv6 becomes IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address, which no resolver can change.
    Address(IpAddr),
    /// A name.
    Name(String),
}

impl Host {
    /// Reads a host with or without a port, such as `chat.example.org`, `127.0.0.1:8008` or `[::1]:8008`.
    ///
    /// Source: RFC 9110, section 7.2, and RFC 3986, section 3.2.2. Names may only have the characters of host names.
    #[must_use]
    pub fn of_authority(text: &str) -> Option<Self> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let address = address.parse::<Ipv6Addr>().ok()?;
            (Self::of_address(address.into()), rest.strip_prefix(':').or(none_if_empty(rest))?)
        } else {
            let (host, port) = text.split_once(':').unwrap_or((text, ""));
            (Self::of_name(host)?, port)
        };
        let is_port = port.is_empty()
            || (port.bytes().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok());
        is_port.then_some(host)
    }

    /// Reads a host without a port: a name, or an address with or without brackets.
    #[must_use]
    pub fn without_port(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        match bare.parse() {
            Ok(address) => Some(Self::of_address(address)),
            Err(_) => Self::of_name(text),
        }
    }

    fn of_address(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }

    fn of_name(text: &str) -> Option<Self> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let valid = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
        let is_name = name.split('.').all(|label| !label.is_empty()) && name.bytes().all(valid);
        if !is_name {
            return None;
        }
        Some(name.parse().map_or_else(|_| Self::Name(name), Self::of_address))
    }

    /// Whether the host always means this machine, with any resolver.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }
}

fn none_if_empty(text: &str) -> Option<&str> {
    text.is_empty().then_some("")
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_value_however_it_is_written() {
        let name = |text: &str| Some(Host::Name(text.to_owned()));
        let address = |text: &str| Some(Host::Address(text.parse().expect("an address")));
        for (text, host) in [
            ("chat.example.org", name("chat.example.org")),
            ("Chat.Example.ORG.:8008", name("chat.example.org")),
            ("localhost", name("localhost")),
            ("my_host", name("my_host")),
            ("example.org:", name("example.org")),
            ("127.0.0.1:8008", address("127.0.0.1")),
            ("127.0.0.1.", address("127.0.0.1")),
            ("[::1]:8008", address("::1")),
            ("[::1]", address("::1")),
            ("[::ffff:127.0.0.1]:1", address("127.0.0.1")),
            // Neither an address nor a valid name: a browser would have written it differently.
            ("127.1", name("127.1")),
            ("2130706433", name("2130706433")),
        ] {
            assert_eq!(Host::of_authority(text), host, "{text}");
        }
        for none in [
            "",
            ".",
            "a..b",
            ":8008",
            "::1",
            "[::1",
            "[::1]8008",
            "[127.0.0.1]",
            "[fe80::1%25eth0]",
            "a:b",
            "a:99999",
            "a:1:2",
            "user@localhost",
            "localhost/",
            "local host",
            "localhost,evil.example",
            "http://localhost",
            "caf\u{e9}.example",
        ] {
            assert_eq!(Host::of_authority(none), None, "{none}");
        }
    }

    #[test]
    fn a_setting_names_a_host_without_a_port() {
        for (text, host) in
            [("Chat.example.org", "chat.example.org"), ("::1", "::1"), ("[::1]", "::1")]
        {
            assert_eq!(Host::without_port(text).map(|host| host.to_string()), Some(host.into()));
        }
        for none in ["chat.example.org:8008", "[::1]:8008", "https://chat.example.org", "*", ""] {
            assert_eq!(Host::without_port(none), None, "{none}");
        }
    }
}
