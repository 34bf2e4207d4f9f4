//! IRC logs, through the same decisions as live commands.
//!
//! **Invariant:** each command has a name that follows from its line, so doing it again adds nothing.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use rookery_accounts::Millis as AccountMillis;
use rookery_command::{Actor, HandleError, ProfileChange, Retry, Started, StartedProfile};
use rookery_domain::{
    CreateRoom, MessageKind, OwnedRoomAliasId, OwnedRoomId, OwnedUserId, Preset, Profile,
    RoomCommand,
};
use rookery_log::{CommandId, EventLog, Millis};

use crate::{
    clock,
    failure::Failure,
    irc::{Command, MessageKind as IrcKind, Replay, Source, Step, Summary, replay_all},
    node::Node,
    progress::Progress,
    unfinished::{Kind, Unfinished},
};

/// The local part of the user who makes the rooms. No nick can become it.
const IMPORTER: &str = "irc.import";

/// Commands that are on their way to the disk at the same time.
const UNDER_WAY_MAX: usize = 1_024;

/// New users that are written together.
const USERS_AT_ONCE: usize = 2_000;

/// What an import came to.
pub(crate) struct Imported {
    /// What became of the lines.
    pub(crate) summary: Summary,
    /// Commits that were added to the log.
    pub(crate) commits: u64,
    /// How long it took, in seconds.
    pub(crate) seconds: f64,
}

/// Imports the logs at `paths` into an open data directory.
///
/// # Errors
/// [`Failure`] if the sources cannot be opened, if another import has to go on first, or if the log
/// takes no more writes.
pub(crate) async fn import_irc(
    node: Arc<Node>,
    data: &Path,
    paths: Vec<PathBuf>,
) -> Result<Imported, Failure> {
    let data = data.to_owned();
    let runtime = tokio::runtime::Handle::current();
    let work = move || {
        let started = Instant::now();
        let before = *node.log.tail().borrow();
        let mut source = Source::open(&paths, None)?;
        Unfinished::new(Kind::Irc, &paths, identity(&source)).begin(&data)?;
        let mut replay = Replay::new(&crate::irc::Options::default());
        let mut bar = Progress::on_stderr("importing", "bytes", Some(source.bytes()));
        let mut import = Import::new(&node);
        runtime.block_on(import.begin())?;
        let total = source.bytes();
        replay_all(&mut source, &mut replay, |summary, steps, done| {
            bar.tell(done);
            runtime.block_on(import.line(summary, steps))
        })?;
        runtime.block_on(import.end(replay.summary_mut()))?;
        Unfinished::end(&data)?;
        bar.finish(total);
        let commits = node.log.tail().borrow().0 - before.0;
        let seconds = started.elapsed().as_secs_f64();
        Ok(Imported { summary: replay.summary().clone(), commits, seconds })
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::new(error.to_string()))?
}

/// The same for the same logs, wherever they lie, and also when their last day has grown since.
fn identity(source: &Source) -> String {
    let base_name = |name: &str| name.rsplit(['/', '!']).next().unwrap_or_default().to_owned();
    let files = source.files().iter().enumerate();
    let mut files: Vec<_> =
        files.map(|(index, file)| (source.channel(index), base_name(&file.name))).collect();
    files.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for (channel, name) in files {
        hasher.update(format!("{channel}\n{name}\n").as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

enum UnderWay {
    Room(Box<Started>),
    Profile(StartedProfile),
}

struct Import<'a> {
    node: &'a Node,
    rooms: HashMap<Arc<str>, OwnedRoomId>,
    users: BTreeSet<Arc<str>>,
    under_way: VecDeque<(UnderWay, Arc<str>, u64)>,
}

impl<'a> Import<'a> {
    fn new(node: &'a Node) -> Self {
        Self {
            node,
            rooms: HashMap::new(),
            users: BTreeSet::new(),
            under_way: VecDeque::with_capacity(UNDER_WAY_MAX),
        }
    }

    async fn begin(&mut self) -> Result<(), Failure> {
        self.users.insert(IMPORTER.into());
        self.flush_users().await
    }

    /// Carries out the steps of one line, unless an earlier run has.
    async fn line(&mut self, summary: &mut Summary, steps: Vec<Step>) -> Result<(), Failure> {
        let done_before = match steps.last() {
            Some(last) => self.node.log.find(last.id).await?.is_some(),
            None => return Ok(()),
        };
        for step in steps {
            let (file, line) = (step.file.clone(), step.line);
            if done_before && !step.command.is_needed_again() {
                continue;
            }
            match self.step(step).await {
                Ok(()) => {}
                Err(StepError::Refused(reason)) => summary.refuse(file, line, reason),
                Err(StepError::Failed(failure)) => return Err(failure),
            }
        }
        while self.under_way.len() >= UNDER_WAY_MAX {
            self.finish_one(summary).await?;
        }
        Ok(())
    }

    async fn end(&mut self, summary: &mut Summary) -> Result<(), Failure> {
        while !self.under_way.is_empty() {
            self.finish_one(summary).await?;
        }
        self.flush_users().await
    }

    async fn step(&mut self, step: Step) -> Result<(), StepError> {
        let Step { id, file, line, at, command } = step;
        let at_line = (file, line);
        let retry = Retry::Named(id);
        match command {
            Command::CreateRoom { channel, alias } => {
                self.create_room(channel, &alias, at, retry).await
            }
            Command::RegisterUser { user, displayname } => {
                self.users.insert(user.clone());
                if self.users.len() >= USERS_AT_ONCE {
                    self.flush_users().await?;
                }
                self.set_name(&user, displayname, at, retry, at_line).await
            }
            Command::Rename { user, displayname } => {
                self.rename(&user, displayname, at, id, at_line).await
            }
            Command::Join { channel, user } => {
                let join = RoomCommand::Join { reason: None, member_of: None };
                self.start(&channel, &user, at, &join, retry, at_line).await
            }
            Command::Leave { channel, user, reason } => {
                let leave = RoomCommand::Leave { reason, successor: None };
                self.start(&channel, &user, at, &leave, retry, at_line).await
            }
            Command::Kick { channel, user, reason } => {
                let kick = RoomCommand::Kick { user: self.user_id(&user)?, reason: Some(reason) };
                self.start(&channel, IMPORTER, at, &kick, retry, at_line).await
            }
            Command::SetTopic { channel, topic } => {
                let topic = RoomCommand::SetTopic { topic };
                self.start(&channel, IMPORTER, at, &topic, retry, at_line).await
            }
            Command::Send { channel, user, kind, body } => {
                let kind = match kind {
                    IrcKind::Text => MessageKind::Text,
                    IrcKind::Emote => MessageKind::Emote,
                    IrcKind::Notice => MessageKind::Notice,
                };
                let message = RoomCommand::SendMessage {
                    kind,
                    body,
                    formatted_body: None,
                    relation: None,
                    mentions: None,
                };
                self.start(&channel, &user, at, &message, retry, at_line).await
            }
        }
    }

    /// The room of a channel: the one that its alias points to, else a new one.
    async fn create_room(
        &mut self,
        channel: Arc<str>,
        alias: &str,
        at: Millis,
        retry: Retry,
    ) -> Result<(), StepError> {
        let name = self.node.commands.server_name();
        let alias = OwnedRoomAliasId::try_from(format!("#{alias}:{name}"))
            .map_err(|error| StepError::Refused(format!("#{alias} is no alias: {error}")))?;
        let room = if let Some(room) = self.node.commands.resolve_alias(&alias).await? {
            room
        } else {
            let command = CreateRoom {
                name: Some(channel.to_string()),
                alias: Some(alias),
                preset: Preset::Public,
                listed: true,
                ..CreateRoom::default()
            };
            let actor = self.actor(IMPORTER, at)?;
            self.node.commands.create_room(&actor, &command, retry).await?.room_id
        };
        self.rooms.insert(channel, room);
        Ok(())
    }

    async fn set_name(
        &mut self,
        user: &str,
        displayname: String,
        at: Millis,
        retry: Retry,
        (file, line): (Arc<str>, u64),
    ) -> Result<(), StepError> {
        let change = ProfileChange { displayname: Some(Some(displayname)), avatar_url: None };
        let actor = self.actor(user, at)?;
        let started = self.node.commands.start_profile(&actor, &change, retry).await?;
        self.under_way.push_back((UnderWay::Profile(started), file, line));
        Ok(())
    }

    /// A new name, here and in the rooms of the import that the user is in.
    async fn rename(
        &mut self,
        user: &str,
        displayname: String,
        at: Millis,
        id: CommandId,
        at_line: (Arc<str>, u64),
    ) -> Result<(), StepError> {
        let profile = Profile { displayname: Some(displayname.clone()), avatar_url: None };
        let channels: Vec<_> = self.rooms.keys().cloned().collect();
        for channel in channels {
            let command = RoomCommand::SetMemberProfile { profile: profile.clone() };
            let name = CommandId::derive(&[b"rename", &id.0, channel.as_bytes()]);
            let retry = Retry::Named(name);
            match self.start(&channel, user, at, &command, retry, at_line.clone()).await {
                // Whoever is not in this room has no name there.
                Ok(()) | Err(StepError::Refused(_)) => {}
                Err(failed) => return Err(failed),
            }
        }
        // Last, because its name tells that the whole line was done.
        self.set_name(user, displayname, at, Retry::Named(id), at_line).await
    }

    async fn start(
        &mut self,
        channel: &Arc<str>,
        user: &str,
        at: Millis,
        command: &RoomCommand,
        retry: Retry,
        (file, line): (Arc<str>, u64),
    ) -> Result<(), StepError> {
        let room = self.rooms.get(channel).cloned().ok_or_else(|| {
            StepError::Refused(format!("the room of {channel} could not be made"))
        })?;
        let actor = self.actor(user, at)?;
        let started = self.node.commands.start(&actor, &room, command, retry).await?;
        self.under_way.push_back((UnderWay::Room(Box::new(started)), file, line));
        Ok(())
    }

    async fn finish_one(&mut self, summary: &mut Summary) -> Result<(), Failure> {
        let Some((under_way, file, line)) = self.under_way.pop_front() else { return Ok(()) };
        let finished = match under_way {
            UnderWay::Room(started) => self.node.commands.finish(*started).await.map(drop),
            UnderWay::Profile(started) => {
                self.node.commands.finish_profile(started).await.map(drop)
            }
        };
        match finished.map_err(StepError::from) {
            Ok(()) => Ok(()),
            Err(StepError::Refused(reason)) => {
                summary.refuse(file, line, reason);
                Ok(())
            }
            Err(StepError::Failed(failure)) => Err(failure),
        }
    }

    async fn flush_users(&mut self) -> Result<(), Failure> {
        let users = std::mem::take(&mut self.users);
        let now = AccountMillis(clock::now().0);
        self.node.accounts.ensure_users(users, now).await?;
        Ok(())
    }

    fn actor(&self, user: &str, now: Millis) -> Result<Actor, StepError> {
        Ok(Actor { user: self.user_id(user)?, device: None, now, deliver: None })
    }

    fn user_id(&self, user: &str) -> Result<OwnedUserId, StepError> {
        let name = self.node.commands.server_name();
        OwnedUserId::try_from(format!("@{user}:{name}"))
            .map_err(|error| StepError::Refused(format!("{user:?} is no user name: {error}")))
    }
}

impl Command {
    /// Whether the step says something that later lines need, also when its effect is there.
    fn is_needed_again(&self) -> bool {
        matches!(self, Self::CreateRoom { .. } | Self::RegisterUser { .. })
    }
}

/// Why a step had no effect.
enum StepError {
    /// A rule forbids it: the line is reported.
    Refused(String),
    /// The import cannot go on.
    Failed(Failure),
}

impl From<Failure> for StepError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<HandleError> for StepError {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Rejected(_)
            | HandleError::NoSuchRoom
            | HandleError::ActionIdReused
            | HandleError::ActionTooLate { .. }
            | HandleError::RefusedBefore { .. }
            | HandleError::TooLarge => Self::Refused(error.to_string()),
            HandleError::Contended { .. }
            | HandleError::LoggedOut
            | HandleError::RateLimited { .. }
            | HandleError::Unavailable(_)
            | HandleError::Unreadable { .. } => Self::Failed(error.into()),
        }
    }
}
