//! The charges of callers: for requests before they are executed, and for failures.
//!
//! **Invariant:** nothing that a caller can send is free: a refusal, an invalid document and a
//! reservation cost something.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rookery_graphql_documents::{Cost, Outcome, Refusal, code};
use tokio::time::sleep;

use crate::http::router::Transport;
use crate::limits::callers::CallerKey;
use crate::limits::rate::{RateLimiter, RateStatus};
use crate::persisted::{DocumentHash, NamedDocuments};
use crate::port::auth::{Authenticator, Caller, Peer, SessionEnd};

/// The cost of a refused request; also added to the fields of an invalid document.
pub(crate) const REFUSAL_COST: usize = 100;

/// The cost of a reserved event stream.
pub(crate) const RESERVATION_COST: usize = 100;

/// The actions that depend on whether a document is valid.
pub(crate) struct Verdict {
    key: CallerKey,
    limiter: Option<Arc<RateLimiter>>,
    clock: fn() -> Duration,
    /// The document that the client wants to name by its hash from now on.
    keep: Option<(Arc<NamedDocuments>, DocumentHash, Arc<str>)>,
}

impl Verdict {
    /// The document is valid: it is kept if the client asked for that.
    pub(crate) fn keep(self) {
        if let Some((named, hash, text)) = self.keep {
            named.keep(self.key, hash, text);
        }
    }

    /// It is invalid: the work of finding that out is charged.
    pub(crate) fn fine(self) {
        if let Some(limiter) = self.limiter {
            limiter.fine(self.key, REFUSAL_COST, (self.clock)());
        }
    }

    /// Follows `outcome`.
    pub(crate) fn follows(self, outcome: &Outcome) {
        match outcome {
            Outcome::Executed(_) => self.keep(),
            Outcome::Invalid(_) => self.fine(),
            Outcome::Refused(_) => {}
        }
    }
}

impl<E, A: Authenticator> Transport<E, A> {
    /// The caller that a request of `session` from `peer` counts for.
    pub(crate) fn key(&self, session: &A::Session, peer: Peer) -> CallerKey {
        self.callers.key(self.authenticator.caller(session), peer.address.ip())
    }

    /// Takes `cost` from the budget of `key`. Returns `None` if there is no rate limit.
    ///
    /// # Errors
    /// A [`Refusal`] with code `RATE_LIMITED` that says when to retry.
    pub(crate) fn charge(
        &self,
        key: CallerKey,
        cost: usize,
        told: Option<Cost>,
    ) -> Result<Option<RateStatus>, Refusal> {
        let Some(limiter) = &self.limiter else { return Ok(None) };
        let charged = limiter.charge(key, cost, (self.options.clock)());
        charged.map(Some).map_err(|wait| rate_limited(told, wait))
    }

    /// The answer to a refused request: the refusal, or that there were too many requests.
    pub(crate) fn charged(&self, key: CallerKey, refusal: Refusal) -> Refusal {
        match self.charge(key, REFUSAL_COST, None) {
            Ok(_) => refusal,
            Err(limited) => limited,
        }
    }

    /// The same for a request without a known session.
    pub(crate) fn charged_to_address(&self, peer: Peer, refusal: Refusal) -> Refusal {
        self.charged(self.callers.key(Caller::NOBODY, peer.address.ip()), refusal)
    }

    /// Resolves once `session` ended, or has lasted as long as one without a login may.
    pub(crate) fn ends(
        &self,
        session: &A::Session,
        end: &Arc<dyn SessionEnd>,
    ) -> BoxFuture<'static, ()> {
        match self.authenticator.caller(session).user {
            Some(_) => end.over(),
            None => sleep(self.callers.limits.stranger_lifetime).boxed(),
        }
    }

    pub(crate) fn verdict(
        &self,
        key: CallerKey,
        keep: Option<(DocumentHash, Arc<str>)>,
    ) -> Verdict {
        let keep = keep.map(|(hash, text)| (Arc::clone(&self.named), hash, text));
        Verdict { key, limiter: self.limiter.clone(), clock: self.options.clock, keep }
    }
}

fn rate_limited(cost: Option<Cost>, wait: Duration) -> Refusal {
    let message =
        "You have sent too many requests in a short time: retry after `retryAfter` seconds.";
    let refusal = Refusal::new(code::RATE_LIMITED, message);
    Refusal { cost, retry_after: Some(wait), ..refusal }
}
