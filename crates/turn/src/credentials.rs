//! Credentials by the scheme that coturn calls REST: the server that issues them and the relay share a secret, and the
//! relay keeps no list of users.
//!
//! Source: draft-uberti-behave-turn-rest-00, section 2.2.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// How long credentials are valid.
pub const LIFETIME: Duration = Duration::from_hours(1);

/// Shortest secret, in bytes.
const SECRET_BYTES_MIN: usize = 16;

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 1024;

/// The secret that issuers of credentials share with the relay.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a text is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Take a longer one.
    #[error("is shorter than {SECRET_BYTES_MIN} bytes")]
    TooShort,
    /// Take a shorter one.
    #[error("is longer than {SECRET_BYTES_MAX} bytes")]
    TooLong,
    /// Remove spaces and control characters.
    #[error("has a space or a control character")]
    Blank,
}

impl Secret {
    /// The secret `text`.
    ///
    /// # Errors
    /// [`SecretError`] if it is easy to guess or was probably mistyped.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        let text = text.into();
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(SecretError::Blank);
        }
        match text.len() {
            ..SECRET_BYTES_MIN => Err(SecretError::TooShort),
            SECRET_BYTES_MIN..=SECRET_BYTES_MAX => Ok(Self(text)),
            _ => Err(SecretError::TooLong),
        }
    }

    /// The secret as text, for the file that keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Issues credentials for `user`, valid for [`LIFETIME`]. `now` is the time since 1970.
    #[must_use]
    pub fn issue(&self, user: &str, now: Duration) -> Credentials {
        self.issue_until(user, (now + LIFETIME).as_secs())
    }

    /// Issues credentials for `user` that end at `expires_at`, in seconds since 1970.
    #[must_use]
    pub fn issue_until(&self, user: &str, expires_at: u64) -> Credentials {
        let username = format!("{expires_at}:{user}");
        let credential = self.credential(&username);
        Credentials { username, credential, expires_at }
    }

    /// The password of `username`.
    pub(crate) fn credential(&self, username: &str) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(self.0.as_bytes())
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(username.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A name and a password for the relay.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The end of the credentials, a colon, and the user.
    pub username: String,
    /// The password.
    pub credential: String,
    /// The end of the credentials, in seconds since 1970.
    pub expires_at: u64,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, ..)", self.username)
    }
}

/// The parts of a `username`: its end, in seconds since 1970, and the user.
pub(crate) fn split(username: &str) -> Option<(u64, &str)> {
    let (expires_at, user) = username.split_once(':')?;
    let is_number = expires_at.bytes().all(|c| c.is_ascii_digit());
    (is_number && !user.is_empty()).then_some(())?;
    Some((expires_at.parse().ok()?, user))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_of_the_scheme_and_end_after_an_hour() {
        let secret = Secret::new("north-wind-and-sun").unwrap();
        let issued = secret.issue("@ada:example.org", Duration::from_secs(1_400_000_000));
        assert_eq!(issued.username, "1400003600:@ada:example.org");
        assert_eq!(issued.expires_at, 1_400_003_600);
        // printf %s 1400003600:@ada:example.org | openssl dgst -sha1 -hmac north-wind-and-sun -binary | base64
        assert_eq!(issued.credential, "2kJtkFrH0BQkSjllz0ndNNF7kKE=");
    }

    #[test]
    fn a_username_has_an_end_and_a_user() {
        assert_eq!(split("17:@ada:example.org"), Some((17, "@ada:example.org")));
        for bad in
            ["", "17", "17:", ":ada", "x:ada", "+17:ada", "-1:ada", "99999999999999999999:ada"]
        {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_secret_is_long_and_has_no_spaces() {
        assert_eq!(Secret::new("short"), Err(SecretError::TooShort));
        assert_eq!(Secret::new("a secret with spaces"), Err(SecretError::Blank));
        assert_eq!(Secret::new("a".repeat(1025)), Err(SecretError::TooLong));
        let secret = Secret::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
