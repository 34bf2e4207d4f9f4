//! A consumer that catches up with a long history and acknowledges each batch, beside a bare scan of the same log.

use std::{path::Path, sync::Arc, time::Instant};

use rookery_log::EventLog;
use rookery_server::node::Node;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::client::Consumer;
use crate::{
    Error,
    dataset::Dataset,
    report::{self, Run},
    seed::config,
    server::Server,
    settings::Settings,
    stats::float,
    workloads::{halls::hall::Hall, rebuild::scan},
};

const MEBIBYTE: f64 = 1024.0 * 1024.0;

pub(super) fn run(settings: &Settings) -> Result<(), Error> {
    let folder = settings.scratch()?;
    let dataset = Dataset::of(settings, settings.history_events)?;
    let data = folder.path().join("data");
    dataset.copy_to(&data)?;
    let last = dataset.tokens.last().ok_or("the history has no users")?;
    catch_up(settings, &data, dataset.token(), "many rooms")?;
    catch_up(settings, &data, last, "few rooms")?;
    let data = folder.path().join("hall");
    let hall = Hall::build(&data, 1, settings.history_events)?;
    catch_up(settings, &data, &hall.listeners[0], "everything")
}

fn catch_up(settings: &Settings, data: &Path, token: &str, sees: &str) -> Result<(), Error> {
    let mut runs = Vec::new();
    for number in 0..settings.runs {
        let (events, reference_rate) = scan_of(data)?;
        let server = Server::start(&settings.program, data)?;
        let name = format!("behind-{number}");
        runs.push(measure(&server, token, &name, (events, reference_rate))?);
    }
    let parameters = json!({ "work": "behind", "events": settings.history_events, "sees": sees });
    report::print("consume", parameters, &runs);
    Ok(())
}

/// The number of events in the log, and the rate of a bare scan.
fn scan_of(data: &Path) -> Result<(u64, f64), Error> {
    let runtime = Runtime::new()?;
    let config = config(data)?;
    let log: Arc<dyn EventLog> =
        Node::open_log(&config, None).map_err(|error| error.to_string())?;
    let started = Instant::now();
    let events = runtime.block_on(scan(&*log))?;
    Ok((events, float(events) / started.elapsed().as_secs_f64()))
}

fn measure(
    server: &Server,
    token: &str,
    name: &str,
    (events, reference_rate): (u64, f64),
) -> Result<Run, Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        server.settle().await?;
        let used = server.processor_seconds()?;
        let started = Instant::now();
        let from = json!({ "beginning": true });
        let mut consumer = Consumer::open(server, token, name, from).await?;
        let (mut received, mut batches, mut bytes) = (0, 0, 0);
        loop {
            let chunk = consumer.next().await?;
            (received, batches, bytes) =
                (received + chunk.events, batches + 1, bytes + chunk.bytes);
            if chunk.caught_up {
                consumer.settle(&chunk).await?;
                break;
            }
            consumer.acknowledge(&chunk).await?;
        }
        let mut run = Run::new(events, started.elapsed(), None);
        run.reference_rate = Some(reference_rate);
        let used = server.processor_seconds()? - used;
        run.more = vec![
            ("server_cpu_us_each", used * 1e6 / float(events.max(1))),
            ("received", float(received)),
            ("batches", float(batches)),
            ("sent_mib", float(bytes) / MEBIBYTE),
        ];
        Ok(run)
    })
}
