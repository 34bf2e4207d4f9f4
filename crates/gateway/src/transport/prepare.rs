//! From parameters and a session to what is executed.
//!
//! **Invariant:** whatever is executed came through here, over whichever protocol.

use std::time::Duration;

use async_graphql::{Executor, Request, parser};

use super::auth::{Authenticator, Peer};
use super::cost::Cost;
use super::documents::{Plan, Reading};
use super::gate::Admitted;
use super::options::TransportOptions;
use super::params::Params;
use super::persisted::not_allowed;
use super::refusal::{Refusal, code};
use super::router::Transport;

/// A request that may run.
pub(super) struct Prepared {
    pub(super) request: Request,
    pub(super) admitted: Admitted,
    /// `None` if nothing is counted, or if the document cannot be parsed: then the library says why.
    pub(super) cost: Option<Cost>,
}

impl<E: Executor, A: Authenticator> Transport<E, A> {
    /// Finds the document that is meant, and lets it through the gate.
    pub(super) fn admit(&self, params: &mut Params) -> Result<(Admitted, Reading), Refusal> {
        let found = self.named.resolve(params)?;
        let (admitted, reading) = params.admit(&self.documents, &self.options.gate)?;
        if !found.is_allowed && !admitted.only_introspects {
            return Err(not_allowed());
        }
        self.named.keep(found, params);
        Ok((admitted, reading))
    }

    /// Counts what `params` cost, and puts what resolvers need into the request.
    pub(super) fn prepare(
        &self,
        params: Params,
        (admitted, reading): (Admitted, Reading),
        session: &A::Session,
        peer: Peer,
    ) -> Result<Prepared, Refusal> {
        let mut request = params.into_request();
        let cost = plan(&mut request, &reading, &self.options)?;
        if let Some(cost) = cost.filter(|cost| cost.requested > cost.max) {
            return Err(too_complex(cost));
        }
        let caller = self.authenticator.caller(session);
        if admitted.introspects && !self.options.introspection.is_for(caller) {
            let message = "The schema is not shown to you here; the server's configuration says to whom it is.";
            return Err(Refusal::new(code::INTROSPECTION_FORBIDDEN, message));
        }
        if let Some(limiter) = &self.limiter {
            let requested = cost.map_or(1, |cost| cost.requested.max(1));
            let now = (self.options.clock)();
            let status = limiter
                .charge(caller, peer.address.ip(), requested, now)
                .map_err(|wait| rate_limited(cost, wait))?;
            request = request.data(status);
        }
        let request = self.authenticator.prepare(request.data(peer).data(reading), session);
        Ok(Prepared { request, admitted, cost })
    }
}

/// Plans what is executed of the request, and counts what that costs. A document that is not known is parsed for that,
/// once; why it cannot be parsed is for the library to say.
fn plan(
    request: &mut Request,
    reading: &Reading,
    options: &TransportOptions,
) -> Result<Option<Cost>, Refusal> {
    let name = request.operation_name.as_deref();
    let variables = std::mem::take(&mut request.variables);
    let plan = if let Some(known) = reading.document() {
        Plan::of(known, name, variables)?
    } else {
        let Ok(document) = parser::parse_query(&request.query) else { return Ok(None) };
        let plan = Plan::of(&document, name, variables)?;
        request.set_parsed_query(document);
        plan
    };
    let Some(plan) = plan else { return Ok(None) };
    let cost = options.costs.as_ref().map(|model| model.cost_of(&plan));
    request.variables = plan.variables;
    reading.plan(plan.document);
    Ok(cost.map(|requested| Cost { requested, max: options.cost_max }))
}

fn rate_limited(cost: Option<Cost>, wait: Duration) -> Refusal {
    let message = "You have asked for much in a short time: come back after `retryAfter` seconds.";
    let refusal = Refusal::new(code::RATE_LIMITED, message);
    Refusal { cost, retry_after: Some(wait), ..refusal }
}

fn too_complex(cost: Cost) -> Refusal {
    let Cost { requested, max } = cost;
    let message = format!(
        "The request costs {requested} and may cost {max}: ask for smaller pages or fewer fields."
    );
    Refusal { cost: Some(cost), ..Refusal::new(code::QUERY_TOO_COMPLEX, message) }
}
