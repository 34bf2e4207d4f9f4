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
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut runs = Vec::new();
    for _ in 0..settings.runs {
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
        runs.push(run);
    }
    report::print("start", json!({ "events": settings.history_events }), &runs);
    Ok(())
}
