//! A GraphQL server without a schema: HTTP, WebSocket, event streams and multipart answers.
//!
//! async-graphql executes, and `rookery-graphql-documents` reads documents and completes answers. Everything around that
//! is here: media types and status codes, the WebSocket subprotocol, origins, limits of callers, persisted queries,
//! deadlines, shutdown. A schema comes in through [`Frames`], accounts come in through [`Authenticator`], and everything
//! else that depends on them is in [`TransportOptions`].
//!
//! **Invariant:** nothing here knows a type of any schema: the tests run it in front of a schema of their own.
//! **Invariant:** nothing is queued for a client without a bound.
//! **Invariant:** tokens, variables and the words of faults appear neither in logs nor in answers.

mod connection;
mod http;
mod limits;
mod operation;
mod persisted;
mod port;
mod socket;
mod streaming;

pub use self::{
    connection::{
        connections::known,
        serve::{ServeOptions, TrustedPeers, serve},
        shutdown::{Shutdown, ShutdownHandle, shutdown},
    },
    http::{files, respond::refused, router::router},
    limits::{
        budget::{AnswerLimits, Budget, Exhausted, FIELD_BYTES, Held},
        callers::CallerLimits,
        rate::{Rate, RateStatus},
        security::{Refused, SecurityLog},
        untaken::{Untaken, UntakenPlace},
    },
    persisted::{AllowList, ManifestError},
    port::{
        auth::{AuthFailure, Authenticator, Caller, Credentials, Peer, SessionEnd},
        bookmark::{Bookmark, ResumePoint},
        frame::{Frame, Frames, Payload, Unshared},
        options::{Introspection, InvalidStatus, SocketOptions, StreamOptions, TransportOptions},
    },
    socket::SocketGauge,
};
