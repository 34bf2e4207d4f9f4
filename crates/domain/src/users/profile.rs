//! A user's name and avatar, and their checks.

use ruma_common::MxcUri;
use serde::{Deserialize, Serialize};

use crate::{
    JsonObject, Pdu, Rejection,
    limits::{DISPLAYNAME_BYTES_MAX, MXC_BYTES_MAX},
};

/// A user's name and avatar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name to show; `None` to show the user ID.
    #[serde(default)]
    pub displayname: Option<String>,
    /// The `mxc:` address of the avatar.
    #[serde(default)]
    pub avatar_url: Option<String>,
}

impl Profile {
    /// The profile that a member event carries.
    #[must_use]
    pub fn of(event: &Pdu) -> Self {
        event.content_as().unwrap_or_default()
    }

    /// Refuses names that are too long and avatars that are not `mxc:` addresses.
    pub(crate) fn check(&self) -> Result<(), Rejection> {
        let name = self.displayname.as_deref().unwrap_or("");
        Rejection::if_longer("the display name", name, DISPLAYNAME_BYTES_MAX)?;
        self.avatar_url.as_deref().map_or(Ok(()), check_mxc)
    }

    /// Writes the profile into the content of a member event.
    pub(crate) fn write_to(&self, content: &mut JsonObject) {
        for (key, value) in [("displayname", &self.displayname), ("avatar_url", &self.avatar_url)] {
            match value {
                Some(value) => content.insert(key.into(), value.as_str().into()),
                None => content.remove(key),
            };
        }
    }
}

/// Refuses an address that is not an `mxc:` address.
pub(crate) fn check_mxc(address: &str) -> Result<(), Rejection> {
    Rejection::if_longer("the avatar's address", address, MXC_BYTES_MAX)?;
    <&MxcUri>::from(address).validate().map_err(|error| {
        Rejection::InvalidContent(format!("an avatar is an address mxc://server/media: {error}"))
    })
}
