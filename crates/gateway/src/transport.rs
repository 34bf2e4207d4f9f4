//! GraphQL over HTTP, WebSocket, event streams and multipart answers, written for this server.
//!
//! async-graphql executes; everything around that is here: limits before the parser, validation, the values of variables,
//! what becomes of a field that fails, media types and status codes, the WebSocket subprotocol, origins, deadlines, shutdown.
//!
//! **Invariant:** nothing here knows a type of our schema.
//! **Invariant:** nothing is queued for a client without a bound.
//! **Invariant:** tokens, variables and the words of faults appear neither in logs nor in answers.

mod address;
mod arriving;
mod auth;
mod body;
mod bookmark;
mod budget;
mod callers;
mod charge;
mod compress;
mod connections;
mod cost;
mod delivery;
mod documents;
mod execute;
mod fault;
mod frame;
mod gate;
mod http;
mod media;
mod multipart;
mod operation;
mod options;
mod origin;
mod outcome;
mod params;
mod patience;
mod persisted;
mod prepare;
mod rate;
mod refusal;
mod refused;
mod respond;
mod router;
mod serve;
mod shutdown;
mod socket;
mod sse;
mod unsent;
mod untaken;

pub(crate) use address::Network;
pub use auth::{AuthFailure, Authenticator, Caller, Peer, SessionEnd};
pub use bookmark::Bookmark;
pub(crate) use budget::Held;
pub use budget::{AnswerLimits, Budget, Exhausted, FIELD_BYTES};
pub use callers::CallerLimits;
pub use cost::{Cost, CostModel, CostRules};
#[cfg(test)]
pub(crate) use documents::planned;
pub use documents::{DocumentLimits, Documents, Executable, Reading, Types, TypesError, Validated};
pub use fault::FaultId;
pub use frame::{Frame, Frames, Payload, Unshared};
pub(crate) use gate::significant;
pub use gate::{Admitted, GateLimits, OperationKind, admit, json_nested_within};
pub use options::{Introspection, InvalidStatus, SocketOptions, StreamOptions, TransportOptions};
pub use persisted::{AllowList, ManifestError};
pub use rate::{Rate, RateStatus};
pub use refusal::{Effect, Location, Refusal, code};
pub use respond::refused;
pub use router::router;
pub use serve::{ServeOptions, TrustedPeers, serve};
pub use shutdown::{Shutdown, ShutdownHandle, shutdown};
pub use untaken::{Untaken, UntakenPlace};

use router::Transport;
