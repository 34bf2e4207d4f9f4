//! How a running server is: for its operator, so with the details that `/readyz` leaves out.

use rookery_log::EventLog;

use super::Output;
use crate::{failure::Failure, node::Node, terminal};

/// Prints a line about each part of the server.
///
/// # Errors
/// [`Failure`] if a part does not work; the line about it says why.
pub(super) async fn status(node: &Node, output: &Output) -> Result<(), Failure> {
    let fault = node.log.fault().borrow().as_ref().map(ToString::to_string);
    let tail = *node.log.tail().borrow();
    let served = node.models.view().position();
    let lost = terminal::lost_lines();
    let log = fault.clone().unwrap_or_else(|| "takes writes".to_owned());
    output
        .text(format!(
            "log: {log}; it ends at position {tail}\n\
             read models: at position {served}\n\
             log lines lost: {lost}\n"
        ))
        .await;
    if fault.is_some() {
        return Err(Failure::new("the server cannot do all of its work: see the lines above"));
    }
    Ok(())
}
