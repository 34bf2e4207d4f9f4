//! The origins whose pages may use this server.
//!
//! Source: Fetch standard, section 3.2 (CORS protocol); RFC 6455, section 10.2.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, HOST, ORIGIN,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

/// The origin of a request, according to the browser.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// No page, or a page of this host.
    Own,
    /// A page of an allowed origin.
    Allowed(HeaderValue),
    /// Another page.
    Foreign,
}

impl Origin {
    /// Compares the `Origin` header with `Host` and with the allowed origins.
    pub(crate) fn of(headers: &HeaderMap, allowed: &[String]) -> Self {
        let Some(origin) = headers.get(ORIGIN) else { return Self::Own };
        let Ok(text) = origin.to_str() else { return Self::Foreign };
        if allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(text)) {
            return Self::Allowed(origin.clone());
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let own = match (text.split_once("://"), host) {
            (Some(("http" | "https", authority)), Some(host)) => {
                authority.eq_ignore_ascii_case(host)
            }
            _ => false,
        };
        if own { Self::Own } else { Self::Foreign }
    }

    /// Lets the page read the answer, if its origin is allowed.
    pub(crate) fn allow(&self, response: &mut Response) {
        if let Self::Allowed(origin) = self {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
    }

    /// Answers a browser's preflight request.
    pub(crate) fn preflight(&self) -> Response {
        if *self == Self::Foreign {
            return StatusCode::FORBIDDEN.into_response();
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PUT, DELETE"),
        );
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, x-graphql-event-stream-token"),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        self.allow(&mut response);
        response
    }
}
