//! Clients that reconnect after a restart of the server, all at once or from far behind, while
//! others go on talking.

use std::{cell::Cell, io::Write, time::Instant};

use rookery_domain::OwnedRoomId;
use rookery_log::SealedPosition;
use serde_json::{Value, json};
use tokio::{runtime::Builder, task::yield_now};

use super::hall::{FOLLOW, Hall, follow, position, subscription};
use crate::{
    Error,
    audience::{Audience, Listener},
    dataset::Dataset,
    files, http,
    phase::{self, Pace},
    report::{self, Run},
    seed::{Seed, names},
    server::Server,
    settings::Settings,
    socket::Socket,
    speaker::Speaker,
    stamp::{self, MARK},
    stats::float,
};

/// The group of the live listeners, and that of the returning clients.
const THERE: usize = 0;
const BACK: usize = 1;

/// The number of live listeners, and their messages each second.
const LISTENERS: usize = 20;
const RATE: f64 = 50.0;

/// The number of speakers among them, in turn, so that a slow answer delays no other message.
pub(in crate::workloads) const SPEAKERS: usize = 8;

/// Messages to them before any client returns.
const BEFORE: u64 = 100;

/// The number of different positions of the returning clients: nearby, but not the same.
const SPREAD: usize = 50;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// The text that each missed message contains once.
const MISSED: &[u8] = br#""text":"message "#;

/// Returning clients: their position, and the events that they receive until they have caught up.
struct Back {
    clients: Vec<(String, SealedPosition)>,
    mark: &'static [u8],
    events: u64,
    /// The number of commits that they have missed together, delivered or not.
    missed: u64,
}

/// A room of the live listeners.
pub(in crate::workloads) struct Talk {
    pub(in crate::workloads) tokens: Vec<String>,
    pub(in crate::workloads) room: String,
}

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    files::enough_for(2 * settings.storm + LISTENERS)?;
    many(settings)?;
    one(settings)
}

/// Many clients that have missed little.
fn many(settings: &Settings) -> Result<(), Error> {
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    let hall = Hall::build(&data, settings.storm, 0)?;
    let talk = Talk::make(Seed::open(&data)?)?;
    let mut runs = Vec::new();
    for _ in 0..settings.runs {
        // Each of these messages is a commit, and they are the last of the log.
        let said = settings.missed + SPREAD;
        Hall::talk(&data, &hall.room, said as u64)?;
        let server = Server::start(&settings.program, &data)?;
        let listener = hall.listeners.first().ok_or("nobody listens")?;
        // The position of each of these messages, and of the message before them.
        let positions = positions(&server, listener, &hall.room, Page::Last(said + 1))?;
        let missed = |index: usize| (said - index % SPREAD) as u64;
        let clients = hall.listeners.iter().enumerate();
        let clients = clients.map(|(index, token)| (token.clone(), positions[index % SPREAD]));
        let events = (0..hall.listeners.len()).map(missed).sum();
        let back = Back { clients: clients.collect(), mark: MISSED, events, missed: events };
        runs.push(come_back(&server, &talk, &back)?);
    }
    let missed = settings.missed + SPREAD / 2;
    report::print("storm", json!({ "clients": settings.storm, "missed": missed }), &runs);
    Ok(())
}

/// One client that has missed a whole history.
fn one(settings: &Settings) -> Result<(), Error> {
    let dataset = Dataset::of(settings, settings.history_events)?;
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    dataset.copy_to(&data)?;
    let talk = Talk::make(Seed::open(&data)?)?;
    let mut seed = Seed::open(&data)?;
    // Events come in order, so a client that has this one has all earlier ones.
    seed.say(&OwnedRoomId::try_from(dataset.room.as_str())?, "user0", stamp::UNSENT.to_owned())?;
    seed.close()?;
    let mut runs = Vec::new();
    for _ in 0..settings.runs {
        let server = Server::start(&settings.program, &data)?;
        let positions = positions(&server, dataset.token(), &dataset.room, Page::First)?;
        let clients = vec![(dataset.token().to_owned(), positions[0])];
        let back = Back { clients, mark: MARK, events: 1, missed: settings.history_events };
        runs.push(come_back(&server, &talk, &back)?);
    }
    report::print("storm", json!({ "clients": 1, "missed": settings.history_events }), &runs);
    Ok(())
}

/// A selection of a room's events.
#[derive(Clone, Copy)]
enum Page {
    /// The first event.
    First,
    /// This number of events at the end.
    Last(usize),
}

/// The positions of events of a room, oldest first, as the server returned them.
fn positions(
    server: &Server,
    token: &str,
    room: &str,
    page: Page,
) -> Result<Vec<SealedPosition>, Error> {
    const DOCUMENT: &str = "query($room: RoomID!, $first: Int, $last: Int, $before: Cursor) {
        room(by: { roomId: $room }) { timeline(first: $first, last: $last, before: $before) {
            nodes { position } pageInfo { startCursor } } } }";
    const PAGE_MAX: usize = 100;
    let wanted = match page {
        Page::First => 1,
        Page::Last(wanted) => wanted,
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = http::Connection::open(server.address()).await?;
        let (mut found, mut before) = (Vec::with_capacity(wanted), Value::Null);
        while found.len() < wanted {
            let limit = PAGE_MAX.min(wanted - found.len());
            let variables = match page {
                Page::First => json!({ "room": room, "first": limit }),
                Page::Last(_) => json!({ "room": room, "last": limit, "before": before }),
            };
            let answer = connection.run(token, DOCUMENT, &variables).await?;
            let timeline = &answer["room"]["timeline"];
            let nodes = timeline["nodes"].as_array().filter(|nodes| !nodes.is_empty());
            for node in nodes.ok_or("the room has fewer events than that")?.iter().rev() {
                let position = node["position"].as_str().ok_or("an event has no position")?;
                found.push(position.parse()?);
            }
            before = timeline["pageInfo"]["startCursor"].clone();
        }
        found.reverse();
        Ok(found)
    })
}

/// Lets the clients return while the others talk.
fn come_back(server: &Server, talk: &Talk, back: &Back) -> Result<Run, Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let tail = position(server, &talk.tokens[0]).await?;
        let mut listeners = Vec::new();
        for token in &talk.tokens {
            listeners.push(follow(server, token, FOLLOW, tail, THERE).await?);
        }
        let mut returning = Vec::new();
        for (token, after) in &back.clients {
            let listener = Listener::new(Socket::open(server.address(), token).await?, BACK)?;
            returning.push((listener.handle()?, subscription(FOLLOW, *after)));
            listeners.push(listener);
        }
        let audience = Audience::start(Instant::now(), listeners, &[MARK, back.mark])?;
        let (address, count) = (server.address(), talk.tokens.len());
        let mut speakers = Vec::new();
        for token in talk.tokens.iter().take(SPEAKERS) {
            speakers.push(Speaker::member(address, token, &talk.room, count).await?);
        }
        server.settle().await?;
        let pace = Pace::PerSecond(RATE);
        let calm = phase::measure(server, &audience, &mut speakers, pace, BEFORE).await?;
        let (used, read) = (server.processor_seconds()?, server.bytes_read()?);
        audience.reset(THERE, u64::MAX);
        audience.reset(BACK, back.events);
        let started = Instant::now();
        let caught_up = Cell::new(None);
        let catching_up = async {
            for (handle, subscription) in &mut returning {
                handle.write_all(subscription)?;
                yield_now().await;
            }
            audience.wait(BACK, back.events).await?;
            caught_up.set(Some(started.elapsed()));
            Ok::<_, Error>(())
        };
        let done = || caught_up.get().is_some();
        let talking = phase::speak_until(&audience, &mut speakers, RATE, done);
        let ((), deliveries) = tokio::try_join!(catching_up, talking)?;
        let used = server.processor_seconds()? - used;
        let read = server.bytes_read()? - read;
        audience.wait(THERE, deliveries).await?;
        let heard = audience.tally(BACK);
        let elapsed = caught_up.get().ok_or("nobody has caught up")?;
        let mut run = Run::new(back.missed, elapsed, audience.tally(THERE).samples.latency());
        run.more = vec![
            ("server_cpu_s", used),
            ("server_cpu_us_each", used * 1e6 / float(back.missed.max(1))),
            ("sent_mib", float(heard.bytes) / MEBIBYTE),
            ("read_mib", read / MEBIBYTE),
        ];
        if let Some(latency) = calm.latency() {
            run.more.push(("reference_p50_ms", latency.p50_ms));
            run.more.push(("reference_p99_ms", latency.p99_ms));
            run.more.extend(latency.p999_ms.map(|p999| ("reference_p999_ms", p999)));
        }
        Ok(run)
    })
}

impl Talk {
    /// Creates the room, and closes the data directory.
    ///
    /// # Errors
    /// If it cannot be filled.
    pub(in crate::workloads) fn make(mut seed: Seed) -> Result<Self, Error> {
        let users = names("talker", LISTENERS);
        seed.users(&users)?;
        let tokens = seed.tokens(&users)?;
        let (rooms, _) = seed.rooms(&[(users[0].clone(), "Talk".to_owned())])?;
        for user in &users[1..] {
            seed.join(&rooms[0], user)?;
        }
        seed.close()?;
        Ok(Self { tokens, room: rooms[0].to_string() })
    }
}
