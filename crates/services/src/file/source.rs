//! From a file to a registration.

use std::{fs, path::Path};

use rookery_accounts::SERVICE_TOKEN_BYTES_MIN;
use rookery_namespaces::{Claim, NamespacesError, Service, check_service_name};

use super::{error::FileError, toml, yaml};
use crate::{NewRegistration, Registration};

/// Largest registration file, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1_024;

/// Longest secret in a registration, in bytes.
const SECRET_BYTES_MAX: usize = 512;

/// The format of a registration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Our own.
    Toml,
    /// That of Matrix application services.
    Yaml,
}

/// A value with the line on which it is.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) line: Option<u64>,
}

/// A claim with the line of its pattern.
#[derive(Clone, Debug)]
pub(super) struct FoundClaim {
    pub(super) regex: At<String>,
    pub(super) exclusive: bool,
}

/// The content of a file, before its values are checked.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) name: (&'static str, At<String>),
    pub(super) bot: String,
    pub(super) url: Option<At<String>>,
    pub(super) is_rate_limited: bool,
    /// The key of each kind, and the claims.
    pub(super) claims: [(&'static str, Vec<FoundClaim>); 3],
    pub(super) protocols: Vec<String>,
    pub(super) token: Option<At<String>>,
    pub(super) hs_token: Option<At<String>>,
}

/// Reads a registration file. The ending of its name says which format it has.
///
/// # Errors
/// [`FileError`].
pub fn read(path: &Path) -> Result<NewRegistration, FileError> {
    let shown = || path.display().to_string();
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let format = match extension.to_ascii_lowercase().as_str() {
        "toml" => FileFormat::Toml,
        "yaml" | "yml" => FileFormat::Yaml,
        _ => return Err(FileError::UnknownFormat { path: shown() }),
    };
    let unreadable = |reason: String| FileError::Unreadable { path: shown(), reason };
    let length = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(unreadable(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    parse(&text, format)
}

/// Reads the text of a registration.
///
/// # Errors
/// [`FileError`].
pub fn parse(text: &str, format: FileFormat) -> Result<NewRegistration, FileError> {
    let found = match format {
        FileFormat::Toml => toml::find(text)?,
        FileFormat::Yaml => yaml::find(text)?,
    };
    found.checked()
}

impl Found {
    fn checked(self) -> Result<NewRegistration, FileError> {
        let Self { name: (key, name), bot, url, is_rate_limited, claims, protocols, .. } = self;
        check_service_name(&name.value).map_err(|error| value(key, name.line, &error))?;
        if let Some(url) = &url {
            check_url(url)?;
        }
        if let Some(token) = &self.token {
            check_secret("as_token", token)?;
        }
        if let Some(secret) = &self.hs_token {
            check_secret("hs_token", secret)?;
        }
        if url.is_some() && self.hs_token.is_none() {
            let advice = "the server sends it to `url` with each request, so that the service \
                          knows the server";
            return Err(FileError::Missing { key: "hs_token", advice });
        }
        let [users, aliases, rooms] = claims.map(|(key, found)| checked_claims(key, found));
        let registration = Registration {
            name: name.value,
            bot,
            url: url.map(|url| url.value),
            is_rate_limited,
            users: users?,
            aliases: aliases?,
            rooms: rooms?,
            protocols,
        };
        let token = self.token.map(|token| rookery_accounts::ServiceToken::given(token.value));
        Ok(NewRegistration {
            registration,
            token,
            hs_token: self.hs_token.map(|secret| secret.value),
        })
    }
}

fn checked_claims(key: &str, found: Vec<FoundClaim>) -> Result<Vec<Claim>, FileError> {
    let lines: Vec<_> = found.iter().map(|claim| claim.regex.line).collect();
    let claims: Vec<_> = found
        .into_iter()
        .map(|claim| Claim { regex: claim.regex.value, exclusive: claim.exclusive })
        .collect();
    match Service::namespaces_of(&claims, &[], &[]) {
        Ok(_) => Ok(claims),
        Err((_, NamespacesError::Pattern { index, error })) => {
            let line = lines.get(index).copied().flatten();
            Err(value(&format!("{key}[{index}].regex"), line, &error))
        }
        Err((_, error)) => Err(value(key, None, &error)),
    }
}

fn check_url(url: &At<String>) -> Result<(), FileError> {
    let rest = ["http://", "https://"].iter().find_map(|scheme| url.value.strip_prefix(scheme));
    let fits = |rest: &str| {
        !rest.is_empty() && !rest.contains(['?', '#']) && !rest.contains(char::is_whitespace)
    };
    if rest.is_some_and(fits) {
        return Ok(());
    }
    let reason = "write an address with http:// or https:// and without `?` and `#`, or null for a \
                  service to which nothing is pushed";
    Err(value("url", url.line, &reason))
}

fn check_secret(key: &str, secret: &At<String>) -> Result<(), FileError> {
    let (text, line) = (&secret.value, secret.line);
    if text.len() < SERVICE_TOKEN_BYTES_MIN {
        let reason = format!(
            "it has {} characters, so it could be guessed: use {SERVICE_TOKEN_BYTES_MIN} or more, such as the output \
             of `openssl rand -hex 32`",
            text.len()
        );
        return Err(value(key, line, &reason));
    }
    if text.len() > SECRET_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let reason = format!(
            "use at most {SECRET_BYTES_MAX} letters, digits and signs without spaces, since it is sent in a header"
        );
        return Err(value(key, line, &reason));
    }
    Ok(())
}

fn value(key: &str, line: Option<u64>, reason: &impl ToString) -> FileError {
    FileError::Value { key: key.to_owned(), line, reason: reason.to_string() }
}
