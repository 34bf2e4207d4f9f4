//! The state of the server: the log, the read models, the work that follows commits, and counters.

use async_graphql::{Object, Result, SimpleObject};
use rookery_command::ProcessStatus as Process;
use rookery_delivery::DeliveryCounters;
use rookery_log::Position;
use rookery_projection::{Parked, Progress};

use crate::{
    context::App,
    types::{
        errors::fault::Fault,
        values::{list::List, scalars::Long},
    },
};

/// Parked streams in an answer.
pub const PARKED_MAX: usize = 100;

/// The state of the server, as of one moment.
pub struct ServerStatus {
    tail: Position,
    /// Name, position and number of parked streams.
    models: Vec<(&'static str, Position, usize)>,
    parked: Vec<Parked>,
    processes: Vec<Process>,
    rebuild: Option<Progress>,
    delivery: DeliveryCounters,
    sockets: u64,
    accounts: u64,
    rooms: usize,
}

/// A read model: data that the server keeps beside the log, and can build again from it.
#[derive(SimpleObject)]
pub struct ReadModel {
    /// Its name.
    name: &'static str,
    /// How many commits it has applied.
    position: Long,
    /// How many commits of the log it has not applied yet.
    behind: Long,
    /// How many streams it has parked.
    parked_count: i32,
}

/// A room, an account or an alias with a commit that a read model cannot apply. The model leaves
/// out everything after that commit.
#[derive(SimpleObject)]
pub struct ParkedStream {
    /// The name of the read model.
    model: String,
    /// The name of the stream.
    stream: String,
    /// The number of the commit.
    position: Long,
    /// The reason.
    reason: String,
}

/// Work that follows commits, such as erasing redacted content.
#[derive(SimpleObject)]
pub struct ProcessStatus {
    /// Its name.
    name: &'static str,
    /// How many commits of the log it has not worked off yet.
    behind: Long,
    /// How many commits it has skipped since the server started, because of damage.
    skipped: Long,
    /// Why it waits. Null if it does not.
    trouble: Option<String>,
}

/// A rebuild of the read models that runs.
#[derive(SimpleObject)]
pub struct Rebuild {
    /// Commits read.
    done: Long,
    /// Commits to read in all.
    total: Long,
    /// The estimated time left, in seconds.
    seconds_left: f64,
}

/// Counters of the server. The first two only grow; the others go up and down.
#[derive(SimpleObject)]
pub struct ServerCounters {
    /// The commits of the log.
    appends: Long,
    /// The commits handed to open streams since the server started, counted for each stream.
    deliveries: Long,
    /// Open event streams.
    streams: Long,
    /// Open sockets (`WebSocket`).
    sockets: Long,
}

impl From<Progress> for Rebuild {
    fn from(Progress { done, total, seconds_left, .. }: Progress) -> Self {
        Self { done: Long::of_count(done), total: Long::of_count(total), seconds_left }
    }
}

impl From<Parked> for ParkedStream {
    fn from(Parked { model, stream, position, reason, .. }: Parked) -> Self {
        let stream = stream.as_str().to_owned();
        Self { model, stream, position: Long::of_count(position.0), reason }
    }
}

impl ServerStatus {
    /// The state now.
    ///
    /// # Errors
    /// [`Fault`] if the accounts cannot be read.
    pub fn of(app: &App) -> Result<Self, Fault> {
        let accounts = app.accounts.count();
        let accounts = accounts.map_err(|fault| Fault::accounts_unavailable(&fault))?;
        let view = app.models.view();
        Ok(Self {
            models: view.models().states(),
            parked: view.models().parked(),
            rooms: view.room_count(),
            // After the models, so that none is ahead of it.
            tail: *app.log.tail().borrow(),
            processes: app.commands.processes(),
            rebuild: app.models.models().rebuilding(),
            delivery: app.feeds.counters(),
            sockets: app.sockets.count(),
            accounts,
        })
    }

    fn behind(&self, position: Position) -> Long {
        Long::of_count(self.tail.0.saturating_sub(position.0))
    }
}

/// The state of the server, as of one moment.
#[Object]
impl ServerStatus {
    /// How many commits the log has.
    async fn log_position(&self) -> Long {
        Long::of_count(self.tail.0)
    }

    /// The read models, in the order in which they apply a commit.
    async fn read_models(&self) -> List<ReadModel> {
        let shown = |(name, position, parked): (_, Position, usize)| ReadModel {
            name,
            position: Long::of_count(position.0),
            behind: self.behind(position),
            parked_count: i32::try_from(parked).unwrap_or(i32::MAX),
        };
        self.models.iter().copied().map(shown).collect()
    }

    /// The parked streams, at most 100. `retryParkedStreams` applies them again.
    async fn parked_streams(&self) -> List<ParkedStream> {
        self.parked.iter().take(PARKED_MAX).cloned().map(ParkedStream::from).collect()
    }

    /// The work that follows commits.
    async fn processes(&self) -> List<ProcessStatus> {
        let shown = |process: &Process| ProcessStatus {
            name: process.name,
            behind: self.behind(process.position),
            skipped: Long::of_count(process.skipped),
            trouble: process.trouble.clone(),
        };
        self.processes.iter().map(shown).collect()
    }

    /// The rebuild of the read models that runs. Null if none does.
    async fn rebuild(&self) -> Option<Rebuild> {
        self.rebuild.map(Rebuild::from)
    }

    /// Counters.
    async fn counters(&self) -> ServerCounters {
        ServerCounters {
            appends: Long::of_count(self.tail.0),
            deliveries: Long::of_count(self.delivery.routed),
            streams: Long::of_count(self.delivery.subscribers),
            sockets: Long::of_count(self.sockets),
        }
    }

    /// How many accounts there are, deactivated ones included.
    async fn account_count(&self) -> Long {
        Long::of_count(self.accounts)
    }

    /// How many rooms there are.
    async fn room_count(&self) -> Long {
        Long::of_count(self.rooms as u64)
    }
}
