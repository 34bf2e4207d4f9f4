//! Reads the data of a client over HTTP.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use futures_util::StreamExt as _;
use rookery_graphql_documents::{ESCAPED_MAX, Params, Refusal, code, unescaped_len};
use tokio::time::timeout;

use crate::connection::connections::Connection;
use crate::port::options::TransportOptions;

/// The parameters of a request, from its URL or its body.
pub(crate) async fn params(
    parts: &Parts,
    body: Body,
    options: &TransportOptions,
) -> Result<Params, Refusal> {
    match parts.method {
        Method::GET => Params::from_url(parts.uri.query().unwrap_or_default(), &options.gate),
        Method::POST => {
            if !is_json(&parts.headers) {
                let message = "Send the request as `Content-Type: application/json`, in UTF-8.";
                return Err(Refusal::new(code::UNSUPPORTED_MEDIA_TYPE, message));
            }
            let body = read(parts, body, options).await?;
            Params::from_json(&body, &options.gate)
        }
        _ => Err(Refusal::new(code::METHOD_NOT_ALLOWED, "Use POST, or GET for queries.")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    json && utf8
}

/// How many bytes of a body that is too long are read and discarded, so that the client reads our
/// answer.
const DRAINED_BYTES_MAX: usize = 8 * 1024 * 1024;

async fn read(parts: &Parts, body: Body, options: &TransportOptions) -> Result<Bytes, Refusal> {
    let max = options.body_bytes_max;
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
        .and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > DRAINED_BYTES_MAX) {
        return Err(too_large(max));
    }
    let mut chunks = body.into_data_stream();
    let collect = async {
        let (mut collected, mut total) = (Vec::new(), 0usize);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| {
                Refusal::new(code::BAD_REQUEST, "The body of the request broke off.")
            })?;
            total = total.saturating_add(chunk.len());
            if total <= ESCAPED_MAX.saturating_mul(max) {
                collected.extend_from_slice(&chunk);
            } else {
                collected = Vec::new();
            }
            if total > DRAINED_BYTES_MAX {
                break;
            }
        }
        let is_too_large = total > max && (collected.is_empty() || unescaped_len(&collected) > max);
        if is_too_large { Err(too_large(max)) } else { Ok(Bytes::from(collected)) }
    };
    let read = timeout(options.body_deadline, collect).await;
    if let Some(connection) = Connection::of(&parts.extensions) {
        connection.works();
    }
    read.unwrap_or_else(|_| {
        let seconds = options.body_deadline.as_secs_f64();
        let message = format!("The body of the request did not arrive within {seconds} s.");
        Err(Refusal::new(code::BODY_TIMEOUT, message))
    })
}

fn too_large(max: usize) -> Refusal {
    Refusal::new(code::BODY_TOO_LARGE, format!("The body is longer than {max} bytes."))
}
