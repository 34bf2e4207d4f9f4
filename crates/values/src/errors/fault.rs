//! Faults: broken parts of the server and invalid requests. They are GraphQL errors with a code and
//! without internals.

use async_graphql::{Error, ErrorExtensions};
use rookery_graphql_documents::{Effect, FaultId, code};
use rookery_graphql_edge::Exhausted;

use super::refusal::Refusal;

/// How a client learns the outcome of a mutation without an answer.
pub const TO_LEARN: &str = "The outcome of the mutation is not known. To learn it, send it again \
                            with the same `actionId`: you get the first result, and nothing is \
                            done twice; `viewer { device { lastActionId } }` has the greatest \
                            number that was carried out. After `register`, log in with the same \
                            name and password: that works only if the account was created. After \
                            `logIn`, log in again; a device of the first try is in `viewer { \
                            devices }`.";

/// A fault on its way to the client.
#[derive(Clone, Debug)]
pub struct Fault {
    code: &'static str,
    message: String,
    /// The ID of the fault in the log.
    id: Option<FaultId>,
    /// The effect of the request, if it is known in spite of the fault.
    outcome: Option<Effect>,
}

impl Fault {
    /// This needs a login.
    pub fn unauthenticated() -> Self {
        Self {
            code: "UNAUTHENTICATED",
            message: "log in first, and send the token as `Authorization: Bearer <token>`".into(),
            id: None,
            outcome: None,
        }
    }

    /// Only administrators may do this.
    pub fn forbidden() -> Self {
        Self {
            code: "FORBIDDEN",
            message: "only an administrator of this server may do this".into(),
            id: None,
            outcome: None,
        }
    }

    /// Only services may do this.
    pub fn not_a_service() -> Self {
        let message = "only a service may do this: an operator adds one with `rookery service add`";
        Self { message: message.into(), ..Self::forbidden() }
    }

    /// An argument is out of range or malformed.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self { code: "BAD_USER_INPUT", message: message.into(), id: None, outcome: None }
    }

    /// The answer would exceed a limit.
    pub fn exhausted(exhausted: &Exhausted) -> Self {
        Self { code: exhausted.code(), message: exhausted.message(), id: None, outcome: None }
    }

    /// The request would need too much work.
    pub fn too_much_work() -> Self {
        Self {
            code: code::TOO_MUCH_WORK,
            message: "the server would have to look at too much for this answer: ask for less at \
                      a time"
                .into(),
            id: None,
            outcome: None,
        }
    }

    /// A position of another log, or from before a restore.
    pub fn position_unknown() -> Self {
        Self {
            code: "POSITION_UNKNOWN",
            message: "this position is not of this log (the server was restored, or it is another \
                      server): start from `initialSync`"
                .into(),
            id: None,
            outcome: None,
        }
    }

    /// Another connection consumes under the same name.
    pub fn consumer_taken_over() -> Self {
        Self {
            code: "CONSUMER_TAKEN_OVER",
            message: "another connection consumes under this name now: use another name for \
                      another program"
                .into(),
            id: None,
            outcome: None,
        }
    }

    /// The consumer was deleted while it was connected.
    pub fn consumer_deleted() -> Self {
        let message = "the consumer was deleted: `consume` makes a new one".into();
        Self { code: "CONSUMER_DELETED", message, id: None, outcome: None }
    }

    /// The user has as many consumers as allowed.
    pub fn too_many_consumers(message: String) -> Self {
        Self { code: "TOO_MANY_CONSUMERS", message, id: None, outcome: None }
    }

    /// The read side is behind the requested position.
    pub fn stale() -> Self {
        Self {
            code: "STALE",
            message: "the server has not caught up with this position yet: retry shortly".into(),
            id: None,
            outcome: None,
        }
    }

    /// Another server gave no usable answer. The message names it and says why.
    pub fn server_unreachable(message: String) -> Self {
        Self { code: "SERVER_UNREACHABLE", message, id: None, outcome: None }
    }

    /// The log accepts no writes or cannot be read. The reason is for the operator's log.
    pub fn unavailable(reason: &str) -> Self {
        let id = FaultId::new();
        tracing::error!(fault_id = %id, reason, "unavailable");
        Self {
            code: "UNAVAILABLE",
            message: "the server cannot store or read messages now; it is not known whether this \
                      took effect: retry with the same `actionId`"
                .into(),
            id: Some(id),
            outcome: None,
        }
    }

    /// The accounts cannot be read or written. The reason is for the operator's log.
    pub fn accounts_unavailable(fault: &rookery_accounts::Unavailable) -> Self {
        let id = FaultId::new();
        let (reason, outcome_unknown) = (&fault.reason, fault.outcome_unknown);
        tracing::error!(fault_id = %id, reason, outcome_unknown, "the accounts are unavailable");
        let (message, outcome) = if outcome_unknown {
            let message = "the server cannot store accounts now, and it is not known whether this \
                           took effect: see `viewer { devices }` once you can log in, or retry";
            (message, Effect::Unknown)
        } else {
            let message = "the server cannot read or store accounts now, and nothing was done: \
                           retry later";
            (message, Effect::NothingChanged)
        };
        Self { code: "UNAVAILABLE", message: message.into(), id: Some(id), outcome: Some(outcome) }
    }

    /// Another fault. The reason is for the operator's log.
    pub fn internal(reason: &str) -> Self {
        let id = FaultId::new();
        tracing::error!(fault_id = %id, reason, "internal fault");
        Self {
            code: "INTERNAL",
            message: "the server has a fault; its log has the details, under `faultId`".into(),
            id: Some(id),
            outcome: None,
        }
    }
}

/// The refusal of a rate limit, for a field whose type has no place for refusals.
pub fn rate_limited(refusal: Refusal) -> Error {
    Error::new(refusal.message).extend_with(|_, extensions| {
        extensions.set("code", code::RATE_LIMITED);
        if let Some(seconds) = refusal.retry_after {
            extensions.set("retryAfter", seconds);
        }
    })
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::new(fault.message).extend_with(|_, extensions| {
            extensions.set("code", fault.code);
            if let Some(id) = fault.id {
                extensions.set("faultId", id.to_string());
            }
            if let Some(outcome) = fault.outcome {
                extensions.set("outcome", outcome.name());
            }
        })
    }
}
