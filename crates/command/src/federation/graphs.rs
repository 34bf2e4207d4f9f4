//! The graphs of rooms in memory, and how they are brought up to date.
//!
//! **Invariant:** only rooms with events of other servers have a graph; the others pay nothing.
//! **Invariant:** a graph is taken out of the cache during work on it, and put back only if it
//! agrees with the log.

use lru::LruCache;
use parking_lot::Mutex;
use rookery_domain::{Fact, Room};
use rookery_graph::Graph;
use rookery_log::{EventKey, EventLog, Position, Scope, StreamId, is_last_page};

use crate::{
    HandleError,
    stream::{
        handle::{Core, forget_failed},
        state::{Loaded, StreamState, is_written, read_facts},
    },
};

/// How many records are read at once when a graph is folded.
const READ_PAGE: usize = 1_024;

/// How often a graph and a state that differ are loaded again.
const ATTEMPTS_MAX: u32 = 3;

/// Graphs by stream; the least recently used are evicted first.
pub(crate) struct Graphs {
    cached: Mutex<Cached>,
    bytes_max: usize,
}

struct Cached {
    graphs: LruCache<StreamId, RoomGraph>,
    bytes: usize,
}

/// A graph, with the last commit of the stream that it covers.
#[derive(Debug, Default)]
pub(crate) struct RoomGraph {
    pub(crate) graph: Graph,
    pub(crate) position: Position,
    /// The last event of that commit.
    pub(crate) last: Option<EventKey>,
}

impl Graphs {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let cached = Cached { graphs: LruCache::unbounded(), bytes: 0 };
        Self { cached: Mutex::new(cached), bytes_max }
    }

    fn take(&self, stream: &StreamId) -> RoomGraph {
        let mut cached = self.cached.lock();
        let graph = cached.graphs.pop(stream).unwrap_or_default();
        cached.bytes = cached.bytes.saturating_sub(graph.graph.weight_bytes());
        graph
    }

    /// Caches a graph that agrees with the log.
    pub(crate) fn put(&self, stream: StreamId, graph: RoomGraph) {
        let mut cached = self.cached.lock();
        cached.bytes += graph.graph.weight_bytes();
        if let Some(old) = cached.graphs.put(stream, graph) {
            cached.bytes -= old.graph.weight_bytes();
        }
        while cached.bytes > self.bytes_max && cached.graphs.len() > 1 {
            let Some((_, oldest)) = cached.graphs.pop_lru() else { break };
            cached.bytes -= oldest.graph.weight_bytes();
        }
    }

    /// Waits until the room has no append in flight, and takes its state and its graph, both at the
    /// end of its stream. A caller whose changes are all in the log puts them back.
    pub(crate) async fn settled(
        &self,
        core: &Core,
        stream_state: &StreamState<Room>,
        slot: &mut Option<Loaded<Room>>,
    ) -> Result<(Loaded<Room>, RoomGraph), HandleError> {
        for _ in 0..ATTEMPTS_MAX {
            forget_failed(slot);
            let mut loaded = match slot.take() {
                Some(loaded) => loaded,
                None => Loaded::load(&*core.log, &core.snapshots, &stream_state.stream).await?,
            };
            if let Some(append) = loaded.last_under_way()
                && !is_written(&append.await)
            {
                continue;
            }
            // Records that all of it was answered.
            if loaded.has_failed() {
                continue;
            }
            let mut graph = self.take(&stream_state.stream);
            graph.catch_up(&*core.log, &stream_state.stream).await?;
            if loaded.last == graph.last {
                return Ok((loaded, graph));
            }
            // Another gateway has written to the room.
            self.put(stream_state.stream.clone(), graph);
        }
        Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
    }
}

impl RoomGraph {
    /// Folds the new commits of the stream.
    pub(crate) async fn catch_up(
        &mut self,
        log: &dyn EventLog,
        stream: &StreamId,
    ) -> Result<(), HandleError> {
        let scope = Scope::Stream(stream.clone());
        loop {
            let page = log.read(&scope, self.position, READ_PAGE).await?;
            for record in &page {
                for (index, fact) in (0_u16..).zip(read_facts::<Room>(record)?) {
                    if let Fact::Room(event) = fact {
                        self.graph.fold(&event, record.position.0, index);
                    }
                }
                self.position = record.position;
            }
            if let Some(record) = page.last() {
                self.last = record.commit.last_event();
            }
            if is_last_page(&page, READ_PAGE) {
                return Ok(());
            }
        }
    }
}
