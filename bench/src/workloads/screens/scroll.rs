//! Scrolls back in a long room: pages at the end, in the middle and near the beginning.

use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::{
    home::measure,
    screen::{PAGE, page, scroll},
};
use crate::{
    Error, http, report,
    seed::{Seed, chatter, names},
    server::Server,
    settings::Settings,
};

/// Events after the deepest pages, and a few pages more.
const ROOM_EVENTS_MIN: usize = 20_000;

/// Events on a page.
const PAGE_EVENTS: usize = 50;

/// Successive pages at each depth.
const PAGES: usize = 10;

/// Pages in each run.
const ASKED: usize = 500;

/// Members who speak in turn.
const MEMBERS: usize = 10;

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    let deepest = settings.depths.iter().copied().max().unwrap_or(0);
    let events = ROOM_EVENTS_MIN.max(deepest + PAGE_EVENTS * PAGES);
    let users = names("user", MEMBERS);
    let mut seed = Seed::open(&data)?;
    seed.users(&users)?;
    let token = seed.tokens(&users[..1])?.remove(0);
    let (rooms, _) = seed.rooms(&[(users[0].clone(), "Long".to_owned())])?;
    for user in &users[1..] {
        seed.join(&rooms[0], user)?;
    }
    for number in 0..events {
        seed.say(&rooms[0], &users[number % MEMBERS], chatter(number as u64))?;
    }
    seed.close()?;
    let room = rooms[0].to_string();
    let server = Server::start(&settings.program, &data)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    for depth in &settings.depths {
        let requests = runtime.block_on(async {
            let mut connection = http::Connection::open(server.address()).await?;
            let mut before = scroll(&mut connection, &token, &room, Value::Null, *depth).await?;
            let mut requests = Vec::new();
            for _ in 0..PAGES {
                requests.push(http::request(&token, PAGE, &page(&room, PAGE_EVENTS, &before)));
                before = scroll(&mut connection, &token, &room, before, PAGE_EVENTS).await?;
            }
            Ok::<_, Error>(requests)
        })?;
        let mut runs = Vec::new();
        for _ in 0..settings.runs {
            runs.push(runtime.block_on(measure(&server, &requests, ASKED))?);
        }
        let parameters = json!({ "depth": depth, "page": PAGE_EVENTS, "events": events });
        report::print("scroll", parameters, &runs);
    }
    Ok(())
}
