//! Our own registration files.

use serde::Deserialize;
use toml::Spanned;

use super::{
    error::FileError,
    source::{At, Found, FoundClaim},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlRegistration {
    name: Option<Spanned<String>>,
    bot: Option<String>,
    #[serde(default = "yes")]
    rate_limited: bool,
    #[serde(default)]
    users: Vec<TomlClaim>,
    #[serde(default)]
    aliases: Vec<TomlClaim>,
    #[serde(default)]
    rooms: Vec<TomlClaim>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlClaim {
    regex: Spanned<String>,
    #[serde(default)]
    exclusive: bool,
}

const fn yes() -> bool {
    true
}

/// Reads the text.
pub(super) fn find(text: &str) -> Result<Found, FileError> {
    let line_of = |at: usize| {
        let before = text.get(..at)?;
        u64::try_from(before.bytes().filter(|byte| *byte == b'\n').count() + 1).ok()
    };
    let file: TomlRegistration = toml::from_str(text).map_err(|error| FileError::Syntax {
        line: error.span().and_then(|span| line_of(span.start)),
        reason: error.message().to_owned(),
    })?;
    let at = |value: Spanned<String>| {
        let line = line_of(value.span().start);
        At { value: value.into_inner(), line }
    };
    let claims = |found: Vec<TomlClaim>| {
        let claim =
            |claim: TomlClaim| FoundClaim { regex: at(claim.regex), exclusive: claim.exclusive };
        found.into_iter().map(claim).collect()
    };
    let advice = "write the name of the service, such as `name = \"echo\"`";
    let name = at(file.name.ok_or(FileError::Missing { key: "name", advice })?);
    Ok(Found {
        bot: file.bot.unwrap_or_else(|| name.value.clone()),
        name: ("name", name),
        url: None,
        is_rate_limited: file.rate_limited,
        claims: [
            ("users", claims(file.users)),
            ("aliases", claims(file.aliases)),
            ("rooms", claims(file.rooms)),
        ],
        protocols: Vec::new(),
        token: None,
        hs_token: None,
    })
}
