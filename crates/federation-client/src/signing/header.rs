//! The header `Authorization` of a request between servers.
//!
//! Source: Matrix server-server specification, "Request Authentication": parameters as RFC 9110 has them, in any order
//! and case, quoted or not.

use std::fmt;

use rookery_domain::{OwnedServerName, ServerName};

/// Longest header that is read.
const HEADER_BYTES_MAX: usize = 2_048;

/// The scheme and the parameters of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XMatrix {
    /// The server that sends the request.
    pub origin: OwnedServerName,
    /// The server that it is for. Old servers leave it out.
    pub destination: Option<OwnedServerName>,
    /// The ID of the key.
    pub key: String,
    /// The signature, as base64.
    pub signature: String,
}

/// The header is missing, or is not one of this scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Another scheme, or not `name=value` after it.
    #[error(
        "the header `Authorization` does not have the form X-Matrix origin=...,key=...,sig=..."
    )]
    Malformed,
    /// A parameter is missing or invalid.
    #[error("the header `Authorization` has no valid `{0}`")]
    Parameter(&'static str),
    /// A parameter occurs twice.
    #[error("the header `Authorization` has a parameter twice")]
    Repeated,
}

impl XMatrix {
    /// Reads the value of the header.
    ///
    /// # Errors
    /// [`HeaderError`], which says what is wrong with it.
    pub fn parse(value: &str) -> Result<Self, HeaderError> {
        let (scheme, rest) = value.split_once(' ').ok_or(HeaderError::Malformed)?;
        if !scheme.eq_ignore_ascii_case("x-matrix") || value.len() > HEADER_BYTES_MAX {
            return Err(HeaderError::Malformed);
        }
        let (mut origin, mut destination, mut key, mut signature) = (None, None, None, None);
        for (name, value) in parameters(rest)? {
            let place = match name.to_ascii_lowercase().as_str() {
                "origin" => &mut origin,
                "destination" => &mut destination,
                "key" => &mut key,
                "sig" => &mut signature,
                // Parameters of later versions.
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(HeaderError::Repeated);
            }
        }
        let server = |name: Option<String>, what| {
            let name = name.ok_or(HeaderError::Parameter(what))?;
            OwnedServerName::try_from(name).map_err(|_| HeaderError::Parameter(what))
        };
        let given = |text: Option<String>, what| {
            text.filter(|text| !text.is_empty()).ok_or(HeaderError::Parameter(what))
        };
        Ok(Self {
            origin: server(origin, "origin")?,
            destination: destination.map(|it| server(Some(it), "destination")).transpose()?,
            key: given(key, "key")?,
            signature: given(signature, "sig")?,
        })
    }

    /// Whether it is meant for `server`. A request without a destination is meant for the server that gets it.
    #[must_use]
    pub fn is_for(&self, server: &ServerName) -> bool {
        self.destination.as_ref().is_none_or(|destination| destination == server)
    }
}

impl fmt::Display for XMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, destination, key, signature } = self;
        write!(f, "X-Matrix origin=\"{origin}\",")?;
        if let Some(destination) = destination {
            write!(f, "destination=\"{destination}\",")?;
        }
        write!(f, "key=\"{key}\",sig=\"{signature}\"")
    }
}

/// Splits `name=value, name="value"`.
fn parameters(text: &str) -> Result<Vec<(&str, String)>, HeaderError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or(HeaderError::Malformed)?;
        let after = after.trim_start_matches([' ', '\t']);
        let (value, left) = if let Some(quoted) = after.strip_prefix('"') {
            unquote(quoted)?
        } else {
            let end = after.find([',', ' ', '\t']).unwrap_or(after.len());
            (after[..end].to_owned(), &after[end..])
        };
        found.push((name.trim(), value));
        let left = left.trim_start_matches([' ', '\t']);
        if !left.is_empty() && !left.starts_with(',') {
            return Err(HeaderError::Malformed);
        }
        rest = left.trim_start_matches([' ', '\t', ',']);
    }
    Ok(found)
}

/// The text up to the closing quote, and what follows that quote.
fn unquote(quoted: &str) -> Result<(String, &str), HeaderError> {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next().ok_or(HeaderError::Malformed)?.1),
            other => value.push(other),
        }
    }
    Err(HeaderError::Malformed)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header = XMatrix {
            origin: "one.example:8448".try_into().unwrap(),
            destination: Some("two.example".try_into().unwrap()),
            key: "ed25519:a_1".to_owned(),
            signature: "AbC+/1".to_owned(),
        };
        assert_eq!(XMatrix::parse(&header.to_string()), Ok(header));
    }

    #[test]
    fn parameters_come_in_any_order_and_form() {
        for text in [
            "X-Matrix origin=one.example,key=\"ed25519:1\",sig=\"s\"",
            "x-matrix  sig=s , KEY=ed25519:1,\tOrigin=\"one.example\", more=\"x,y\"",
            "X-Matrix key=\"ed25519\\:1\",sig=s,origin=one.example",
        ] {
            let header = XMatrix::parse(text).unwrap();
            assert_eq!((header.origin.as_str(), header.key.as_str()), ("one.example", "ed25519:1"));
            assert_eq!((header.signature.as_str(), header.destination), ("s", None));
        }
    }

    #[test]
    fn what_is_no_header_of_this_scheme_is_refused_by_name() {
        let long = format!("X-Matrix origin=a,key=k,sig={}", "s".repeat(HEADER_BYTES_MAX));
        for (text, error) in [
            ("Bearer abc", HeaderError::Malformed),
            ("X-Matrix", HeaderError::Malformed),
            ("X-Matrix origin", HeaderError::Malformed),
            ("X-Matrix origin=\"a", HeaderError::Malformed),
            ("X-Matrix origin=\"a\"b,key=k,sig=s", HeaderError::Malformed),
            (&long, HeaderError::Malformed),
            ("X-Matrix key=k,sig=s", HeaderError::Parameter("origin")),
            ("X-Matrix origin=\"a b\",key=k,sig=s", HeaderError::Parameter("origin")),
            ("X-Matrix origin=a,key=,sig=s", HeaderError::Parameter("key")),
            ("X-Matrix origin=a,key=k", HeaderError::Parameter("sig")),
            ("X-Matrix origin=a,origin=b,key=k,sig=s", HeaderError::Repeated),
        ] {
            assert_eq!(XMatrix::parse(text), Err(error), "{text}");
        }
    }
}
