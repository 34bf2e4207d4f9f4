//! Starting on a long history: from the start of the process to the first home screen.

use std::time::Instant;

use serde_json::json;
use tokio::runtime::Builder;

use super::screens::screen::HOME;
use crate::{
    Error,
    dataset::Dataset,
    http,
    report::{self, Run},
    server::Server,
    settings::Settings,
};

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let dataset = Dataset::of(settings, settings.history_events)?;
    for after in [After::Stop, After::Kill] {
        // The server before the first run leaves the data as this kind of end does.
        started(settings, &dataset, after)?;
        let runs = (0..settings.runs).map(|_| started(settings, &dataset, after));
        let runs = runs.collect::<Result<Vec<_>, _>>()?;
        let parameters = json!({ "events": settings.history_events, "after": after.name() });
        report::print("start", parameters, &runs);
    }
    Ok(())
}

/// How the server before had ended.
#[derive(Clone, Copy)]
enum After {
    /// An operator stopped it.
    Stop,
    /// It was killed, so the next one reads the end of the log from the disk.
    Kill,
}

impl After {
    fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Kill => "kill",
        }
    }
}

/// Starts a server, and ends it.
fn started(settings: &Settings, dataset: &Dataset, then: After) -> Result<Run, Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let started = Instant::now();
    let server = Server::start(&settings.program, &dataset.folder)?;
    let listening = started.elapsed();
    runtime.block_on(async {
        let mut connection = http::Connection::open(server.address()).await?;
        connection.run(dataset.token(), HOME, &json!({})).await
    })?;
    let mut run = Run::new(1, started.elapsed(), None);
    run.more = vec![
        ("listening_ms", listening.as_secs_f64() * 1e3),
        ("server_cpu_ms", server.processor_seconds()? * 1e3),
    ];
    match then {
        After::Stop => server.stop()?,
        After::Kill => drop(server),
    }
    Ok(run)
}
