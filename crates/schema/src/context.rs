//! The context of resolvers: the parts of the server, and the session.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use async_graphql::Context;
use lru::LruCache;
use parking_lot::Mutex;
use rookery_accounts::{Accounts, Identity};
use rookery_command::{Actor, Commands, Retry};
use rookery_delivery::{Consumers, Feeds};
use rookery_domain::{OwnedUserId, ProfileAudience, RoomId, SigningKey, UserId};
use rookery_ephemeral::Ephemeral;
use rookery_graphql_edge::{SecurityLog, SocketGauge};
use rookery_log::{CommandId, EventLog, Millis, Position, PositionToken, TokenKey};
use rookery_outgoing_webhooks::OutgoingWebhooks;
use rookery_projection::RowKey;
use rookery_services::{ServiceDirectory, ServiceSession};
use rookery_view::{
    Backfill, NoOtherServers, OtherServers, Reader, TimelineCursor, TimelineError, Viewer,
};

use crate::{
    entrances::{EntranceLimiter, Entrances},
    ice::{IceServers, NoIceServers},
    types::{
        errors::fault::Fault,
        values::scalars::{CursorScalar, PositionScalar},
    },
};

/// How long a query waits for the read side before it answers `STALE`.
pub const STALE_AFTER: Duration = Duration::from_secs(1);

/// Largest page of any list.
pub const PAGE_MAX: usize = 100;

/// The longest transaction ID.
const TRANSACTION_BYTES_MAX: usize = 255;

/// How long a mutation waits for the answers of other servers, unless the deadline is set.
const REMOTE_WAIT: Duration = Duration::from_secs(8);

/// The share of the deadline of a request that a mutation waits for other servers.
const REMOTE_SHARE: f64 = 0.8;

/// For how many devices the last write is remembered.
const WRITERS_MAX: usize = 100_000;

/// The parts of the server that resolvers use.
pub struct App {
    /// The source of truth.
    pub log: Arc<dyn EventLog>,
    /// The write side.
    pub commands: Arc<Commands>,
    /// The read side, as each viewer may see it.
    pub models: Reader,
    /// Delivers commits to users.
    pub feeds: Feeds,
    /// The durable consumers of users.
    pub consumers: Consumers,
    /// Users, devices and tokens.
    pub accounts: Accounts,
    /// Programs that take part.
    pub services: ServiceDirectory,
    /// Signs events that leave the server.
    pub signing_key: Arc<SigningKey>,
    /// Asks other servers for events that this server does not have.
    pub backfill: Arc<dyn Backfill>,
    /// How long a mutation waits for the answers of other servers.
    pub remote_wait: Duration,
    /// Asks other servers for what users look up there.
    pub other_servers: Arc<dyn OtherServers>,
    /// Typing and presence.
    pub ephemeral: Ephemeral,
    /// The key that seals positions and cursors for clients.
    pub token_key: TokenKey,
    /// The users who see profiles of users with whom they share no room.
    pub profiles: ProfileAudience,
    /// Whether an answer may be computed once for several subscribers.
    pub shares_answers: bool,
    /// The bytes of shared answers in memory, in all; `None` for the default.
    pub shared_answers_bytes_max: Option<usize>,
    /// The rate limits of registrations and logins.
    pub entrances: EntranceLimiter,
    /// Names the relays for calls.
    pub ice_servers: Arc<dyn IceServers>,
    /// The outgoing webhooks of users; `None` for a program that sends nothing.
    pub outgoing_webhooks: Option<OutgoingWebhooks>,
    /// Counts the open sockets.
    pub sockets: SocketGauge,
    /// The log of refusals that matter for security.
    pub security: SecurityLog,
    last_writes: Mutex<LruCache<(OwnedUserId, String), Position>>,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        log: Arc<dyn EventLog>,
        commands: Arc<Commands>,
        feeds: Feeds,
        consumers: Consumers,
        accounts: Accounts,
        signing_key: Arc<SigningKey>,
        ephemeral: Ephemeral,
    ) -> Self {
        let writers =
            std::num::NonZeroUsize::new(WRITERS_MAX).unwrap_or(std::num::NonZeroUsize::MIN);
        Self {
            log,
            models: feeds.reader().clone(),
            feeds,
            services: ServiceDirectory::without_services(
                accounts.clone(),
                commands.server_name().clone(),
            ),
            commands,
            consumers,
            accounts,
            token_key: token_key(&signing_key),
            signing_key,
            backfill: Arc::new(NoOtherServers),
            remote_wait: REMOTE_WAIT,
            other_servers: Arc::new(NoOtherServers),
            ephemeral,
            profiles: ProfileAudience::default(),
            shares_answers: true,
            shared_answers_bytes_max: None,
            entrances: EntranceLimiter::new(Entrances::default()),
            ice_servers: Arc::new(NoIceServers),
            outgoing_webhooks: None,
            sockets: SocketGauge::default(),
            security: SecurityLog::default(),
            last_writes: Mutex::new(LruCache::new(writers)),
        }
    }

    /// Sets how long a mutation waits for the answers of other servers: a little less than the server
    /// lets a request take.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.remote_wait = deadline.mul_f64(REMOTE_SHARE);
        self
    }

    /// Sets the other servers to ask for history.
    #[must_use]
    pub fn with_backfill(self, backfill: Arc<dyn Backfill>) -> Self {
        Self { backfill, ..self }
    }

    /// Sets the other servers to ask for what users look up.
    #[must_use]
    pub fn with_other_servers(self, other_servers: Arc<dyn OtherServers>) -> Self {
        Self { other_servers, ..self }
    }

    /// Sets the key that seals positions and cursors for clients.
    #[must_use]
    pub fn with_token_key(self, token_key: TokenKey) -> Self {
        Self { token_key, ..self }
    }

    /// `sharing` says whether an answer may be computed once for several subscribers.
    #[must_use]
    pub fn with_sharing(self, sharing: bool) -> Self {
        Self { shares_answers: sharing, ..self }
    }

    /// Like [`Self::with_sharing`]; the shared answers in memory take at most `bytes_max` in all.
    #[must_use]
    pub fn with_shared_answers(self, sharing: bool, bytes_max: usize) -> Self {
        Self { shares_answers: sharing, shared_answers_bytes_max: Some(bytes_max), ..self }
    }

    /// Sets the rate limits of registrations and logins from one address.
    #[must_use]
    pub fn with_entrances(self, paces: Entrances) -> Self {
        Self { entrances: EntranceLimiter::new(paces), ..self }
    }

    /// Sets the port to the relays for calls.
    #[must_use]
    pub fn with_ice_servers(self, ice_servers: Arc<dyn IceServers>) -> Self {
        Self { ice_servers, ..self }
    }

    /// Sets the log of refusals that matter for security.
    #[must_use]
    pub fn with_security_log(self, security: SecurityLog) -> Self {
        Self { security, ..self }
    }

    /// Sets the count of open sockets.
    #[must_use]
    pub fn with_sockets(self, sockets: SocketGauge) -> Self {
        Self { sockets, ..self }
    }

    /// Sets the outgoing webhooks of users.
    #[must_use]
    pub fn with_outgoing_webhooks(self, webhooks: OutgoingWebhooks) -> Self {
        Self { outgoing_webhooks: Some(webhooks), ..self }
    }

    /// Sets the programs that take part.
    #[must_use]
    pub fn with_services(self, services: ServiceDirectory) -> Self {
        Self { services, ..self }
    }

    /// `profiles` decides who sees profiles.
    #[must_use]
    pub fn with_profiles(self, profiles: ProfileAudience) -> Self {
        Self { profiles, ..self }
    }

    /// The token of a position of this log.
    pub fn token(&self, position: Position) -> PositionScalar {
        PositionScalar(self.position_token(position).seal())
    }

    /// The text of a position of this log for clients.
    pub fn position_text(&self, position: Position) -> String {
        self.position_token(position).to_string()
    }

    fn position_token(&self, position: Position) -> PositionToken {
        PositionToken { epoch: self.log.epoch(), position, key: self.token_key }
    }

    /// The cursor of an event in the timeline of `room`.
    pub fn cursor(&self, room: &RoomId, row: RowKey) -> CursorScalar {
        CursorScalar(TimelineCursor::new(&self.token_key, self.log.epoch(), room, row))
    }

    /// The position behind a token, if it is one of this log.
    pub fn position(&self, token: &PositionScalar) -> Result<Position, Fault> {
        let position = PositionToken::open(&self.token_key, self.log.epoch(), &token.0);
        let known = position.filter(|position| *position <= *self.log.tail().borrow());
        known.ok_or_else(Fault::position_unknown)
    }

    /// Waits until the read side shows the session's own writes, and the position `at_least`.
    pub async fn fresh(
        &self,
        session: &Session,
        at_least: Option<&PositionScalar>,
    ) -> Result<(), Fault> {
        let asked = at_least.map(|token| self.position(token)).transpose()?.unwrap_or_default();
        let own = session.writer().and_then(|writer| self.last_writes.lock().get(&writer).copied());
        let wanted = asked.max(own.unwrap_or_default());
        self.models.wait_for(wanted, STALE_AFTER).await.map_err(|_| Fault::stale())
    }

    /// Remembers a session's write, so that its next query shows it.
    pub fn wrote(&self, session: &Session, position: Position) {
        if let Some(writer) = session.writer() {
            self.ephemeral.active(&writer.0);
            self.last_writes.lock().put(writer, position);
        }
    }
}

/// The key by which a server whose first signing key is this one seals positions and cursors. Every gateway of a log, and
/// every restored copy of it, has the same key, so it accepts the tokens of the others.
#[must_use]
pub fn token_key(signing_key: &SigningKey) -> TokenKey {
    TokenKey::derive(&token_secret(signing_key))
}

/// The secret of [`token_key`]. It stays when the signing key is replaced.
#[must_use]
pub fn token_secret(signing_key: &SigningKey) -> [u8; 32] {
    // Another purpose would invalidate all tokens of clients.
    signing_key.derive_secret("rookery 2026-11-29 positions and cursors of clients")
}

/// The user, device, address and time of a request.
#[derive(Clone)]
pub struct Session {
    /// The logged-in device, if there is one.
    pub identity: Option<Identity>,
    /// Its user, parsed.
    pub user: Option<OwnedUserId>,
    /// The service that acts as the user, if one does.
    pub service: Option<ServiceSession>,
    /// The address that the request came from.
    pub peer: IpAddr,
    /// When it arrived.
    pub received: Millis,
}

impl Session {
    /// A session without a login.
    pub fn of_nobody() -> Self {
        let peer = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self { identity: None, user: None, service: None, peer, received: Millis::default() }
    }

    /// The logged-in user. It fails as soon as the session is over, even in the middle of a
    /// request.
    pub fn viewer(&self) -> Result<&UserId, Fault> {
        // The time is that of the request. The code that sends the answer notices an expiry during
        // it.
        let over = self.identity.as_ref().is_some_and(|it| it.is_over(millis(self.received)));
        self.user.as_deref().filter(|_| !over).ok_or_else(Fault::unauthenticated)
    }

    /// The actor of this session's commands.
    pub fn actor(&self) -> Result<Actor, Fault> {
        self.viewer()?;
        self.actor_of_the_end()
    }

    /// The actor of the record that a session ended, possibly this one.
    pub fn actor_of_the_end(&self) -> Result<Actor, Fault> {
        Ok(Actor {
            user: self.user.clone().ok_or_else(Fault::unauthenticated)?,
            device: self.identity.as_ref().map(|identity| identity.device_id().to_owned()),
            now: self.received,
            deliver: None,
            received: None,
            service: self.service.as_ref().map(|acting| Arc::clone(&acting.service.service)),
        })
    }

    /// The logged-in administrator.
    pub fn admin(&self) -> Result<&UserId, Fault> {
        let viewer = self.viewer()?;
        self.is_admin().then_some(viewer).ok_or_else(Fault::forbidden)
    }

    /// Whether the session has the rights of an administrator. A service that acts as another user
    /// has none, whatever rights that user has.
    pub fn is_admin(&self) -> bool {
        let is_another = self.service.as_ref().is_some_and(|acting| !acting.is_bot);
        !is_another && self.identity.as_ref().is_some_and(Identity::is_admin)
    }

    /// The service of this session.
    ///
    /// # Errors
    /// [`Fault`] with code `FORBIDDEN` for a user.
    pub fn acting_service(&self) -> Result<&ServiceSession, Fault> {
        self.viewer()?;
        self.service.as_ref().ok_or_else(Fault::not_a_service)
    }

    /// The viewer of this session's reads.
    pub fn viewpoint(&self) -> Result<Viewer, Fault> {
        self.viewer().map(|user| Viewer::User(user.to_owned()))
    }

    /// The logged-in device.
    pub fn device_id(&self) -> Result<&str, Fault> {
        let device = self.identity.as_ref().map(Identity::device_id);
        device.ok_or_else(Fault::unauthenticated)
    }

    fn writer(&self) -> Option<(OwnedUserId, String)> {
        let device = self.identity.as_ref()?.device_id().to_owned();
        Some((self.user.clone()?, device))
    }
}

/// The time in the type of the accounts.
pub fn millis(time: Millis) -> rookery_accounts::Millis {
    rookery_accounts::Millis(time.0)
}

/// Turns a failed read of a timeline into an answer. A missing room or event is not a fault.
pub fn unless_absent<T>(result: Result<T, TimelineError>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(TimelineError::NoSuchRoom | TimelineError::NoSuchEvent(_)) => Ok(None),
        Err(TimelineError::Exhausted) => Err(Fault::too_much_work()),
        Err(error @ (TimelineError::Log(_) | TimelineError::Models(_))) => {
            Err(Fault::unavailable(&error.to_string()))
        }
        Err(TimelineError::Backfill(error)) => Err(Fault::unavailable(&error.reason)),
        Err(TimelineError::Stale(_)) => Err(Fault::stale()),
    }
}

/// The parts of the server.
pub fn app<'a>(context: &Context<'a>) -> &'a Arc<App> {
    context.data_unchecked::<Arc<App>>()
}

/// The session of a request.
pub fn session<'a>(context: &Context<'a>) -> &'a Session {
    context.data_unchecked::<Session>()
}

/// Checks the size of a page.
///
/// # Errors
/// [`Fault`] with code `BAD_USER_INPUT`, naming the range.
pub fn page_size(argument: &str, asked: Option<i32>, default: usize) -> Result<usize, Fault> {
    let Some(asked) = asked else { return Ok(default) };
    usize::try_from(asked).ok().filter(|size| (1..=PAGE_MAX).contains(size)).ok_or_else(|| {
        Fault::bad_input(format!("`{argument}` is {asked}: use a number from 1 to {PAGE_MAX}"))
    })
}

/// How the server recognises a retry of a command with this action ID.
pub fn retry(action_id: Option<i32>) -> Result<Retry, Fault> {
    let Some(action) = action_id else { return Ok(Retry::Unnamed) };
    match u64::try_from(action) {
        Ok(action) if action >= 1 => Ok(Retry::Action(action)),
        _ => {
            Err(Fault::bad_input(format!("`actionId` is {action}: count your actions 1, 2, 3 ...")))
        }
    }
}

/// How the server recognises a retry of an event with this action ID or this transaction ID.
///
/// # Errors
/// Both are given, or one of them is not valid.
pub fn retry_of_event(
    user: &UserId,
    action_id: Option<i32>,
    transaction_id: Option<&str>,
) -> Result<Retry, Fault> {
    let Some(transaction) = transaction_id else { return retry(action_id) };
    if action_id.is_some() {
        return Err(Fault::bad_input("give either `actionId` or `transactionId`"));
    }
    if transaction.is_empty() || transaction.len() > TRANSACTION_BYTES_MAX {
        let length = transaction.len();
        return Err(Fault::bad_input(format!(
            "`transactionId` has {length} bytes: use 1 to {TRANSACTION_BYTES_MAX}"
        )));
    }
    let parts: [&[u8]; 3] = [b"transaction", user.as_bytes(), transaction.as_bytes()];
    Ok(Retry::Named(CommandId::derive(&parts)))
}
