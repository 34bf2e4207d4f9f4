//! Names of users and devices.

use std::{fmt, sync::Arc};

use crate::{
    DeviceNameError, LocalpartError, Unavailable, WEBHOOK_PREFIX, passwords::secret::fill_random,
};

/// Longest user ID (`@localpart:server`), in bytes.
///
/// Source: Matrix specification, appendices, "User identifiers".
const USER_ID_BYTES_MAX: usize = 255;

/// The prefix of users that the server creates: nobody can register such a name.
pub const RESERVED_PREFIX: &str = "irc.";

/// Longest name of a device, in bytes.
pub const DEVICE_NAME_BYTES_MAX: usize = 256;

const DEVICE_ID_CHARS: usize = 10;

/// The part of a user ID before the server's name; the key of a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Localpart(Arc<str>);

impl Localpart {
    /// Checks the name of a new user.
    pub(crate) fn parse(text: &str, server_name: &str) -> Result<Self, LocalpartError> {
        if let Some(other) = text.chars().find(|c| !is_allowed(*c)) {
            return Err(LocalpartError::Character(other));
        }
        let max = USER_ID_BYTES_MAX.saturating_sub("@:".len() + server_name.len());
        match text.len() {
            0 => Err(LocalpartError::Empty),
            len if len > max => Err(LocalpartError::TooLong { max }),
            _ => Ok(Self(text.into())),
        }
    }

    /// Checks the name of a new user with an owner: reserved names are refused.
    pub(crate) fn parse_free(text: &str, server_name: &str) -> Result<Self, LocalpartError> {
        let name = Self::parse(text, server_name)?;
        let is_reserved = text.starts_with(RESERVED_PREFIX) || text.starts_with(WEBHOOK_PREFIX);
        if is_reserved { Err(LocalpartError::Reserved) } else { Ok(name) }
    }

    /// Finds the local part in a user ID or local part, in upper or lower case. `None` if it cannot
    /// be a user of `server_name`.
    pub(crate) fn find(user: &str, server_name: &str) -> Option<Self> {
        let localpart = match user.strip_prefix('@') {
            Some(id) => id.strip_suffix(server_name)?.strip_suffix(':')?,
            None => user,
        };
        Self::parse(&localpart.to_ascii_lowercase(), server_name).ok()
    }

    /// Wraps a key of the file.
    pub(crate) fn stored(key: &str) -> Self {
        Self(key.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn user_id(&self, server_name: &str) -> String {
        format!("@{}:{server_name}", self.0)
    }
}

impl fmt::Display for Localpart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Source: Matrix specification, appendices, "User identifiers".
fn is_allowed(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c)
}

/// Refuses names of devices that are too long or have control characters.
pub(crate) fn check_device_name(name: Option<&str>) -> Result<(), DeviceNameError> {
    let fits =
        |name: &str| name.len() <= DEVICE_NAME_BYTES_MAX && !name.chars().any(char::is_control);
    if name.is_none_or(fits) { Ok(()) } else { Err(DeviceNameError) }
}

/// Draws the ID of a new device: 10 letters.
///
/// Clients never choose IDs. The log remembers action IDs per device for as long as it exists, so
/// the ID of a removed device must not come back.
pub(crate) fn new_device_id() -> Result<String, Unavailable> {
    let mut id = String::with_capacity(DEVICE_ID_CHARS);
    while id.len() < DEVICE_ID_CHARS {
        let mut bytes = [0; 2 * DEVICE_ID_CHARS];
        fill_random(&mut bytes)?;
        // 234 = 9 * 26: the bytes above would make some letters more likely.
        let letters = bytes.iter().filter(|byte| **byte < 234).map(|byte| b'A' + byte % 26);
        id.extend(letters.map(char::from).take(DEVICE_ID_CHARS - id.len()));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Localpart, LocalpartError> {
        Localpart::parse(text, "example.org")
    }

    #[test]
    fn user_names_are_lower_case_letters_digits_and_a_few_signs() {
        assert!(parse("abc.xyz_09=-/+").is_ok());
        assert_eq!(parse(""), Err(LocalpartError::Empty));
        for (name, bad) in [("Alice", 'A'), ("a b", ' '), ("ä", 'ä'), ("a:b", ':'), ("a\n", '\n')]
        {
            assert_eq!(parse(name), Err(LocalpartError::Character(bad)));
        }
    }

    #[test]
    fn a_whole_user_id_has_at_most_255_bytes() {
        let longest = "x".repeat(255 - "@:example.org".len());
        let name = parse(&longest).expect("fits");
        assert_eq!(name.user_id("example.org").len(), 255);
        assert_eq!(parse(&format!("{longest}x")), Err(LocalpartError::TooLong { max: 242 }));
    }

    #[test]
    fn a_name_that_the_server_uses_itself_is_not_free() {
        let free = |text| Localpart::parse_free(text, "example.org");
        for name in ["irc.import", "irc.", "irc.alice", "hook.", "hook.abcdefgh"] {
            assert_eq!(free(name), Err(LocalpartError::Reserved));
            assert!(parse(name).is_ok(), "{name}");
        }
        for name in ["irc", "irca", "an.irc.import", "hook", "a.hook."] {
            assert!(free(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_user_is_found_by_id_and_by_local_part_of_this_server_only() {
        let find = |user| Localpart::find(user, "example.org").map(|name| name.to_string());
        assert_eq!(find("alice").as_deref(), Some("alice"));
        assert_eq!(find("@Alice:example.org").as_deref(), Some("alice"));
        for other in ["@alice:example.com", "@alice", "@alice:sub.example.org", "@:example.org", ""]
        {
            assert_eq!(find(other), None, "{other}");
        }
    }

    #[test]
    fn a_device_name_is_short_and_printable() {
        assert!(check_device_name(None).is_ok());
        assert!(check_device_name(Some("Ada's phone 📱")).is_ok());
        assert!(check_device_name(Some(&"x".repeat(257))).is_err());
        assert!(check_device_name(Some("a\u{1b}[2J")).is_err());
    }

    #[test]
    fn device_ids_are_ten_letters_and_differ() {
        let (one, other) = (new_device_id().expect("random"), new_device_id().expect("random"));
        assert!(one.len() == 10 && one.bytes().all(|byte| byte.is_ascii_uppercase()));
        assert_ne!(one, other);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_search_for_a_user(text in ".*") {
            if let Some(name) = Localpart::find(&text, "example.org") {
                prop_assert_eq!(Localpart::parse(name.as_str(), "example.org"), Ok(name));
            }
        }
    }
}
