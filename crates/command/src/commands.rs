//! The write side, and the commands of users.
//!
//! Public methods hand out boxed futures, so the crates that await them do not compile their bodies again.

use std::{collections::HashSet, io, path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use rookery_actions::ActionRates;
use rookery_domain::{
    Account, Alias, Context, Deliver, Envelope, KnownEvent, MilliSecondsSinceUnixEpoch, Origin,
    OwnedRoomId, OwnedServerName, OwnedUserId, Profile, ProfileAudience, Room, RoomAliasId, RoomId,
    UserId, normal_alias,
};
use rookery_log::{CommandId, ErasableLog, Millis, Position, StreamId, StreamKind};
use rookery_namespaces::{Service, Services};
use tokio::sync::watch;

use crate::{
    CallLookup, EventLookup, HandleError, LoggedIn, Memberships, Ports,
    actions::Actions,
    calls, elsewhere,
    federation::Federation,
    process::{
        AliasProcess, CallProcess, Checkpoint, EraseProcess, Process, ProcessStatus,
        ProfileProcess, Progress, erase::Eraser,
    },
    rooms::{aliases::Claims, guesses::Guesses, referred::Turns},
    stream::{
        aggregate::Aggregate,
        cache::Cache,
        handle::{Core, Request, forget_failed},
        snapshot::{Snapshot, Snapshots},
        state::StreamState,
    },
    users::{rates::RateLimiter, renames::Renames},
};

/// The sender of a command, with its time.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The user.
    pub user: OwnedUserId,
    /// The device; `None` for imports and the server's own tasks.
    pub device: Option<String>,
    /// When the request arrived. The caller reads the clock once. Events have this time.
    pub now: Millis,
    /// When this server received it, if that was later: for imports, whose events are old.
    pub received: Option<Millis>,
    /// For a join: how the device receives the room's snapshot; `None` for both ways.
    pub deliver: Option<Deliver>,
    /// The service that acts as the user, if one does.
    pub service: Option<Arc<Service>>,
}

/// Bounds of the write side.
#[derive(Clone, Copy, Debug)]
pub struct CommandOptions {
    /// Memory for the cached states of rooms, in bytes. The graphs of rooms shared with other
    /// servers may take as much again.
    pub rooms_bytes_max: usize,
    /// How long a numbered action waits for a missing smaller number.
    pub action_wait: Duration,
    /// How many devices have their greatest number in memory; the read side knows those of others.
    pub acting_devices_max: usize,
    /// The rate limits of users. Actors without a device have none.
    pub rates: ActionRates,
    /// The users who see a profile by inviting its user.
    pub profiles: ProfileAudience,
}

impl Default for CommandOptions {
    fn default() -> Self {
        Self {
            rooms_bytes_max: 32 * 1024 * 1024,
            action_wait: Duration::from_millis(500),
            acting_devices_max: 20_000,
            rates: ActionRates::default(),
            profiles: ProfileAudience::default(),
        }
    }
}

/// The write side: decides commands and appends their events.
pub struct Commands {
    pub(crate) core: Core,
    pub(crate) server_name: OwnedServerName,
    pub(crate) rooms: Cache<Room>,
    pub(crate) accounts: Cache<Account>,
    pub(crate) aliases: Cache<Alias>,
    pub(crate) memberships: Arc<dyn Memberships>,
    pub(crate) events: Arc<dyn EventLookup>,
    pub(crate) call_lookup: Arc<dyn CallLookup>,
    /// The users whose calls a command is placing or answering.
    pub(crate) call_claims: calls::Claims,
    /// The progress of ending the calls of removed devices.
    pub(crate) call_ends: Progress,
    pub(crate) reacting: Turns,
    pub(crate) actions: Actions,
    pub(crate) rates: RateLimiter,
    pub(crate) profiles: Progress,
    pub(crate) renames: Renames,
    pub(crate) releases: Progress,
    /// The aliases that are being claimed now.
    pub(crate) claims: Claims,
    pub(crate) federation: Federation,
    pub(crate) guesses: Guesses,
    pub(crate) profile_audience: ProfileAudience,
    /// Carries out actions that other servers have to answer; unset while federation is off.
    pub(crate) remote: elsewhere::Remote,
    /// The services and the names that they claim.
    pub(crate) services: watch::Receiver<Arc<Services>>,
}

impl Commands {
    /// Opens the write side of `log`. Snapshots of rooms and accounts are kept in `folder`; without it,
    /// none are kept.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn open(
        log: Arc<dyn ErasableLog>,
        server_name: OwnedServerName,
        ports: Ports,
        folder: Option<&Path>,
        options: CommandOptions,
    ) -> io::Result<Self> {
        let snapshots = Snapshots::open(folder)?;
        let (epoch, tail) = (log.epoch(), *log.tail().borrow());
        let progress = |name| Progress::open(name, Checkpoint::of(folder, name, epoch), tail);
        let eraser = Eraser::new(&log, &snapshots, progress(EraseProcess::NAME));
        let Ports { memberships, events, last_actions, calls: call_lookup } = ports;
        let (devices_max, wait) = (options.acting_devices_max, options.action_wait);
        Ok(Self {
            core: Core { log, snapshots, eraser },
            server_name,
            rooms: Cache::new(options.rooms_bytes_max),
            accounts: Cache::new(options.rooms_bytes_max / 8),
            aliases: Cache::new(options.rooms_bytes_max / 8),
            memberships,
            events,
            call_lookup,
            call_claims: calls::Claims::default(),
            call_ends: progress(CallProcess::NAME),
            reacting: Turns::default(),
            actions: Actions::new(last_actions, devices_max, wait),
            rates: RateLimiter::new(options.rates),
            profiles: progress(ProfileProcess::NAME),
            renames: Renames::default(),
            releases: progress(AliasProcess::NAME),
            claims: Claims::default(),
            federation: Federation::new(options.rooms_bytes_max),
            guesses: Guesses::default(),
            profile_audience: options.profiles,
            remote: elsewhere::Remote::default(),
            services: watch::Sender::default().subscribe(),
        })
    }

    /// Removes the checkpoint of erasures: the next write side with this `folder` repeats all of
    /// them. Call it before a log is opened that may have lost erasures.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn forget_erasures(folder: &Path) -> io::Result<()> {
        Checkpoint::forget(folder, EraseProcess::NAME)
    }

    /// Cancels an action that waits for its turn if its device is logged out meanwhile.
    #[must_use]
    pub fn with_logged_in(mut self, logged_in: Arc<dyn LoggedIn>) -> Self {
        self.actions.ask(logged_in);
        self
    }

    /// Keeps the names that these services claim from all others.
    #[must_use]
    pub fn with_services(mut self, services: watch::Receiver<Arc<Services>>) -> Self {
        self.services = services;
        self
    }

    /// The name of this server.
    #[must_use]
    pub fn server_name(&self) -> &OwnedServerName {
        &self.server_name
    }

    /// The room that `alias` points to.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    pub fn resolve_alias<'a>(
        &'a self,
        alias: &'a RoomAliasId,
    ) -> BoxFuture<'a, Result<Option<OwnedRoomId>, HandleError>> {
        Box::pin(async move {
            let stream_state = self.aliases.state_of(normal_alias(alias).as_str());
            let room = |alias: Option<&Alias>| {
                alias.and_then(|alias| alias.room_id().map(ToOwned::to_owned))
            };
            self.core.read_state(&self.aliases, &stream_state, room).await
        })
    }

    /// The profile of `user`.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    pub fn profile<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<Profile, HandleError>> {
        Box::pin(async move {
            let stream_state = self.accounts.state_of(user.as_str());
            let profile = |account: Option<&Account>| {
                account.map(|account| account.profile().clone()).unwrap_or_default()
            };
            self.core.read_state(&self.accounts, &stream_state, profile).await
        })
    }

    /// The profile of `user` as an invite by `actor` may show it in the room. The invite shows the
    /// actor no more than they may see without it.
    pub(crate) async fn invitee_profile(
        &self,
        actor: &Actor,
        user: &UserId,
    ) -> Result<Profile, HandleError> {
        if self.profile_audience == ProfileAudience::SharedRooms
            && actor.user != user
            && !self.share_a_room(&actor.user, user).await?
        {
            return Ok(Profile::default());
        }
        self.profile(user).await
    }

    /// Whether both users are joined to the same room, as far as the read side knows.
    async fn share_a_room(&self, one: &UserId, other: &UserId) -> Result<bool, HandleError> {
        let theirs = self.memberships.joined_rooms(other, Position::ORIGIN).await?;
        let theirs: HashSet<OwnedRoomId> = theirs.into_iter().collect();
        let ours = self.memberships.joined_rooms(one, Position::ORIGIN).await?;
        Ok(ours.iter().any(|room| theirs.contains(room)))
    }

    /// Whether a room of this ID has ever been created.
    pub(crate) async fn room_exists(&self, room_id: &RoomId) -> Result<bool, HandleError> {
        let stream = StreamId::new(StreamKind::Room, room_id.as_str());
        Ok(self.core.log.head(&stream).await?.position > Position::ORIGIN)
    }

    /// Runs the processes: tells rooms of profiles, erases redacted content, releases aliases, ends
    /// the calls of removed devices. It does the work of commits that their commands left undone.
    /// It continues while it is polled, and retries after failures. `clock` dates the events that
    /// it makes.
    pub fn run_processes<'a>(
        &'a self,
        clock: &'a (dyn Fn() -> Millis + Sync),
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let log = &*self.core.log;
            let eraser = &self.core.eraser;
            tokio::join!(
                eraser.progress.follow(log, clock, |_| EraseProcess(eraser)),
                self.spread_renames(clock),
                self.profiles.follow(log, clock, |now| ProfileProcess { commands: self, now }),
                self.releases.follow(log, clock, |now| AliasProcess::new(self, now)),
                self.call_ends.follow(log, clock, |now| CallProcess { commands: self, now }),
            );
        })
    }

    /// The status of the processes.
    #[must_use]
    pub fn processes(&self) -> Vec<ProcessStatus> {
        let all = [&*self.core.eraser.progress, &self.profiles, &self.releases, &self.call_ends];
        all.map(Progress::status).into()
    }

    /// Erases redacted content that a stop of the server has left in the log. Returns the number of
    /// redactions that were checked.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written.
    pub fn resume_erasures(&self) -> BoxFuture<'_, Result<usize, HandleError>> {
        Box::pin(async move {
            let eraser = &self.core.eraser;
            Ok(eraser.progress.catch_up(&*self.core.log, &EraseProcess(eraser)).await?)
        })
    }

    /// Tells rooms of the changes of profiles that a stop of the server left untold. Returns the
    /// number of commits with such work. The read side has to run.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written.
    pub fn resume_profiles(&self, now: Millis) -> BoxFuture<'_, Result<usize, HandleError>> {
        Box::pin(async move {
            let process = ProfileProcess { commands: self, now };
            Ok(self.profiles.catch_up(&*self.core.log, &process).await?)
        })
    }

    /// Releases the aliases that a stop of the server has left claimed without a room. Returns the
    /// number of commits with such work.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written, or if a claim is too recent to be
    /// judged.
    pub fn resume_releases(&self, now: Millis) -> BoxFuture<'_, Result<usize, HandleError>> {
        Box::pin(async move {
            let process = AliasProcess::new(self, now);
            Ok(self.releases.catch_up(&*self.core.log, &process).await?)
        })
    }

    /// Ends the calls of devices that were removed before a stop of the server. Returns the number of
    /// commits with such work. The read side has to run.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written.
    pub fn resume_call_ends(&self, now: Millis) -> BoxFuture<'_, Result<usize, HandleError>> {
        Box::pin(async move {
            let process = CallProcess { commands: self, now };
            Ok(self.call_ends.catch_up(&*self.core.log, &process).await?)
        })
    }

    /// Writes due snapshots of the cached rooms and accounts, and the checkpoints of the processes.
    /// Does none of the processes' work. Call it now and then, and at the end.
    ///
    /// # Errors
    /// If a file cannot be written; the next call tries the others.
    pub fn save(&self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            let log = &*self.core.log;
            self.core.eraser.progress.save::<EraseProcess<'_>>(log).await?;
            self.profiles.save::<ProfileProcess<'_>>(log).await?;
            self.releases.save::<AliasProcess<'_>>(log).await?;
            self.call_ends.save::<CallProcess<'_>>(log).await?;
            self.save_states(&self.rooms).await?;
            self.save_states(&self.accounts).await
        })
    }

    async fn save_states<A: Aggregate>(&self, states: &Cache<A>) -> io::Result<()> {
        for stream_state in states.all() {
            let Some(snapshot) = self.snapshot_due(&stream_state).await else { continue };
            self.core.snapshots.save(self.core.log.epoch(), &stream_state.stream, &snapshot)?;
            if let Some(loaded) = stream_state.loaded.lock().await.as_mut() {
                loaded.snapshot_at = snapshot.revision;
            }
        }
        Ok(())
    }

    /// The parts of a state, if a snapshot of it is due. Only this step locks the state; writing
    /// does not.
    async fn snapshot_due<A: Aggregate>(
        &self,
        stream_state: &StreamState<A>,
    ) -> Option<Snapshot<A::Frozen>> {
        let mut slot = stream_state.loaded.lock().await;
        forget_failed(&mut slot);
        let loaded = slot.as_mut()?;
        // A state that runs ahead of the disk is left for the next call.
        loaded.last_under_way().is_none().then_some(())?;
        loaded.snapshot_due(&self.core.snapshots)
    }

    pub(crate) fn context<'a>(&'a self, actor: &'a Actor, events: &'a [KnownEvent]) -> Context<'a> {
        Context {
            sender: &actor.user,
            device: actor.device.as_deref(),
            now: milliseconds(actor.now),
            server_name: &self.server_name,
            events,
        }
    }
}

/// How the server recognises a command that is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It does not: a second try is a second command.
    Unnamed,
    /// By the device's number. Without a device the command is unnamed.
    Action(u64),
    /// By a command ID, as for imports.
    Named(CommandId),
}

impl Actor {
    /// The server itself, acting for a user.
    #[must_use]
    pub fn for_server(user: OwnedUserId, now: Millis) -> Self {
        Self { user, device: None, now, deliver: None, received: None, service: None }
    }

    /// The request of this actor for a command that the server recognises by `retry`.
    pub(crate) fn request(&self, retry: Retry) -> Request {
        let command = match retry {
            Retry::Unnamed => None,
            Retry::Action(action) => self.command_id(action),
            Retry::Named(command) => Some(command),
        };
        let envelope = self.envelope(retry);
        let received = self.received.unwrap_or(self.now);
        Request { command, received, envelope, turn: None }
    }

    /// The envelope of the events that the command makes.
    fn envelope(&self, retry: Retry) -> Envelope {
        let action = match retry {
            Retry::Action(action) => Some(action),
            Retry::Unnamed | Retry::Named(_) => None,
        };
        let mut envelope = Envelope::local(self.device.clone(), action);
        if let Origin::Local { deliver, .. } = &mut envelope.origin {
            *deliver = self.deliver;
        }
        envelope
    }

    /// The command ID of an action.
    pub(crate) fn command_id(&self, action: u64) -> Option<CommandId> {
        let device = self.device.as_deref()?;
        let parts: [&[u8]; 4] =
            [b"action", self.user.as_bytes(), device.as_bytes(), &action.to_le_bytes()];
        Some(CommandId::derive(&parts))
    }
}

pub(crate) fn milliseconds(time: Millis) -> MilliSecondsSinceUnixEpoch {
    let bounded = i64::try_from(time.0).unwrap_or(i64::MAX);
    MilliSecondsSinceUnixEpoch(js_int::UInt::new_saturating(bounded.unsigned_abs()))
}
