//! Compression of bodies that are long enough.
//!
//! **Invariant:** event streams are never compressed: their frames are short, and each would wait
//! for the next.
//! **Invariant:** the length of a compressed body is blurred. A page may contain text of another
//! user beside a secret of its reader. An observer of encrypted lengths could otherwise guess the
//! secret by means of that text.
//!
//! Sources: RFC 1952; RFC 9110, section 12.5.3; Palacios et al., "HTB: Heal The BREACH" (2022).

use std::io::Write as _;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use flate2::{Compression, GzBuilder};

use super::media::choices;

/// Bodies below this are sent uncompressed: they fit into one packet either way.
pub(crate) const COMPRESSED_BYTES_MIN: usize = 1024;

/// Bodies above this are compressed outside the runtime's threads, so others do not wait.
const COMPRESSED_HERE_BYTES_MAX: usize = 256 * 1024;

/// The level takes 0.23 ms for a page of 100 messages, and leaves 25 % of it. The default level
/// takes 0.76 ms, and leaves 21 %.
const LEVEL: Compression = Compression::new(1);

/// Most bytes of padding, as an unused file name in the header.
const PADDING_BYTES_MAX: u32 = 100;

/// Whether the client accepts gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut any = None;
    for (coding, quality) in choices(headers, &ACCEPT_ENCODING) {
        match coding.name.as_str() {
            "gzip" | "x-gzip" => return quality > 0,
            "*" => any = Some(quality > 0),
            _ => {}
        }
    }
    any.unwrap_or(false)
}

/// Compresses a body; `None` if that fails or does not make it shorter.
pub(crate) async fn gzip(body: &bytes::Bytes) -> Option<Vec<u8>> {
    let padding = usize::try_from(getrandom::u32().ok()? % (PADDING_BYTES_MAX + 1)).ok()?;
    let compressed = if body.len() > COMPRESSED_HERE_BYTES_MAX {
        let body = body.clone();
        tokio::task::spawn_blocking(move || compress(&body, padding)).await.ok()?
    } else {
        compress(body, padding)
    };
    compressed.ok().filter(|compressed| compressed.len() < body.len())
}

fn compress(body: &[u8], padding: usize) -> std::io::Result<Vec<u8>> {
    let room = Vec::with_capacity(body.len() / 3 + 256);
    let mut encoder = GzBuilder::new().filename(vec![b'a'; padding]).write(room, LEVEL);
    encoder.write_all(body)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::io::Read as _;

    use axum::http::HeaderValue;

    use super::*;

    fn accepts(value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        accepts_gzip(&headers)
    }

    #[test]
    fn gzip_is_for_those_who_ask() {
        assert!(accepts("gzip") && accepts("br, GZIP;q=0.5") && accepts("*") && accepts("x-gzip"));
        assert!(!accepts("br") && !accepts("gzip;q=0, *") && !accepts("identity") && !accepts(""));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn padding_changes_the_length_and_not_the_content() {
        let body = b"never more ".repeat(500);
        for padding in [0, 1, 100] {
            let compressed = compress(&body, padding).unwrap();
            assert_eq!(compressed.len(), compress(&body, 0).unwrap().len() + padding);
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(&*compressed).read_to_end(&mut read).unwrap();
            assert_eq!(read, body);
        }
    }

    #[tokio::test]
    async fn what_gains_nothing_is_left_alone() {
        let mut noise = vec![0; 4096];
        getrandom::fill(&mut noise).unwrap();
        assert_eq!(gzip(&noise.into()).await, None);
        let long = bytes::Bytes::from("never more ".repeat(50_000));
        assert!(long.len() > COMPRESSED_HERE_BYTES_MAX);
        assert!(gzip(&long).await.unwrap().len() < long.len() / 50);
    }
}
