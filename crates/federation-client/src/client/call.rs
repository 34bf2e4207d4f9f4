//! A request to another server, and the reasons for having no answer.

use std::time::Duration;

use rookery_domain::OwnedServerName;
use rookery_outgoing::SendError;
use ruma_common::CanonicalJsonValue;
use serde::Serialize;

/// How long a request takes unless it says otherwise.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Most bytes of an answer unless the call says otherwise.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A request.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) content: Option<CanonicalJsonValue>,
    pub(super) is_signed: bool,
    pub(super) time_max: Duration,
    pub(super) answer_bytes_max: usize,
    pub(super) is_patient: bool,
}

/// A request has no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// An operator forbids it.
    #[error("federation.allow and federation.deny do not let this server talk with {0}")]
    Forbidden(OwnedServerName),
    /// The last tries failed, so it is not asked again yet.
    #[error("it did not answer before ({trouble}); it is asked again in {} s", wait.as_secs())]
    NotNow {
        /// The time until then.
        wait: Duration,
        /// Why the last try failed.
        trouble: String,
    },
    /// The address may not be reached.
    #[error(
        "nothing is sent to {address}, which {reason}, unless `federation.allow_networks` names it"
    )]
    Refused {
        /// The address.
        address: String,
        /// Why.
        reason: String,
    },
    /// No connection, or a broken one.
    #[error("{0}")]
    Failed(String),
    /// It answered with an error.
    #[error("it answered {status} {code}: {message}")]
    Status {
        /// The status.
        status: u16,
        /// `errcode` of its answer; empty if there was none.
        code: String,
        /// `error` of its answer.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The answer is longer than allowed, or did not arrive as a whole.
    #[error("its answer is too long, or was cut")]
    TooLong,
}

impl Call {
    /// A signed request without a body. `path` has its query.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            content: None,
            is_signed: true,
            time_max: TIME_MAX,
            answer_bytes_max: ANSWER_BYTES_MAX,
            is_patient: false,
        }
    }

    /// A request that is not signed, for keys.
    pub fn unsigned(path: impl Into<String>) -> Self {
        Self { is_signed: false, ..Self::get(path) }
    }

    /// A signed request that puts `content`.
    pub fn put(path: impl Into<String>, content: CanonicalJsonValue) -> Self {
        Self { method: "PUT", content: Some(content), ..Self::get(path) }
    }

    /// With the method `POST` and a body.
    #[must_use]
    pub fn posting(self, body: &impl Serialize) -> Self {
        let content = serde_json::to_value(body).ok().and_then(|value| value.try_into().ok());
        Self { method: "POST", content, ..self }
    }

    /// With another bound for the answer.
    #[must_use]
    pub fn answer_bytes_max(self, answer_bytes_max: usize) -> Self {
        Self { answer_bytes_max, ..self }
    }

    /// With another bound for the time.
    #[must_use]
    pub fn time_max(self, time_max: Duration) -> Self {
        Self { time_max, ..self }
    }

    /// Asks also if the server did not answer a moment ago: the caller has pauses of its own.
    #[must_use]
    pub fn in_any_case(self) -> Self {
        Self { is_patient: true, ..self }
    }
}

impl From<SendError> for TransportError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused { address, reason } => {
                Self::Refused { address: address.to_string(), reason: reason.to_string() }
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

impl TransportError {
    /// Whether the server itself answered.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Status { status, .. } => !matches!(status, 502..=504),
            Self::TooLong => true,
            _ => false,
        }
    }
}
