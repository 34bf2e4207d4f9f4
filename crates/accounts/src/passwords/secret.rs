//! Passwords, access tokens and their stored forms.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::{PasswordError, Unavailable};

/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Longest password, in bytes, so that nobody can make the server hash megabytes.
pub const PASSWORD_BYTES_MAX: usize = 512;

const TOKEN_PREFIX: &str = "rk_";

/// A password in plain text. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password. Its strength is checked where it is set.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn check(&self) -> Result<(), PasswordError> {
        if self.0.len() > PASSWORD_BYTES_MAX {
            Err(PasswordError::TooLong)
        } else if self.0.chars().count() < PASSWORD_CHARS_MIN {
            Err(PasswordError::TooShort)
        } else {
            Ok(())
        }
    }

    /// Replaces a password that is empty or too long by one that fits no hash.
    pub(crate) fn or_misfit(self) -> Self {
        if self.0.len() > PASSWORD_BYTES_MAX { Self(String::new()) } else { self }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// The secret that a device sends with each request: 256 random bits. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    pub(crate) fn generate() -> Result<(Self, TokenHash), Unavailable> {
        let (bits, text) = random_secret()?;
        Ok((Self(format!("{TOKEN_PREFIX}{text}")), TokenHash::of_bits(&bits)))
    }

    /// The token as text, `rk_` and 43 characters. Send it to its owner and do not keep it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(hidden)")
    }
}

/// The stored form of an access token: its SHA-256. 256 random bits need no salt and no slow hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenHash(pub(crate) [u8; 32]);

impl TokenHash {
    /// `None` for a text that cannot be a token of this server.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let text = token.strip_prefix(TOKEN_PREFIX)?;
        let mut bits = [0; 33];
        let len = URL_SAFE_NO_PAD.decode_slice(text, &mut bits).ok()?;
        (len == 32).then(|| Self::of_bits(&bits[..32]))
    }

    fn of_bits(bits: &[u8]) -> Self {
        Self(Sha256::digest(bits).into())
    }
}

/// 256 random bits, and the same as text of 43 characters for a token or an address.
pub(crate) fn random_secret() -> Result<([u8; 32], String), Unavailable> {
    let mut bits = [0; 32];
    fill_random(&mut bits)?;
    Ok((bits, URL_SAFE_NO_PAD.encode(bits)))
}

/// Fills `bytes` from the system's source of randomness.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Unavailable> {
    getrandom::fill(bytes)
        .map_err(|error| Unavailable::new(format!("the system gives no random numbers: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_as_its_own_hash() {
        let (token, hash) = AccessToken::generate().expect("random");
        assert!(TokenHash::of(token.expose()) == Some(hash));
        assert_eq!(token.expose().len(), 46);
    }

    #[test]
    fn what_is_no_token_of_ours_has_no_hash() {
        let (token, _) = AccessToken::generate().expect("random");
        let text = token.expose();
        let long = format!("{text}AAAA");
        for other in ["", "rk_", &text[3..], &text[..45], long.as_str(), "rk_\u{0}", "Bearer x"] {
            assert!(TokenHash::of(other).is_none(), "{other:?} was taken");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let (token, _) = AccessToken::generate().expect("random");
        assert!(!format!("{token:?}").contains(token.expose()));
        assert!(!format!("{:?}", Password::new("correct horse")).contains("horse"));
    }

    #[test]
    fn a_password_has_eight_characters_to_512_bytes() {
        assert_eq!(Password::new("häschen").check(), Err(PasswordError::TooShort));
        assert_eq!(Password::new("häschen!").check(), Ok(()));
        assert_eq!(Password::new("x".repeat(512)).check(), Ok(()));
        assert_eq!(Password::new("x".repeat(513)).check(), Err(PasswordError::TooLong));
    }
}
