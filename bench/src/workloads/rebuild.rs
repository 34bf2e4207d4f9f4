//! Rebuilds all read models, beside a bare scan of the same log.

use std::{sync::Arc, time::Instant};

use rookery_log::{EventLog, PAGE_MAX, Position, Scope};
use rookery_projection::{Options, ReadModels};
use rookery_server::node::Node;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    Error,
    dataset::Dataset,
    report::{self, Run},
    seed::config,
    settings::Settings,
    stats::float,
};

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let dataset = Dataset::of(settings, settings.rebuild_events)?;
    let runtime = Runtime::new()?;
    let config = config(&dataset.folder)?;
    let log: Arc<dyn EventLog> =
        Node::open_log(&config, None).map_err(|error| error.to_string())?;
    let mut runs = Vec::new();
    for _ in 0..settings.runs {
        let folder = settings.scratch()?;
        let run = runtime.block_on(async {
            // The first opening builds the models too, so the second time counts.
            let options = Options::default();
            let models = ReadModels::open(Arc::clone(&log), folder.path(), options, |_| {}).await?;
            let started = Instant::now();
            let events = scan(&*log).await?;
            let reference_rate = float(events) / started.elapsed().as_secs_f64();
            let rebuilt = models.rebuild(|_| {}).await?;
            let mut run = Run::new(rebuilt.events, rebuilt.duration, None);
            run.reference_rate = Some(reference_rate);
            Ok::<_, Error>(run)
        })?;
        runs.push(run);
    }
    report::print("rebuild", json!({ "events": settings.rebuild_events }), &runs);
    Ok(())
}

/// Reads the whole log and only counts the events.
pub(super) async fn scan(log: &dyn EventLog) -> Result<u64, Error> {
    let (mut at, mut events) = (Position::ORIGIN, 0);
    loop {
        let page = log.read(&Scope::All, at, PAGE_MAX).await?;
        let Some(last) = page.last() else { return Ok(events) };
        at = last.position;
        events += page.iter().map(|record| record.commit.events.len() as u64).sum::<u64>();
    }
}
