//! Why a request was not executed, told to the client with a stable code.
//!
//! **Invariant:** a refusal quotes nothing but names that passed the gate's lexer, numbers and limits.

use std::borrow::Cow;
use std::time::Duration;

use async_graphql::{Pos, ServerError};
use serde::Serialize;

use super::fault::FaultId;
use crate::cost::Cost;

/// The stable codes of the transport, as they stand in `extensions.code`.
pub mod code {
    /// The request is not shaped as GraphQL over HTTP or over WebSocket asks.
    pub const BAD_REQUEST: &str = "BAD_REQUEST";
    /// A JSON array of requests.
    pub const BATCH_UNSUPPORTED: &str = "BATCH_UNSUPPORTED";
    /// The body is longer than the limit.
    pub const BODY_TOO_LARGE: &str = "BODY_TOO_LARGE";
    /// The body did not arrive in time.
    pub const BODY_TIMEOUT: &str = "BODY_TIMEOUT";
    /// Brackets of the JSON are nested deeper than the limit.
    pub const JSON_TOO_DEEP: &str = "JSON_TOO_DEEP";
    /// The document is longer than the limit.
    pub const QUERY_TOO_LARGE: &str = "QUERY_TOO_LARGE";
    /// The document is nested deeper than the limit.
    pub const QUERY_TOO_DEEP: &str = "QUERY_TOO_DEEP";
    /// The document asks for more than the schema's complexity limit.
    pub const QUERY_TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
    /// The answer is longer than the limit, or made of events that are.
    pub const ANSWER_TOO_LARGE: &str = "ANSWER_TOO_LARGE";
    /// More would have to be looked at for the answer than the limit.
    pub const TOO_MUCH_WORK: &str = "TOO_MUCH_WORK";
    /// The document defines too many fragments.
    pub const TOO_MANY_FRAGMENTS: &str = "TOO_MANY_FRAGMENTS";
    /// The document selects too many fields, counted with its fragments expanded.
    pub const TOO_MANY_FIELDS: &str = "TOO_MANY_FIELDS";
    /// An operation has too many fields at its root.
    pub const TOO_MANY_ROOT_FIELDS: &str = "TOO_MANY_ROOT_FIELDS";
    /// The document has too many directives.
    pub const TOO_MANY_DIRECTIVES: &str = "TOO_MANY_DIRECTIVES";
    /// A fragment contains itself.
    pub const FRAGMENT_CYCLE: &str = "FRAGMENT_CYCLE";
    /// The document is not GraphQL.
    pub const GRAPHQL_PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The document does not fit the schema.
    pub const GRAPHQL_VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// The document has several operations and none was chosen.
    pub const OPERATION_NAME_REQUIRED: &str = "OPERATION_NAME_REQUIRED";
    /// The chosen operation is not in the document.
    pub const OPERATION_UNKNOWN: &str = "OPERATION_UNKNOWN";
    /// A value does not fit its argument.
    pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
    /// The method cannot do this.
    pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
    /// The body is not `application/json`.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "UNSUPPORTED_MEDIA_TYPE";
    /// The client accepts neither of our media types.
    pub const NOT_ACCEPTABLE: &str = "NOT_ACCEPTABLE";
    /// The request is for a host that this server does not answer for.
    pub const HOST_NOT_ALLOWED: &str = "HOST_NOT_ALLOWED";
    /// A page of another origin opened the socket or the stream.
    pub const ORIGIN_FORBIDDEN: &str = "ORIGIN_FORBIDDEN";
    /// Subscriptions go over WebSocket, or have to be accepted as a stream.
    pub const SUBSCRIPTION_NEEDS_WEBSOCKET: &str = "SUBSCRIPTION_NEEDS_WEBSOCKET";
    /// The access token is unknown, expired or revoked.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// The server cannot check access tokens now.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// The caller has spent too much: come back after `extensions.retryAfter` seconds.
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    /// The server does not have the document of this hash: send it once.
    pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
    /// The document does not have the hash that came with it.
    pub const PERSISTED_QUERY_MISMATCH: &str = "PERSISTED_QUERY_MISMATCH";
    /// The document is not among those that may run here.
    pub const DOCUMENT_NOT_ALLOWED: &str = "DOCUMENT_NOT_ALLOWED";
    /// The schema is not shown to who asks.
    pub const INTROSPECTION_FORBIDDEN: &str = "INTROSPECTION_FORBIDDEN";
    /// The operation took longer than its deadline.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// The socket has as many operations as it may have, or its user as many subscriptions.
    pub const TOO_MANY_SUBSCRIPTIONS: &str = "TOO_MANY_SUBSCRIPTIONS";
    /// The user, the address or the server has as many sockets and streams as it may have.
    pub const TOO_MANY_SOCKETS: &str = "TOO_MANY_SOCKETS";
    /// The server has as many event streams as it may have.
    pub const TOO_MANY_STREAMS: &str = "TOO_MANY_STREAMS";
    /// The event stream is not reserved, or no longer.
    pub const STREAM_UNKNOWN: &str = "STREAM_UNKNOWN";
    /// The reserved event stream is open already.
    pub const STREAM_TAKEN: &str = "STREAM_TAKEN";
    /// An operation of the event stream has this ID.
    pub const OPERATION_ID_TAKEN: &str = "OPERATION_ID_TAKEN";
    /// The server is broken; the log says more.
    pub const INTERNAL: &str = "INTERNAL";
}

/// A place in a document; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

impl Location {
    /// The place in this line and column.
    pub(crate) fn new(line: usize, column: usize) -> Self {
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: short(line), column: short(column) }
    }
}

/// What is known of the effect of a request that failed on the side of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Effect {
    /// It changed nothing: sending it again is safe.
    NothingChanged,
    /// It may have been carried out, in part or whole, and may still be.
    Unknown,
}

impl Effect {
    /// As it stands in `extensions.outcome`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NothingChanged => "NOTHING_CHANGED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// An answer that is no result: a code to act on, a sentence to read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// One of [`code`].
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: Cow<'static, str>,
    /// Where in the document, if it is about one place.
    pub location: Option<Location>,
    /// What the request costs, if it is about that.
    pub cost: Option<Cost>,
    /// When to come back, if that helps.
    pub retry_after: Option<Duration>,
    /// Under which the log has it, if something is broken.
    pub fault: Option<FaultId>,
    /// What became of the request, if the server failed it.
    pub outcome: Option<Effect>,
}

impl Refusal {
    /// A refusal about no place in particular.
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self {
            code,
            message,
            location: None,
            cost: None,
            retry_after: None,
            fault: None,
            outcome: None,
        }
    }

    /// After how many whole seconds to come back.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after
            .map(|wait| wait.as_nanos().div_ceil(1_000_000_000).try_into().unwrap_or(u64::MAX))
    }
}

impl From<Refusal> for ServerError {
    fn from(refusal: Refusal) -> Self {
        let pos = refusal.location.map(|Location { line, column }| Pos {
            line: usize::try_from(line).unwrap_or(usize::MAX),
            column: usize::try_from(column).unwrap_or(usize::MAX),
        });
        let mut error = Self::new(refusal.message, pos);
        error.extensions.get_or_insert_default().set("code", refusal.code);
        error
    }
}

impl Serialize for Refusal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Extensions {
            code: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            cost: Option<Cost>,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            fault_id: Option<FaultId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            outcome: Option<Effect>,
        }
        #[derive(Serialize)]
        struct GraphQlError<'a> {
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            locations: Option<[Location; 1]>,
            extensions: Extensions,
        }
        GraphQlError {
            message: &self.message,
            locations: self.location.map(|location| [location]),
            extensions: Extensions {
                code: self.code,
                cost: self.cost,
                retry_after: self.retry_after_seconds(),
                fault_id: self.fault,
                outcome: self.outcome,
            },
        }
        .serialize(serializer)
    }
}
