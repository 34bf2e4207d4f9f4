//! The IDs of calls and of the devices in them.
//!
//! **Invariant:** an ID has 1 to [`CALL_ID_BYTES_MAX`] letters, digits, `-` or `_`, whatever it was
//! read from.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::limits::CALL_ID_BYTES_MAX;

/// The ID of a call, unique in its room.
///
/// The server makes it. The ID of a numbered action's call follows from the action, so a retry names
/// the same call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CallId(Box<str>);

/// The ID of one device in one call.
///
/// The server draws it at random for each call, so it reveals neither the device nor that two calls
/// have the same device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PartyId(Box<str>);

/// The text is no ID of a call or a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an ID of a call has 1 to {CALL_ID_BYTES_MAX} letters, digits, - or _")]
pub struct ParseCallIdError;

/// The functions of both IDs.
macro_rules! id {
    ($id:ident) => {
        impl $id {
            /// The ID made of 16 bytes.
            #[must_use]
            pub fn of(bytes: [u8; 16]) -> Self {
                Self(URL_SAFE_NO_PAD.encode(bytes).into())
            }

            /// The ID as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $id {
            type Err = ParseCallIdError;

            fn from_str(text: &str) -> Result<Self, ParseCallIdError> {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                let fits = (1..=CALL_ID_BYTES_MAX).contains(&text.len());
                let is_id = fits && text.bytes().all(is_plain);
                is_id.then(|| Self(text.into())).ok_or(ParseCallIdError)
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

id!(CallId);
id!(PartyId);
