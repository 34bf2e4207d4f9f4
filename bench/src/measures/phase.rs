//! Phases of a measurement: speakers send, an audience receives, and the phase measures the cost of
//! the server.

use std::time::{Duration, Instant};

use tokio::time::{Instant as Alarm, sleep_until};

use crate::{
    Error,
    audience::{Audience, Tally},
    report::Run,
    server::Server,
    speaker::Speaker,
    stats::{Latency, float},
};

/// The pace of messages.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// One at a time: the next when all listeners have received the last.
    OneAtATime,
    /// Each connection as fast as answers come.
    Burst,
    /// A fixed number a second, independent of deliveries. A message counts as sent when it was
    /// due, so that waiting before a busy server counts.
    PerSecond(f64),
}

/// The results.
pub(crate) struct Phase {
    tally: Tally,
    messages: u64,
    elapsed: Duration,
    /// `None` in a burst, where the value would be the length of the queue.
    latency: Option<Latency>,
    server_seconds: f64,
    client_seconds: f64,
}

/// Lets `speakers` send `messages` in turn, waits until the first group of the audience has
/// received them all, and returns the cost.
///
/// # Errors
/// If a message is refused or does not arrive.
pub(crate) async fn measure(
    server: &Server,
    audience: &Audience,
    speakers: &mut [Speaker],
    pace: Pace,
    messages: u64,
) -> Result<Phase, Error> {
    audience.reset(0, u64::MAX);
    let (server_before, client_before) = (server.processor_seconds()?, audience.used());
    let started = Instant::now();
    match pace {
        Pace::OneAtATime => one_at_a_time(audience, speakers, messages).await?,
        Pace::Burst => at_once(audience, speakers, None, messages).await?,
        Pace::PerSecond(rate) => at_once(audience, speakers, Some(rate), messages).await?,
    }
    let elapsed = started.elapsed();
    let mut tally = audience.tally(0);
    let samples = std::mem::take(&mut tally.samples);
    let latency = samples.latency().filter(|_| !matches!(pace, Pace::Burst));
    let server_seconds = server.processor_seconds()? - server_before;
    let client_seconds = audience.used().saturating_sub(client_before).as_secs_f64();
    Ok(Phase { tally, messages, elapsed, latency, server_seconds, client_seconds })
}

async fn one_at_a_time(
    audience: &Audience,
    speakers: &mut [Speaker],
    messages: u64,
) -> Result<(), Error> {
    let (count, mut target) = (speakers.len(), 0);
    for number in 0..usize::try_from(messages)? {
        let speaker = &mut speakers[number % count];
        target += speaker.listeners;
        speaker.say(audience.now()).await?;
        audience.wait(0, target).await?;
    }
    Ok(())
}

/// Lets `speakers` send at the rate `rate` until `done`; returns the number of deliveries.
///
/// # Errors
/// If a message is refused.
pub(crate) async fn speak_until(
    audience: &Audience,
    speakers: &mut [Speaker],
    rate: f64,
    done: impl Fn() -> bool,
) -> Result<u64, Error> {
    in_turn(audience, speakers, Some(rate), |_| !done()).await
}

async fn at_once(
    audience: &Audience,
    speakers: &mut [Speaker],
    rate: Option<f64>,
    messages: u64,
) -> Result<(), Error> {
    let target = in_turn(audience, speakers, rate, |number| number < messages).await?;
    audience.wait(0, target).await
}

/// Each speaker takes its turn as long as there is `more`, and does not wait for the others: of ten
/// speakers, the first sends the messages 0, 10, 20 ... Returns the number of deliveries.
async fn in_turn(
    audience: &Audience,
    speakers: &mut [Speaker],
    rate: Option<f64>,
    more: impl Fn(u64) -> bool,
) -> Result<u64, Error> {
    let (began, start) = (audience.now(), Alarm::now());
    let (count, more) = (speakers.len(), &more);
    let turns = (0..).zip(speakers).map(async |(index, speaker)| {
        let mut deliveries = 0;
        for number in (index..).step_by(count) {
            let due = rate.map(|rate| Duration::from_secs_f64(float(number) / rate));
            if let Some(due) = due {
                sleep_until(start + due).await;
            }
            if !more(number) {
                break;
            }
            speaker.say(due.map_or_else(|| audience.now(), |due| began + due)).await?;
            deliveries += speaker.listeners;
        }
        Ok::<_, Error>(deliveries)
    });
    Ok(futures_util::future::try_join_all(turns).await?.into_iter().sum())
}

impl Phase {
    /// As a run for the report: the deliveries, with the cost of each.
    pub(crate) fn run(&self) -> Run {
        let events = float(self.tally.events.max(1));
        let frames = float(self.tally.frames.max(1));
        let mut run = Run::new(self.tally.events, self.elapsed, self.latency);
        run.more = vec![
            ("server_cpu_us_each", self.server_seconds * 1e6 / events),
            ("server_cpu_us_per_frame", self.server_seconds * 1e6 / frames),
            ("client_cpu_us_each", self.client_seconds * 1e6 / events),
            ("events_per_frame", events / frames),
            ("bytes_per_frame", float(self.tally.bytes) / frames),
        ];
        run
    }

    /// As a run for the report, beside the same phase of a bare server.
    pub(crate) fn run_beside(&self, bare: &Self) -> Run {
        let mut run = self.run();
        run.reference_rate = bare.run().rate();
        let frames = float(bare.tally.frames.max(1));
        run.more.push(("reference_cpu_us_per_frame", bare.server_seconds * 1e6 / frames));
        if let Some(latency) = bare.latency {
            run.more.push(("reference_p50_ms", latency.p50_ms));
            run.more.push(("reference_p99_ms", latency.p99_ms));
            run.more.extend(latency.p999_ms.map(|p999| ("reference_p999_ms", p999)));
        }
        run
    }

    /// Processor time of the server for each message, for any number of listeners, in microseconds.
    pub(crate) fn server_micros_per_message(&self) -> f64 {
        self.server_seconds * 1e6 / float(self.messages.max(1))
    }

    /// The durations of deliveries.
    pub(crate) fn latency(&self) -> Option<Latency> {
        self.latency
    }
}
