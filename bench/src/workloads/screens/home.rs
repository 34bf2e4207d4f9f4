//! The home screen of users with few and with many rooms.

use std::time::Instant;

use serde_json::json;
use tokio::runtime::Builder;

use super::screen::{HOME, ask_in_turn};
use crate::{
    Error, http,
    report::{self, Run},
    seed::{Seed, chatter, names},
    server::Server,
    settings::Settings,
    stats::float,
};

/// Home screens in each run.
const SCREENS: usize = 500;

/// Messages in each room.
const MESSAGES: u64 = 3;

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    let users = names("user", settings.rooms.len());
    let mut seed = Seed::open(&data)?;
    seed.users(&users)?;
    let tokens = seed.tokens(&users)?;
    for (user, count) in users.iter().zip(&settings.rooms) {
        let owned: Vec<_> =
            (0..*count).map(|room| (user.clone(), format!("Room {room}"))).collect();
        let (rooms, _) = seed.rooms(&owned)?;
        for (number, room) in rooms.iter().enumerate() {
            for message in 0..MESSAGES {
                seed.say(room, user, chatter(number as u64 + message))?;
            }
        }
    }
    seed.close()?;
    let server = Server::start(&settings.program, &data)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    for (token, rooms) in tokens.iter().zip(&settings.rooms) {
        let request = [http::request(token, HOME, &json!({}))];
        let mut runs = Vec::new();
        for _ in 0..settings.runs {
            runs.push(runtime.block_on(measure(&server, &request, SCREENS))?);
        }
        report::print("home", json!({ "rooms": rooms, "page": 20 }), &runs);
    }
    Ok(())
}

/// Requests screens one at a time, and beside them an empty page of the same server.
pub(super) async fn measure(
    server: &Server,
    requests: &[Vec<u8>],
    count: usize,
) -> Result<Run, Error> {
    let mut connection = http::Connection::open(server.address()).await?;
    let bytes = connection.ask(&requests[0]).await?.len();
    ask_in_turn(&mut connection, requests, count / 10).await?;
    let before = server.processor_seconds()?;
    let started = Instant::now();
    let samples = ask_in_turn(&mut connection, requests, count).await?;
    let elapsed = started.elapsed();
    let used = server.processor_seconds()? - before;
    let begun = Instant::now();
    let bare = ask_in_turn(&mut connection, &[http::page("/healthz")], count).await?;
    let mut run = Run::new(count as u64, elapsed, samples.latency());
    run.reference_rate = Some(float(count) / begun.elapsed().as_secs_f64());
    run.more = vec![
        ("server_cpu_us_each", used * 1e6 / float(count)),
        ("bytes", float(bytes)),
        ("reference_p50_ms", bare.latency().map_or(0.0, |latency| latency.p50_ms)),
    ];
    Ok(run)
}
