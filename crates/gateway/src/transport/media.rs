//! Which of our two media types a client wants.
//!
//! Source: GraphQL over HTTP (draft), section "Media Types"; RFC 9110, section 12.5.1.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// A media type of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells how far the request came.
    GraphQl,
    /// `application/json`: 200 for every well-formed request.
    Json,
}

impl Media {
    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// The best one that the client accepts. Without a wish, or with `*/*`, it is `application/json`, which
    /// every client reads.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        if !headers.contains_key(ACCEPT) {
            return Some(Self::Json);
        }
        let mut best: Option<(u16, Self)> = None;
        for (range, quality) in accepted(headers) {
            let media = match range.as_str() {
                "application/graphql-response+json" => Self::GraphQl,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            if quality > 0 && best.is_none_or(|(found, _)| quality > found) {
                best = Some((quality, media));
            }
        }
        best.map(|(_, media)| media)
    }

    /// Whether the client is a browser that opened a page.
    pub(super) fn wants_page(headers: &HeaderMap) -> bool {
        accepted(headers).any(|(range, quality)| range == "text/html" && quality > 0)
    }
}

/// Media ranges in lower case, with their quality in thousandths.
fn accepted(headers: &HeaderMap) -> impl Iterator<Item = (String, u16)> + '_ {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let range = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts
                .filter_map(|parameter| parameter.split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
                .map_or(1000, |(_, value)| thousandths(value.trim()));
            (range, quality)
        })
}

/// Reads `0.5` as 500; what is no quality counts as 0.
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

    fn negotiate(accept: &'static str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        Media::negotiate(&headers)
    }

    #[test]
    fn the_highest_quality_wins_and_the_first_of_equals() {
        assert_eq!(
            negotiate("application/graphql-response+json, application/json"),
            Some(Media::GraphQl)
        );
        assert_eq!(
            negotiate("application/json, application/graphql-response+json"),
            Some(Media::Json)
        );
        assert_eq!(
            negotiate("application/json;q=0.9,Application/GraphQL-Response+JSON; charset=utf-8"),
            Some(Media::GraphQl)
        );
        assert_eq!(
            negotiate("application/graphql-response+json;q=0.2, */*;q=0.25"),
            Some(Media::Json)
        );
    }

    #[test]
    fn nothing_acceptable_is_nothing() {
        assert_eq!(negotiate("text/plain, image/*"), None);
        assert_eq!(negotiate("application/json;q=0"), None);
        assert_eq!(negotiate("application/json;q=banana"), None);
        assert_eq!(Media::negotiate(&HeaderMap::new()), Some(Media::Json));
    }
}
