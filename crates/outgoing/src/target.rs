//! Where a request goes: an address on the web, read once.

use std::{fmt, net::IpAddr};

use url::{Host, Url};

/// Longest address, in bytes.
pub const URL_BYTES_MAX: usize = 2_048;

/// An address of `http` or `https` without a user and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: Url,
}

/// A text is not the address of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The text is no address, or is too long.
    #[error(
        "is no address of the web, such as `https://example.org/path`, of at most {URL_BYTES_MAX} bytes"
    )]
    Malformed,
    /// The scheme is another one.
    #[error("has another scheme than `https` and `http`")]
    Scheme,
    /// It has a user name or a password.
    #[error("has a user name or a password: leave them out")]
    Credentials,
}

/// The host of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TargetHost {
    Address(IpAddr),
    Name(String),
}

impl Target {
    /// Reads an address.
    ///
    /// # Errors
    /// [`TargetError`], which says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        if text.len() > URL_BYTES_MAX {
            return Err(TargetError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| TargetError::Malformed)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(TargetError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        if url.host().is_none() || url.port_or_known_default().is_none_or(|port| port == 0) {
            return Err(TargetError::Malformed);
        }
        Ok(Self { url })
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn host(&self) -> TargetHost {
        match self.url.host() {
            Some(Host::Ipv4(address)) => TargetHost::Address(address.into()),
            Some(Host::Ipv6(address)) => TargetHost::Address(address.into()),
            Some(Host::Domain(name)) => TargetHost::Name(name.trim_end_matches('.').to_owned()),
            None => TargetHost::Name(String::new()),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// The path with the query, for the first line of a request.
    pub(crate) fn path_and_query(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// The value of `Host`.
    pub(crate) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())
    }
}
