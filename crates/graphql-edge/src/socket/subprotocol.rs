//! The subprotocol of a socket.

use axum::http::HeaderMap;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;

/// The subprotocols that a client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subprotocol {
    /// graphql-transport-ws, among others or alone.
    Ours,
    /// The one of subscriptions-transport-ws, which is no longer maintained. The server accepts it
    /// in order to refuse it with a message that its clients show: a browser shows nothing of a
    /// socket whose subprotocol was not accepted.
    Legacy,
    /// No known one.
    Unknown,
}

impl Subprotocol {
    /// The best of the offered ones.
    pub(super) fn offered(headers: &HeaderMap) -> Self {
        let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        let names = offers.filter_map(|offer| offer.to_str().ok()).flat_map(|it| it.split(','));
        names.fold(Self::Unknown, |best, name| match name.trim() {
            "graphql-transport-ws" => Self::Ours,
            "graphql-ws" if best == Self::Unknown => Self::Legacy,
            _ => best,
        })
    }

    /// The name in the answer to the upgrade.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Ours => Some("graphql-transport-ws"),
            Self::Legacy => Some("graphql-ws"),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn ours_is_taken_wherever_it_stands_and_the_legacy_one_only_in_want_of_it() {
        for (offers, best) in [
            (&["graphql-transport-ws"][..], Subprotocol::Ours),
            (&["graphql-ws, graphql-transport-ws"], Subprotocol::Ours),
            (&["graphql-transport-ws,graphql-ws"], Subprotocol::Ours),
            (&["graphql-ws", "graphql-transport-ws"], Subprotocol::Ours),
            (&["chat, graphql-ws"], Subprotocol::Legacy),
            (&["chat"], Subprotocol::Unknown),
            (&[], Subprotocol::Unknown),
        ] {
            let values = offers.iter().map(|offer| HeaderValue::from_static(offer));
            let headers = values.map(|value| (SEC_WEBSOCKET_PROTOCOL, value)).collect();
            assert_eq!(Subprotocol::offered(&headers), best, "{offers:?}");
        }
    }
}
