//! The media types that a client accepts for its answer.
//!
//! Sources: GraphQL over HTTP (draft), section "Media Types"; RFC 9110, section 12.5; graphql-sse,
//! PROTOCOL.md; Apollo Router, "Multipart HTTP protocol for GraphQL Subscriptions".

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, HeaderName};

/// A media type of single answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/graphql-response+json`: the status depends on the outcome.
    GraphQl,
    /// `application/json`: 200 for every well-formed request.
    Json,
}

/// A media type of streamed answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamMedia {
    /// `text/event-stream`
    EventStream,
    /// `multipart/mixed; subscriptionSpec="1.0"`
    Multipart,
}

/// The accepted media types: the best of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// For single answers.
    pub(crate) single: Option<Media>,
    /// For streamed answers.
    pub(crate) stream: Option<StreamMedia>,
}

impl Media {
    /// The value of `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// Whether the client is a browser that opened a page.
    pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
        choices(headers, &ACCEPT).any(|(range, quality)| range.name == "text/html" && quality > 0)
    }
}

impl Accepted {
    /// Whether the client reads only event streams, as a browser's `EventSource` does.
    pub(crate) fn is_event_stream_only(self) -> bool {
        self.single.is_none() && self.stream == Some(StreamMedia::EventStream)
    }

    /// Reads `Accept`. Without a preference, or with `*/*`, single answers are `application/json`,
    /// which every client reads. A client has to name streams explicitly.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(ACCEPT) {
            return Self { single: Some(Media::Json), stream: None };
        }
        let (mut single, mut stream) = (Best::default(), Best::default());
        for (range, quality) in choices(headers, &ACCEPT) {
            match range.name.as_str() {
                "application/graphql-response+json" => single.offer(quality, Media::GraphQl),
                "application/json" | "application/*" | "*/*" => single.offer(quality, Media::Json),
                "text/event-stream" => stream.offer(quality, StreamMedia::EventStream),
                "multipart/mixed" if range.parameter("subscriptionspec") == Some("1.0") => {
                    stream.offer(quality, StreamMedia::Multipart);
                }
                _ => {}
            }
        }
        Self { single: single.choice(), stream: stream.choice() }
    }
}

/// The choice of the highest quality, and the first among equals.
struct Best<T>(Option<(u16, T)>);

impl<T> Default for Best<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Best<T> {
    fn offer(&mut self, quality: u16, choice: T) {
        if quality > 0 && self.0.as_ref().is_none_or(|(found, _)| quality > *found) {
            self.0 = Some((quality, choice));
        }
    }

    fn choice(self) -> Option<T> {
        self.0.map(|(_, choice)| choice)
    }
}

/// One entry of a negotiating header.
pub(crate) struct Choice<'a> {
    /// In lower case.
    pub(crate) name: String,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Choice<'_> {
    /// The value of a parameter, without quotes.
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// The entries of a header, with their quality in thousandths.
pub(crate) fn choices<'a>(
    headers: &'a HeaderMap,
    header: &HeaderName,
) -> impl Iterator<Item = (Choice<'a>, u16)> + use<'a> {
    headers
        .get_all(header)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let parameters: Vec<_> = parts
                .filter_map(|parameter| parameter.split_once('='))
                .map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
                .collect();
            let choice = Choice { name, parameters };
            let quality = choice.parameter("q").map_or(1000, thousandths);
            (choice, quality)
        })
}

/// Reads `0.5` as 500; an invalid quality counts as 0.
fn thousandths(value: &str) -> u16 {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 {
        return 0;
    }
    let fraction = format!("{fraction:0<3}");
    match (whole.parse::<u16>(), fraction.parse::<u16>()) {
        (Ok(whole @ 0..=1), Ok(fraction)) => (whole * 1000 + fraction).min(1000),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accepted(accept: &'static str) -> Accepted {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        Accepted::of(&headers)
    }

    #[test]
    fn the_highest_quality_wins_and_the_first_of_equals() {
        let single = |accept| accepted(accept).single;
        assert_eq!(
            single("application/graphql-response+json, application/json"),
            Some(Media::GraphQl)
        );
        assert_eq!(
            single("application/json, application/graphql-response+json"),
            Some(Media::Json)
        );
        assert_eq!(
            single("application/json;q=0.9,Application/GraphQL-Response+JSON; charset=utf-8"),
            Some(Media::GraphQl)
        );
        assert_eq!(
            single("application/graphql-response+json;q=0.2, */*;q=0.25"),
            Some(Media::Json)
        );
    }

    #[test]
    fn nothing_acceptable_is_nothing() {
        let nothing = Accepted { single: None, stream: None };
        assert_eq!(accepted("text/plain, image/*"), nothing);
        assert_eq!(accepted("application/json;q=0, text/event-stream;q=0"), nothing);
        assert_eq!(accepted("application/json;q=banana"), nothing);
        let silent = Accepted::of(&HeaderMap::new());
        assert_eq!(silent, Accepted { single: Some(Media::Json), stream: None });
    }

    #[test]
    fn streams_are_asked_for_by_name() {
        let stream = |accept| accepted(accept).stream;
        assert_eq!(stream("*/*"), None);
        assert_eq!(stream("text/event-stream"), Some(StreamMedia::EventStream));
        // The header of Apollo Client 4, and the one in its guide.
        for accept in [
            "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json",
            "multipart/mixed; subscriptionSpec=\"1.0\", application/json",
        ] {
            assert_eq!(stream(accept), Some(StreamMedia::Multipart));
            assert_eq!(accepted(accept).single, Some(Media::Json));
        }
        // Another version, or incremental delivery, which this server does not support.
        assert_eq!(stream("multipart/mixed;subscriptionSpec=2.0"), None);
        assert_eq!(stream("multipart/mixed;deferSpec=20220824"), None);
        // urql accepts everything.
        let urql = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
        assert_eq!(stream(urql), Some(StreamMedia::EventStream));
        assert_eq!(accepted(urql).single, Some(Media::GraphQl));
    }
}
