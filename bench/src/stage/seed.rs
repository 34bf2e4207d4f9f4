//! Fills a data directory before a server starts on it. It uses the write side, like an import,
//! since a registration over HTTP costs a password hash.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use rookery_accounts::Millis as AccountMillis;
use rookery_command::{Actor, Command, Retry, Started};
use rookery_domain::{CreateRoom, MessageKind, OwnedRoomId, OwnedUserId, Preset, RoomCommand};
use rookery_log::{EventLog, Millis};
use rookery_server::{
    cli::Flags,
    config::{self, Config},
    node::Node,
};
use tokio::runtime::Runtime;

use crate::Error;

/// Commands in flight to the disk.
const UNDER_WAY_MAX: usize = 1_024;

/// The name of the server.
const SERVER_NAME: &str = "bench.test";

/// An open data directory for filling.
pub(crate) struct Seed {
    runtime: Runtime,
    node: Node,
    under_way: VecDeque<Started>,
    now: Millis,
}

/// The settings of a server on `folder`: those of the environment, as the program itself reads
/// them.
///
/// # Errors
/// If the folder's name cannot be a setting.
pub(crate) fn config(folder: &Path) -> Result<Config, Error> {
    let folder = folder.to_str().ok_or("the folder's name is not UTF-8")?.to_owned();
    let settings =
        BTreeMap::from([("data", vec![folder]), ("server_name", vec![SERVER_NAME.to_owned()])]);
    let flags = Flags { config: None, settings };
    Ok(config::load(&flags, std::env::vars_os()).map_err(|error| error.to_string())?.config)
}

impl Seed {
    /// Opens `folder`, and creates it if it is missing.
    ///
    /// # Errors
    /// If it cannot be used.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let runtime = Runtime::new()?;
        let config = config(folder)?;
        let node = runtime.block_on(Node::open(&config)).map_err(|error| error.to_string())?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let now = Millis(u64::try_from(since.as_millis())?);
        Ok(Self { runtime, node, under_way: VecDeque::new(), now })
    }

    /// Creates users with these names.
    ///
    /// # Errors
    /// If one of the names is not valid.
    pub(crate) fn users(&self, names: &[String]) -> Result<(), Error> {
        let users = self.node.accounts.ensure_users(names, AccountMillis(self.now.0));
        self.runtime.block_on(users)?;
        Ok(())
    }

    /// Logs these users in, and returns their tokens.
    ///
    /// # Errors
    /// If one of them does not exist.
    pub(crate) fn tokens(&self, names: &[String]) -> Result<Vec<String>, Error> {
        let mint = async |name: &String| {
            let now = AccountMillis(self.now.0);
            let session = self.node.accounts.mint_token(name, Some("bench"), None, now).await?;
            Ok::<_, Error>(session.token.expose().to_owned())
        };
        self.runtime.block_on(async {
            let mut tokens = Vec::with_capacity(names.len());
            for name in names {
                tokens.push(mint(name).await?);
            }
            Ok(tokens)
        })
    }

    /// Creates public rooms, each by the owner in its entry; returns them with the number of
    /// events.
    ///
    /// # Errors
    /// If one is refused.
    pub(crate) fn rooms(
        &self,
        owned: &[(String, String)],
    ) -> Result<(Vec<OwnedRoomId>, u64), Error> {
        let create = async |(owner, name): &(String, String)| {
            let command = CreateRoom {
                preset: Preset::Public,
                name: Some(name.clone()),
                ..CreateRoom::default()
            };
            let actor = self.actor(owner)?;
            let outcome = self
                .node
                .commands
                .execute(&actor, Command::CreateRoom { room: &command }, Retry::Unnamed)
                .await?;
            let room = outcome.room_id.ok_or("a room that was created has an ID")?;
            Ok::<_, Error>((room, outcome.events.len() as u64))
        };
        let made: Vec<_> = self.runtime.block_on(
            stream::iter(owned).map(create).buffered(UNDER_WAY_MAX / 4).try_collect::<Vec<_>>(),
        )?;
        let events = made.iter().map(|(_, events)| events).sum();
        Ok((made.into_iter().map(|(room, _)| room).collect(), events))
    }

    /// Lets a user join a public room. The join may be in flight until [`Self::settle`].
    ///
    /// # Errors
    /// If this or an earlier command is refused.
    pub(crate) fn join(&mut self, room: &OwnedRoomId, user: &str) -> Result<(), Error> {
        self.start(room, user, &RoomCommand::Join { reason: None, member_of: None })
    }

    /// Sends a message of a member. It may be in flight until [`Self::settle`].
    ///
    /// # Errors
    /// If this or an earlier command is refused.
    pub(crate) fn say(
        &mut self,
        room: &OwnedRoomId,
        user: &str,
        body: String,
    ) -> Result<(), Error> {
        let kind = MessageKind::Text;
        self.start(
            room,
            user,
            &RoomCommand::SendMessage {
                kind,
                body,
                formatted_body: None,
                relation: None,
                mentions: None,
            },
        )
    }

    fn start(
        &mut self,
        room: &OwnedRoomId,
        user: &str,
        command: &RoomCommand,
    ) -> Result<(), Error> {
        self.now.0 += 1;
        let actor = self.actor(user)?;
        let started = self.node.commands.start(&actor, room, command, Retry::Unnamed);
        self.under_way.push_back(self.runtime.block_on(started)?);
        if self.under_way.len() >= UNDER_WAY_MAX { self.finish(UNDER_WAY_MAX / 2) } else { Ok(()) }
    }

    fn finish(&mut self, left: usize) -> Result<(), Error> {
        while self.under_way.len() > left
            && let Some(started) = self.under_way.pop_front()
        {
            self.runtime.block_on(self.node.commands.finish(started))?;
        }
        Ok(())
    }

    /// Waits until all is durable and the read models have it.
    ///
    /// # Errors
    /// If a command was refused, or the read models are stuck.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        self.finish(0)?;
        let tail = *self.node.log.tail().borrow();
        let shown = self.node.models.wait_for(tail, Duration::from_mins(10));
        Ok(self.runtime.block_on(shown)?)
    }

    /// Closes the directory, so that a server can start on it. No work is left to its processes,
    /// and nothing to compare between the log and the accounts.
    ///
    /// # Errors
    /// As [`Self::settle`], and if a process fails.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.settle()?;
        let (commands, now) = (&self.node.commands, self.now);
        self.runtime.block_on(async {
            commands.resume_erasures().await?;
            commands.resume_profiles(now).await?;
            commands.resume_releases(now).await?;
            commands.resume_call_ends(now).await?;
            self.node.accounts.note_log_mark().await?;
            Ok::<_, Error>(())
        })?;
        self.runtime.block_on(self.node.close());
        Ok(())
    }

    fn actor(&self, user: &str) -> Result<Actor, Error> {
        let user = OwnedUserId::try_from(format!("@{user}:{SERVER_NAME}"))?;
        Ok(Actor::for_server(user, self.now))
    }
}

/// `count` names that begin with `prefix`.
pub(crate) fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{prefix}{index}")).collect()
}

/// A message text with a typical length: 20 to 150 bytes, each different.
pub(crate) fn chatter(number: u64) -> String {
    const WORDS: [&str; 16] = [
        "the", "server", "is", "up", "again", "after", "we", "moved", "that", "disk", "to",
        "another", "shelf", "so", "please", "test",
    ];
    let mut text = format!("message {number}:");
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..(3 + mixed % 21) {
        mixed ^= mixed >> 29;
        mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        text.push(' ');
        text.push_str(WORDS[usize::try_from(mixed >> 60).unwrap_or(0)]);
    }
    text
}
