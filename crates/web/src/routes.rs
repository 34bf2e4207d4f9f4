//! All routes beside `/graphql` that serve files.

use axum::Router;
use rookery_graphql_edge::files;

use crate::{chat, pages};

/// The routes of the chat and of the other pages.
pub fn router() -> Router {
    files::router(&chat::PAGES)
        .merge(files::router(chat::BUNDLE))
        .merge(files::router(&pages::FILES))
}

#[cfg(test)]
mod tests {
    use rookery_graphql_edge::files::StaticFile;

    use super::*;

    fn all() -> impl Iterator<Item = &'static StaticFile> {
        chat::PAGES.iter().chain(chat::BUNDLE).chain(&pages::FILES)
    }

    #[test]
    fn pages_name_only_files_that_are_served_and_no_other_host() {
        for file in all().filter(|file| file.content_type.starts_with("text/html")) {
            let page = str::from_utf8(file.bytes).expect("a page is text");
            assert!(!page.contains("://"), "{} names a host", file.path);
            assert!(!page.contains("style=") && !page.contains("<style"), "{}", file.path);
            for attribute in ["src=\"", "href=\""] {
                for rest in page.split(attribute).skip(1) {
                    let link = rest.split('"').next().expect("an attribute ends");
                    assert!(all().any(|file| file.path == link), "{link} is not served");
                }
            }
        }
    }

    #[test]
    fn every_policy_forbids_other_hosts() {
        for file in all() {
            assert!(
                file.policy.starts_with("default-src 'none'; script-src 'self'"),
                "{}",
                file.path
            );
            assert!(!file.policy.contains("://"), "{}", file.path);
        }
    }
}
