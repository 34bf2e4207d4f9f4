//! Prepares an execution from parameters and a session.
//!
//! **Invariant:** every execution came through here, over every protocol.

use async_graphql::{Executor, Request};
use rookery_graphql_documents::{
    Admitted, Cost, CostModel, OperationKind, Params, Reading, Refusal, code,
};

use super::charge::Verdict;
use crate::http::endpoint::unauthenticated;
use crate::http::router::Transport;
use crate::limits::budget::Budget;
use crate::limits::callers::Holding;
use crate::persisted::{Found, not_allowed};
use crate::port::auth::{AuthFailure, Authenticator, Peer};

/// Longer documents are planned in the lanes of heavy executions: the plan of 16 KiB takes milliseconds.
const SHORT_DOCUMENT_BYTES_MAX: usize = 2 * 1024;

/// A request that may run.
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) admitted: Admitted,
    /// `None` without a cost model, or if the document is not valid.
    pub(crate) cost: Option<Cost>,
    /// The budget of its answer.
    pub(crate) budget: Budget,
    /// Its place among the subscriptions of its user, if it is one.
    pub(crate) subscription: Option<Holding>,
    /// The consequences for a document that is not valid.
    pub(crate) verdict: Option<Verdict>,
}

/// A document that passed the gate.
pub(crate) struct Admission {
    pub(crate) admitted: Admitted,
    pub(crate) reading: Reading,
    found: Found,
}

impl<E: Executor, A: Authenticator> Transport<E, A> {
    /// Finds the requested document, and passes it through the gate.
    ///
    /// # Errors
    /// A [`Refusal`], which has been charged.
    pub(crate) fn admit(
        &self,
        params: &mut Params,
        session: &A::Session,
        peer: Peer,
    ) -> Result<Admission, Refusal> {
        let key = self.key(session, peer);
        self.admit_free(params).map_err(|refusal| self.charged(key, refusal))
    }

    fn admit_free(&self, params: &mut Params) -> Result<Admission, Refusal> {
        let found = self.named.resolve(params)?;
        let (admitted, reading) = params.admit(&self.documents, &self.options.gate)?;
        if !found.is_allowed && !admitted.only_introspects {
            return Err(not_allowed());
        }
        Ok(Admission { admitted, reading, found })
    }

    /// Computes the cost of `params`, and adds the data for resolvers to the request.
    pub(crate) async fn prepare(
        &self,
        params: Params,
        admission: Admission,
        session: &A::Session,
        peer: Peer,
    ) -> Result<Prepared, Refusal> {
        let Admission { admitted, reading, found } = admission;
        let key = self.key(session, peer);
        let keep = found.keep(&params);
        let mut request = params.into_request();
        let planned;
        if request.query.len() > SHORT_DOCUMENT_BYTES_MAX {
            let (reading, costs) = (reading.clone(), self.options.costs.clone());
            let planning = async move {
                let planned = plan(&mut request, &reading, costs.as_deref());
                (request, planned)
            };
            (request, planned) = self.answers.lanes().run(planning).await;
            if self.authenticator.end(session).is_over() {
                return Err(unauthenticated(AuthFailure::Invalid));
            }
        } else {
            planned = plan(&mut request, &reading, self.options.costs.as_deref());
        }
        let requested = planned.map_err(|refusal| self.charged(key, refusal))?;
        let cost = requested.map(|requested| Cost { requested, max: self.options.cost_max });
        if let Some(cost) = cost.filter(|cost| cost.requested > cost.max) {
            return Err(self.charged(key, too_complex(cost)));
        }
        let caller = self.authenticator.caller(session);
        if admitted.introspects && !self.options.introspection.is_for(caller) {
            let message = "The schema is not shown to you here; ask the operator for access \
                           (setting `introspection`).";
            let refusal = Refusal::new(code::INTROSPECTION_FORBIDDEN, message);
            return Err(self.charged(key, refusal));
        }
        let requested = cost.map_or(1, |cost| cost.requested.max(1));
        if let Some(status) = self.charge(key, requested, cost)? {
            request = request.data(status);
        }
        let subscription = match admitted.kind {
            OperationKind::Subscription => Some(self.callers.subscription(key)?),
            OperationKind::Query | OperationKind::Mutation => None,
        };
        // A valid document needs no verdict.
        let verdict = if reading.is_known() {
            self.verdict(key, keep).keep();
            None
        } else {
            Some(self.verdict(key, keep))
        };
        let budget = Budget::among(&self.answers, key);
        budget.expect_cost(requested);
        let request = request.data(peer).data(reading).data(budget.clone());
        let request = self.authenticator.prepare(request, session);
        Ok(Prepared { request, admitted, cost, budget, subscription, verdict })
    }
}

/// Plans the operation of the request and counts its cost. The server reads an unknown document for that, once; the
/// executor answers the mistakes in it.
fn plan(
    request: &mut Request,
    reading: &Reading,
    costs: Option<&CostModel>,
) -> Result<Option<usize>, Refusal> {
    let variables = std::mem::take(&mut request.variables);
    let plan = reading.plan(&request.query, request.operation_name.as_deref(), variables)?;
    let Some(plan) = plan else { return Ok(None) };
    let cost = costs.map(|model| model.cost_of(&plan));
    request.variables = plan.variables;
    Ok(cost)
}

fn too_complex(cost: Cost) -> Refusal {
    let Cost { requested, max } = cost;
    let message = format!(
        "The request costs {requested} and may cost {max}: ask for smaller pages or fewer fields."
    );
    Refusal { cost: Some(cost), ..Refusal::new(code::QUERY_TOO_COMPLEX, message) }
}
