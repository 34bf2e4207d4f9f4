//! The tokens of services.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Unavailable,
    passwords::secret::{TokenHash, random_secret},
};

/// Shortest token of a service, in bytes. It has no other protection against guesses.
pub const SERVICE_TOKEN_BYTES_MIN: usize = 16;

const PREFIX: &str = "rks_";

/// The secret that a service sends with each request. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceToken(String);

impl ServiceToken {
    /// Draws a token of 256 random bits.
    ///
    /// # Errors
    /// [`Unavailable`] if the system gives no random numbers.
    pub fn generate() -> Result<Self, Unavailable> {
        let (_, text) = random_secret()?;
        Ok(Self(format!("{PREFIX}{text}")))
    }

    /// The token in a registration.
    #[must_use]
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token as text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The stored form.
    #[must_use]
    pub fn hash(&self) -> ServiceTokenHash {
        ServiceTokenHash::of(&self.0)
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceToken(hidden)")
    }
}

/// The stored form of a service's token: the SHA-256 of its text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServiceTokenHash([u8; 32]);

impl ServiceTokenHash {
    /// The hash of a token as a client sends it.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// The stored form of the token of a user's session. No text that a client could send has this hash.
    pub(crate) fn session_of(self, localpart: &str) -> TokenHash {
        let mut hasher = Sha256::new();
        hasher.update(b"session of a service\0");
        hasher.update(self.0);
        hasher.update(localpart);
        TokenHash(hasher.finalize().into())
    }
}

impl fmt::Debug for ServiceTokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceTokenHash(hidden)")
    }
}
