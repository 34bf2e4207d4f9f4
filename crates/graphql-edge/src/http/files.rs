//! Files served beside the endpoint, such as pages for browsers.
//!
//! **Invariant:** each file has a policy that forbids pages to load anything from another host.
//! **Invariant:** a file is the same for everybody; it depends on no session.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;

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
    /// The content in brotli, for clients that read it.
    pub brotli: Option<&'static [u8]>,
    /// Whether the path names a version, so that the file never changes.
    pub versioned: bool,
    /// The value of `Content-Security-Policy`.
    pub policy: &'static str,
}

impl StaticFile {
    /// The content for a client that does not read gzip.
    #[must_use]
    pub fn uncompressed(&self) -> Bytes {
        if self.compressed { inflate(self.bytes) } else { Bytes::from_static(self.bytes) }
    }
}

/// Allows only our own files.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The same, with styles that our own scripts add, as an editor does.
pub const POLICY_WITH_STYLES: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                                  img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
                                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The shortest file that is sent compressed: a shorter one fits into one packet either way.
const COMPRESSED_BYTES_MIN: usize = 1024;

/// A file with what follows from its content.
struct Served {
    file: &'static StaticFile,
    entity_tag: HeaderValue,
    /// The file as gzip, made at the first request for it; `None` if that is not worth it.
    gzip: OnceLock<Option<Bytes>>,
}

/// The routes of `files`.
pub fn router(files: &'static [StaticFile]) -> Router {
    files.iter().fold(Router::new(), |router, file| {
        let served = Arc::new(Served::new(file));
        router.route(file.path, get(async move |headers: HeaderMap| served.answer(&headers)))
    })
}

impl Served {
    fn new(file: &'static StaticFile) -> Self {
        Self { file, entity_tag: entity_tag(file.bytes), gzip: OnceLock::new() }
    }

    fn answer(&self, request: &HeaderMap) -> Response {
        let file = self.file;
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, file.content_type),
            (CONTENT_SECURITY_POLICY, file.policy),
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
        headers.insert(ETAG, self.entity_tag.clone());
        if request.get(IF_NONE_MATCH) == Some(&self.entity_tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let (body, coding) = self.body(request);
        if file.brotli.is_some() || self.gzip().is_some() {
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        *response.body_mut() = Body::from(body);
        response
    }

    /// The content in the shortest form that the client reads, and the name of its coding.
    fn body(&self, request: &HeaderMap) -> (Bytes, Option<&'static str>) {
        if let Some(brotli) = self.file.brotli
            && takes(request, &["br"])
        {
            return (Bytes::from_static(brotli), Some("br"));
        }
        match self.gzip() {
            Some(gzip) if takes(request, &["gzip", "x-gzip", "*"]) => (gzip, Some("gzip")),
            _ => (self.file.uncompressed(), None),
        }
    }

    fn gzip(&self) -> Option<Bytes> {
        let make = || {
            if self.file.compressed {
                return Some(Bytes::from_static(self.file.bytes));
            }
            let bytes = self.file.bytes;
            let worth = bytes.len() >= COMPRESSED_BYTES_MIN;
            worth.then(|| deflate(bytes)).flatten().filter(|gzip| gzip.len() < bytes.len())
        };
        self.gzip.get_or_init(make).clone()
    }
}

fn entity_tag(bytes: &[u8]) -> HeaderValue {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    let tag = format!("\"{:x}-{:x}\"", bytes.len(), sum.sum());
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the client reads a coding of one of these names.
fn takes(request: &HeaderMap, names: &[&str]) -> bool {
    request
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            names.contains(&name.trim()) && !refused
        })
}

fn deflate(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
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
        brotli: None,
        versioned: true,
        policy: POLICY,
    };

    const GZIP: [u8; 28] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 87, 200, 64, 144, 0, 128, 136,
        249, 229, 17, 0, 0, 0,
    ];

    fn answer(file: &'static StaticFile, name: HeaderName, value: &'static str) -> Response {
        let request = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        Served::new(file).answer(&request)
    }

    #[test]
    fn a_client_that_refuses_gzip_gets_plain_text() {
        let encoding = |accept: &'static str| {
            answer(&COMPRESSED, ACCEPT_ENCODING, accept).headers().get(CONTENT_ENCODING).cloned()
        };
        assert_eq!(encoding("br, gzip"), Some(HeaderValue::from_static("gzip")));
        assert_eq!(encoding("gzip;q=0, br"), None);
        assert_eq!(encoding("identity"), None);
        assert_eq!(COMPRESSED.uncompressed(), "hello hello hello");
    }

    #[test]
    fn a_long_file_is_compressed_and_a_short_one_is_not() {
        static LONG: StaticFile =
            StaticFile { bytes: &[b'a'; 4096], compressed: false, ..COMPRESSED };
        static SHORT: StaticFile = StaticFile { bytes: b"hello", compressed: false, ..COMPRESSED };
        let gzip = Served::new(&LONG).gzip().expect("it is long enough");
        assert_eq!(inflate(&gzip), LONG.bytes);
        assert!(gzip.len() < 100);
        let long = answer(&LONG, ACCEPT_ENCODING, "gzip");
        assert_eq!(long.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(answer(&SHORT, ACCEPT_ENCODING, "gzip").headers().get(CONTENT_ENCODING), None);
    }

    #[test]
    fn a_client_gets_brotli_if_it_reads_it() {
        static BOTH: StaticFile = StaticFile { brotli: Some(b"brotli"), ..COMPRESSED };
        let encoding = |accept: &'static str| {
            let answer = answer(&BOTH, ACCEPT_ENCODING, accept);
            answer
                .headers()
                .get(CONTENT_ENCODING)
                .and_then(|it| it.to_str().ok().map(str::to_owned))
        };
        assert_eq!(encoding("gzip, deflate, br").as_deref(), Some("br"));
        assert_eq!(encoding("gzip, br;q=0").as_deref(), Some("gzip"));
        assert_eq!(encoding("*").as_deref(), Some("gzip"));
        assert_eq!(encoding("identity"), None);
    }

    #[test]
    fn policies_differ_only_in_the_styles_that_scripts_may_add() {
        assert!(!POLICY.contains("unsafe"));
        assert_eq!(POLICY_WITH_STYLES.replace(" 'unsafe-inline'", ""), POLICY);
    }

    #[test]
    fn an_unchanged_file_is_not_sent_again() {
        let tag = entity_tag(COMPRESSED.bytes);
        let request = HeaderMap::from_iter([(IF_NONE_MATCH, tag)]);
        let status = Served::new(&COMPRESSED).answer(&request).status();
        assert_eq!(status, StatusCode::NOT_MODIFIED);
    }
}
