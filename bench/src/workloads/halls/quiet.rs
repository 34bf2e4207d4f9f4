//! Many sockets in rooms without events, while two users talk in another room: the cost of these
//! sockets for each foreign message.

use std::time::Instant;

use serde_json::json;
use tokio::runtime::Builder;

use super::hall::{FOLLOW, follow, position};
use crate::{
    Error,
    audience::Audience,
    files,
    phase::{self, Pace},
    report::{self, Run},
    seed::{Seed, names},
    server::Server,
    settings::Settings,
    speaker::Speaker,
    stamp::MARK,
};

/// Members of a room without events.
const MEMBERS: usize = 10;

/// Messages between the two users.
const MESSAGES: u64 = 300;

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    files::enough_for(settings.quiet)?;
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    let users = names("user", settings.quiet + 2);
    let mut seed = Seed::open(&data)?;
    seed.users(&users)?;
    let tokens = seed.tokens(&users)?;
    // The two speakers come first; the others share rooms of ten.
    let (two, others) = users.split_at(2);
    let mut owned = vec![(two[0].clone(), "Busy".to_owned())];
    owned.extend(others.iter().step_by(MEMBERS).map(|owner| (owner.clone(), "Quiet".to_owned())));
    let (rooms, _) = seed.rooms(&owned)?;
    seed.join(&rooms[0], &two[1])?;
    for (room, members) in rooms[1..].iter().zip(others.chunks(MEMBERS)) {
        for member in &members[1..] {
            seed.join(room, member)?;
        }
    }
    seed.close()?;
    let mut runs = Vec::new();
    for _ in 0..settings.runs {
        let server = Server::start(&settings.program, &data)?;
        runs.push(measure(&server, &tokens, rooms[0].as_str())?);
    }
    report::print("quiet", json!({ "sockets": settings.quiet, "members": MEMBERS }), &runs);
    Ok(())
}

fn measure(server: &Server, tokens: &[String], room: &str) -> Result<Run, Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (two, others) = tokens.split_at(2);
        let after = position(server, &two[0]).await?;
        let mut listeners = Vec::new();
        for token in two {
            listeners.push(follow(server, token, FOLLOW, after, 0).await?);
        }
        let audience = Audience::start(Instant::now(), listeners, &[MARK])?;
        let mut speakers = [Speaker::member(server.address(), &two[0], room, 2).await?];
        let one = Pace::OneAtATime;
        server.settle().await?;
        let alone = phase::measure(server, &audience, &mut speakers, one, MESSAGES).await?;
        let after = position(server, &two[0]).await?;
        let mut sleepers = Vec::new();
        for token in others {
            sleepers.push(follow(server, token, FOLLOW, after, 0).await?);
        }
        let sleepers = Audience::start(Instant::now(), sleepers, &[MARK])?;
        server.settle().await?;
        let among = phase::measure(server, &audience, &mut speakers, one, MESSAGES).await?;
        if sleepers.tally(0).events > 0 {
            return Err("a listener received a message of another room".into());
        }
        let mut run = among.run();
        run.reference_rate = alone.run().rate();
        run.more = vec![
            ("server_cpu_us_per_message", among.server_micros_per_message()),
            ("reference_cpu_us_per_message", alone.server_micros_per_message()),
        ];
        let latency = alone.latency();
        run.more.extend(latency.map(|latency| ("reference_p50_ms", latency.p50_ms)));
        run.more.extend(latency.map(|latency| ("reference_p99_ms", latency.p99_ms)));
        Ok(run)
    })
}
