//! The start of each simulation: two public rooms and their members, made once.

use std::sync::{Arc, OnceLock};

use futures_util::FutureExt;
use rookery_domain::OwnedRoomId;
use rookery_log::{Commit, Epoch, ErasableLog, EventLog, MemoryLog, Position, Scope};

use super::super::{actor, commands, join, public_room};
use crate::{Retry, testing::Seeded};

/// The users who act.
pub(super) const USERS: [&str; 3] = ["alice", "bob", "carol"];

pub(super) struct Template {
    commits: Vec<Commit>,
    pub(super) rooms: [OwnedRoomId; 2],
}

/// The rooms and their commits.
pub(super) fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let _seeded = Seeded::new(1);
        let log: Arc<dyn ErasableLog> = Arc::new(MemoryLog::new(Epoch(1)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let rooms = runtime.block_on(async {
            let commands = commands(&log);
            let rooms =
                [public_room(&commands, "alice").await, public_room(&commands, "bob").await];
            for room in &rooms {
                for user in USERS {
                    commands.room(&actor(user), room, &join(), Retry::Unnamed).await.unwrap();
                }
            }
            rooms
        });
        let records = log.read(&Scope::All, Position::ORIGIN, 4_096).now_or_never().unwrap();
        let commits = records.unwrap().iter().map(|record| record.commit.clone()).collect();
        Template { commits, rooms }
    })
}

impl Template {
    /// A new log that begins with these commits.
    pub(super) fn log(&self) -> Arc<MemoryLog> {
        let log = MemoryLog::new(Epoch(1));
        for commit in &self.commits {
            let head = log.head(&commit.stream).now_or_never().unwrap().unwrap();
            log.append(commit.clone(), head.guard()).now_or_never().unwrap().unwrap();
        }
        Arc::new(log)
    }
}
