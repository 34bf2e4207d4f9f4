//! Reads the log, and queues each event for its destinations.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rookery_domain::{
    AccountEvent, EventStatus, Fact, Membership, OwnedRoomId, OwnedServerName, RoomEvent, RoomId,
    ServerName, UserId,
};
use rookery_ephemeral::Ephemeral;
use rookery_log::{Position, ReadError, Scope, StreamKind};
use rookery_projection::{Committed, decode};
use rookery_view::Reader;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use super::{
    audience::{Audience, Concerned},
    link::Link,
};
use crate::{
    client::{Pauses, Transport},
    clock::Clock,
    rooms::Events,
    store::{Destination, Place, SenderChange, Store, StoreError},
};

/// How many commits are routed at once.
const PAGE: usize = 256;

/// How many commits are routed before a position alone is stored. After a kill they are routed again, and the cursors of
/// the destinations skip the events that were sent.
pub(crate) const STORED_EVERY: u64 = 1_000;

/// How long the sender waits after an error of the log or of its file.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Transactions that are sent at the same time.
const SENT_AT_ONCE_MAX: usize = 64;

/// Transactions without events that are sent at the same time.
const MESSAGES_AT_ONCE_MAX: usize = 32;

/// Sends events. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sender(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) own_name: OwnedServerName,
    pub(super) events: Events,
    pub(super) transport: Transport,
    pub(super) store: Store,
    pub(super) pauses: Pauses,
    pub(super) clock: Clock,
    pub(super) links: Mutex<HashMap<OwnedServerName, Arc<Link>>>,
    /// New destinations, whose tasks begin.
    started: mpsc::UnboundedSender<Arc<Link>>,
    unstarted: Mutex<Option<mpsc::UnboundedReceiver<Arc<Link>>>>,
    /// Held while commits are routed and stored: a destination that has caught up leaves its ends only in between.
    pub(super) routed: tokio::sync::Mutex<Position>,
    pub(super) sending: Semaphore,
    pub(super) ephemeral: Ephemeral,
    /// Permits for transactions without events, which take none of those with events.
    pub(super) sending_messages: Semaphore,
}

/// The memory of the routing of commits from page to page.
struct Routing {
    audience: Audience,
    /// The position in the file.
    stored: Position,
    /// The events of other servers that are passed on, by their places. Their notes are removed together with a stored
    /// position behind them: until then a restart routes them again.
    passed_on: VecDeque<(Position, String)>,
}

/// Why commits are not routed now.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sender {
    pub(crate) fn new(
        events: Events,
        transport: Transport,
        store: Store,
        pauses: Pauses,
        ephemeral: Ephemeral,
        clock: Clock,
    ) -> Self {
        let (started, unstarted) = mpsc::unbounded_channel();
        Self(Arc::new(Shared {
            own_name: events.own.server_name.clone(),
            events,
            transport,
            store,
            pauses,
            clock,
            links: Mutex::default(),
            started,
            unstarted: Mutex::new(Some(unstarted)),
            routed: tokio::sync::Mutex::default(),
            sending: Semaphore::new(SENT_AT_ONCE_MAX),
            ephemeral,
            sending_messages: Semaphore::new(MESSAGES_AT_ONCE_MAX),
        }))
    }

    /// The position up to which commits are queued.
    #[cfg(test)]
    pub(crate) async fn routed(&self) -> Position {
        *self.0.routed.lock().await
    }

    /// Sends until this is dropped. It can be called once.
    pub(crate) async fn run(&self) {
        let Some(mut links) = self.0.unstarted.lock().take() else { return };
        while let Err(error) = self.begin().await {
            tracing::warn!(%error, "the sender to other servers cannot start: trying again");
            tokio::time::sleep(RETRY_AFTER).await;
        }
        let working = async {
            let mut workers = JoinSet::new();
            while let Some(link) = links.recv().await {
                let sender = self.clone();
                workers.spawn(async move { sender.work(&link).await });
            }
        };
        tokio::join!(working, self.route_all(), self.tell_states());
    }

    async fn route_all(&self) {
        let reader = self.0.events.reader.clone();
        let mut routing = Routing {
            audience: Audience::new(self.0.own_name.clone(), reader.clone()),
            stored: *self.0.routed.lock().await,
            passed_on: VecDeque::new(),
        };
        let mut checkpoint = reader.models().checkpoint();
        loop {
            let reached = *checkpoint.borrow_and_update();
            match self.route(&reader, &mut routing, reached).await {
                Ok(true) => {}
                Ok(false) => {
                    if checkpoint.changed().await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot queue events for other servers: trying again");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    /// A server gave a sign of life.
    pub(crate) fn is_alive(&self, server: &ServerName) {
        let link = self.0.links.lock().get(server).cloned();
        if let Some(link) = link {
            link.end_pause();
        }
    }

    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn begin(&self) -> Result<(), StoreError> {
        let mut routed = self.0.routed.lock().await;
        *routed = if let Some(stored) = self.0.store.routed().await? {
            stored
        } else {
            // Nobody was told anything before federation was turned on.
            let tail = *self.0.events.reader.models().log().tail().borrow();
            let change = SenderChange { routed: Some(tail), ..SenderChange::default() };
            self.0.store.change_sender(change).await?;
            tail
        };
        for (name, state) in self.0.store.destinations().await? {
            let has_work = state.outstanding.is_some() || state.is_behind;
            let link = self.start(Link::new(name.clone(), state));
            self.0.links.lock().insert(name, Arc::clone(&link));
            if has_work {
                link.work.notify_one();
            }
        }
        Ok(())
    }

    fn start(&self, link: Link) -> Arc<Link> {
        let link = Arc::new(link);
        // Nobody works after the end.
        self.0.started.send(Arc::clone(&link)).ok();
        link
    }

    /// The queue of a destination.
    pub(super) fn link(&self, name: &OwnedServerName) -> Arc<Link> {
        let mut links = self.0.links.lock();
        if let Some(known) = links.get(name) {
            return Arc::clone(known);
        }
        let link = self.start(Link::new(name.clone(), Destination::default()));
        links.insert(name.clone(), Arc::clone(&link));
        link
    }

    /// Routes the next commits up to `reached`, which the models have. Returns whether there may be more.
    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn route(
        &self,
        reader: &Reader,
        routing: &mut Routing,
        reached: Position,
    ) -> Result<bool, Stuck> {
        let mut routed = self.0.routed.lock().await;
        if *routed >= reached {
            return Ok(false);
        }
        let log = Arc::clone(reader.models().log());
        let limit = usize::try_from(reached.0 - routed.0).unwrap_or(PAGE).min(PAGE);
        let records = log.read(&Scope::All, *routed, limit).await?;
        let Some(last) = records.last().map(|record| record.position) else { return Ok(false) };
        let mut change = SenderChange::default();
        for commit in decode(&*log, &records).await? {
            self.queue(routing, &commit, &mut change).await?;
        }
        let mut safe = last;
        let links: Vec<_> = self.0.links.lock().values().cloned().collect();
        for link in links {
            let mut queue = link.queue.lock();
            if let Some(stored) = queue.fall_behind((self.0.clock)()) {
                change.ends.extend(
                    stored.into_iter().map(|(place, room)| (link.name.clone(), room, place)),
                );
                change.destinations.push((link.name.clone(), queue.state.clone()));
            }
            if let Some(first) = queue.first_pending() {
                safe = safe.min(Position(first.saturating_sub(1)));
            }
        }
        let is_behind = |(place, _): &&(Position, String)| *place <= safe;
        let passed = routing.passed_on.iter().take_while(is_behind).count();
        change.relayed.extend(routing.passed_on.drain(..passed).map(|(_, event)| event));
        // A message in a room of this server alone does not wait for a second file, nor write to it.
        if !change.is_empty() || safe.0 >= routing.stored.0.saturating_add(STORED_EVERY) {
            change.routed = Some(safe);
            // Events in memory are queued already, so a failure is tried again for the change alone.
            while let Err(error) = self.0.store.change_sender(change.clone()).await {
                tracing::warn!(%error, "cannot store the queues for other servers: trying again");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            routing.stored = safe;
        }
        *routed = last;
        for link in self.0.links.lock().values() {
            let queue = link.queue.lock();
            if !queue.pending.is_empty() || queue.state.is_behind {
                link.work.notify_one();
            }
        }
        Ok(true)
    }

    async fn queue(
        &self,
        routing: &mut Routing,
        commit: &Committed,
        change: &mut SenderChange,
    ) -> Result<(), StoreError> {
        let room = match commit.stream.split() {
            Some((StreamKind::Room, room)) => room,
            Some((StreamKind::User, user)) => {
                self.queue_receipts(&mut routing.audience, commit, user);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let Ok(room) = <&RoomId>::try_from(room) else { return Ok(()) };
        let room: OwnedRoomId = room.to_owned();
        for (index, event) in commit.room_events() {
            let Concerned { mut servers, newcomers } =
                routing.audience.of(&room, event, commit.position);
            self.introduce(&room, &newcomers);
            self.introduce_members(event, &servers);
            if servers.is_empty() || !self.leaves(event, commit.position, routing).await? {
                continue;
            }
            servers.remove(event.pdu.sender.server_name());
            let place: Place = (commit.position.0, u16::try_from(index).unwrap_or(u16::MAX));
            for server in servers {
                if !self.0.transport.access().allows(&server) {
                    continue;
                }
                let link = self.link(&server);
                let stored = link.queue.lock().push(place, &room);
                change.ends.extend(stored.map(|place| (server, room.clone(), place)));
            }
        }
        Ok(())
    }

    /// Tells these servers which users of this server joined by an event, and are there.
    fn introduce_members(&self, event: &RoomEvent, servers: &BTreeSet<OwnedServerName>) {
        if servers.is_empty() {
            return;
        }
        for change in event.state_changes().filter(|change| change.kind == "m.room.member") {
            let Ok(user) = <&UserId>::try_from(change.state_key) else { continue };
            let is_joined =
                change.holder.is_some_and(|it| Membership::of(it.pdu) == Membership::Join);
            if is_joined && user.server_name() == self.0.own_name {
                self.introduce_user(user, servers);
            }
        }
    }

    /// Gives the public receipts of a user of this server to the outboxes.
    fn queue_receipts(&self, audience: &mut Audience, commit: &Committed, user: &str) {
        let Ok(user) = <&UserId>::try_from(user) else { return };
        if user.server_name() != self.0.own_name {
            return;
        }
        for (index, _) in &commit.receipts {
            let Some(Ok(Fact::Account(AccountEvent::ReceiptMoved { room_id, event_id, .. }))) =
                commit.facts.get(*index)
            else {
                continue;
            };
            let servers = audience.before(room_id, commit.position);
            self.post(&servers, |outbox| {
                let key = (room_id.clone(), user.to_owned());
                outbox.receipt(key, event_id.clone(), commit.received.0);
            });
        }
    }

    /// Whether this server sends an event: its own ones, and those that it accepted for another server.
    async fn leaves(
        &self,
        event: &RoomEvent,
        position: Position,
        routing: &mut Routing,
    ) -> Result<bool, StoreError> {
        if event.envelope.status != EventStatus::Accepted {
            return Ok(false);
        }
        if event.pdu.sender.server_name() == self.0.own_name {
            return Ok(true);
        }
        if event.pdu.kind.to_string() != "m.room.member" {
            return Ok(false);
        }
        let is_relayed = self.0.store.is_relayed(&event.pdu.event_id).await?;
        if is_relayed {
            routing.passed_on.push_back((position, event.pdu.event_id.to_string()));
        }
        Ok(is_relayed)
    }
}
