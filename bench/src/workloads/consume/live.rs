//! One message at a time, to a subscriber of `eventStream` and to a consumer in turns: from the sender's answer to the
//! arrival.

use std::time::{Duration, Instant};

use memchr::memmem::find;
use serde_json::{Value, json};
use tokio::{runtime::Builder, try_join};

use super::client::Consumer;
use crate::{
    Error,
    http::{self, Connection},
    report::{self, Run},
    server::Server,
    settings::Settings,
    socket::Socket,
    speaker::{self, SEND},
    stats::Samples,
    workloads::halls::hall::{FOLLOW, Hall, position, subscription},
};

/// Turns of each of the two, and messages in a turn.
const TURNS: usize = 4;
const MESSAGES: usize = 75;

/// The durations of the deliveries to one of the two.
#[derive(Default)]
struct Delivered {
    since_answer: Samples,
    since_send: Samples,
    elapsed: Duration,
}

pub(super) fn run(settings: &Settings) -> Result<(), Error> {
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    let hall = Hall::build(&data, 2, 0)?;
    let mut runs = Vec::new();
    for _ in 0..settings.runs {
        let server = Server::start(&settings.program, &data)?;
        runs.push(measure(&server, &hall)?);
    }
    report::print("consume", json!({ "work": "live" }), &runs);
    Ok(())
}

fn measure(server: &Server, hall: &Hall) -> Result<Run, Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(server.address()).await?;
        let request = http::request(&hall.speaker, SEND, &speaker::input(&hall.room));
        let (mut to_subscriber, mut to_consumer) = (Delivered::default(), Delivered::default());
        for _ in 0..TURNS {
            let after = position(server, &hall.listeners[0]).await?;
            let mut socket = Socket::open(server.address(), &hall.listeners[0]).await?;
            socket.send(&subscription(FOLLOW, after)).await?;
            server.settle().await?;
            for _ in 0..MESSAGES {
                to_subscriber.message(&mut connection, &request, to_stream(&mut socket)).await?;
            }
            drop(socket);
            let token = &hall.listeners[1];
            let mut consumer = Consumer::open(server, token, "live", Value::Null).await?;
            loop {
                let chunk = consumer.next().await?;
                consumer.settle(&chunk).await?;
                if chunk.caught_up {
                    break;
                }
            }
            server.settle().await?;
            for _ in 0..MESSAGES {
                let arrival = async {
                    loop {
                        let chunk = consumer.next().await?;
                        if chunk.events > 0 {
                            return Ok(chunk);
                        }
                        consumer.settle(&chunk).await?;
                    }
                };
                let chunk = to_consumer.message(&mut connection, &request, arrival).await?;
                consumer.settle(&chunk).await?;
            }
        }
        let (reference, sent) =
            (to_subscriber.since_answer.latency(), to_consumer.since_send.latency());
        let mut run = Run::new(
            (TURNS * MESSAGES) as u64,
            to_consumer.elapsed,
            to_consumer.since_answer.latency(),
        );
        run.reference_rate =
            Run::new((TURNS * MESSAGES) as u64, to_subscriber.elapsed, None).rate();
        let reference_sent = to_subscriber.since_send.latency();
        run.more.extend(reference.map(|it| ("reference_p50_ms", it.p50_ms)));
        run.more.extend(reference.map(|it| ("reference_p99_ms", it.p99_ms)));
        run.more.extend(sent.map(|it| ("from_send_p50_ms", it.p50_ms)));
        run.more.extend(reference_sent.map(|it| ("reference_from_send_p50_ms", it.p50_ms)));
        Ok(run)
    })
}

/// The arrival of the next message on `eventStream`.
async fn to_stream(socket: &mut Socket) -> Result<(), Error> {
    while find(socket.next().await?, br#""text":"#).is_none() {}
    Ok(())
}

impl Delivered {
    /// Sends a message, and waits for its answer and its `arrival`.
    async fn message<T>(
        &mut self,
        connection: &mut Connection,
        request: &[u8],
        arrival: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        let answer = async {
            speaker::accepted(connection.ask(request).await?)?;
            Ok::<_, Error>(started.elapsed())
        };
        let arrived = async { Ok::<_, Error>((arrival.await?, started.elapsed())) };
        let (answered, (arrival, arrived)) = try_join!(answer, arrived)?;
        self.since_answer.push(arrived.saturating_sub(answered));
        self.since_send.push(arrived);
        self.elapsed += arrived;
        Ok(arrival)
    }
}
