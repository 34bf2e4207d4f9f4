//! Memory with a long history: at rest, after scrolling, and for each idle subscription.

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::screen::{HOME, scroll};
use crate::{
    Error,
    dataset::Dataset,
    http,
    report::{self, Run},
    server::{Memory, Server},
    settings::Settings,
    socket::{self, Socket},
    stats::float,
};

/// Events that are scrolled over in the longest room.
const SCROLLED: usize = 5_000;

const FOLLOW: &str = "subscription { eventStream { position events { __typename
    ... on RoomEvent { eventId type sequence text } } } }";

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let dataset = Dataset::of(settings, settings.history_events)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut runs = Vec::new();
    for _ in 0..settings.runs {
        let server = Server::start(&settings.program, &dataset.folder)?;
        let mut connection = runtime.block_on(http::Connection::open(server.address()))?;
        runtime.block_on(connection.run(dataset.token(), HOME, &json!({})))?;
        let home = server.memory()?;
        let (token, room) = (dataset.token(), dataset.room.as_str());
        let steps = SCROLLED.min(usize::try_from(settings.history_events / 40)?);
        runtime.block_on(scroll(&mut connection, token, room, Value::Null, steps))?;
        let scrolled = server.memory()?;
        let (followed, sockets) = follow(&runtime, &server, &dataset, settings.sockets)?;
        let mut run = Run::new(sockets as u64, std::time::Duration::ZERO, None);
        let each = (followed.anonymous - scrolled.anonymous) * 1024.0 / float(sockets.max(1));
        run.more = vec![
            ("resident_mib", home.resident),
            ("anonymous_mib", home.anonymous),
            ("scrolled_resident_mib", scrolled.resident),
            ("scrolled_anonymous_mib", scrolled.anonymous),
            ("followed_resident_mib", followed.resident),
            ("subscription_kib", each),
        ];
        runs.push(run);
    }
    let parameters = json!({ "events": settings.history_events, "sockets": settings.sockets });
    report::print("memory", parameters, &runs);
    Ok(())
}

/// Opens sockets that follow the stream and hear nothing.
fn follow(
    runtime: &Runtime,
    server: &Server,
    dataset: &Dataset,
    count: usize,
) -> Result<(Memory, usize), Error> {
    let follow = socket::subscribe("1", FOLLOW, &json!({}));
    let ask = socket::subscribe("2", "{ server { name } }", &json!({}));
    runtime.block_on(async {
        let mut sockets = Vec::with_capacity(count);
        for token in dataset.tokens.iter().cycle().take(count) {
            let mut socket = Socket::open(server.address(), token).await?;
            socket.send(&follow).await?;
            // The answer to the second tells that the first is there.
            socket.send(&ask).await?;
            socket.next().await?;
            sockets.push(socket);
        }
        Ok((server.memory()?, sockets.len()))
    })
}
