//! Rooms with short and with long histories: sends, and the first page of their timelines. Neither
//! may cost more in a long room.

use std::{path::Path, time::Instant};

use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::{
    home,
    screen::{PAGE, ask_in_turn, page},
};
use crate::{
    Error, http, raw,
    report::{self, Run},
    seed::{Seed, chatter, names},
    server::Server,
    settings::Settings,
    speaker::{SEND, accepted, input},
    stats::float,
};

/// Messages sent, and pages requested, in each run.
const ASKED: usize = 500;

/// Events on a page; fewer in a shorter room.
const PAGE_EVENTS: usize = 50;

/// Approximate size of a stored message in the log.
const STORED_BYTES: usize = 700;

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    let users = names("user", 1);
    let mut seed = Seed::open(&data)?;
    seed.users(&users)?;
    let token = seed.tokens(&users)?.remove(0);
    let owned: Vec<_> =
        settings.long.iter().map(|events| (users[0].clone(), format!("Of {events}"))).collect();
    let (rooms, _) = seed.rooms(&owned)?;
    for (room, events) in rooms.iter().zip(&settings.long) {
        for number in 0..*events {
            seed.say(room, &users[0], chatter(number as u64))?;
        }
    }
    seed.close()?;
    for (room, events) in rooms.iter().zip(&settings.long) {
        // A server that has just started: it has read its knowledge of the room from the disk.
        let server = Server::start(&settings.program, &data)?;
        let (mut pages, mut sends) = (Vec::new(), Vec::new());
        for _ in 0..settings.runs {
            pages.push(first_page(&server, &token, room.as_str())?);
            sends.push(send(settings, &server, folder.path(), &token, room.as_str())?);
        }
        report::print("long", json!({ "events": events, "work": "first page" }), &pages);
        report::print("long", json!({ "events": events, "work": "send" }), &sends);
    }
    Ok(())
}

fn first_page(server: &Server, token: &str, room: &str) -> Result<Run, Error> {
    let request = http::request(token, PAGE, &page(room, PAGE_EVENTS, &Value::Null));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(home::measure(server, &[request], ASKED))
}

fn send(
    settings: &Settings,
    server: &Server,
    folder: &Path,
    token: &str,
    room: &str,
) -> Result<Run, Error> {
    let request = [http::request(token, SEND, &input(room))];
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut run = runtime.block_on(async {
        let mut connection = http::Connection::open(server.address()).await?;
        accepted(connection.ask(&request[0]).await?)?;
        let before = server.processor_seconds()?;
        let started = Instant::now();
        let samples = ask_in_turn(&mut connection, &request, ASKED).await?;
        let mut run = Run::new(ASKED as u64, started.elapsed(), samples.latency());
        let used = server.processor_seconds()? - before;
        run.more = vec![("server_cpu_us_each", used * 1e6 / float(ASKED))];
        Ok::<_, Error>(run)
    })?;
    let raw = raw::append(folder, 1, STORED_BYTES, settings.duration / 4)?;
    run.reference_rate = Some(raw.rate);
    run.more.push(("reference_p50_ms", raw.p50_ms));
    Ok(run)
}
