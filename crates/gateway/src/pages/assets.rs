//! The files of the pages, built into the binary.

/// A file and how it is served.
pub(super) struct Asset {
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) bytes: &'static [u8],
    /// Whether `bytes` are gzip.
    pub(super) compressed: bool,
    /// Whether the path names a version, so that the file never changes.
    pub(super) versioned: bool,
}

/// The operations that the pages show, separated by lines that start with `# ---`.
pub const EXAMPLES: &str = include_str!("../../web/examples.graphql");

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const FAVICON: &[u8] = include_bytes!("../../web/favicon.svg");

const fn own(path: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { path, content_type, bytes, compressed: false, versioned: false }
}

const fn vendored(path: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { path, content_type, bytes, compressed: true, versioned: true }
}

/// Everything that is served beside `/graphql`.
pub(super) static ASSETS: [Asset; 14] = [
    own("/", HTML, include_bytes!("../../web/index.html")),
    own("/graphiql", HTML, include_bytes!("../../web/graphiql.html")),
    own("/favicon.svg", SVG, FAVICON),
    own("/favicon.ico", SVG, FAVICON),
    own("/web/index.css", CSS, include_bytes!("../../web/index.css")),
    own("/web/index.js", SCRIPT, include_bytes!("../../web/index.js")),
    own("/web/graphiql-page.css", CSS, include_bytes!("../../web/graphiql-page.css")),
    own("/web/graphiql-start.js", SCRIPT, include_bytes!("../../web/graphiql-start.js")),
    own("/web/examples.graphql", "application/graphql; charset=utf-8", EXAMPLES.as_bytes()),
    vendored(
        "/web/react-18.3.1.js",
        SCRIPT,
        include_bytes!("../../web/vendor/react-18.3.1.min.js.gz"),
    ),
    vendored(
        "/web/react-dom-18.3.1.js",
        SCRIPT,
        include_bytes!("../../web/vendor/react-dom-18.3.1.min.js.gz"),
    ),
    vendored(
        "/web/graphql-ws-6.4.2.js",
        SCRIPT,
        include_bytes!("../../web/vendor/graphql-ws-6.4.2.min.js.gz"),
    ),
    vendored(
        "/web/graphiql-3.9.0.js",
        SCRIPT,
        include_bytes!("../../web/vendor/graphiql-3.9.0.min.js.gz"),
    ),
    vendored(
        "/web/graphiql-3.9.0.css",
        CSS,
        include_bytes!("../../web/vendor/graphiql-3.9.0.min.css.gz"),
    ),
];
