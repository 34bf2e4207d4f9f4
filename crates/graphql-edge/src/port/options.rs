//! What can be set about the transport.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::auth::Caller;
use crate::cost::CostModel;
use crate::documents::DocumentLimits;
use crate::gate::GateLimits;
use crate::limits::budget::AnswerLimits;
use crate::limits::callers::CallerLimits;
use crate::limits::rate::Rate;
use crate::limits::security::SecurityLog;
use crate::persisted::AllowList;

/// Limits, deadlines and origins of the transport.
#[derive(Clone, Debug)]
pub struct TransportOptions {
    /// Limits before the parser.
    pub gate: GateLimits,
    /// What the fields of the schema cost; nothing is counted without it.
    pub costs: Option<Arc<CostModel>>,
    /// The most that a request may cost.
    pub cost_max: usize,
    /// How long answers may be, and how much may be looked at for one.
    pub answers: AnswerLimits,
    /// How many documents are kept, so that they are not read again.
    pub documents: DocumentLimits,
    /// How much cost a user, or an address of nobody's requests, may spend over time; without it, as much as they like.
    pub rate: Option<Rate>,
    /// The time since 1970, for [`rate`](Self::rate).
    pub clock: fn() -> Duration,
    /// The documents that may run; without it, all.
    pub allowed: Option<Arc<AllowList>>,
    /// Who may ask for the schema.
    pub introspection: Introspection,
    /// Length of a request's body, in bytes. An escape of its text, as `\u0436`, counts as two.
    pub body_bytes_max: usize,
    /// Time for a request's body to arrive.
    pub body_deadline: Duration,
    /// Time for a query to execute, or for the answer of a mutation: the mutation itself goes on.
    pub execution_deadline: Duration,
    /// How a client learns what became of a mutation whose answer the server failed to give, as sentences.
    pub to_learn: &'static str,
    /// The path of the page for browsers that open the address of the endpoint.
    pub page: Option<&'static str>,
    /// Origins, as `https://chat.example.org`, whose pages may use this server beside its own.
    pub allowed_origins: Vec<String>,
    /// Limits of what each caller holds at a time.
    pub callers: CallerLimits,
    /// Limits of each `WebSocket`.
    pub socket: SocketOptions,
    /// Limits of event streams and multipart answers.
    pub streams: StreamOptions,
    /// Where refusals are written that matter for security.
    pub security: SecurityLog,
    /// What invalid documents and variables are answered with, if the client reads it.
    pub invalid_status: InvalidStatus,
}

/// The status of a request that is well-formed and cannot be executed: its document is not valid for the schema, or its
/// variables do not fit. Only for `application/graphql-response+json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvalidStatus {
    /// 400, as in the GraphQL-over-HTTP draft of today and in the audit of `graphql-http`.
    #[default]
    BadRequest,
    /// 422, as proposed for that draft (graphql/graphql-over-http, pull request 354).
    UnprocessableContent,
}

/// Who may ask for the schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Introspection {
    /// Whoever reaches the server: the pages of the server need it before anybody is logged in.
    #[default]
    Everybody,
    /// Who is logged in.
    Users,
    /// Who administers the server.
    Admins,
    /// No one.
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
    /// Time for a sign of life after a ping. Without one there is a second ping, and after that the peer is gone.
    pub pong_deadline: Duration,
    /// Pings that a client may send between two pings of the server.
    pub client_pings_max: u32,
    /// Length of a message of the client, in bytes. An escape of its text counts as two.
    pub frame_bytes_max: usize,
    /// Operations of a socket that run at a time.
    pub operations_max: usize,
    /// Bytes that wait to be written before operations are no longer asked for more.
    pub queue_bytes_max: usize,
    /// Time for a client to read anything at all of what waits to be written.
    pub write_deadline: Duration,
    /// Time for a client that did not read to read on and learn why it is closed.
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

/// Limits of answers that go on: event streams and multipart answers.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// Streams at a time. Each keeps a connection, and some have to be left for other requests.
    pub streams_max: usize,
    /// Time without a message after which a sign of life is sent.
    pub heartbeat_interval: Duration,
    /// Reservations of event streams that nobody has opened. Whoever has the most makes room for a new one.
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
