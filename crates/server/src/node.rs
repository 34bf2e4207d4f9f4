//! Puts together the parts of a server on one data directory.

pub(crate) mod clock;
mod following;
mod outgoing;
pub(crate) mod tasks;

#[cfg(test)]
mod tests;

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use rookery_accounts::Accounts;
use rookery_command::{
    ActionRates, CallLookup, CommandOptions, Commands, EventLookup, LastActions, LoggedIn,
    Memberships, Ports, RoomCounts,
};
use rookery_delivery::{Consumers, Feeds};
use rookery_domain::{
    CallId, KnownEvent, Membership, OwnedEventId, OwnedRoomId, OwnedServerName, ProfileAudience,
    RoomAliasId, SigningKey, UserId,
};
use rookery_federation::Federation;
use rookery_gateway::{
    Ephemeral, Tokens,
    schema::{App, Entrances},
};
use rookery_log::{EventLog, Position, TokenKey, Unavailable};
use rookery_log_sled::{PreparedLog, SledLog, SledOptions};
use rookery_matrix_bridge::{Bridges, Outgoing};
use rookery_outgoing_webhooks::OutgoingWebhooks;
use rookery_projection::ReadModels;
use rookery_services::ServiceDirectory;
use rookery_turn::Monitor;
use rookery_view::{NoOtherServers, Reader, Viewer};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    config::{self, Config, ServerIdentity},
    data_directory::{reconcile, signing::FoundKey, tokens},
    failure::Failure,
    import::unfinished::Unfinished,
    node::{following::InModels, tasks::Tasks},
    terminal::progress::Progress,
};

/// How long a command waits until the read side knows the rooms of a user.
const CATCH_UP_MAX: std::time::Duration = std::time::Duration::from_secs(10);

/// An open data directory.
pub struct Node {
    /// The source of truth.
    pub log: Arc<SledLog>,
    /// The write side.
    pub commands: Arc<Commands>,
    /// The read models.
    pub models: ReadModels,
    /// The read models, as each viewer may see them.
    pub reader: Reader,
    /// Tells users what happens.
    pub feeds: Feeds,
    /// The durable consumers of users.
    pub consumers: Consumers,
    /// Users, devices and tokens.
    pub accounts: Accounts,
    /// Programs that take part.
    pub services: ServiceDirectory,
    /// Sends requests to bridges.
    pub to_bridges: Arc<dyn Outgoing>,
    /// The outgoing webhooks of users.
    pub outgoing_webhooks: OutgoingWebhooks,
    /// Signs events that leave the server.
    pub signing_key: Arc<SigningKey>,
    /// Typing and presence.
    pub ephemeral: Ephemeral,
    token_key: TokenKey,
    fanout_sharing: bool,
    shared_answers_bytes: usize,
    entrances: Entrances,
    pub(crate) profiles: ProfileAudience,
    /// Watches the relay for calls, if there is one.
    pub(crate) relay: OnceLock<Monitor>,
    /// Talks with other servers, if federation is on.
    pub(crate) federation: OnceLock<Federation>,
    /// The tasks that the server cannot do without.
    pub(crate) tasks: Tasks,
    projector: JoinHandle<()>,
    stop_projector: oneshot::Sender<()>,
}

/// Answers the write side from the read models.
struct FromModels {
    reader: Reader,
    accounts: Accounts,
    server_name: OwnedServerName,
    bridges: Bridges,
}

struct FromAccounts(Accounts);

impl LoggedIn for FromAccounts {
    fn is_logged_in(&self, user: &UserId, device: &str) -> Result<bool, Unavailable> {
        let answer = self.0.is_logged_in(user.as_str(), device);
        answer.map_err(|error| Unavailable { reason: error.reason.into() })
    }
}

impl FromModels {
    /// Waits until the models have reached `at_least`.
    async fn caught_up(&self, at_least: Position) -> Result<(), Unavailable> {
        let reached = self.reader.wait_for(at_least, CATCH_UP_MAX).await;
        reached.map(drop).map_err(|stale| Unavailable { reason: stale.to_string().into() })
    }

    fn has_account(&self, user: &UserId) -> Result<bool, Unavailable> {
        let account = self.accounts.user(user.as_str());
        let account = account.map_err(|error| Unavailable { reason: error.to_string().into() })?;
        Ok(account.is_some())
    }
}

#[async_trait]
impl Memberships for FromModels {
    async fn joined_rooms(
        &self,
        user: &UserId,
        at_least: Position,
    ) -> Result<Vec<OwnedRoomId>, Unavailable> {
        self.caught_up(at_least).await?;
        let view = self.reader.view();
        Ok(view.joined_rooms_at(user, view.position()))
    }

    async fn rooms_of(&self, user: &UserId) -> Result<RoomCounts, Unavailable> {
        let view = self.reader.view();
        let count = |membership| view.rooms_count(user, membership).unwrap_or(0);
        Ok(RoomCounts {
            joined: count(Membership::Join),
            invited: count(Membership::Invite),
            knocking: count(Membership::Knock),
            aliases: view.alias_count(user),
        })
    }

    async fn exists(&self, user: &UserId) -> Result<bool, Unavailable> {
        // Users of rooms count, with or without an account: imports bring users without one.
        let joined = self.reader.view().rooms_count(user, Membership::Join);
        if joined.is_some_and(|joined| joined > 0) {
            return Ok(true);
        }
        if user.server_name() != self.server_name {
            return Ok(false);
        }
        if self.has_account(user)? {
            return Ok(true);
        }
        Ok(self.bridges.make_user(user).await && self.has_account(user)?)
    }

    async fn replaced_rooms(
        &self,
        user: &UserId,
        limit: usize,
    ) -> Result<Vec<OwnedRoomId>, Unavailable> {
        let view = self.reader.view();
        let joined = view.joined_rooms_at(user, view.position());
        let is_replaced = |room: &OwnedRoomId| {
            view.room(room).is_some_and(|room| room.state("m.room.tombstone", "").is_some())
        };
        Ok(joined.into_iter().filter(is_replaced).take(limit).collect())
    }

    async fn make_alias(&self, alias: &RoomAliasId) -> Result<bool, Unavailable> {
        Ok(self.bridges.make_alias(alias).await)
    }
}

#[async_trait]
impl EventLookup for FromModels {
    async fn known(
        &self,
        events: &[OwnedEventId],
        viewer: &UserId,
        at_least: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable> {
        self.caught_up(at_least).await?;
        let known = self.reader.known(events, &Viewer::User(viewer.to_owned())).await;
        known.map_err(|error| Unavailable { reason: error.to_string().into() })
    }

    async fn known_to_refer(
        &self,
        events: &[OwnedEventId],
        viewer: &UserId,
        at_least: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable> {
        self.caught_up(at_least).await?;
        let known = self.reader.known_to_refer(events, &Viewer::User(viewer.to_owned())).await;
        known.map_err(|error| Unavailable { reason: error.to_string().into() })
    }
}

#[async_trait]
impl LastActions for FromModels {
    async fn last_action(
        &self,
        user: &UserId,
        device: &str,
        at_least: Position,
    ) -> Result<u64, Unavailable> {
        self.caught_up(at_least).await?;
        Ok(self.reader.view().last_action(user, device))
    }
}

#[async_trait]
impl CallLookup for FromModels {
    async fn active_calls(
        &self,
        user: &UserId,
        at_least: Position,
    ) -> Result<Vec<(OwnedRoomId, CallId)>, Unavailable> {
        self.caught_up(at_least).await?;
        Ok(self.reader.view().active_calls_of(user))
    }
}

impl Node {
    /// Opens the data directory of `config`, creates it if it is missing, and starts to update the
    /// read models.
    ///
    /// # Errors
    /// [`Failure`], which says what to do.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        Unfinished::refuse(&config.data)?;
        Self::open_to_import(config).await
    }

    /// Like [`Self::open`], but also with an unfinished import, in order to continue it.
    ///
    /// # Errors
    /// [`Failure`], which says what to do.
    pub async fn open_to_import(config: &Config) -> Result<Self, Failure> {
        let asked = config.server_name.as_deref();
        let (identity, new) = ServerIdentity::find(&config.data, asked, clock::now().0)?;
        // All checks that can refuse the directory come before anything in it changes.
        let tasks = Tasks::new();
        let log = Self::prepare_log(config, None, &tasks)?;
        let key = FoundKey::of(&config.data, &identity)?;
        if !config.data.exists() {
            identity.save(&config.data)?;
        }
        let accounts = open_accounts(config, &identity)?;
        let named = identity.with_signing_key(key.public_half());
        let key = key.settle()?;
        if new || named != identity {
            named.save(&config.data)?;
        }
        let log = Self::open_prepared(config, log)?;
        Self::open_on(config, &identity, Arc::new(log), accounts, key, tasks).await
    }

    /// Opens only the log. `epoch` is for a new log that continues another one's history.
    ///
    /// # Errors
    /// [`Failure`], which says what to do.
    pub fn open_log(
        config: &Config,
        epoch: Option<rookery_log::Epoch>,
    ) -> Result<Arc<SledLog>, Failure> {
        let log = Self::prepare_log(config, epoch, &Tasks::new())?;
        Ok(Arc::new(Self::open_prepared(config, log)?))
    }

    /// Opens the log. This removes a torn end, and with it the sign that erasures may be lost. So it first removes the
    /// checkpoint of erasures, and the next write side repeats them.
    fn open_prepared(config: &Config, log: PreparedLog) -> Result<SledLog, Failure> {
        if log.erasures_in_doubt() {
            tracing::warn!("the end of the log is torn: erasing redacted content again");
            let folder = config.data.join("rooms");
            Commands::forget_erasures(&folder)
                .map_err(|error| Failure::file("cannot write to", &folder, error))?;
        }
        Ok(log.open()?)
    }

    fn prepare_log(
        config: &Config,
        epoch: Option<rookery_log::Epoch>,
        tasks: &Tasks,
    ) -> Result<PreparedLog, Failure> {
        config::check_writable(&config.data)?;
        let (cache_bytes, recent_bytes) =
            (config.cache.log_bytes as u64, config.cache.recent_bytes);
        let tasks = tasks.clone();
        let options = SledOptions {
            epoch,
            cache_bytes,
            recent_bytes,
            on_panic: Arc::new(move |thread| tasks.thread_panicked(thread)),
            ..SledOptions::default()
        };
        Ok(SledLog::prepare(&config.data.join("log"), options)?)
    }

    async fn open_on(
        config: &Config,
        identity: &ServerIdentity,
        log: Arc<SledLog>,
        accounts: Accounts,
        signing_key: SigningKey,
        tasks: Tasks,
    ) -> Result<Self, Failure> {
        let data = &config.data;
        let name = identity.server_name.as_str();
        let server_name = OwnedServerName::try_from(name)
            .map_err(|error| Failure::new(format!("{name:?} is no server name: {error}")))?;
        let token_key = tokens::key(data, &signing_key)?;
        let signing_key = Arc::new(signing_key);
        let port: Arc<dyn EventLog> = log.clone();
        let models = open_models(config, &port, &data.join("models")).await?;
        let reader = Reader::new(models.clone());
        let feeds = Feeds::new(reader.clone(), rookery_delivery::Options::default());
        reconcile::follow(&accounts, Arc::clone(&port), reader.clone());
        let folder = data.join("rooms");
        let is_limited = config.limits.rate.is_some();
        let options = CommandOptions {
            rooms_bytes_max: config.cache.rooms_bytes,
            action_wait: config.limits.action_wait,
            rates: if is_limited { config.limits.rates } else { ActionRates::default() },
            profiles: config.profiles,
            ..CommandOptions::default()
        };
        let services = ServiceDirectory::open(accounts.clone(), server_name.clone())?;
        services.follow_rooms(Arc::new(InModels(reader.clone()))).await?;
        let to_bridges = outgoing::to_bridges(config);
        let memberships = Arc::new(FromModels {
            reader: reader.clone(),
            accounts: accounts.clone(),
            server_name: server_name.clone(),
            bridges: Bridges::new(services.clone(), Arc::clone(&to_bridges)),
        });
        let (events, last_actions) = (memberships.clone(), memberships.clone());
        let calls = memberships.clone();
        let ports = Ports { memberships, events, last_actions, calls };
        let commands = Commands::open(log.clone(), server_name, ports, Some(&folder), options)
            .map_err(|error| Failure::file("cannot make the folder", &folder, error))?
            .with_logged_in(Arc::new(FromAccounts(accounts.clone())))
            .with_services(services.rules());
        let (stop_projector, stopped) = oneshot::channel::<()>();
        let (running, following) = (models.clone(), reader.clone());
        let projector = tasks.spawn("projector", async move {
            let stopped = async {
                stopped.await.ok();
            };
            tokio::select! {
                () = running.run(stopped) => {}
                () = following.keep_following() => {}
            }
        });
        let commands = Arc::new(commands);
        let silence = config.limits.consumer_silence;
        let consumers = rookery_gateway::consumers(feeds.clone(), accounts.clone(), silence);
        let outgoing_webhooks =
            outgoing::webhooks(config, accounts.clone(), feeds.clone(), consumers.clone());
        let ephemeral = rookery_audience::ephemeral(reader.clone(), clock::now);
        rookery_audience::end_with_sessions(&ephemeral, &accounts);
        Ok(Self {
            log,
            commands,
            models,
            reader,
            feeds,
            consumers,
            accounts,
            services,
            to_bridges,
            outgoing_webhooks,
            signing_key,
            ephemeral,
            token_key,
            fanout_sharing: config.fanout_sharing,
            shared_answers_bytes: config.cache.answers_bytes,
            entrances: Entrances {
                registrations: config.limits.registrations.filter(|_| is_limited),
                logins: config.limits.logins.filter(|_| is_limited),
                ice_servers: config.limits.ice_servers.filter(|_| is_limited),
            },
            profiles: config.profiles,
            relay: OnceLock::new(),
            federation: OnceLock::new(),
            tasks,
            projector,
            stop_projector,
        })
    }

    /// The dependencies of the schema's resolvers.
    #[must_use]
    pub fn app(&self) -> App {
        App::new(
            self.log.clone(),
            Arc::clone(&self.commands),
            self.feeds.clone(),
            self.consumers.clone(),
            self.accounts.clone(),
            Arc::clone(&self.signing_key),
            self.ephemeral.clone(),
        )
        .with_services(self.services.clone())
        .with_outgoing_webhooks(self.outgoing_webhooks.clone())
        .with_backfill(Arc::new(NoOtherServers))
        .with_shared_answers(self.fanout_sharing, self.shared_answers_bytes)
        .with_entrances(self.entrances)
        .with_profiles(self.profiles)
        .with_token_key(self.token_key)
    }

    /// The authentication of requests.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        let (accounts, services) = (self.accounts.clone(), self.services.clone());
        Tokens::new(accounts, services, clock::now, self.ephemeral.clone())
    }

    /// Saves snapshots for a quick next start, and closes everything.
    pub async fn close(self) {
        if let Err(error) = self.commands.save().await {
            tracing::warn!("cannot save snapshots of rooms: {error}");
        }
        self.stop_projector.send(()).ok();
        if let Err(error) = self.projector.await {
            tracing::error!("the projector failed: {error}");
        }
    }
}

fn open_accounts(config: &Config, identity: &ServerIdentity) -> Result<Accounts, Failure> {
    let options = rookery_accounts::Options {
        registration: config.registration,
        token_lifetime: config.token_lifetime,
        hashes_at_once: config.limits.passwords_at_once,
        hashes_waiting_max: config.limits.passwords_waiting,
        sessions_cached_max: config.cache.sessions,
        ..rookery_accounts::Options::default()
    };
    Ok(Accounts::open(&config.data.join("accounts.redb"), &identity.server_name, options)?)
}

async fn open_models(
    config: &Config,
    log: &Arc<dyn EventLog>,
    folder: &Path,
) -> Result<ReadModels, Failure> {
    let options = rookery_projection::Options {
        ring_bytes_max: config.cache.ring_bytes,
        cache_bytes_max: config.cache.commits_bytes,
        pages_bytes_max: config.cache.pages_bytes,
        ..rookery_projection::Options::default()
    };
    let bar = parking_lot::Mutex::new(None::<Progress>);
    let tell = |report: rookery_projection::Progress| {
        let mut bar = bar.lock();
        let bar = bar.get_or_insert_with(|| {
            Progress::on_stderr("building read models", "commits", Some(report.total))
        });
        bar.tell(report.done);
    };
    Ok(ReadModels::open(Arc::clone(log), folder, options, tell).await?)
}
