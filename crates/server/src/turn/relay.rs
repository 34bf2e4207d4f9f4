//! The relay of this server.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, thread};

use rookery_turn::{Monitor, Options, PeerRules, Secret, Server};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    failure::Failure,
    node::{clock, tasks::Tasks},
    turn::TurnSettings,
};

/// The name of the task and of its thread.
const NAME: &str = "turn";

/// A running relay.
pub(crate) struct Relay {
    /// The address that clients connect to.
    pub(crate) address: SocketAddr,
    /// Watches it.
    pub(crate) monitor: Monitor,
    /// The supervised task. Aborting it ends the relay.
    pub(crate) task: JoinHandle<()>,
}

impl Relay {
    /// Starts the relay if the settings ask for one.
    ///
    /// It has a thread with a runtime of its own. So thousands of datagrams a second delay no request, and a busy server
    /// delays no call.
    ///
    /// # Errors
    /// [`Failure`] if it cannot listen.
    pub(crate) async fn start(
        settings: &TurnSettings,
        realm: &str,
        secret: Secret,
        tasks: &Tasks,
    ) -> Result<Option<Self>, Failure> {
        let Some(options) = options(settings, realm, secret) else { return Ok(None) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (tell, told) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let (end, ended) = oneshot::channel::<Infallible>();
        thread::Builder::new().name(NAME.to_owned()).spawn(move || {
            runtime.block_on(async {
                let bound = Server::bind(options)
                    .map_err(|error| error.to_string())
                    .and_then(|server| Ok((server.local_addr().map_err(text)?, server)));
                match bound {
                    Ok((address, server)) => {
                        tell.send(Ok((address, server.monitor()))).ok();
                        tokio::select! {
                            () = server.run() => {}
                            _ = stopped => {}
                        }
                    }
                    Err(reason) => drop(tell.send(Err(reason))),
                }
            });
            drop(end);
        })?;
        let bound = told.await.unwrap_or_else(|_| Err("its thread ended".to_owned()));
        let (address, monitor) = bound.map_err(|reason| {
            Failure::new(format!("the relay for calls {reason}: choose another turn.listen"))
        })?;
        tracing::info!(%address, "the relay for calls listens");
        let task = tasks.spawn(NAME, async move {
            // The thread ends with this task, and this task with the thread.
            let _stop = stop;
            ended.await.ok();
        });
        Ok(Some(Self { address, monitor, task }))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it converts errors")]
fn text(error: std::io::Error) -> String {
    error.to_string()
}

fn options(settings: &TurnSettings, realm: &str, secret: Secret) -> Option<Options> {
    let allowed = settings.allowed_peers.clone();
    Some(Options {
        listen: settings.listen?,
        relay_addresses: settings.told_addresses(),
        relay_ports: settings.relay_ports.clone(),
        realm: realm.to_owned(),
        secret,
        peers: PeerRules::new(move |address| {
            allowed.iter().any(|network| network.contains(address))
        }),
        bounds: settings.bounds,
        clock: Arc::new(clock::both),
    })
}
