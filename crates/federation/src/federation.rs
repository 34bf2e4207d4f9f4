//! The parts together, as the server uses them.

use std::{path::Path, sync::Arc};

use rookery_command::Commands;
use rookery_domain::{OwnedServerName, ServerName};
use rookery_ephemeral::Ephemeral;
use rookery_outgoing::Client;
use rookery_view::Reader;

use crate::{
    admission::Admission,
    client::{Access, Call, Pauses, Reachability, Remote, Transport},
    clock::Clock,
    discovery::{Discovery, SrvLookup},
    elsewhere::Worker,
    history::{Backfills, Gaps},
    home::Home,
    inbound::{LargeAnswers, Listener, Rates, Turns, router},
    keys::{OwnKeys, RemoteKeys},
    lookups::Lookups,
    rooms::Events,
    sender::{DestinationStatus, Sender},
    store::{Store, StoreError},
};

/// The parts of federation.
pub struct Parts {
    /// The keys of this server.
    pub own: OwnKeys,
    /// The write side.
    pub commands: Arc<Commands>,
    /// The read side.
    pub reader: Reader,
    /// Typing and presence.
    pub ephemeral: Ephemeral,
    /// Connects to other servers, if their addresses may be reached.
    pub client: Arc<Client>,
    /// Looks up SRV records.
    pub srv: Arc<dyn SrvLookup>,
    /// The lists of the operator.
    pub access: Access,
    /// The servers that are asked for the keys of servers that are away.
    pub notaries: Vec<OwnedServerName>,
    /// The pauses between tries.
    pub pauses: Pauses,
    /// The name to which `.well-known` delegates; `None` to offer none.
    pub delegated: Option<String>,
    /// Whether strangers see the profiles of users.
    pub shows_profiles: bool,
    /// Whether other servers see the public directory.
    pub shows_directory: bool,
    /// The time.
    pub clock: Clock,
}

/// Talks with other servers. Cheap to clone.
#[derive(Clone)]
pub struct Federation {
    pub(crate) home: Arc<Home>,
    worker: Arc<Worker>,
}

impl Federation {
    /// Puts the parts together. `file` holds what is remembered of other servers.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be used.
    pub fn open(file: &Path, parts: Parts) -> Result<Self, StoreError> {
        let store = Store::open(file)?;
        let (own, clock) = (Arc::new(parts.own), parts.clock);
        let discovery = Discovery::new(Arc::clone(&parts.client), parts.srv);
        let transport = Transport::new(
            Arc::clone(&own),
            parts.client,
            discovery,
            parts.access,
            Reachability::new(parts.pauses),
            Arc::clone(&clock),
        );
        let keys = RemoteKeys::new(
            Arc::clone(&own),
            transport.clone(),
            store.clone(),
            parts.notaries,
            Arc::clone(&clock),
        );
        let events = Events { reader: parts.reader.clone(), own: Arc::clone(&own) };
        let sender = Sender::new(
            events,
            transport.clone(),
            store.clone(),
            parts.pauses,
            parts.ephemeral.clone(),
            Arc::clone(&clock),
        );
        let home = Home {
            own,
            commands: parts.commands,
            reader: parts.reader,
            ephemeral: parts.ephemeral,
            transport,
            keys,
            store,
            sender,
            gaps: Gaps::new(),
            backfills: Backfills::new(),
            pauses: parts.pauses,
            rates: Rates::new(),
            admission: Admission::default(),
            turns: Turns::default(),
            limits: Arc::default(),
            large_answers: LargeAnswers::new(),
            delegated: parts.delegated,
            shows_profiles: parts.shows_profiles,
            shows_directory: parts.shows_directory,
            lookups: Lookups::new(),
            clock,
        };
        let home = Arc::new(home);
        let worker = Worker::connect(&home, file.parent());
        Ok(Self { home, worker })
    }

    /// Answers other servers until this is dropped.
    pub async fn serve(&self, listener: Listener) {
        listener.serve(router(Arc::clone(&self.home))).await;
    }

    /// Sends events to other servers, and asks them for missing ones, until this is dropped.
    pub async fn send(&self) {
        tokio::join!(self.home.sender.run(), self.home.search_gaps());
    }

    pub(crate) fn shared(&self) -> Arc<Home> {
        Arc::clone(&self.home)
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// Carries out actions of users here that other servers have to answer, until this is dropped.
    pub async fn act(&self) {
        self.worker.run().await;
    }

    /// Calls to other servers.
    #[must_use]
    pub fn remote(&self) -> Remote {
        self.home.remote()
    }

    /// The keys of other servers, for the checks of their events.
    #[must_use]
    pub fn keys(&self) -> Arc<dyn rookery_command::ServerKeys> {
        Arc::new(self.home.keys.clone())
    }

    /// The state of the queues, by destination.
    #[must_use]
    pub fn status(&self) -> Vec<DestinationStatus> {
        self.home.sender.status()
    }

    /// The keys of a server that are stored: the ID of each, and the end of its validity in milliseconds since 1970.
    pub async fn stored_keys(&self, server: &ServerName) -> Vec<(String, u64)> {
        self.home.keys.stored(server).await
    }

    /// Tries a destination again now. Returns `false` if nothing was ever sent to it.
    #[must_use]
    pub fn retry(&self, server: &ServerName) -> bool {
        self.home.transport.is_alive(server);
        self.home.sender.retry(server)
    }

    /// Finds a server and asks it for its version and its keys. Returns each step, and whether all succeeded.
    pub async fn test(&self, server: &ServerName) -> (Vec<String>, bool) {
        let mut steps = Vec::new();
        let transport = &self.home.transport;
        if !transport.access().allows(server) {
            let why = "federation.allow and federation.deny do not let this server talk with it";
            return (vec![why.to_owned()], false);
        }
        let route = transport.find(server, &mut |step| steps.push(step)).await;
        steps.push(format!("its certificate has to be for {}", route.tls_name));
        transport.is_alive(server);
        let call = Call::unsigned("/_matrix/federation/v1/version");
        let mut is_well = true;
        match transport.send(server, call).await {
            Ok(body) => steps.push(format!("version: {}", String::from_utf8_lossy(&body))),
            Err(error) => {
                steps.push(format!("no version: {error}"));
                is_well = false;
            }
        }
        match self.home.keys.ask(server).await {
            Ok(keys) => steps.push(format!("keys: {}", keys.join(", "))),
            Err(error) => {
                steps.push(format!("no keys: {error}"));
                is_well = false;
            }
        }
        (steps, is_well)
    }
}
