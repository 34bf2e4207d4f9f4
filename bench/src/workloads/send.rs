//! Sending messages that are durable when the answer comes, over HTTP and over WebSocket.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::{
    Error, http, raw,
    report::{self, Run},
    seed::{Seed, names},
    server::Server,
    settings::Settings,
    socket::{self, Socket},
    speaker::{SEND, accepted, input},
    stats::{Samples, float},
};

/// How many send at the same time.
const SENDERS: [usize; 3] = [1, 16, 64];

/// Time before the clock runs.
const WARM_UP: Duration = Duration::from_millis(300);

/// What a stored message takes in the log, about.
const STORED_BYTES: usize = 700;

#[derive(Clone, Copy, PartialEq)]
enum Transport {
    Http,
    WebSocket,
}

/// Who sends, and where.
struct Sender {
    token: String,
    room: String,
}

struct Stage {
    server: Server,
    /// Each in a room of her own.
    apart: Vec<Sender>,
    /// All in one room.
    together: Vec<Sender>,
}

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let folder = settings.scratch()?;
    let stage = stage(settings, folder.path())?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    for transport in [Transport::Http, Transport::WebSocket] {
        for senders in SENDERS {
            for (rooms, people) in [("one", &stage.together), ("each", &stage.apart)] {
                if senders == 1 && rooms == "each" {
                    continue;
                }
                let mut runs = Vec::new();
                for _ in 0..settings.runs {
                    let people = &people[..senders];
                    let mut run = measure(&runtime, &stage.server, transport, people, settings)?;
                    let half = settings.duration / 2;
                    let raw = raw::append(folder.path(), senders, STORED_BYTES, half)?;
                    run.reference_rate = Some(raw.rate);
                    run.more.push(("reference_p50_ms", raw.p50_ms));
                    runs.push(run);
                }
                let over = if transport == Transport::Http { "http" } else { "websocket" };
                let parameters = json!({ "over": over, "senders": senders, "rooms": rooms });
                report::print("send", parameters, &runs);
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
    let apart = tokens.iter().zip(rooms);
    let apart = apart.map(|(token, room)| Sender { token: token.clone(), room: room.to_string() });
    let apart = apart.collect();
    let together = tokens.into_iter().map(|token| Sender { token, room: shared.to_string() });
    let together = together.collect();
    Ok(Stage { server: Server::start(&settings.program, &data)?, apart, together })
}

fn measure(
    runtime: &Runtime,
    server: &Server,
    transport: Transport,
    people: &[Sender],
    settings: &Settings,
) -> Result<Run, Error> {
    let all = |duration| {
        runtime.block_on(async {
            let until = Instant::now() + duration;
            let tasks: Vec<_> = people
                .iter()
                .map(|sender| {
                    let (address, token) = (server.address().to_owned(), sender.token.clone());
                    let variables = input(&sender.room);
                    tokio::spawn(async move {
                        match transport {
                            Transport::Http => post(&address, &token, &variables, until).await,
                            Transport::WebSocket => talk(&address, &token, &variables, until).await,
                        }
                    })
                })
                .collect();
            let mut samples = Samples::default();
            for task in tasks {
                samples.extend(task.await??);
            }
            Ok::<_, Error>(samples)
        })
    };
    all(WARM_UP)?;
    let before = server.processor_seconds()?;
    let started = Instant::now();
    let samples = all(settings.duration)?;
    let (elapsed, count) = (started.elapsed(), samples.len() as u64);
    let used = server.processor_seconds()? - before;
    let mut run = Run::new(count, elapsed, samples.latency());
    run.more = vec![("server_cpu_us_each", used * 1e6 / float(count.max(1)))];
    Ok(run)
}

async fn post(
    address: &str,
    token: &str,
    variables: &Value,
    until: Instant,
) -> Result<Samples, Error> {
    let request = http::request(token, SEND, variables);
    let mut connection = http::Connection::open(address).await?;
    let mut samples = Samples::default();
    loop {
        let begun = Instant::now();
        if begun >= until {
            return Ok(samples);
        }
        accepted(connection.ask(&request).await?)?;
        samples.push(begun.elapsed());
    }
}

async fn talk(
    address: &str,
    token: &str,
    variables: &Value,
    until: Instant,
) -> Result<Samples, Error> {
    let request = socket::subscribe("1", SEND, variables);
    let mut socket = Socket::open(address, token).await?;
    let mut samples = Samples::default();
    loop {
        let begun = Instant::now();
        if begun >= until {
            return Ok(samples);
        }
        socket.send(&request).await?;
        accepted(socket.next().await?)?;
        samples.push(begun.elapsed());
        if !socket.next().await?.starts_with(br#"{"type":"complete""#) {
            return Err("an answer was not followed by `complete`".into());
        }
    }
}
