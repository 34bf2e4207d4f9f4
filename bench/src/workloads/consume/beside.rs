//! The effect of consumers on others: one that is far behind and catches up again and again, and one that never
//! acknowledges.

use std::time::Instant;

use serde_json::json;
use tokio::runtime::Builder;

use super::client::Consumer;
use crate::{
    Error,
    audience::Audience,
    dataset::Dataset,
    phase::{self, Pace},
    report::{self, Run},
    server::Server,
    settings::Settings,
    speaker::Speaker,
    stamp::MARK,
    stats::float,
    workloads::halls::{
        hall::{FOLLOW, follow, position},
        storm::{SPEAKERS, Talk},
    },
};

/// Messages to the others, and how many of them are sent each second.
const MESSAGES: u64 = 1_000;
const RATE: f64 = 100.0;

/// The consumer beside the others.
#[derive(Clone, Copy)]
enum Beside {
    Behind,
    NeverAcknowledges,
}

pub(super) fn run(settings: &Settings) -> Result<(), Error> {
    let dataset = Dataset::of(settings, settings.history_events)?;
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    dataset.copy_to(&data)?;
    let talk = Talk::make(crate::seed::Seed::open(&data)?)?;
    for (beside, said) in
        [(Beside::Behind, "behind"), (Beside::NeverAcknowledges, "never acknowledges")]
    {
        let mut runs = Vec::new();
        for _ in 0..settings.runs {
            let server = Server::start(&settings.program, &data)?;
            runs.push(measure(settings, &server, (&talk, dataset.token()), beside)?);
        }
        let parameters =
            json!({ "work": "beside", "consumer": said, "events": settings.history_events });
        report::print("consume", parameters, &runs);
    }
    Ok(())
}

fn measure(
    settings: &Settings,
    server: &Server,
    (talk, token): (&Talk, &str),
    beside: Beside,
) -> Result<Run, Error> {
    let messages = MESSAGES.min(settings.history_events);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let tail = position(server, &talk.tokens[0]).await?;
        let mut listeners = Vec::new();
        for token in &talk.tokens {
            listeners.push(follow(server, token, FOLLOW, tail, 0).await?);
        }
        let audience = Audience::start(Instant::now(), listeners, &[MARK])?;
        let (address, count) = (server.address(), talk.tokens.len());
        let mut speakers = Vec::new();
        for token in talk.tokens.iter().take(SPEAKERS) {
            speakers.push(Speaker::member(address, token, &talk.room, count).await?);
        }
        server.settle().await?;
        let pace = Pace::PerSecond(RATE);
        let calm = phase::measure(server, &audience, &mut speakers, pace, messages).await?;
        let from = json!({ "beginning": true });
        let mut consumer = Consumer::open(server, token, "beside", from).await?;
        // Its first batch shows that the consumer exists.
        consumer.next().await?;
        consumer.begin_again().await?;
        let (mut received, mut rounds) = (0_u64, 0_u64);
        let consuming = async {
            loop {
                let chunk = consumer.next().await?;
                received += chunk.events;
                if matches!(beside, Beside::NeverAcknowledges) {
                    continue;
                }
                consumer.acknowledge(&chunk).await?;
                if chunk.caught_up {
                    rounds += 1;
                    consumer.begin_again().await?;
                }
            }
        };
        let talking = phase::measure(server, &audience, &mut speakers, pace, messages);
        let with = tokio::select! {
            with = talking => with?,
            ended = consuming => return ended,
        };
        let mut run = with.run_beside(&calm);
        run.more.extend([("received", float(received)), ("rounds", float(rounds))]);
        Ok(run)
    })
}
