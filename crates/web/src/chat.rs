//! The chat: one page for all its paths, its scripts, its style sheet, and texts by language.
//!
//! **Invariant:** its policy runs only our own scripts, and shows only images that the page itself made.

use rookery_graphql_edge::files::StaticFile;

use crate::pages::{CSS, HTML, SCRIPT};

/// Allows our own files and images that a script made, such as a picture that the user chose. A text never becomes a
/// script: the sinks take only what the one policy `rookery` made, which names the script of the chat.
pub const CHAT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types rookery";

const PAGE: &[u8] = include_bytes!("../files/chat.html");
const JSON: &str = "application/json; charset=utf-8";

/// The page at a path of the chat.
const fn page(path: &'static str) -> StaticFile {
    StaticFile {
        path,
        content_type: HTML,
        bytes: PAGE,
        compressed: false,
        brotli: None,
        versioned: false,
        policy: CHAT_POLICY,
    }
}

/// A file of the bundle, which is there in brotli too. The name of a versioned one changes with its content.
macro_rules! bundled {
    ($name:literal, $content_type:expr, $versioned:literal) => {
        StaticFile {
            path: concat!("/web/", $name),
            content_type: $content_type,
            bytes: include_bytes!(concat!("../files/", $name)),
            compressed: false,
            brotli: Some(include_bytes!(concat!("../files/", $name, ".br"))),
            versioned: $versioned,
            policy: CHAT_POLICY,
        }
    };
}

/// The files of the bundle.
pub(crate) static BUNDLE: &[StaticFile] = &include!("../files/bundle.rs");

/// The page at each path of the chat: `app/router.ts` reads them.
pub(crate) static PAGES: [StaticFile; 9] = [
    page("/"),
    page("/welcome"),
    page("/rooms"),
    page("/new"),
    page("/settings"),
    page("/devices"),
    page("/operator"),
    page("/room/{*place}"),
    page("/people/{user}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_of_the_chat_trusts_no_text_and_no_other_host() {
        for part in
            ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"]
        {
            assert!(CHAT_POLICY.contains(part), "{part}");
        }
        for part in ["unsafe", "http", "data:", "*"] {
            assert!(!CHAT_POLICY.contains(part), "{part}");
        }
    }
}
