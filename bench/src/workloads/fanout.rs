//! One speaks, many listen: beside a bare WebSocket server that sends the same bytes.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use memchr::memmem::Finder;
use parking_lot::Mutex;
use serde_json::json;
use tokio::{
    runtime::{Builder, Runtime},
    sync::Notify,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::send::{SEND, accepted, input};
use crate::{
    Error,
    broadcast::Broadcast,
    http,
    report::{self, Run},
    seed::{Seed, names},
    server::Server,
    settings::Settings,
    socket::{self, Socket},
    stats::{Latency, Samples, float},
};

/// Messages that are sent one at a time.
const SINGLE_MESSAGES: u64 = 200;

/// Connections over which a burst is sent.
const BURST_SENDERS: usize = 8;

/// How long deliveries may take until a measurement is given up.
const DELIVERY_MAX: Duration = Duration::from_mins(1);

/// What stands once in each event.
const EVENT: &[u8] = br#""__typename":"RoomEvent""#;

const FOLLOW: &str = "subscription($after: Position) { eventStream(after: $after) { position
    events { __typename ... on RoomEvent {
        eventId type sequence text sentAt sender { userId } room { roomId } } } } }";

/// What all listeners together have heard.
struct Heard {
    begun: Instant,
    /// When the last message was sent, in nanoseconds since `begun`.
    sent: AtomicU64,
    events: AtomicU64,
    frames: AtomicU64,
    target: AtomicU64,
    reached: Notify,
    samples: Mutex<Samples>,
    sample: Mutex<Option<Utf8Bytes>>,
}

/// A measured phase.
struct Phase {
    deliveries: u64,
    frames: u64,
    elapsed: Duration,
    latency: Option<Latency>,
}

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let most = settings.listeners.iter().copied().max().unwrap_or(0);
    for count in &settings.listeners {
        let folder = settings.scratch()?;
        let data = folder.path().join("data");
        let (tokens, room) = fill(&data, (*count).min(most))?;
        let (mut single, mut burst) = (Vec::new(), Vec::new());
        for _ in 0..settings.runs {
            let server = Server::start(&settings.program, &data)?;
            let (one, many) = measure(settings, &server, &tokens, &room)?;
            single.push(one);
            burst.push(many);
        }
        report::print(
            "fanout",
            json!({ "listeners": count, "messages": "one at a time" }),
            &single,
        );
        report::print("fanout", json!({ "listeners": count, "messages": "burst" }), &burst);
    }
    Ok(())
}

fn fill(data: &Path, listeners: usize) -> Result<(Vec<String>, String), Error> {
    let users = names("user", listeners + 1);
    let mut seed = Seed::open(data)?;
    seed.users(&users)?;
    let tokens = seed.tokens(&users)?;
    let (rooms, _) = seed.rooms(&[(users[0].clone(), "Hall".to_owned())])?;
    for user in &users[1..] {
        seed.join(&rooms[0], user)?;
    }
    seed.close()?;
    Ok((tokens, rooms[0].to_string()))
}

/// One at a time, then all at once.
fn measure(
    settings: &Settings,
    server: &Server,
    tokens: &[String],
    room: &str,
) -> Result<(Run, Run), Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listeners = tokens.len() - 1;
    let messages = (settings.deliveries / listeners).max(1) as u64;
    let heard = Arc::new(Heard::new());
    let tasks = runtime.block_on(listen(server, &tokens[1..], &heard))?;
    let request = http::request(&tokens[0], SEND, &input(room));
    let before = server.processor_seconds()?;
    let one = runtime.block_on(async {
        let mut connection = http::Connection::open(server.address()).await?;
        let answer = async || accepted(connection.ask(&request).await?);
        heard.one_at_a_time(listeners, answer).await
    })?;
    let between = server.processor_seconds()?;
    let many = runtime.block_on(async {
        heard.burst(listeners, messages, send_all(server.address(), &request, messages)).await
    })?;
    let after = server.processor_seconds()?;
    tasks.iter().for_each(JoinHandle::abort);
    drop(runtime);
    let text = heard.sample.lock().clone().ok_or("nobody heard anything")?;
    let (bare_one, bare_many) = reference(listeners, messages, &text)?;
    let run = |phase: &Phase, bare: &Phase, used: f64| {
        let mut run = Run::new(phase.deliveries, phase.elapsed, phase.latency);
        run.reference_rate = Run::new(bare.deliveries, bare.elapsed, None).rate();
        run.more = vec![
            ("server_cpu_us_each", used * 1e6 / float(phase.deliveries.max(1))),
            ("events_per_frame", float(phase.deliveries) / float(phase.frames.max(1))),
            ("bytes", float(text.len())),
        ];
        if let Some(latency) = bare.latency {
            run.more.push(("reference_p50_ms", latency.p50_ms));
            run.more.push(("reference_p99_ms", latency.p99_ms));
        }
        run
    };
    Ok((run(&one, &bare_one, between - before), run(&many, &bare_many, after - between)))
}

/// The same messages to as many listeners of a bare server.
fn reference(listeners: usize, messages: u64, text: &Utf8Bytes) -> Result<(Phase, Phase), Error> {
    let runtime: Runtime = Builder::new_current_thread().enable_all().build()?;
    let server = Broadcast::start()?;
    let heard = Arc::new(Heard::new());
    runtime.block_on(async {
        for _ in 0..listeners {
            let socket = Socket::connect(&server.address()).await?;
            tokio::spawn(Arc::clone(&heard).hear(socket));
        }
        let one = heard.one_at_a_time(listeners, async || {
            server.send(text);
            Ok(())
        });
        let one = one.await?;
        let all = async {
            (0..messages).for_each(|_| server.send(text));
            Ok(())
        };
        let many = heard.burst(listeners, messages, all).await?;
        Ok((one, many))
    })
}

/// Subscribes each from the same position on, so that nobody misses the first message.
async fn listen(
    server: &Server,
    tokens: &[String],
    heard: &Arc<Heard>,
) -> Result<Vec<JoinHandle<()>>, Error> {
    let mut connection = http::Connection::open(server.address()).await?;
    let document = "{ viewer { position } }";
    let answer = connection.run(&tokens[0], document, &json!({})).await?;
    let follow = socket::subscribe("1", FOLLOW, &json!({ "after": answer["viewer"]["position"] }));
    let mut tasks = Vec::new();
    for token in tokens {
        let mut socket = Socket::open(server.address(), token).await?;
        socket.send(&follow).await?;
        tasks.push(tokio::spawn(Arc::clone(heard).hear(socket)));
    }
    Ok(tasks)
}

async fn send_all(address: &str, request: &[u8], messages: u64) -> Result<(), Error> {
    let left = Arc::new(AtomicU64::new(messages));
    let mut tasks = Vec::new();
    for _ in 0..BURST_SENDERS {
        let (left, request) = (Arc::clone(&left), request.to_vec());
        let mut connection = http::Connection::open(address).await?;
        tasks.push(tokio::spawn(async move {
            let take = |left: u64| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                accepted(connection.ask(&request).await?)?;
            }
            Ok::<_, Error>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

impl Heard {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            sent: AtomicU64::new(0),
            events: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            target: AtomicU64::new(u64::MAX),
            reached: Notify::new(),
            samples: Mutex::default(),
            sample: Mutex::default(),
        }
    }

    /// Counts what one socket delivers, until it closes.
    async fn hear(self: Arc<Self>, mut socket: Socket) {
        let finder = Finder::new(EVENT);
        while let Ok(text) = socket.next().await {
            let events = finder.find_iter(text).count() as u64;
            if self.sample.lock().is_none() && events == 1 {
                *self.sample.lock() = String::from_utf8(text.to_vec()).ok().map(Into::into);
            }
            self.count(events);
        }
    }

    fn count(&self, events: u64) {
        let sent = Duration::from_nanos(self.sent.load(Ordering::Relaxed));
        self.samples.lock().push(self.begun.elapsed().saturating_sub(sent));
        self.frames.fetch_add(1, Ordering::Relaxed);
        let now = self.events.fetch_add(events, Ordering::Relaxed) + events;
        if now >= self.target.load(Ordering::Relaxed) {
            self.reached.notify_one();
        }
    }

    /// Sends a message when the one before has reached everybody.
    async fn one_at_a_time(
        &self,
        listeners: usize,
        mut send: impl AsyncFnMut() -> Result<(), Error>,
    ) -> Result<Phase, Error> {
        self.reset();
        let started = Instant::now();
        for number in 1..=SINGLE_MESSAGES {
            self.target.store(number * listeners as u64, Ordering::Relaxed);
            let now = u64::try_from(self.begun.elapsed().as_nanos())?;
            self.sent.store(now, Ordering::Relaxed);
            send().await?;
            self.wait().await?;
        }
        Ok(self.phase(started, true))
    }

    /// Sends all messages without waiting.
    async fn burst(
        &self,
        listeners: usize,
        messages: u64,
        send: impl Future<Output = Result<(), Error>>,
    ) -> Result<Phase, Error> {
        self.reset();
        self.target.store(messages * listeners as u64, Ordering::Relaxed);
        let started = Instant::now();
        send.await?;
        self.wait().await?;
        Ok(self.phase(started, false))
    }

    fn reset(&self) {
        self.events.store(0, Ordering::Relaxed);
        self.frames.store(0, Ordering::Relaxed);
        *self.samples.lock() = Samples::default();
    }

    async fn wait(&self) -> Result<(), Error> {
        while self.events.load(Ordering::Relaxed) < self.target.load(Ordering::Relaxed) {
            timeout(DELIVERY_MAX, self.reached.notified()).await.map_err(|_| {
                let (events, target) = (&self.events, &self.target);
                format!("only {events:?} of {target:?} deliveries came")
            })?;
        }
        Ok(())
    }

    fn phase(&self, started: Instant, with_latency: bool) -> Phase {
        let samples = std::mem::take(&mut *self.samples.lock());
        Phase {
            deliveries: self.events.load(Ordering::Relaxed),
            frames: self.frames.load(Ordering::Relaxed),
            elapsed: started.elapsed(),
            latency: samples.latency().filter(|_| with_latency),
        }
    }
}
