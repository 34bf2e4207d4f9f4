//! Files served beside the endpoint, such as pages for browsers.
//!
//! **Invariant:** each file has a policy that forbids pages to load anything from another host.
//! **Invariant:** a file is the same for everybody; it depends on no session.

use std::io::Read as _;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;

/// A file with its headers.
#[derive(Debug)]
pub struct StaticFile {
    /// Its path.
    pub path: &'static str,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The content, compressed or not.
    pub bytes: &'static [u8],
    /// Whether `bytes` are gzip.
    pub compressed: bool,
    /// Whether the path names a version, so that the file never changes.
    pub versioned: bool,
    /// Whether scripts of this page may add styles to it, as an editor does.
    pub adds_styles: bool,
}

impl StaticFile {
    /// The content for a client that does not read gzip.
    #[must_use]
    pub fn uncompressed(&self) -> Bytes {
        if self.compressed { inflate(self.bytes) } else { Bytes::from_static(self.bytes) }
    }
}

/// Allows only our own files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The same, with styles that our own scripts add.
const POLICY_WITH_STYLES: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                                  img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
                                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes of `files`.
pub fn router(files: &'static [StaticFile]) -> Router {
    files.iter().fold(Router::new(), |router, file| {
        let entity_tag = entity_tag(file.bytes);
        router.route(
            file.path,
            get(async move |headers: HeaderMap| serve(file, &entity_tag, &headers)),
        )
    })
}

fn entity_tag(bytes: &[u8]) -> HeaderValue {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    let tag = format!("\"{:x}-{:x}\"", bytes.len(), sum.sum());
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

fn serve(file: &StaticFile, entity_tag: &HeaderValue, request: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, file.content_type),
        (CONTENT_SECURITY_POLICY, if file.adds_styles { POLICY_WITH_STYLES } else { POLICY }),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            CACHE_CONTROL,
            if file.versioned { "public, max-age=31536000, immutable" } else { "no-cache" },
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(ETAG, entity_tag.clone());
    if request.get(IF_NONE_MATCH) == Some(entity_tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    if file.compressed {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    let body = if file.compressed && !takes_gzip(request) {
        file.uncompressed()
    } else {
        if file.compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Bytes::from_static(file.bytes)
    };
    *response.body_mut() = Body::from(body);
    response
}

fn takes_gzip(request: &HeaderMap) -> bool {
    request
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            matches!(name.trim(), "gzip" | "x-gzip" | "*") && !refused
        })
}

fn inflate(compressed: &[u8]) -> Bytes {
    let mut inflated = Vec::new();
    if let Err(error) = flate2::read::GzDecoder::new(compressed).read_to_end(&mut inflated) {
        tracing::error!(%error, "a bundled file is damaged");
    }
    inflated.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `hello hello hello`, as gzip.
    static COMPRESSED: StaticFile = StaticFile {
        path: "/hello-1.txt",
        content_type: "text/plain; charset=utf-8",
        bytes: &GZIP,
        compressed: true,
        versioned: true,
        adds_styles: false,
    };

    const GZIP: [u8; 28] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 87, 200, 64, 144, 0, 128, 136,
        249, 229, 17, 0, 0, 0,
    ];

    #[test]
    fn a_client_that_refuses_gzip_gets_plain_text() {
        let tag = entity_tag(COMPRESSED.bytes);
        let encoding = |accept: &'static str| {
            let mut request = HeaderMap::new();
            request.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
            serve(&COMPRESSED, &tag, &request).headers().get(CONTENT_ENCODING).cloned()
        };
        assert_eq!(encoding("br, gzip"), Some(HeaderValue::from_static("gzip")));
        assert_eq!(encoding("gzip;q=0, br"), None);
        assert_eq!(encoding("identity"), None);
        assert_eq!(COMPRESSED.uncompressed(), "hello hello hello");
    }

    #[test]
    fn scripts_add_styles_only_to_pages_that_say_so_and_nothing_else_is_allowed() {
        let policy = |adds_styles| {
            let file = StaticFile { adds_styles, ..COMPRESSED };
            let answer = serve(&file, &entity_tag(file.bytes), &HeaderMap::new());
            answer.headers()[CONTENT_SECURITY_POLICY].to_str().map(ToOwned::to_owned)
        };
        let (plain, styled) = (policy(false), policy(true));
        assert!(plain.as_ref().is_ok_and(|plain| !plain.contains("unsafe")));
        assert_eq!(styled.map(|styled| styled.replace(" 'unsafe-inline'", "")).ok(), plain.ok());
    }

    #[test]
    fn an_unchanged_file_is_not_sent_again() {
        let tag = entity_tag(COMPRESSED.bytes);
        let mut request = HeaderMap::new();
        request.insert(IF_NONE_MATCH, tag.clone());
        assert_eq!(serve(&COMPRESSED, &tag, &request).status(), StatusCode::NOT_MODIFIED);
    }
}
