//! What does not work now: for `/readyz`, for `rookery status` and for the log.
//!
//! **Invariant:** all three say the same. Operators are told why, clients on this machine which part, and strangers nothing but that.

use rookery_log::EventLog;

use crate::node::Node;

/// A part that does not work now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The part, and what it does not do, for clients on this machine.
    pub(crate) what: &'static str,
    /// Why, with places and names, for operators.
    pub(crate) why: String,
}

/// The parts of `node` that take no writes now.
pub(crate) fn problems(node: &Node) -> Vec<Problem> {
    let log = node.log.fault().borrow().as_ref().map(ToString::to_string);
    let log = log.map(|why| Problem { what: "the log takes no writes", why });
    let accounts = node.accounts.check_writable().err();
    let accounts = accounts
        .map(|fault| Problem { what: "the accounts take no changes", why: fault.to_string() });
    log.into_iter().chain(accounts).collect()
}

/// Says in the log what has ceased to work, and what works again.
#[derive(Default)]
pub(crate) struct Watch(Vec<Problem>);

impl Watch {
    /// Looks at `node` once more.
    pub(crate) fn look(&mut self, node: &Node) {
        self.compare(problems(node));
    }

    fn compare(&mut self, now: Vec<Problem>) {
        let has = |all: &[Problem], what| all.iter().any(|problem| problem.what == what);
        for problem in now.iter().filter(|problem| !has(&self.0, problem.what)) {
            tracing::error!("not ready: {}: {}", problem.what, problem.why);
        }
        for problem in self.0.iter().filter(|problem| !has(&now, problem.what)) {
            tracing::info!("it is over that {}", problem.what);
        }
        self.0 = now;
    }
}
