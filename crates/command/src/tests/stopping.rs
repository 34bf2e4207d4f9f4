//! A server that stops at any step of its work finishes that work after the next start.
//!
//! A step is the beginning or the end of an operation of the log. The tests stop the server at each step of a command
//! and of the processes that follow, start it again on the same log and the same folder, and look at the result.

use std::{
    future::pending,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use rookery_domain::{
    CreateRoom, OwnedRoomAliasId, OwnedRoomId, Preset, Profile, Room, RoomCommand, RoomVersionId,
};
use rookery_log::{
    Appending, CommandId, Commit, Epoch, ErasableLog, EraseError, EventLog, Guard, Hash, Head,
    MemoryLog, Millis, Position, ReadError, Record, Scope, StreamId, Unavailable,
};
use tokio::sync::{Notify, watch};

use super::{actor, bodies, open, public_room, say};
use crate::{CommandOptions, Commands, ProfileChange, Retry};

/// A time at which every claim of an alias is old enough.
const LATER: Millis = Millis(1_000_000);

/// More steps than any of the scenarios takes.
const STEPS_MAX: usize = 4_000;

/// A log whose server stops after a number of steps: from then on no operation begins or ends.
struct StoppingLog {
    log: Arc<MemoryLog>,
    left: AtomicUsize,
    stopped: Arc<Notify>,
}

impl StoppingLog {
    fn new(log: &Arc<MemoryLog>, steps: usize) -> Arc<Self> {
        let (left, stopped) = (AtomicUsize::new(steps), Arc::default());
        Arc::new(Self { log: Arc::clone(log), left, stopped })
    }

    /// Whether the server runs after one more step.
    fn runs(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        let runs = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
        if !runs {
            self.stopped.notify_one();
        }
        runs
    }

    async fn step(&self) {
        if !self.runs() {
            pending::<()>().await;
        }
    }

    async fn around<T>(&self, operation: impl Future<Output = T>) -> T {
        self.step().await;
        let result = operation.await;
        self.step().await;
        result
    }
}

#[async_trait]
impl EventLog for StoppingLog {
    fn epoch(&self) -> Epoch {
        self.log.epoch()
    }

    fn append(&self, commit: Commit, guard: Guard) -> Appending {
        if !self.runs() {
            return Box::pin(pending());
        }
        let appending = self.log.append(commit, guard);
        if !self.runs() {
            return Box::pin(pending());
        }
        appending
    }

    async fn read(
        &self,
        scope: &Scope,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        self.around(self.log.read(scope, after, limit)).await
    }

    async fn get(&self, positions: &[Position]) -> Result<Vec<Arc<Record>>, ReadError> {
        self.around(self.log.get(positions)).await
    }

    async fn head(&self, stream: &StreamId) -> Result<Head, ReadError> {
        self.around(self.log.head(stream)).await
    }

    async fn find(&self, command: CommandId) -> Result<Option<Position>, ReadError> {
        self.around(self.log.find(command)).await
    }

    fn tail(&self) -> watch::Receiver<Position> {
        self.log.tail()
    }

    fn fault(&self) -> watch::Receiver<Option<Unavailable>> {
        self.log.fault()
    }

    async fn tail_hash(&self) -> Result<(Position, Hash), ReadError> {
        self.log.tail_hash().await
    }
}

#[async_trait]
impl ErasableLog for StoppingLog {
    async fn erase(&self, position: Position, index: usize, left: Bytes) -> Result<(), EraseError> {
        self.around(self.log.erase(position, index, left)).await
    }
}

/// Runs `work` on a server that stops after `steps` steps. Returns the result of `work` if it came before the stop.
/// Everything that the server was doing ends with it.
fn server<T>(
    log: &Arc<MemoryLog>,
    folder: &Path,
    steps: usize,
    work: impl AsyncFnOnce(&Commands) -> T,
) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let stopping = StoppingLog::new(log, steps);
        let stopped = Arc::clone(&stopping.stopped);
        let port: Arc<dyn ErasableLog> = stopping;
        let commands = open(&port, Some(folder), CommandOptions::default());
        tokio::select! {
            biased;
            result = work(&commands) => Some(result),
            () = stopped.notified() => None,
        }
    })
}

/// Does all work that follows from the commits, and saves. Returns how much there was.
async fn finish(commands: &Commands) -> usize {
    let mut done = commands.resume_profiles(LATER).await.unwrap();
    done += commands.resume_erasures().await.unwrap();
    done += commands.resume_releases(LATER).await.unwrap();
    commands.save().await.unwrap();
    done
}

/// Stops the server at each step of `act`, and of the work that follows. After the next start `check` looks at the
/// result, and no work is left.
fn at_each_step<P>(
    prepare: &impl AsyncFn(&Commands) -> P,
    act: &impl AsyncFn(&Commands, &P),
    check: &impl AsyncFn(&Commands, &P),
) {
    for steps in 0..STEPS_MAX {
        let (log, folder) = (Arc::new(MemoryLog::new(Epoch(1))), tempfile::tempdir().unwrap());
        let folder = folder.path();
        let prepared = server(&log, folder, usize::MAX, async |commands| {
            let prepared = prepare(commands).await;
            finish(commands).await;
            prepared
        });
        let prepared = prepared.unwrap();
        let acted = server(&log, folder, steps, async |commands| {
            act(commands, &prepared).await;
            finish(commands).await;
        });
        server(&log, folder, usize::MAX, async |commands| {
            finish(commands).await;
            check(commands, &prepared).await;
        })
        .unwrap();
        let left = server(&log, folder, usize::MAX, finish).unwrap();
        assert_eq!(left, 0, "work is left after a stop at step {steps}");
        if acted.is_some() {
            assert!(steps > 5, "the server did nothing");
            return;
        }
    }
    panic!("the scenario has not ended after {STEPS_MAX} steps");
}

async fn of_room<T>(commands: &Commands, room: &OwnedRoomId, of: impl Fn(&Room) -> T) -> T {
    let stream_state = commands.rooms.state_of(room.as_str());
    commands
        .core
        .read_state(&commands.rooms, &stream_state, |room| of(room.unwrap()))
        .await
        .unwrap()
}

fn alias(name: &str) -> OwnedRoomAliasId {
    format!("#{name}:test").try_into().unwrap()
}

fn with_alias(name: &str) -> CreateRoom {
    let version = Some(RoomVersionId::V11);
    CreateRoom {
        version,
        alias: Some(alias(name)),
        preset: Preset::Public,
        ..CreateRoom::default()
    }
}

#[test]
fn a_name_reaches_all_rooms_or_none() {
    let alice = actor("alice").user;
    let name = async |commands: &Commands, room: &OwnedRoomId| {
        let member = |room: &Room| {
            Profile::of(room.state("m.room.member", alice.as_str()).unwrap()).displayname
        };
        of_room(commands, room, member).await
    };
    at_each_step(
        &async |commands| {
            let mut rooms = Vec::new();
            for _ in 0..4 {
                rooms.push(public_room(commands, "alice").await);
            }
            rooms
        },
        &async |commands, _| {
            let change =
                ProfileChange { displayname: Some(Some("Alicia".into())), avatar_url: None };
            commands.set_profile(&actor("alice"), &change, Retry::Action(1)).await.unwrap();
        },
        &async |commands, rooms| {
            let first = name(commands, &rooms[0]).await;
            assert!(first.is_none() || first.as_deref() == Some("Alicia"));
            for room in rooms {
                assert_eq!(name(commands, room).await, first);
            }
        },
    );
}

#[test]
fn redacted_content_leaves_the_log() {
    at_each_step(
        &async |commands| {
            let room = public_room(commands, "alice").await;
            let said = say(commands, "alice", &room, "the secret").await;
            (room, said.events[0].event_id.clone())
        },
        &async |commands, (room, said)| {
            let redact = RoomCommand::Redact { event_id: said.clone(), reason: None };
            commands.room(&actor("alice"), room, &redact, Retry::Action(1)).await.unwrap();
        },
        &async |commands, (room, said)| {
            let log = &commands.core.log;
            let records = log.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap();
            let is_redacted = records.iter().any(|record| {
                super::pdus(record).iter().any(|pdu| pdu.kind.to_string() == "m.room.redaction")
            });
            let secrets = bodies(log).await.iter().filter(|body| *body == "the secret").count();
            assert_eq!(secrets, usize::from(!is_redacted));
            // The client sends the command again, as it does without an answer.
            let redact = RoomCommand::Redact { event_id: said.clone(), reason: None };
            commands.room(&actor("alice"), room, &redact, Retry::Action(1)).await.unwrap();
            assert_eq!(bodies(log).await, [""; 0]);
            finish(commands).await;
        },
    );
}

#[test]
fn the_alias_of_a_new_room_is_free_or_points_to_the_room() {
    at_each_step(
        &async |_| (),
        &async |commands, ()| {
            let create = with_alias("nest");
            commands.create_room(&actor("alice"), &create, Retry::Action(1)).await.unwrap();
        },
        &async |commands, ()| {
            let holder = commands.resolve_alias(&alias("nest")).await.unwrap();
            if let Some(room) = &holder {
                assert!(commands.room_exists(room).await.unwrap(), "{room} does not exist");
                assert_eq!(
                    of_room(commands, room, Room::canonical_alias).await,
                    Some(alias("nest"))
                );
            }
            let (alice, create) = (actor("alice"), with_alias("nest"));
            let again = commands.create_room(&alice, &create, Retry::Action(1)).await;
            let room = again.unwrap().room();
            assert!(holder.is_none_or(|holder| holder == room), "a second room was made");
            assert_eq!(commands.resolve_alias(&alias("nest")).await.unwrap(), Some(room));
        },
    );
}

#[test]
fn a_room_has_exactly_the_aliases_that_it_lists() {
    let set = |name: &str| RoomCommand::SetAliases {
        canonical: Some(alias(name)),
        alternative: Vec::new(),
    };
    at_each_step(
        &async |commands| {
            let room = public_room(commands, "alice").await;
            commands.room(&actor("alice"), &room, &set("old"), Retry::Action(1)).await.unwrap();
            room
        },
        &async |commands, room| {
            commands.room(&actor("alice"), room, &set("new"), Retry::Action(2)).await.unwrap();
        },
        &async |commands, room| {
            let listed = of_room(commands, room, Room::canonical_alias).await.unwrap();
            for name in ["old", "new"].map(alias) {
                let holder = commands.resolve_alias(&name).await.unwrap();
                assert_eq!(holder.is_some(), name == listed, "{name}, and the room lists {listed}");
            }
        },
    );
}

/// Upgrades `old` as one action. Returns the new room.
async fn upgrade(commands: &Commands, old: &OwnedRoomId) -> OwnedRoomId {
    let alice = actor("alice");
    let upgraded = commands.upgrade_room(&alice, old, &RoomVersionId::V12, Retry::Action(2)).await;
    upgraded.unwrap().replacement.unwrap()
}

#[test]
fn an_upgrade_is_finished_by_its_retry() {
    at_each_step(
        &async |commands| {
            let create = with_alias("tower");
            let made = commands.create_room(&actor("alice"), &create, Retry::Action(1)).await;
            made.unwrap().room()
        },
        &async |commands, old| {
            upgrade(commands, old).await;
        },
        &async |commands, old| {
            let holder = commands.resolve_alias(&alias("tower")).await.unwrap().unwrap();
            assert!(commands.room_exists(&holder).await.unwrap());
            if let Some(new) = of_room(commands, old, Room::replaced_by).await {
                assert_eq!(holder, new, "the old room is closed, and its alias was left behind");
            }
            let new = upgrade(commands, old).await;
            assert_eq!(of_room(commands, old, Room::replaced_by).await.as_ref(), Some(&new));
            assert_eq!(commands.resolve_alias(&alias("tower")).await.unwrap(), Some(new));
            finish(commands).await;
        },
    );
}
