//! One speaker and many listeners, beside a bare WebSocket server that sends the same bytes.

use std::time::Instant;

use serde_json::json;
use tokio::runtime::Builder;

use super::hall::{Hall, SPEAKERS};
use crate::{
    Error,
    audience::{Audience, Listener},
    files,
    phase::{self, Pace, Phase},
    report::{self, Run},
    server::Server,
    settings::Settings,
    socket::Socket,
    speaker::Speaker,
    stamp::MARK,
    stats::float,
};

/// Most and fewest messages that are sent one at a time.
const SINGLE_MESSAGES: (usize, usize) = (20, 200);

/// Deliveries of messages sent one at a time, within those bounds.
const SINGLE_DELIVERIES: usize = 50_000;

/// The phases, with the number of messages of each.
type Plan = [(&'static str, Pace, u64); 3];

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    for listeners in &settings.listeners {
        files::enough_for(*listeners)?;
        let folder = settings.scratch()?;
        let data = folder.path().join("data");
        let hall = Hall::build(&data, *listeners, 0)?;
        let plan = plan(settings, *listeners)?;
        let mut runs: [Vec<Run>; 3] = Default::default();
        for _ in 0..settings.runs {
            let server = Server::start(&settings.program, &data)?;
            for (runs, run) in runs.iter_mut().zip(measure(&server, &hall, &plan)?) {
                runs.push(run);
            }
        }
        for ((name, pace, _), runs) in plan.iter().zip(&runs) {
            let mut parameters = json!({ "listeners": listeners, "messages": name });
            if let Pace::PerSecond(rate) = pace {
                parameters["messages_per_second"] = json!(rate);
            }
            if let Pace::Burst = pace {
                parameters["messages_under_way"] = json!(SPEAKERS);
            }
            report::print("fanout", parameters, runs);
        }
    }
    Ok(())
}

fn plan(settings: &Settings, listeners: usize) -> Result<Plan, Error> {
    let (least, most) = SINGLE_MESSAGES;
    let single = (SINGLE_DELIVERIES / listeners).clamp(least, most);
    let burst = (settings.deliveries / listeners).max(1);
    let rate = (settings.pace / float(listeners)).max(1.0);
    let paced = (settings.pace * settings.paced.as_secs_f64() / float(listeners)).max(1.0);
    let paced: u64 = format!("{paced:.0}").parse()?;
    Ok([
        ("one at a time", Pace::OneAtATime, u64::try_from(single)?),
        ("burst", Pace::Burst, u64::try_from(burst)?),
        ("paced", Pace::PerSecond(rate), paced),
    ])
}

/// Runs all phases, and then the same with a bare server.
fn measure(server: &Server, hall: &Hall, plan: &Plan) -> Result<Vec<Run>, Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let audience = hall.listen(server).await?;
        let mut speakers = hall.speakers(server).await?;
        server.settle().await?;
        let measured = phases(server, &audience, &mut speakers, plan).await?;
        let text = audience.frame().ok_or("no listener received a message sent alone")?;
        drop(audience);
        let bare = reference(hall.listeners.len(), &text, plan).await?;
        Ok(measured.iter().zip(&bare).map(|(phase, bare)| phase.run_beside(bare)).collect())
    })
}

async fn reference(listeners: usize, text: &str, plan: &Plan) -> Result<Vec<Phase>, Error> {
    let (server, lines) = Server::bare()?;
    let mut sockets = Vec::with_capacity(listeners);
    for _ in 0..listeners {
        sockets.push(Listener::new(Socket::connect(server.address()).await?, 0)?);
    }
    let audience = Audience::start(Instant::now(), sockets, &[MARK])?;
    let mut speakers = [Speaker::bare(lines, text, listeners)?];
    phases(&server, &audience, &mut speakers, plan).await
}

async fn phases(
    server: &Server,
    audience: &Audience,
    speakers: &mut [Speaker],
    plan: &Plan,
) -> Result<Vec<Phase>, Error> {
    let mut phases = Vec::new();
    for (_, pace, messages) in plan {
        // The phase of one message at a time has one speaker.
        let count = if matches!(pace, Pace::OneAtATime) { 1 } else { speakers.len() };
        let speakers = &mut speakers[..count];
        phases.push(phase::measure(server, audience, speakers, *pace, *messages).await?);
    }
    Ok(phases)
}
