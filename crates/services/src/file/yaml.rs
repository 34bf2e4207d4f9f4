//! Registration files of Matrix application services.
//!
//! Unknown keys are ignored: bridges write keys of other servers and of later versions.
//!
//! Source: Matrix specification, Application Service API, "Registration".

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{
    error::FileError,
    source::{At, Found, FoundClaim},
};

#[derive(Deserialize)]
struct YamlRegistration {
    id: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    as_token: Option<Spanned<String>>,
    hs_token: Option<Spanned<String>>,
    sender_localpart: Option<String>,
    namespaces: Option<YamlNamespaces>,
    rate_limited: Option<bool>,
    protocols: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
struct YamlNamespaces {
    users: Option<Vec<YamlClaim>>,
    aliases: Option<Vec<YamlClaim>>,
    rooms: Option<Vec<YamlClaim>>,
}

#[derive(Deserialize)]
struct YamlClaim {
    regex: Spanned<String>,
    exclusive: Option<bool>,
}

/// Reads the text.
pub(super) fn find(text: &str) -> Result<Found, FileError> {
    let file: YamlRegistration = serde_saphyr::from_str(text).map_err(|error| {
        let reason = error.without_snippet().to_string();
        let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
        FileError::Syntax { line, reason }
    })?;
    let missing = |key, advice| FileError::Missing { key, advice };
    let id = file.id.ok_or_else(|| missing("id", "write the name of the service"))?;
    let as_token = file.as_token.ok_or_else(|| {
        missing("as_token", "write the secret that the service sends to the server")
    })?;
    let bot = file.sender_localpart.ok_or_else(|| {
        missing(
            "sender_localpart",
            "write the name of the service's own user, without @ and server",
        )
    })?;
    let namespaces = file.namespaces.unwrap_or_default();
    Ok(Found {
        name: ("id", at(id)),
        bot,
        url: file.url.map(at).filter(|url| !url.value.is_empty()),
        is_rate_limited: file.rate_limited.unwrap_or(true),
        claims: [
            ("namespaces.users", claims(namespaces.users)),
            ("namespaces.aliases", claims(namespaces.aliases)),
            ("namespaces.rooms", claims(namespaces.rooms)),
        ],
        protocols: file.protocols.unwrap_or_default(),
        token: Some(at(as_token)),
        hs_token: file.hs_token.map(at),
    })
}

fn at(value: Spanned<String>) -> At<String> {
    let line = Some(value.referenced.line()).filter(|line| *line > 0);
    At { value: value.value, line }
}

fn claims(found: Option<Vec<YamlClaim>>) -> Vec<FoundClaim> {
    let claim = |claim: YamlClaim| FoundClaim {
        regex: at(claim.regex),
        exclusive: claim.exclusive.unwrap_or_default(),
    };
    found.unwrap_or_default().into_iter().map(claim).collect()
}
