//! The web pages: the description of this server, `GraphiQL`, and the example of a call. Their files
//! are built into the binary.
//!
//! **Invariant:** a page loads nothing from another host.
//! **Invariant:** pages hold no data of any account.

use axum::Router;
use rookery_graphql_edge::files::{self, StaticFile};

/// The path of the page for trying operations.
pub const GRAPHIQL: &str = "/graphiql";

/// The operations on the pages, separated by lines that start with `# ---`.
pub const EXAMPLES: &str = include_str!("../web/examples.graphql");

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const FAVICON: &[u8] = include_bytes!("../web/favicon.svg");

const fn own(path: &'static str, content_type: &'static str, bytes: &'static [u8]) -> StaticFile {
    StaticFile {
        path,
        content_type,
        bytes,
        compressed: false,
        versioned: false,
        adds_styles: false,
    }
}

const fn vendored(
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
) -> StaticFile {
    StaticFile { path, content_type, bytes, compressed: true, versioned: true, adds_styles: false }
}

/// The routes of the pages.
pub fn router() -> Router {
    files::router(&FILES)
}

/// All files that are served beside `/graphql`.
static FILES: [StaticFile; 19] = [
    own("/", HTML, include_bytes!("../web/index.html")),
    StaticFile { adds_styles: true, ..own(GRAPHIQL, HTML, include_bytes!("../web/graphiql.html")) },
    own("/favicon.svg", SVG, FAVICON),
    own("/favicon.ico", SVG, FAVICON),
    own("/web/index.css", CSS, include_bytes!("../web/index.css")),
    own("/web/index.js", SCRIPT, include_bytes!("../web/index.js")),
    own("/web/graphiql-page.css", CSS, include_bytes!("../web/graphiql-page.css")),
    own("/web/graphiql-start.js", SCRIPT, include_bytes!("../web/graphiql-start.js")),
    own("/web/examples.graphql", "application/graphql; charset=utf-8", EXAMPLES.as_bytes()),
    own("/examples/call", HTML, include_bytes!("../../../examples/call/index.html")),
    own("/examples/call/call.css", CSS, include_bytes!("../../../examples/call/call.css")),
    own("/examples/call/call.js", SCRIPT, include_bytes!("../../../examples/call/call.js")),
    own("/examples/call/page.js", SCRIPT, include_bytes!("../../../examples/call/page.js")),
    own("/examples/call/server.js", SCRIPT, include_bytes!("../../../examples/call/server.js")),
    vendored(
        "/web/graphiql-5.4.0.js",
        SCRIPT,
        include_bytes!("../web/vendor/graphiql-5.4.0.min.js.gz"),
    ),
    vendored(
        "/web/graphiql-5.4.0.css",
        CSS,
        include_bytes!("../web/vendor/graphiql-5.4.0.min.css.gz"),
    ),
    vendored(
        "/web/graphiql-5.4.0-editor-worker.js",
        SCRIPT,
        include_bytes!("../web/vendor/graphiql-5.4.0-editor-worker.min.js.gz"),
    ),
    vendored(
        "/web/graphiql-5.4.0-graphql-worker.js",
        SCRIPT,
        include_bytes!("../web/vendor/graphiql-5.4.0-graphql-worker.min.js.gz"),
    ),
    vendored(
        "/web/graphiql-5.4.0-json-worker.js",
        SCRIPT,
        include_bytes!("../web/vendor/graphiql-5.4.0-json-worker.min.js.gz"),
    ),
];

#[cfg(test)]
mod tests {
    use rookery_graphql_documents::{GateLimits, admit};

    use super::*;
    use crate::schema::GUARDED_FIELDS;

    #[test]
    fn every_compressed_file_inflates_to_text() {
        for file in FILES.iter().filter(|file| file.compressed) {
            let inflated = file.uncompressed();
            assert!(inflated.len() > file.bytes.len(), "{}", file.path);
            assert!(str::from_utf8(&inflated).is_ok(), "{}", file.path);
        }
    }

    #[test]
    fn pages_name_only_files_that_are_served_and_no_other_host() {
        for file in FILES.iter().filter(|file| file.content_type.starts_with("text/html")) {
            let page = str::from_utf8(file.bytes).expect("a page is text");
            assert!(!page.contains("://"), "{} names a host", file.path);
            assert!(!page.contains("style=") && !page.contains("<style"), "{}", file.path);
            for attribute in ["src=\"", "href=\""] {
                for rest in page.split(attribute).skip(1) {
                    let link = rest.split('"').next().expect("an attribute ends");
                    assert!(FILES.iter().any(|file| file.path == link), "{link} is not served");
                }
            }
        }
    }

    #[test]
    fn every_example_passes_the_gate() {
        let examples: Vec<_> = EXAMPLES.split("\n# ---\n").collect();
        assert_eq!(examples.len(), EXAMPLES.matches("# ---").count() + 1);
        let limits = GateLimits { guarded: GUARDED_FIELDS, ..GateLimits::default() };
        for example in examples {
            let admitted = admit(example, None, &limits);
            assert!(admitted.is_ok_and(|admitted| admitted.name.is_some()), "{example}");
        }
    }
}
