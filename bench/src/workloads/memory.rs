//! Memory with a long history: at rest, after scrolling, and for each idle subscription.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::screens::screen::{HOME, scroll};
use crate::{
    Error,
    dataset::Dataset,
    files, http,
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
    for sockets in &settings.sockets {
        files::enough_for(*sockets)?;
        let mut runs = Vec::new();
        for _ in 0..settings.runs {
            runs.push(measure(settings, &dataset, *sockets)?);
        }
        let parameters = json!({ "events": settings.history_events, "sockets": sockets });
        report::print("memory", parameters, &runs);
    }
    Ok(())
}

fn measure(settings: &Settings, dataset: &Dataset, sockets: usize) -> Result<Run, Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let server = Server::start(&settings.program, &dataset.folder)?;
    let mut connection = runtime.block_on(http::Connection::open(server.address()))?;
    runtime.block_on(connection.run(dataset.token(), HOME, &json!({})))?;
    let home = server.memory()?;
    let (token, room) = (dataset.token(), dataset.room.as_str());
    let steps = SCROLLED.min(usize::try_from(settings.history_events / 40)?);
    runtime.block_on(scroll(&mut connection, token, room, Value::Null, steps))?;
    let scrolled = server.memory()?;
    let followed = runtime.block_on(follow(&server, dataset, sockets))?;
    drop(server);
    let (bare, _lines) = Server::bare()?;
    let bare_before = bare.memory()?;
    let bare_after = runtime.block_on(connect(&bare, sockets))?;
    let each = |before: Memory, after: Memory| {
        (after.anonymous - before.anonymous) * 1024.0 / float(sockets.max(1))
    };
    let mut run = Run::new(sockets as u64, Duration::ZERO, None);
    run.more = vec![
        ("resident_mib", home.resident),
        ("anonymous_mib", home.anonymous),
        ("scrolled_resident_mib", scrolled.resident),
        ("scrolled_anonymous_mib", scrolled.anonymous),
        ("followed_resident_mib", followed.resident),
        ("subscription_kib", each(scrolled, followed)),
        ("reference_socket_kib", each(bare_before, bare_after)),
    ];
    Ok(run)
}

/// The memory with sockets that follow the stream and receive no events.
async fn follow(server: &Server, dataset: &Dataset, count: usize) -> Result<Memory, Error> {
    let follow = socket::subscribe("1", FOLLOW, &json!({}));
    let ask = socket::subscribe("2", "{ server { name } }", &json!({}));
    let mut sockets = Vec::with_capacity(count);
    for token in dataset.tokens.iter().cycle().take(count) {
        let mut socket = Socket::open(server.address(), token).await?;
        socket.send(&follow).await?;
        // The answer to the second message shows that the first has been handled.
        socket.send(&ask).await?;
        socket.next().await?;
        sockets.push(socket);
    }
    server.settle().await?;
    server.memory()
}

/// The memory of a bare server with as many sockets.
async fn connect(bare: &Server, count: usize) -> Result<Memory, Error> {
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        sockets.push(Socket::connect(bare.address()).await?);
    }
    bare.settle().await?;
    bare.memory()
}
