//! The state of a running server for its operator, with the details that `/readyz` leaves out.

use rookery_command::ProcessStatus;
use rookery_log::EventLog;
use rookery_turn::Usage;

use super::{Output, execute::list_parked};
use crate::{
    failure::Failure,
    node::Node,
    serve::health,
    terminal,
    terminal::counted::{counted, counted_len},
};

/// Prints a line about each part of the server.
///
/// # Errors
/// [`Failure`] if a part does not work; its line states the cause.
pub(super) async fn status(node: &Node, output: &Output) -> Result<(), Failure> {
    let problems = health::problems(node);
    let tail = *node.log.tail().borrow();
    let (served, parked) = {
        let view = node.reader.view();
        (view.position(), view.parked())
    };
    let lost = terminal::lost_lines();
    let mut text = format!(
        "log: ends at position {tail}\nread models: at position {served}\nlog lines lost: {lost}\n"
    );
    for process in node.commands.processes() {
        text += &line(process);
    }
    if let Some(relay) = node.relay.get() {
        text += &line_of_relay(relay.usage());
    }
    output.text(text).await;
    list_parked(&parked, output).await;
    if problems.is_empty() {
        output.text("ready\n".to_owned()).await;
        return Ok(());
    }
    for problem in &problems {
        output.text(format!("not ready: {}: {}\n", problem.what, problem.why)).await;
    }
    Err(Failure::new("a part of the server does not work: see the lines above"))
}

/// The state of the relay for calls, as a line.
fn line_of_relay(usage: Usage) -> String {
    let Usage { allocations, users, relayed_bytes } = usage;
    let (allocations, users) = (counted_len(allocations, "allocation"), counted_len(users, "user"));
    format!("relay: {allocations} of {users}, relayed {} MiB\n", relayed_bytes >> 20)
}

/// The state of a process, as a line.
fn line(process: ProcessStatus) -> String {
    let ProcessStatus { name, position, skipped, trouble } = process;
    let skipped = match skipped {
        0 => String::new(),
        some => format!(", skipped {} that the server's log names", counted(some, "commit")),
    };
    let waits = trouble.map(|trouble| format!(", waits: {trouble}")).unwrap_or_default();
    format!("process {name}: done up to position {position}{skipped}{waits}\n")
}
