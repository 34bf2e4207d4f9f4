//! Executes commands about other servers.

use rookery_domain::OwnedServerName;
use rookery_federation::{DestinationStatus, Federation};

use super::Output;
use crate::{
    cli::FederationCommand,
    failure::Failure,
    node::{Node, clock},
};

pub(super) async fn execute(
    node: &Node,
    command: FederationCommand,
    output: &Output,
) -> Result<(), Failure> {
    let federation = node.federation.get().ok_or_else(|| {
        Failure::new("federation is off: set federation.listen, and start the server with it")
    })?;
    match command {
        FederationCommand::Status { server } => status(federation, server, output).await,
        FederationCommand::Retry { server } => {
            let is_known = federation.retry(&server);
            let text = if is_known { "it is tried again now" } else { "nothing waits for it" };
            output.text(format!("{server}: {text}\n")).await;
        }
        FederationCommand::Test { server } => {
            let (steps, is_well) = federation.test(&server).await;
            for step in steps {
                output.text(format!("{step}\n")).await;
            }
            if !is_well {
                return Err(Failure::new(format!("{server} does not answer: see the lines above")));
            }
        }
    }
    Ok(())
}

async fn status(federation: &Federation, wanted: Option<OwnedServerName>, output: &Output) {
    let all = federation.status();
    let is_wanted =
        |it: &&DestinationStatus| wanted.as_ref().is_none_or(|wanted| *wanted == it.server);
    for destination in all.iter().filter(is_wanted) {
        output.text(destination.line(clock::now().0)).await;
    }
    if all.is_empty() {
        output.text("no event has been sent to another server yet\n".to_owned()).await;
    }
    let Some(server) = wanted else { return };
    for (key_id, valid_until) in federation.stored_keys(&server).await {
        output.text(format!("{server}: key {key_id}, valid until {valid_until}\n")).await;
    }
}
