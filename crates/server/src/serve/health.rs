//! The current faults: for `/readyz`, for `rookery status` and for the log.
//!
//! **Invariant:** all three report the same. Operators see the cause, clients on this machine the failed part, and strangers only
//! that there is a fault.

use rookery_log::EventLog;

use crate::node::Node;

/// A part that currently fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The part and its lost function, for clients on this machine.
    pub(crate) what: &'static str,
    /// The cause, with paths and names, for operators.
    pub(crate) why: String,
}

/// The parts of `node` that currently accept no writes.
pub(crate) fn problems(node: &Node) -> Vec<Problem> {
    let log = node.log.fault().borrow().as_ref().map(ToString::to_string);
    let log = log.map(|why| Problem { what: "the log accepts no writes", why });
    let accounts = node.accounts.check_writable().err();
    let accounts = accounts
        .map(|fault| Problem { what: "the accounts accept no changes", why: fault.to_string() });
    log.into_iter().chain(accounts).collect()
}

/// Logs new faults and their ends.
#[derive(Default)]
pub(crate) struct Watch(Vec<Problem>);

impl Watch {
    /// Checks `node` once more.
    pub(crate) fn look(&mut self, node: &Node) {
        self.compare(problems(node));
    }

    fn compare(&mut self, now: Vec<Problem>) {
        let has = |all: &[Problem], what| all.iter().any(|problem| problem.what == what);
        for problem in now.iter().filter(|problem| !has(&self.0, problem.what)) {
            tracing::error!("not ready: {}: {}", problem.what, problem.why);
        }
        for problem in self.0.iter().filter(|problem| !has(&now, problem.what)) {
            tracing::info!("no longer the case: {}", problem.what);
        }
        self.0 = now;
    }
}
