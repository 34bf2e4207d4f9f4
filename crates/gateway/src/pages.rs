//! The pages for people: what this server is, and `GraphiQL`.
//!
//! **Invariant:** a page loads nothing from another host, and its policy forbids it to.
//! **Invariant:** pages are the same for everybody; they hold nothing of any account.

mod assets;

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

pub use assets::EXAMPLES;
use assets::{ASSETS, Asset};

/// Nothing but our own files. `style` is for what a page needs beside them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The routes of the pages.
pub fn router() -> Router {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        let entity_tag = entity_tag(asset.bytes);
        router.route(
            asset.path,
            get(async move |headers: HeaderMap| serve(asset, &entity_tag, &headers)),
        )
    })
}

fn entity_tag(bytes: &[u8]) -> HeaderValue {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    let tag = format!("\"{:x}-{:x}\"", bytes.len(), sum.sum());
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

fn serve(asset: &Asset, entity_tag: &HeaderValue, request: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, asset.content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            CACHE_CONTROL,
            if asset.versioned { "public, max-age=31536000, immutable" } else { "no-cache" },
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(ETAG, entity_tag.clone());
    if request.get(IF_NONE_MATCH) == Some(entity_tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    if asset.compressed {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    let body = if asset.compressed && !takes_gzip(request) {
        inflate(asset.bytes)
    } else {
        if asset.compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Bytes::from_static(asset.bytes)
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
    use crate::transport::GateLimits;

    #[test]
    fn every_compressed_asset_inflates_to_text() {
        for asset in ASSETS.iter().filter(|asset| asset.compressed) {
            let inflated = inflate(asset.bytes);
            assert!(inflated.len() > asset.bytes.len(), "{}", asset.path);
            assert!(str::from_utf8(&inflated).is_ok(), "{}", asset.path);
        }
    }

    #[test]
    fn pages_name_only_files_that_are_served_and_no_other_host() {
        for asset in ASSETS.iter().filter(|asset| asset.content_type.starts_with("text/html")) {
            let page = str::from_utf8(asset.bytes).expect("a page is text");
            assert!(!page.contains("://"), "{} names a host", asset.path);
            assert!(!page.contains("style=") && !page.contains("<style"), "{}", asset.path);
            for attribute in ["src=\"", "href=\""] {
                for rest in page.split(attribute).skip(1) {
                    let link = rest.split('"').next().expect("an attribute ends");
                    assert!(ASSETS.iter().any(|asset| asset.path == link), "{link} is not served");
                }
            }
        }
    }

    #[test]
    fn every_example_passes_the_gate() {
        let examples: Vec<_> = EXAMPLES.split("\n# ---\n").collect();
        assert_eq!(examples.len(), EXAMPLES.matches("# ---").count() + 1);
        for example in examples {
            let admitted = crate::transport::admit(example, None, &GateLimits::default());
            assert!(admitted.is_ok_and(|admitted| admitted.name.is_some()), "{example}");
        }
    }

    #[test]
    fn a_client_that_refuses_gzip_gets_plain_text() {
        let asset = ASSETS.iter().find(|asset| asset.compressed).expect("some are compressed");
        let tag = entity_tag(asset.bytes);
        let encoding = |accept: &'static str| {
            let mut request = HeaderMap::new();
            request.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
            serve(asset, &tag, &request).headers().get(CONTENT_ENCODING).cloned()
        };
        assert_eq!(encoding("br, gzip"), Some(HeaderValue::from_static("gzip")));
        assert_eq!(encoding("gzip;q=0, br"), None);
        assert_eq!(encoding("identity"), None);
    }

    #[test]
    fn an_unchanged_file_is_not_sent_again() {
        let tag = entity_tag(ASSETS[0].bytes);
        let mut request = HeaderMap::new();
        request.insert(IF_NONE_MATCH, tag.clone());
        assert_eq!(serve(&ASSETS[0], &tag, &request).status(), StatusCode::NOT_MODIFIED);
    }
}
