//! The settings of the transport.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rookery_graphql_documents::{CostModel, DocumentLimits, GateLimits};

use super::auth::Caller;
use crate::limits::budget::AnswerLimits;
use crate::limits::callers::CallerLimits;
use crate::limits::rate::Rate;
use crate::limits::security::SecurityLog;
use crate::persisted::AllowList;
use crate::socket::SocketGauge;

/// Limits, deadlines and origins of the transport.
#[derive(Clone, Debug)]
pub struct TransportOptions {
    /// Limits before the parser.
    pub gate: GateLimits,
    /// The costs of the schema's fields; without it there are no cost limits.
    pub costs: Option<Arc<CostModel>>,
    /// The greatest cost of a request.
    pub cost_max: usize,
    /// The limits of answers: length and work.
    pub answers: AnswerLimits,
    /// The size of the cache of documents.
    pub documents: DocumentLimits,
    /// The cost that a user, or an address without a login, may spend over time; without it there
    /// is no limit.
    pub rate: Option<Rate>,
    /// The cost that a program may spend over time, if [`rate`](Self::rate) is set; without it, as
    /// much as a user.
    pub program_rate: Option<Rate>,
    /// The time since 1970, for [`rate`](Self::rate).
    pub clock: fn() -> Duration,
    /// The allowed documents; without it, all are.
    pub allowed: Option<Arc<AllowList>>,
    /// The callers that may read the schema.
    pub introspection: Introspection,
    /// Length of a request's body, in bytes. An escape of its text, as `\u0436`, counts as two.
    pub body_bytes_max: usize,
    /// Time for a request's body to arrive.
    pub body_deadline: Duration,
    /// Time for a query to execute, or for the answer of a mutation; the mutation itself continues.
    pub execution_deadline: Duration,
    /// Sentences that tell a client how to learn the outcome of a mutation without an answer.
    pub to_learn: &'static str,
    /// The path of the page for browsers that open the address of the endpoint.
    pub page: Option<&'static str>,
    /// Origins, such as `https://chat.example.org`, whose pages may use this server beside its own.
    pub allowed_origins: Vec<String>,
    /// Limits of the resources of each caller.
    pub callers: CallerLimits,
    /// Limits of each `WebSocket`.
    pub socket: SocketOptions,
    /// Limits of event streams and multipart answers.
    pub streams: StreamOptions,
    /// Counts the open sockets.
    pub sockets: SocketGauge,
    /// The log of refusals that matter for security.
    pub security: SecurityLog,
    /// The status for invalid documents and variables, if the client reads it.
    pub invalid_status: InvalidStatus,
}

/// The status of a well-formed request that cannot be executed: its document is not valid for the
/// schema, or its variables do not fit. Only for `application/graphql-response+json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvalidStatus {
    /// 400, as in the present GraphQL-over-HTTP draft and in the audit of `graphql-http`.
    #[default]
    BadRequest,
    /// 422, as proposed for that draft (graphql/graphql-over-http, pull request 354).
    UnprocessableContent,
}

/// The callers that may read the schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Introspection {
    /// All callers: the pages of the server need it before a login.
    #[default]
    Everybody,
    /// Logged-in users.
    Users,
    /// Administrators.
    Admins,
    /// No caller.
    Nobody,
}

impl Introspection {
    pub(crate) fn is_for(self, caller: Caller<'_>) -> bool {
        match self {
            Self::Everybody => true,
            Self::Users => caller.user.is_some(),
            Self::Admins => caller.is_admin,
            Self::Nobody => false,
        }
    }
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            gate: GateLimits::default(),
            costs: None,
            cost_max: 100_000,
            answers: AnswerLimits::default(),
            documents: DocumentLimits::default(),
            rate: None,
            program_rate: None,
            clock: || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            allowed: None,
            introspection: Introspection::Everybody,
            body_bytes_max: 64 * 1024,
            body_deadline: Duration::from_secs(10),
            execution_deadline: Duration::from_secs(10),
            to_learn: "",
            page: None,
            allowed_origins: Vec::new(),
            callers: CallerLimits::default(),
            socket: SocketOptions::default(),
            streams: StreamOptions::default(),
            sockets: SocketGauge::default(),
            security: SecurityLog::default(),
            invalid_status: InvalidStatus::default(),
        }
    }
}

/// Limits and deadlines of one WebSocket.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    /// Time for `connection_init` to arrive.
    pub init_deadline: Duration,
    /// Time between a sign of life after a ping of the server and its next ping.
    pub ping_interval: Duration,
    /// Time for a sign of life after a ping. Without one there is a second ping, and after that the
    /// peer counts as gone.
    pub pong_deadline: Duration,
    /// Pings that a client may send between two pings of the server.
    pub client_pings_max: u32,
    /// Length of a message of the client, in bytes. An escape of its text counts as two.
    pub frame_bytes_max: usize,
    /// Most running operations of a socket.
    pub operations_max: usize,
    /// Pending bytes from which on operations are not polled.
    pub queue_bytes_max: usize,
    /// Time for a client to read any of the pending data.
    pub write_deadline: Duration,
    /// Time for a client that did not read to read the reason of the closing.
    pub slow_close_deadline: Duration,
    /// Time for the closing handshake.
    pub close_deadline: Duration,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            init_deadline: Duration::from_secs(3),
            ping_interval: Duration::from_secs(25),
            pong_deadline: Duration::from_secs(10),
            client_pings_max: 100,
            frame_bytes_max: 64 * 1024,
            operations_max: 100,
            queue_bytes_max: 64 * 1024,
            write_deadline: Duration::from_secs(10),
            slow_close_deadline: Duration::from_mins(1),
            close_deadline: Duration::from_secs(1),
        }
    }
}

/// Limits of streamed answers: event streams and multipart answers.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// Most streams. Each keeps a connection, and some have to be left for other requests.
    pub streams_max: usize,
    /// Time without a message after which a heartbeat is sent.
    pub heartbeat_interval: Duration,
    /// Most unopened reservations of event streams. The caller with the most makes room for a new
    /// one.
    pub reservations_max: usize,
    /// Time for a reserved stream to be opened.
    pub reservation_deadline: Duration,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            streams_max: 8 * 1024,
            heartbeat_interval: Duration::from_secs(12),
            reservations_max: 4 * 1024,
            reservation_deadline: Duration::from_secs(10),
        }
    }
}
