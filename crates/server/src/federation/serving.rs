//! Federation in a running server.

use std::sync::Arc;

use rookery_domain::{OwnedServerName, ProfileAudience};
use rookery_federation::{DnsSrv, Federation, Listener, OldKey, OwnKeys, Parts};
use rookery_gateway::schema::App;
use rookery_outgoing::{Client, Guard, SystemResolver, system_tls, system_tls_and};
use rookery_view::{NoOtherServers, OtherServers};
use tokio::task::JoinHandle;

use crate::{
    config::{Config, ServerIdentity},
    failure::Failure,
    node::{Node, clock},
};

/// The file of what is remembered of other servers.
const FILE: &str = "federation.redb";

/// Federation, before and while it serves.
pub(crate) struct Serving {
    federation: Federation,
    listener: Listener,
}

impl Serving {
    /// Opens what federation needs; `None` if it is off.
    pub(crate) async fn open(config: &Config, node: &Node) -> Result<Option<Self>, Failure> {
        let settings = &config.federation;
        let Some(listen) = settings.listen else { return Ok(None) };
        let name: OwnedServerName = node.commands.server_name().clone();
        if let Some(problem) = settings.unreachable(&name) {
            return Err(Failure::new(problem));
        }
        let listener = Listener::bind(listen, settings.tls().as_ref()).await;
        let listener = listener.map_err(|error| Failure::new(error.to_string()))?;
        let parts = Parts {
            own: own_keys(config, node, name)?,
            commands: Arc::clone(&node.commands),
            reader: node.reader.clone(),
            ephemeral: node.ephemeral.clone(),
            client: client(config)?,
            srv: Arc::new(DnsSrv::of_system()),
            access: settings.access.clone(),
            notaries: settings.notaries.clone(),
            pauses: settings.pauses,
            delegated: settings.delegate.clone(),
            shows_profiles: config.profiles == ProfileAudience::Users,
            shows_directory: settings.public_rooms,
            clock: Arc::new(|| clock::now().0),
        };
        let federation = Federation::open(&config.data.join(FILE), parts);
        let federation = federation.map_err(|error| Failure::new(error.to_string()))?;
        Ok(Some(Self { federation, listener }))
    }

    /// Lets users ask other servers for history, and look things up there.
    pub(crate) fn connect(serving: Option<&Self>, app: App) -> App {
        let app = app.with_other_servers(Self::other_servers(serving));
        match serving {
            Some(Self { federation, .. }) => app.with_backfill(Arc::new(federation.clone())),
            None => app,
        }
    }

    /// Looks things up on other servers.
    pub(crate) fn other_servers(serving: Option<&Self>) -> Arc<dyn OtherServers> {
        match serving {
            Some(Self { federation, .. }) => Arc::new(federation.clone()),
            None => Arc::new(NoOtherServers),
        }
    }

    /// Starts to listen and to send.
    pub(crate) fn start(self, node: &Node) -> Result<Vec<JoinHandle<()>>, Failure> {
        let Self { federation, listener } = self;
        let address = listener.address()?;
        tracing::info!("listening for other servers on {address}");
        node.federation.get_or_init(|| federation.clone());
        let (sending, acting) = (federation.clone(), federation.clone());
        Ok(vec![
            node.tasks.spawn("requests of other servers", async move {
                federation.serve(listener).await;
            }),
            node.tasks.spawn("events for other servers", async move { sending.send().await }),
            node.tasks.spawn("actions on other servers", async move { acting.act().await }),
        ])
    }
}

fn own_keys(
    config: &Config,
    node: &Node,
    server_name: OwnedServerName,
) -> Result<OwnKeys, Failure> {
    let identity = ServerIdentity::read(&config.data, config.server_name.as_deref())?;
    let current = Arc::clone(&node.signing_key);
    let mut keys = OwnKeys { server_name, current, old: Vec::new() };
    let current = keys.key_id();
    let old = identity.old_signing_keys.iter();
    let old = old.filter_map(|old| OldKey::parse(&old.key, old.expired));
    // A rotation that was cut short listed the key that is still in use.
    keys.old = old.filter(|old| old.key_id != current).collect();
    Ok(keys)
}

fn client(config: &Config) -> Result<Arc<Client>, Failure> {
    let settings = &config.federation;
    let tls = match &settings.ca {
        Some(ca) => system_tls_and(ca)
            .map_err(|error| Failure::new(format!("federation.ca {}: {error}", ca.display())))?,
        None => system_tls(),
    };
    let allowed = settings.allow_networks.clone();
    let guard = Guard::for_users(move |address| allowed.iter().any(|it| it.contains(address)));
    Ok(Arc::new(Client::new(guard, Arc::new(SystemResolver), tls).keeping_connections()))
}
