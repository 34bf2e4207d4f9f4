//! Addresses of links.
//!
//! **Invariant:** a [`Link`] has the scheme `http`, `https` or `mailto`, and neither white space nor control characters.

/// Longest address of a link, in bytes.
const LINK_BYTES_MAX: usize = 2_048;

/// The schemes of links, with the characters after them.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// An address that a message may link to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link(String);

impl Link {
    /// The address in `text`; `None` if a message may not link to it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let scheme = SCHEMES.iter().find(|scheme| {
            text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })?;
        let is_whole = text.len() > scheme.len() && text.len() <= LINK_BYTES_MAX;
        let is_odd = |c: char| c.is_whitespace() || c.is_control();
        (is_whole && !text.contains(is_odd)).then(|| Self(text.to_owned()))
    }

    /// The address.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_and_of_mail_are_links() {
        for good in
            ["https://example.org/", " HTTP://x ", "mailto:ada@example.org", "http://[::1]/?a=<b>"]
        {
            assert_eq!(
                Link::parse(good).map(|link| link.0).as_deref(),
                Some(good.trim()),
                "{good}"
            );
        }
        let long = format!("https://{}", "x".repeat(LINK_BYTES_MAX));
        for bad in [
            "",
            "https://",
            "mailto:",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "//example.org",
            "ftp://example.org",
            "https:example.org",
            "https://a b",
            "https://a\u{0}",
            "\u{1}https://a",
            long.as_str(),
        ] {
            assert_eq!(Link::parse(bad), None, "{bad:?}");
        }
    }
}
