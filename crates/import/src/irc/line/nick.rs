//! Nicknames, and their user IDs.
//!
//! **Invariant:** two nicks give the same localpart exactly when they are the same nick in IRC.

use std::fmt;

/// Longest accepted nick in bytes. IRC networks allow 9 to 32.
pub(crate) const NICK_BYTES_MAX: usize = 64;

/// Characters of a nick besides letters and digits. Source: RFC 2812, section 2.3.1, and `~`, which
/// some servers treat as the capital of `^`.
const SPECIAL: &str = "-_[]\\`^{}|~";

/// Prefixes of users with a rank: founder, protected, operator, half-operator, voiced.
const RANKS: &[char] = &['~', '&', '@', '%', '+', '!'];

/// A nickname in its written form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nick(String);

impl Nick {
    /// Reads a nick; `None` if the text cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=NICK_BYTES_MAX).contains(&text.len());
        let clean = |c: char| c.is_alphanumeric() || SPECIAL.contains(c);
        (fits && text.chars().all(clean)).then(|| Self(text.to_owned()))
    }

    /// Reads a nick from a log whose writer put a space behind each `]`.
    #[must_use]
    pub fn parse_spaced(text: &str) -> Option<Self> {
        Self::parse(text).or_else(|| Self::parse(&text.replace("] ", "]")))
    }

    /// Reads a nick before a message: with blanks, and with its ranks in the channel.
    #[must_use]
    pub fn parse_ranked(text: &str) -> Option<Self> {
        Self::parse_spaced(text.trim_start().trim_start_matches(RANKS).trim())
    }

    /// The nick in its written form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which IRC compares nicks: lower case, where `[]\~` are the capitals of `{}|^`.
    ///
    /// Source: RFC 2812, section 2.2 (`CASEMAPPING=rfc1459`, which freenode used).
    #[must_use]
    pub fn fold(&self) -> String {
        let fold = |c: char| match c {
            '[' => '{',
            ']' => '}',
            '\\' => '|',
            '~' => '^',
            other => other,
        };
        self.0.to_lowercase().chars().map(fold).collect()
    }

    /// The localpart of the user ID: the folded nick. A character that a user ID may not contain
    /// becomes `=` and two hexadecimal digits for each byte of its UTF-8.
    ///
    /// Source: Matrix specification, appendices, "Mapping from other character sets".
    #[must_use]
    pub fn localpart(&self) -> String {
        let mut localpart = String::new();
        for byte in self.fold().bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' | b'+' => {
                    localpart.push(char::from(byte));
                }
                other => localpart.extend(['=', hex(other >> 4), hex(other & 15)]),
            }
        }
        localpart
    }
}

fn hex(digit: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(digit)])
}

impl fmt::Display for Nick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nick(text: &str) -> Nick {
        Nick::parse(text).expect("a nick")
    }

    #[test]
    fn nick_becomes_a_localpart() {
        for (written, localpart) in [
            ("ada", "ada"),
            ("Ada_99", "ada_99"),
            ("{ada}", "=7bada=7d"),
            ("[Ada]", "=7bada=7d"),
            ("a\\b|c", "a=7cb=7cc"),
            ("a^b~c", "a=5eb=5ec"),
            ("back`tick", "back=60tick"),
            ("Zoë", "zo=c3=ab"),
        ] {
            assert_eq!(nick(written).localpart(), localpart);
        }
    }

    #[test]
    fn text_that_is_no_nick_is_refused() {
        for text in ["", "two words", "a>b", "#room", "a@b", "a:b", "a=b", "a\u{0}"] {
            assert_eq!(Nick::parse(text), None, "{text:?}");
        }
        assert_eq!(Nick::parse(&"a".repeat(NICK_BYTES_MAX + 1)), None);
    }

    #[test]
    fn ranks_before_a_nick_are_not_part_of_it() {
        for text in
            ["wren", "~wren", "&wren", "@wren", "%wren", "+wren", "@+wren", " wren", "  @wren "]
        {
            assert_eq!(Nick::parse_ranked(text), Some(nick("wren")), "{text:?}");
        }
        assert_eq!(Nick::parse_ranked("@[wr]en^"), Some(nick("[wr]en^")));
        assert_eq!(Nick::parse_ranked("@"), None);
    }

    #[test]
    fn spaces_behind_brackets_belong_to_the_log_and_not_to_the_nick() {
        assert_eq!(Nick::parse_spaced("a[d] a"), Some(nick("a[d]a")));
        assert_eq!(Nick::parse_spaced("[ada] "), Some(nick("[ada]")));
        assert_eq!(Nick::parse_spaced("a da"), None);
    }

    proptest! {
        #[test]
        fn localparts_are_equal_exactly_when_irc_takes_nicks_for_equal(
            one in "[a-cA-C\\[\\]{}|^~=_\\\\]{1,3}",
            other in "[a-cA-C\\[\\]{}|^~=_\\\\]{1,3}",
        ) {
            let (Some(one), Some(other)) = (Nick::parse(&one), Nick::parse(&other)) else {
                return Ok(());
            };
            prop_assert_eq!(one.fold() == other.fold(), one.localpart() == other.localpart());
        }

        #[test]
        fn localpart_has_only_characters_of_user_ids(text in "\\PC{0,20}") {
            if let Some(nick) = Nick::parse(&text) {
                let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '=' | '-' | '/' | '+');
                prop_assert!(nick.localpart().chars().all(allowed));
            }
        }
    }
}
