//! The pages beside the chat: the description of this server, `GraphiQL`, and the example of a call.

use rookery_graphql_edge::files::{POLICY, POLICY_WITH_STYLES, StaticFile};

/// The path of the page for trying operations.
pub const GRAPHIQL: &str = "/graphiql";

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const CSS: &str = "text/css; charset=utf-8";
pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const FAVICON: &[u8] = include_bytes!("../pages/favicon.svg");

const fn own(path: &'static str, content_type: &'static str, bytes: &'static [u8]) -> StaticFile {
    StaticFile {
        path,
        content_type,
        bytes,
        compressed: false,
        brotli: None,
        versioned: false,
        policy: POLICY,
    }
}

const fn vendored(
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
) -> StaticFile {
    StaticFile {
        path,
        content_type,
        bytes,
        compressed: true,
        brotli: None,
        versioned: true,
        policy: POLICY,
    }
}

/// The files of these pages.
pub(crate) static FILES: [StaticFile; 19] = [
    own("/about", HTML, include_bytes!("../pages/about.html")),
    StaticFile {
        policy: POLICY_WITH_STYLES,
        ..own(GRAPHIQL, HTML, include_bytes!("../pages/graphiql.html"))
    },
    own("/favicon.svg", SVG, FAVICON),
    own("/favicon.ico", SVG, FAVICON),
    own("/web/about.css", CSS, include_bytes!("../pages/about.css")),
    own("/web/about.js", SCRIPT, include_bytes!("../pages/about.js")),
    own("/web/graphiql-page.css", CSS, include_bytes!("../pages/graphiql-page.css")),
    own("/web/graphiql-start.js", SCRIPT, include_bytes!("../pages/graphiql-start.js")),
    own(
        "/web/examples.graphql",
        "application/graphql; charset=utf-8",
        include_bytes!("../pages/examples.graphql"),
    ),
    own("/examples/call", HTML, include_bytes!("../../../examples/call/index.html")),
    own("/examples/call/call.css", CSS, include_bytes!("../../../examples/call/call.css")),
    own("/examples/call/call.js", SCRIPT, include_bytes!("../../../examples/call/call.js")),
    own("/examples/call/page.js", SCRIPT, include_bytes!("../../../examples/call/page.js")),
    own("/examples/call/server.js", SCRIPT, include_bytes!("../../../examples/call/server.js")),
    vendored(
        "/web/graphiql-5.4.0.js",
        SCRIPT,
        include_bytes!("../pages/vendor/graphiql-5.4.0.min.js.gz"),
    ),
    vendored(
        "/web/graphiql-5.4.0.css",
        CSS,
        include_bytes!("../pages/vendor/graphiql-5.4.0.min.css.gz"),
    ),
    vendored(
        "/web/graphiql-5.4.0-editor-worker.js",
        SCRIPT,
        include_bytes!("../pages/vendor/graphiql-5.4.0-editor-worker.min.js.gz"),
    ),
    vendored(
        "/web/graphiql-5.4.0-graphql-worker.js",
        SCRIPT,
        include_bytes!("../pages/vendor/graphiql-5.4.0-graphql-worker.min.js.gz"),
    ),
    vendored(
        "/web/graphiql-5.4.0-json-worker.js",
        SCRIPT,
        include_bytes!("../pages/vendor/graphiql-5.4.0-json-worker.min.js.gz"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_compressed_file_inflates_to_text() {
        for file in FILES.iter().filter(|file| file.compressed) {
            let inflated = file.uncompressed();
            assert!(inflated.len() > file.bytes.len(), "{}", file.path);
            assert!(str::from_utf8(&inflated).is_ok(), "{}", file.path);
        }
    }
}
