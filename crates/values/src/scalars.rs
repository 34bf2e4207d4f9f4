//! Scalars: identifiers that are parsed here, once, and opaque tokens.

use std::{fmt::Display, str::FromStr};

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use rookery_domain::{
    CallId, OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedServerName, OwnedUserId, Power,
};
use rookery_log::{Millis, SealedPosition};
use rookery_view::{SyncCursor, TimelineCursor};

use super::node_id::NodeId;

/// Defines a scalar whose text its type parses and prints.
macro_rules! text_scalar {
    ($name:ident, $graphql:literal, $inner:ty, $expected:literal, ($($url:literal)?), $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub $inner);

        #[doc = $doc]
        #[Scalar(name = $graphql $(, specified_by_url = $url)?)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                parse_text(&value, $expected).map(Self).map_err(InputValueError::custom)
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.to_string())
            }
        }
    };
}

text_scalar!(
    RoomIdScalar,
    "RoomID",
    OwnedRoomId,
    "a room ID such as `!YFaiV1Ydvw9YLW3Hg1XvEdzQ-5pu2CO2t7zwfQrvpHA`",
    ("https://spec.matrix.org/latest/appendices/#room-ids"),
    "The ID of a room: `!` and an opaque part."
);
text_scalar!(
    UserIdScalar,
    "UserID",
    OwnedUserId,
    "a user ID such as `@alice:example.org`",
    ("https://spec.matrix.org/latest/appendices/#user-identifiers"),
    "The ID of a user: `@name:server`."
);
text_scalar!(
    EventIdScalar,
    "EventID",
    OwnedEventId,
    "an event ID: `$` and 43 characters",
    ("https://spec.matrix.org/latest/appendices/#event-ids"),
    "The ID of a room event: `$` and the hash of its content."
);
text_scalar!(
    CallIdScalar,
    "CallID",
    CallId,
    "a call ID exactly as the server sent it",
    ("https://spec.matrix.org/latest/client-server-api/#common-fields"),
    "The ID of a call: letters, digits, `-` and `_`."
);
text_scalar!(
    RoomAliasScalar,
    "RoomAlias",
    OwnedRoomAliasId,
    "a room alias such as `#rust:example.org`",
    ("https://spec.matrix.org/latest/appendices/#room-aliases"),
    "A name that points to a room: `#name:server`."
);
text_scalar!(
    ServerNameScalar,
    "ServerName",
    OwnedServerName,
    "the name of a server, such as `example.org` or `example.org:8448`",
    ("https://spec.matrix.org/latest/appendices/#server-name"),
    "The name of a Matrix server: a host name or an IP address, with an optional port."
);
text_scalar!(
    PositionScalar,
    "Position",
    SealedPosition,
    "a position exactly as the server sent it",
    (),
    "A place in the whole log. A string of 22 letters, digits, `-` and `_`. Opaque: store it, compare it for equality only, and send it back to continue from there."
);
text_scalar!(
    CursorScalar,
    "Cursor",
    TimelineCursor,
    "a cursor exactly as the server sent it",
    ("https://relay.dev/graphql/connections.htm#sec-Cursor"),
    "A place in the timeline of one room. Opaque: send it back to continue scrolling from there."
);

text_scalar!(
    SyncCursorScalar,
    "SyncCursor",
    SyncCursor,
    "the `next` of a sync exactly as the server sent it",
    ("https://relay.dev/graphql/connections.htm#sec-Cursor"),
    "A place among the pages of one sync. Opaque: send it back for the next page."
);

fn parse_text<T: FromStr>(value: &Value, expected: &str) -> Result<T, String>
where
    T::Err: Display,
{
    match value {
        Value::String(text) => text.parse().map_err(|error| match NodeId::of_text(text) {
            Some(_) => format!("expected {expected}: this is a global ID: use `node(id:)`"),
            None => format!("expected {expected}: {error}"),
        }),
        _ => Err(format!("expected {expected}")),
    }
}

/// The greatest whole number that every client can read from JSON: 2^53 - 1.
const LONG_MAX: i64 = (1 << 53) - 1;

/// A whole number that may pass the 32 bits of `Int`, up to 2^53 - 1 in either direction, as a JSON number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Long(i64);

impl Long {
    /// A count. A count above the greatest number becomes that number.
    pub fn of_count(number: u64) -> Self {
        Self(i64::try_from(number).unwrap_or(LONG_MAX).min(LONG_MAX))
    }

    /// A power level; `None` for creators above all levels.
    pub fn of_power(power: Power) -> Option<Self> {
        match power {
            Power::Level(level) => Some(level.into()),
            Power::Infinite => None,
        }
    }
}

impl From<i64> for Long {
    fn from(number: i64) -> Self {
        Self(number.clamp(-LONG_MAX, LONG_MAX))
    }
}

impl From<Long> for i64 {
    fn from(number: Long) -> Self {
        number.0
    }
}

/// A whole number that may pass the 32 bits of `Int`, up to 2^53 - 1 in either direction, as a JSON number
/// without a fraction or an exponent. The server refuses other values.
// Published specifications of a `Long` write it as text, or with numbers that browsers cannot read.
#[Scalar]
impl ScalarType for Long {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            _ => None,
        };
        let number = number.filter(|number| (-LONG_MAX..=LONG_MAX).contains(number));
        number.map(Self).ok_or_else(|| {
            InputValueError::custom("expected a whole number between -(2^53 - 1) and 2^53 - 1")
        })
    }

    fn to_value(&self) -> Value {
        self.0.into()
    }
}

/// An address with a scheme, such as `mxc://example.org/tower`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri(pub String);

/// An address with a scheme, such as `mxc://example.org/tower`.
#[Scalar(name = "URI", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3986")]
impl ScalarType for Uri {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = value else {
            return Err(InputValueError::expected_type(value));
        };
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_part = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
        let is_first = |char: char| char.is_ascii_alphabetic();
        if scheme.starts_with(is_first) && scheme.chars().all(is_part) {
            return Ok(Self(text));
        }
        Err(InputValueError::custom("expected an address such as `mxc://example.org/tower`"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A moment, as RFC 3339 text in UTC with milliseconds: `2026-01-31T12:00:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub Millis);

/// A moment, as RFC 3339 text in UTC with milliseconds: `2026-01-31T12:00:00.000Z`.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let moment = text.parse::<jiff::Timestamp>().map_err(|error| {
            InputValueError::custom(format!("expected a moment in the form of RFC 3339: {error}"))
        })?;
        let millis = u64::try_from(moment.as_millisecond())
            .map_err(|_| InputValueError::custom("expected a moment after 1970"))?;
        Ok(Self(Millis(millis)))
    }

    fn to_value(&self) -> Value {
        Value::String(rfc3339(self.0))
    }
}

fn rfc3339(time: Millis) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use async_graphql::Pos;

    use super::*;

    #[test]
    fn moments_have_milliseconds_and_survive_the_round_trip() {
        let moment = DateTime(Millis(1_769_860_800_000));
        assert_eq!(moment.to_value(), Value::String("2026-01-31T12:00:00.000Z".into()));
        assert_eq!(DateTime::parse(moment.to_value()).ok(), Some(moment));
    }

    #[test]
    fn long_numbers_are_those_that_every_client_can_read() {
        for number in [0, 2_147_483_648, LONG_MAX, -LONG_MAX] {
            assert_eq!(Long::parse(number.into()).ok(), Some(Long(number)));
        }
        for value in [Value::from(LONG_MAX + 1), Value::from(0.5), Value::from("1")] {
            assert!(Long::parse(value.clone()).is_err(), "{value}");
        }
        assert_eq!(Long::of_count(u64::MAX), Long(LONG_MAX));
    }

    #[test]
    fn an_address_has_a_scheme() {
        let parse = |text: &str| Uri::parse(Value::String(text.into())).is_ok();
        assert!(parse("mxc://example.org/tower") && parse("https:"));
        assert!(!parse("") && !parse("tower.png") && !parse("://x") && !parse("m c:x"));
    }

    #[test]
    fn a_global_id_in_place_of_another_one_is_recognised() {
        let room = "!YFaiV1Ydvw9YLW3Hg1XvEdzQ-5pu2CO2t7zwfQrvpHA".try_into().expect("a room ID");
        let id = async_graphql::ID::from(NodeId::Room(room));
        let error = RoomIdScalar::parse(Value::String(id.to_string())).err();
        let message = error.map(|error| error.into_server_error(Pos::default()).message);
        assert!(message.is_some_and(|text| text.contains("this is a global ID: use `node(id:)`")));
    }

    #[test]
    fn identifiers_of_the_wrong_kind_say_what_is_expected() {
        let error = UserIdScalar::parse(Value::String("#room:example.org".into()));
        let message = error.err().map(|error| error.into_server_error(Pos::default()).message);
        assert!(message.is_some_and(|text| text.contains("@alice:example.org")));
    }
}
