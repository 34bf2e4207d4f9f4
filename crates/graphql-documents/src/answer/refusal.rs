//! Refusals of requests, with stable codes for clients.
//!
//! **Invariant:** a refusal quotes only names that passed the gate's lexer, numbers and limits.

use std::borrow::Cow;
use std::time::Duration;

use async_graphql::{Pos, ServerError};
use serde::Serialize;

use super::fault::FaultId;
use crate::cost::Cost;

/// The stable codes of the transport, as in `extensions.code`.
pub mod code {
    /// The request does not have the form of GraphQL over HTTP or over WebSocket.
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
    /// The document is more complex than the schema's limit.
    pub const QUERY_TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
    /// The answer, or the events it is made of, would exceed the limit.
    pub const ANSWER_TOO_LARGE: &str = "ANSWER_TOO_LARGE";
    /// The answer would need more work than the limit.
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
    /// The server does not accept requests for this host.
    pub const HOST_NOT_ALLOWED: &str = "HOST_NOT_ALLOWED";
    /// A page of another origin opened the socket or the stream.
    pub const ORIGIN_FORBIDDEN: &str = "ORIGIN_FORBIDDEN";
    /// The caller may not act as the user that the request names.
    pub const FORBIDDEN: &str = "FORBIDDEN";
    /// Subscriptions go over WebSocket, or have to be accepted as a stream.
    pub const SUBSCRIPTION_NEEDS_WEBSOCKET: &str = "SUBSCRIPTION_NEEDS_WEBSOCKET";
    /// The access token is unknown, expired or revoked.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// The server cannot check access tokens now.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// The caller has spent too much: retry after `extensions.retryAfter` seconds.
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    /// The server does not have the document of this hash: send it once.
    pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
    /// The document does not have the hash that came with it.
    pub const PERSISTED_QUERY_MISMATCH: &str = "PERSISTED_QUERY_MISMATCH";
    /// The document is not on the list of allowed documents.
    pub const DOCUMENT_NOT_ALLOWED: &str = "DOCUMENT_NOT_ALLOWED";
    /// The caller may not read the schema.
    pub const INTROSPECTION_FORBIDDEN: &str = "INTROSPECTION_FORBIDDEN";
    /// The operation took longer than its deadline.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// The socket has as many operations as it may have, or its user as many subscriptions.
    pub const TOO_MANY_SUBSCRIPTIONS: &str = "TOO_MANY_SUBSCRIPTIONS";
    /// The user, the address or the server has as many sockets and streams as it may have.
    pub const TOO_MANY_SOCKETS: &str = "TOO_MANY_SOCKETS";
    /// The server has as many event streams as it may have.
    pub const TOO_MANY_STREAMS: &str = "TOO_MANY_STREAMS";
    /// The event stream is not reserved, or its reservation has ended.
    pub const STREAM_UNKNOWN: &str = "STREAM_UNKNOWN";
    /// The reserved event stream is open already.
    pub const STREAM_TAKEN: &str = "STREAM_TAKEN";
    /// An operation of the event stream has this ID.
    pub const OPERATION_ID_TAKEN: &str = "OPERATION_ID_TAKEN";
    /// The server has a fault; the log has details.
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

/// The known effect of a request that failed in the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Effect {
    /// It changed nothing: repeating it is safe.
    NothingChanged,
    /// It may have been executed, in part or completely, or may still be.
    Unknown,
}

impl Effect {
    /// The name in `extensions.outcome`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NothingChanged => "NOTHING_CHANGED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// An answer without a result: a code for programs, and a message for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// One of [`code`].
    pub code: &'static str,
    /// The reason, and what to do.
    pub message: Cow<'static, str>,
    /// The place in the document, if there is one.
    pub location: Option<Location>,
    /// The cost of the request, if that is the reason.
    pub cost: Option<Cost>,
    /// When to retry, if that helps.
    pub retry_after: Option<Duration>,
    /// The ID of the fault in the log, if there is one.
    pub fault: Option<FaultId>,
    /// The effect of the request, if the server failed.
    pub outcome: Option<Effect>,
}

impl Refusal {
    /// A refusal without a place in the document.
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

    /// After how many whole seconds to retry.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
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
