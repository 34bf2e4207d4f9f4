//! Appending single events to the log, beside a bare file synced in groups of the same size.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use rookery_log::{Commit, EventLog, Guard, LoggedEvent, Millis, StreamId, StreamKind};
use rookery_log_sled::{Disk, RealDisk, SledLog, SledOptions};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    Error,
    raw::RawFile,
    report::{self, Run},
    settings::Settings,
    stats::{Samples, float},
};

/// Numbers of events that share a sync.
const GROUPS: [usize; 3] = [1, 64, 256];

/// Turns between the log and the bare file in a run.
const TURNS: u32 = 4;

/// Bytes of the content of an event.
const CONTENT_BYTES: usize = 600;

/// Streams for the events, in turn.
const STREAMS: usize = 16;

/// The disk, with a count of syncs.
#[derive(Default)]
struct CountingDisk(AtomicU64);

impl Disk for CountingDisk {
    fn sync_data(&self, file: &File) -> io::Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        RealDisk.sync_data(file)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.free_bytes(dir)
    }
}

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    let runtime = Runtime::new()?;
    for group in GROUPS {
        let mut runs = Vec::new();
        for _ in 0..settings.runs {
            let folder = settings.scratch()?;
            let disk = Arc::new(CountingDisk::default());
            let options = SledOptions { disk: disk.clone(), ..SledOptions::default() };
            let log = SledLog::open(&folder.path().join("log"), options)?;
            let before = disk.0.load(Ordering::Relaxed);
            let mut file = RawFile::open(folder.path(), group, event(0).bytes())?;
            let (mut samples, mut elapsed, mut next) = (Samples::default(), Duration::ZERO, 0);
            for _ in 0..TURNS {
                let turn = append(&log, group, &mut next, settings.duration / TURNS);
                let (more, took) = runtime.block_on(turn)?;
                samples.extend(more);
                elapsed += took;
                file.write_for(settings.duration / TURNS / 2)?;
            }
            let mut run = Run::new(samples.len() as u64, elapsed, samples.latency());
            let syncs = disk.0.load(Ordering::Relaxed) - before;
            let raw = file.figures();
            run.reference_rate = Some(raw.rate);
            run.more = vec![
                ("events_per_sync", float(run.count) / float(syncs.max(1))),
                ("bytes", float(event(0).bytes())),
                ("reference_p50_ms", raw.p50_ms),
            ];
            runs.push(run);
        }
        report::print("append", json!({ "group": group, "bytes": CONTENT_BYTES }), &runs);
    }
    Ok(())
}

/// Keeps enough appends in flight that the writer always finds a group waiting. `number` is that of the next event.
async fn append(
    log: &SledLog,
    group: usize,
    number: &mut usize,
    duration: Duration,
) -> Result<(Samples, Duration), Error> {
    let streams: Vec<_> =
        (0..STREAMS).map(|stream| StreamId::new(StreamKind::Room, &format!("!{stream}"))).collect();
    let under_way_max = if group == 1 { 1 } else { 2 * group };
    let mut under_way = FuturesOrdered::new();
    let mut samples = Samples::default();
    let started = Instant::now();
    loop {
        let going_on = started.elapsed() < duration;
        while going_on && under_way.len() < under_way_max {
            let commit = Commit {
                stream: streams[*number % STREAMS].clone(),
                command: None,
                received: Millis(*number as u64),
                events: vec![event(*number).0],
            };
            let last = number.checked_sub(STREAMS);
            let guard = last.map_or(Guard::EMPTY, |last| Guard::after(&event_id(last)));
            let begun = Instant::now();
            let appending = log.append(commit, guard);
            under_way.push_back(async move { appending.await.map(|_| begun.elapsed()) });
            *number += 1;
        }
        match under_way.next().await {
            Some(took) => samples.push(took?),
            None => break,
        }
    }
    Ok((samples, started.elapsed()))
}

struct Event(LoggedEvent);

impl Event {
    fn bytes(&self) -> usize {
        self.0.id.len() + self.0.envelope.len() + self.0.content.len()
    }
}

fn event_id(number: usize) -> String {
    format!("${number:043}")
}

fn event(number: usize) -> Event {
    let mut content = format!(r#"{{"number":{number:012},"body":""#).into_bytes();
    content.extend((b'a'..=b'z').cycle().take(CONTENT_BYTES - 2 - content.len()));
    content.extend(b"\"}");
    Event(LoggedEvent {
        id: event_id(number),
        envelope: r#"{"origin":"local"}"#.into(),
        content: content.into(),
    })
}
