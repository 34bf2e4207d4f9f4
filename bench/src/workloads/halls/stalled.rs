//! One listener among many never reads: the effect on the others.

use rookery_log::SealedPosition;
use serde_json::json;
use tokio::runtime::Builder;

use super::hall::{FOLLOW, Hall, position, subscription};
use crate::{
    Error, files,
    phase::{self, Pace},
    report::{self, Run},
    server::Server,
    settings::Settings,
    socket::Socket,
    stats::float,
};

/// Bytes queued for the listener that does not read: more than the kernel keeps for a socket.
const BACKLOG: u64 = 30_000;

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let listeners = settings.stalled;
    files::enough_for(listeners)?;
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    let hall = Hall::build(&data, listeners, 0)?;
    let before = {
        let server = Server::start(&settings.program, &data)?;
        Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(position(&server, &hall.speaker))?
    };
    Hall::talk(&data, &hall.room, BACKLOG)?;
    let rate = (settings.pace / float(listeners)).max(1.0);
    let mut runs = Vec::new();
    for _ in 0..settings.runs {
        let server = Server::start(&settings.program, &data)?;
        runs.push(measure(settings, &server, &hall, before, rate)?);
    }
    let parameters = json!({ "listeners": listeners, "messages_per_second": rate });
    report::print("stalled", parameters, &runs);
    Ok(())
}

fn measure(
    settings: &Settings,
    server: &Server,
    hall: &Hall,
    before: SealedPosition,
    rate: f64,
) -> Result<Run, Error> {
    let messages: u64 = format!("{:.0}", (rate * settings.paced.as_secs_f64()).max(1.0)).parse()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let audience = hall.listen(server).await?;
        let mut speakers = hall.speakers(server).await?;
        server.settle().await?;
        let pace = Pace::PerSecond(rate);
        let free = phase::measure(server, &audience, &mut speakers, pace, messages).await?;
        let at_rest = server.memory()?;
        let mut stalled = Socket::open_small(server.address(), &hall.listeners[0]).await?;
        stalled.send(&subscription(FOLLOW, before)).await?;
        let with = phase::measure(server, &audience, &mut speakers, pace, messages).await?;
        let grown = server.memory()?.anonymous - at_rest.anonymous;
        let mut run = with.run_beside(&free);
        run.more.push(("grown_mib", grown));
        // The end of the missed messages, read or not.
        drop(stalled);
        Ok(run)
    })
}
