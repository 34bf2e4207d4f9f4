//! Executes the steps of an import, through the same decisions as live commands.
//!
//! **Invariant:** each command has a name that follows from its line, so a second import adds nothing.
//! **Invariant:** an import acts only for users that imports created and that no other person has received since. If
//! another person has the name, the imported user gets another one.
//! **Invariant:** an import writes only to rooms that imports created.

mod outcome;
mod users;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use rookery_accounts::Accounts;
use rookery_command::{Actor, Commands, ProfileChange, Retry, Started, StartedProfile};
use rookery_domain::{
    CreateRoom, MessageKind, OwnedRoomAliasId, OwnedRoomId, OwnedUserId, Preset, Profile,
    RoomAliasId, RoomCommand, RoomId,
};
use rookery_log::{CommandId, EventLog, Millis, StreamKind};

pub use self::outcome::{Applied, Failed, Refusal};
use self::{outcome::StepError, users::Users};
use crate::{Command, LineSteps, MessageKind as ImportedKind, Step, irc::room_command};

/// The local part of the user that creates the rooms. Nobody can register it.
pub(crate) const IMPORTER: &str = "irc.import";

/// The target of an import.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The write side.
    pub commands: &'a Commands,
    /// Users and their names.
    pub accounts: &'a Accounts,
    /// The log of the write side.
    pub log: &'a dyn EventLog,
    /// Most commands in flight to the disk.
    pub under_way_max: usize,
    /// The current time, for new accounts.
    pub now: Millis,
}

/// Executes the steps of lines, in their order.
pub struct Importer<'a> {
    target: Target<'a>,
    rooms: HashMap<Arc<str>, OwnedRoomId>,
    users: Users,
    under_way: VecDeque<(UnderWay, LineOrigin)>,
    /// Lines whose steps may not be in the log yet.
    lines_under_way: HashSet<CommandId>,
    /// Users that are certainly in rooms: they joined in this run, or it let them in.
    present: HashSet<(Arc<str>, Arc<str>)>,
    /// The last nick of each user of this run.
    nicks: HashMap<Arc<str>, String>,
    applied: Applied,
}

enum UnderWay {
    Room(Box<Started>),
    Profile(Box<StartedProfile>),
}

/// The origin of a step, with the name of the line if it is the line's last step.
#[derive(Clone)]
struct LineOrigin {
    file: Arc<str>,
    line: u64,
    ends: Option<CommandId>,
}

impl<'a> Importer<'a> {
    /// An importer before its first step.
    #[must_use]
    pub fn new(target: Target<'a>) -> Self {
        Self {
            target,
            rooms: HashMap::new(),
            users: Users::default(),
            under_way: VecDeque::new(),
            lines_under_way: HashSet::new(),
            present: HashSet::new(),
            nicks: HashMap::new(),
            applied: Applied::default(),
        }
    }

    /// The commands among these that the log knows.
    ///
    /// # Errors
    /// [`Failed`] if the log cannot be read.
    pub async fn known(&self, commands: &[CommandId]) -> Result<Vec<bool>, Failed> {
        let mut known = Vec::with_capacity(commands.len());
        for command in commands {
            known.push(self.target.log.find(*command).await?.is_some());
        }
        Ok(known)
    }

    /// Checks that the users exist for whom the operator lets the import act.
    ///
    /// # Errors
    /// [`Failed`], which names the first missing one.
    pub fn check_mapped<'u>(&self, users: impl IntoIterator<Item = &'u str>) -> Result<(), Failed> {
        users.into_iter().try_for_each(|user| Users::mapped(&self.target, user).map(drop))
    }

    /// Executes the steps of these lines, except for lines that an earlier run has done. Some may still be in flight to
    /// the disk afterwards.
    ///
    /// # Errors
    /// [`Failed`] if the import cannot continue. A repetition continues it.
    pub async fn apply(&mut self, lines: Vec<LineSteps>) -> Result<(), Failed> {
        let mut here = HashSet::new();
        let mut all = Vec::with_capacity(lines.len());
        for line in lines {
            let Some(last) = line.steps.last().map(|step| step.id) else { continue };
            let done = !here.insert(last)
                || self.lines_under_way.contains(&last)
                || self.target.log.find(last).await?.is_some();
            all.push((line, done));
        }
        let undone = all.iter().filter(|(_, done)| !done).map(|(line, _)| line);
        let users = undone.flat_map(|line| &line.steps).filter_map(|step| step.command.user());
        self.users.claim(&self.target, users).await?;
        for (line, done) in all {
            self.line(line, done).await?;
            while self.under_way.len() >= self.target.under_way_max {
                self.finish_one().await?;
            }
        }
        Ok(())
    }

    /// Waits until everything is on the disk, and returns the outcome.
    ///
    /// # Errors
    /// [`Failed`] if a part did not get there.
    pub async fn finish(mut self) -> Result<Applied, Failed> {
        while !self.under_way.is_empty() {
            self.finish_one().await?;
        }
        self.applied.apart = self.users.take_apart();
        Ok(self.applied)
    }

    async fn line(&mut self, line: LineSteps, done: bool) -> Result<(), Failed> {
        let LineSteps { file, line, steps } = line;
        let last = steps.last().map(|step| step.id);
        for step in steps {
            if let Command::RegisterUser { user, displayname }
            | Command::Rename { user, displayname, .. } = &step.command
            {
                self.nicks.insert(user.clone(), displayname.clone());
            }
            if done && !step.command.is_needed_again() {
                continue;
            }
            let ends = last.filter(|last| *last == step.id);
            let place = LineOrigin { file: file.clone(), line, ends };
            match self.step(step, place.clone()).await {
                Ok(()) => {}
                Err(StepError::Refused(reason)) => self.applied.refuse(place.file, line, reason),
                Err(StepError::Failed(failed)) => return Err(failed),
            }
        }
        Ok(())
    }

    async fn step(&mut self, step: Step, place: LineOrigin) -> Result<(), StepError> {
        let Step { id, at, command } = step;
        let retry = Retry::Named(id);
        match command {
            Command::CreateRoom { room, name, network, aliases } => {
                self.create_room(room, &name, network.as_deref(), &aliases, at, retry).await
            }
            Command::RegisterUser { user, displayname } => {
                let retry = if self.users.is_apart(&user) {
                    Retry::Named(naming(self.users.localpart(&user)?))
                } else {
                    retry
                };
                self.set_name(&user, displayname, at, retry, place).await
            }
            Command::Rename { user, displayname, rooms } => {
                self.rename(&user, displayname, &rooms, at, id, place).await
            }
            Command::Join { room, user } => {
                let join = RoomCommand::Join { reason: None, member_of: None };
                self.start(&room, &user, at, &join, retry, place).await?;
                self.present.insert((room, user));
                Ok(())
            }
            Command::Leave { room, user, reason } => {
                self.present.remove(&(room.clone(), user.clone()));
                let leave = RoomCommand::Leave { reason, successor: None };
                self.start(&room, &user, at, &leave, retry, place).await
            }
            Command::Kick { room, user, reason } => {
                self.present.remove(&(room.clone(), user.clone()));
                let kick = RoomCommand::Kick { user: self.user_id(&user)?, reason: Some(reason) };
                self.start(&room, IMPORTER, at, &kick, retry, place).await
            }
            Command::SetTopic { room, topic } => {
                let topic = RoomCommand::SetTopic { topic };
                self.start(&room, IMPORTER, at, &topic, retry, place).await
            }
            Command::Send { room, user, kind, body } => {
                self.let_in(&room, &user, at, id, &place).await?;
                let kind = match kind {
                    ImportedKind::Text => MessageKind::Text,
                    ImportedKind::Emote => MessageKind::Emote,
                    ImportedKind::Notice => MessageKind::Notice,
                };
                let message = RoomCommand::SendMessage {
                    kind,
                    body,
                    formatted_body: None,
                    relation: None,
                    mentions: None,
                };
                self.start(&room, &user, at, &message, retry, place).await
            }
        }
    }

    /// Lets a speaking user join: in an earlier run, another user may have joined under the same nick.
    async fn let_in(
        &mut self,
        room: &Arc<str>,
        user: &Arc<str>,
        at: Millis,
        line: CommandId,
        place: &LineOrigin,
    ) -> Result<(), StepError> {
        if !self.present.insert((room.clone(), user.clone())) {
            return Ok(());
        }
        let place = LineOrigin { ends: None, ..place.clone() };
        let localpart = self.users.localpart(user)?.to_owned();
        if self.users.is_apart(user) {
            let nick = self.nicks.get(user).cloned().unwrap_or_else(|| user.to_string());
            let retry = Retry::Named(naming(&localpart));
            self.set_name(user, nick, at, retry, place.clone()).await?;
        }
        let id = CommandId::derive(&[b"irc present", &line.0, localpart.as_bytes()]);
        let join = RoomCommand::Join { reason: None, member_of: None };
        self.start(room, user, at, &join, Retry::Named(id), place).await
    }

    /// The room of a channel: the one that an import created for it, or else a new one with the first free alias.
    async fn create_room(
        &mut self,
        room: Arc<str>,
        name: &str,
        network: Option<&str>,
        aliases: &[String],
        at: Millis,
        retry: Retry,
    ) -> Result<(), StepError> {
        if self.room(&room).await?.is_some() {
            return Ok(());
        }
        let free = self.free_alias(aliases).await?;
        let name = match (network, &free) {
            (Some(network), Some((place, _))) if *place > 0 => format!("{name} ({network})"),
            _ => name.to_owned(),
        };
        let command = CreateRoom {
            name: Some(name),
            alias: free.map(|(_, alias)| alias),
            preset: Preset::Public,
            listed: true,
            ..CreateRoom::default()
        };
        let actor = self.actor(IMPORTER, at)?;
        let command = rookery_command::Command::CreateRoom { room: &command };
        let made = self.target.commands.execute(&actor, command, retry).await?;
        self.applied.commits += u64::from(!made.repeated);
        self.rooms.extend(made.room_id.map(|made| (room, made)));
        Ok(())
    }

    /// The first of these aliases that points nowhere, with its index.
    async fn free_alias(
        &self,
        aliases: &[String],
    ) -> Result<Option<(usize, OwnedRoomAliasId)>, StepError> {
        let commands = self.target.commands;
        for (place, alias) in aliases.iter().enumerate() {
            let alias = format!("#{alias}:{}", commands.server_name());
            let Ok(alias) = <&RoomAliasId>::try_from(alias.as_str()) else { continue };
            if commands.resolve_alias(alias).await?.is_none() {
                return Ok(Some((place, alias.to_owned())));
            }
        }
        Ok(None)
    }

    /// The room that an import created under this key.
    async fn room(&mut self, key: &Arc<str>) -> Result<Option<OwnedRoomId>, Failed> {
        if let Some(room) = self.rooms.get(key) {
            return Ok(Some(room.clone()));
        }
        let log = self.target.log;
        let Some(position) = log.find(room_command(key)).await? else { return Ok(None) };
        let found = log.get(&[position]).await?;
        let stream = found.first().and_then(|record| record.commit.stream.split());
        let Some((StreamKind::Room, id)) = stream else { return Ok(None) };
        let room = RoomId::parse(id).map_err(|error| Failed::new(error.to_string()))?;
        self.rooms.insert(key.clone(), room.clone());
        Ok(Some(room))
    }

    async fn set_name(
        &mut self,
        user: &str,
        displayname: String,
        at: Millis,
        retry: Retry,
        place: LineOrigin,
    ) -> Result<(), StepError> {
        let change = ProfileChange { displayname: Some(Some(displayname)), avatar_url: None };
        let actor = self.actor(user, at)?;
        let started = self.target.commands.start_profile(&actor, &change, retry).await?;
        self.push(UnderWay::Profile(Box::new(started)), place);
        Ok(())
    }

    /// A new name, for the account and in the user's rooms of the import.
    async fn rename(
        &mut self,
        user: &str,
        displayname: String,
        rooms: &[Arc<str>],
        at: Millis,
        id: CommandId,
        place: LineOrigin,
    ) -> Result<(), StepError> {
        let profile = Profile { displayname: Some(displayname.clone()), avatar_url: None };
        let inner = LineOrigin { ends: None, ..place.clone() };
        for room in rooms {
            let command = RoomCommand::SetMemberProfile { profile: profile.clone() };
            let name = CommandId::derive(&[b"rename", &id.0, room.as_bytes()]);
            match self.start(room, user, at, &command, Retry::Named(name), inner.clone()).await {
                // A user outside of this room has no name there.
                Ok(()) | Err(StepError::Refused(_)) => {}
                Err(failed) => return Err(failed),
            }
        }
        // Last, because its name marks the whole line as done.
        self.set_name(user, displayname, at, Retry::Named(id), place).await
    }

    async fn start(
        &mut self,
        room: &Arc<str>,
        user: &str,
        at: Millis,
        command: &RoomCommand,
        retry: Retry,
        place: LineOrigin,
    ) -> Result<(), StepError> {
        let Some(room) = self.room(room).await? else {
            return Err(StepError::Refused(format!("could not create the room of {room}")));
        };
        let actor = self.actor(user, at)?;
        let started = self.target.commands.start(&actor, &room, command, retry).await?;
        self.push(UnderWay::Room(Box::new(started)), place);
        Ok(())
    }

    fn push(&mut self, under_way: UnderWay, place: LineOrigin) {
        self.lines_under_way.extend(place.ends);
        self.under_way.push_back((under_way, place));
    }

    async fn finish_one(&mut self) -> Result<(), Failed> {
        let Some((under_way, place)) = self.under_way.pop_front() else { return Ok(()) };
        if let Some(line) = place.ends {
            self.lines_under_way.remove(&line);
        }
        let commands = self.target.commands;
        let finished = match under_way {
            UnderWay::Room(started) => commands.finish(*started).await.map(|outcome| {
                self.applied.commits += u64::from(!outcome.repeated && !outcome.events.is_empty());
            }),
            UnderWay::Profile(started) => commands.finish_profile(*started).await.map(|_| {
                self.applied.commits += 1;
            }),
        };
        match finished.map_err(StepError::from) {
            Ok(()) => Ok(()),
            Err(StepError::Refused(reason)) => {
                self.applied.refuse(place.file, place.line, reason);
                Ok(())
            }
            Err(StepError::Failed(failed)) => Err(failed),
        }
    }

    fn actor(&self, user: &str, now: Millis) -> Result<Actor, StepError> {
        let (user, received) = (self.user_id(user)?, Some(self.target.now));
        Ok(Actor { received, ..Actor::for_server(user, now) })
    }

    fn user_id(&self, user: &str) -> Result<OwnedUserId, StepError> {
        let localpart = if user == IMPORTER { user } else { self.users.localpart(user)? };
        let name = self.target.commands.server_name();
        OwnedUserId::try_from(format!("@{localpart}:{name}")).map_err(|error| {
            StepError::Refused(format!("{localpart:?} is not a user name: {error}"))
        })
    }
}

/// The name of the command that gives a user their first display name.
fn naming(localpart: &str) -> CommandId {
    CommandId::derive(&[b"irc user", localpart.as_bytes()])
}
