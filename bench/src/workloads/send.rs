//! Sends messages that are durable when the answer comes, over HTTP and over WebSocket.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::{
    Error, http,
    raw::RawFile,
    report::{self, Run},
    seed::{Seed, names},
    server::Server,
    settings::Settings,
    socket::{self, Socket},
    speaker::{SEND, accepted, input},
    stats::{Samples, float},
};

/// Numbers of concurrent senders.
const SENDERS: [usize; 3] = [1, 16, 64];

/// Warm-up before the clock runs.
const WARM_UP: Duration = Duration::from_millis(300);

/// Turns between the server and the bare file in a run.
const TURNS: u32 = 4;

/// Approximate size of a stored message in the log.
const STORED_BYTES: usize = 700;

#[derive(Clone, Copy, PartialEq)]
enum Transport {
    Http,
    WebSocket,
}

/// The transport of messages.
#[derive(Clone, Copy)]
struct Way {
    transport: Transport,
    /// With action IDs, as the guide recommends.
    actions: bool,
}

/// The senders and their rooms.
#[derive(Clone)]
struct Sender {
    token: String,
    room: String,
    /// The number of the last action of the device, which may send in several rooms.
    last_action: Arc<AtomicU64>,
}

struct Stage {
    server: Server,
    /// Each sender in a separate room.
    apart: Vec<Sender>,
    /// All in one room.
    together: Vec<Sender>,
}

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let folder = settings.scratch()?;
    let stage = stage(settings, folder.path())?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    for (over, transport) in [("http", Transport::Http), ("websocket", Transport::WebSocket)] {
        for senders in SENDERS {
            for (rooms, people) in [("one", &stage.together), ("each", &stage.apart)] {
                if senders == 1 && rooms == "each" {
                    continue;
                }
                for actions in [false, true] {
                    let way = Way { transport, actions };
                    let people = &people[..senders];
                    let mut runs = Vec::new();
                    for _ in 0..settings.runs {
                        let mut file = RawFile::open(folder.path(), senders, STORED_BYTES)?;
                        let mut run =
                            measure(&runtime, &stage.server, way, people, &mut file, settings)?;
                        let raw = file.figures();
                        run.reference_rate = Some(raw.rate);
                        run.more.push(("reference_p50_ms", raw.p50_ms));
                        runs.push(run);
                    }
                    let parameters = json!({
                        "over": over, "senders": senders, "rooms": rooms, "actions": actions
                    });
                    report::print("send", parameters, &runs);
                }
            }
        }
    }
    Ok(())
}

fn stage(settings: &Settings, folder: &std::path::Path) -> Result<Stage, Error> {
    let data = folder.join("data");
    let mut seed = Seed::open(&data)?;
    let users = names("user", SENDERS.into_iter().max().unwrap_or(1));
    seed.users(&users)?;
    let tokens = seed.tokens(&users)?;
    let mut owned: Vec<_> = users.iter().map(|user| (user.clone(), format!("Of {user}"))).collect();
    owned.push((users[0].clone(), "Of all".to_owned()));
    let (mut rooms, _) = seed.rooms(&owned)?;
    let shared = rooms.pop().ok_or("there is no room")?;
    for user in &users[1..] {
        seed.join(&shared, user)?;
    }
    seed.close()?;
    let sender =
        |(token, room): (String, String)| Sender { token, room, last_action: Arc::default() };
    let rooms = rooms.iter().map(ToString::to_string);
    let apart: Vec<_> = tokens.into_iter().zip(rooms).map(sender).collect();
    let elsewhere = |sender: &Sender| Sender { room: shared.to_string(), ..sender.clone() };
    let together = apart.iter().map(elsewhere).collect();
    Ok(Stage { server: Server::start(&settings.program, &data)?, apart, together })
}

/// Lets all senders send and the bare file be written, in turns.
fn measure(
    runtime: &Runtime,
    server: &Server,
    way: Way,
    people: &[Sender],
    file: &mut RawFile,
    settings: &Settings,
) -> Result<Run, Error> {
    let mut voices = Vec::new();
    for sender in people {
        voices.push(runtime.block_on(Voice::open(server.address(), way, sender))?);
    }
    let mut turn = |duration| {
        runtime.block_on(async {
            let until = Instant::now() + duration;
            let speak = |voice: Voice| tokio::spawn(voice.speak(until));
            let tasks: Vec<_> = voices.drain(..).map(speak).collect();
            let mut samples = Samples::default();
            for task in tasks {
                let (voice, more) = task.await??;
                voices.push(voice);
                samples.extend(more);
            }
            Ok::<_, Error>(samples)
        })
    };
    turn(WARM_UP)?;
    let (mut samples, mut elapsed, mut used) = (Samples::default(), Duration::ZERO, 0.0);
    for _ in 0..TURNS {
        let before = server.processor_seconds()?;
        let started = Instant::now();
        samples.extend(turn(settings.duration / TURNS)?);
        elapsed += started.elapsed();
        used += server.processor_seconds()? - before;
        file.write_for(settings.duration / TURNS / 2)?;
    }
    let count = samples.len() as u64;
    let mut run = Run::new(count, elapsed, samples.latency());
    run.more = vec![("server_cpu_us_each", used * 1e6 / float(count.max(1)))];
    Ok(run)
}

enum Line {
    Http(http::Connection),
    WebSocket(Socket),
}

/// A sender with a connection.
struct Voice {
    line: Line,
    sender: Sender,
    actions: bool,
    /// The bytes to send. With action IDs they are built again for each message.
    request: Vec<u8>,
}

impl Voice {
    async fn open(address: &str, way: Way, sender: &Sender) -> Result<Self, Error> {
        let line = match way.transport {
            Transport::Http => Line::Http(http::Connection::open(address).await?),
            Transport::WebSocket => Line::WebSocket(Socket::open(address, &sender.token).await?),
        };
        let mut voice =
            Self { line, sender: sender.clone(), actions: way.actions, request: Vec::new() };
        voice.request = voice.request(None);
        Ok(voice)
    }

    fn request(&self, action: Option<u64>) -> Vec<u8> {
        let mut variables = input(&self.sender.room);
        if let Some(action) = action {
            variables["input"]["actionId"] = action.into();
        }
        match self.line {
            Line::Http(_) => http::request(&self.sender.token, SEND, &variables),
            Line::WebSocket(_) => socket::subscribe("1", SEND, &variables),
        }
    }

    /// Sends one message after the other.
    async fn speak(mut self, until: Instant) -> Result<(Self, Samples), Error> {
        let mut samples = Samples::default();
        loop {
            if self.actions {
                let action = self.sender.last_action.fetch_add(1, Ordering::Relaxed) + 1;
                self.request = self.request(Some(action));
            }
            let begun = Instant::now();
            match &mut self.line {
                Line::Http(connection) => accepted(connection.ask(&self.request).await?)?,
                Line::WebSocket(socket) => {
                    socket.send(&self.request).await?;
                    accepted(socket.next().await?)?;
                }
            }
            samples.push(begun.elapsed());
            if let Line::WebSocket(socket) = &mut self.line
                && !socket.next().await?.starts_with(br#"{"type":"complete""#)
            {
                return Err("an answer was not followed by `complete`".into());
            }
            if Instant::now() >= until {
                return Ok((self, samples));
            }
        }
    }
}
