//! Logs that `rookery export` wrote.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use rookery_log::EventLog;

use crate::{
    clock,
    config::{Config, ServerIdentity},
    contents::Contents,
    failure::Failure,
    ndjson,
    node::Node,
    progress::Progress,
};

/// Records that are on their way to the disk at the same time.
const UNDER_WAY_MAX: usize = 1_024;

/// Reads an exported log into a data directory that has none yet, record by record, with the same
/// event IDs and hashes. Answers with the number of records.
///
/// # Errors
/// [`Failure`], naming the line that does not fit.
pub(crate) async fn import_log(config: &Config, file: &Path) -> Result<u64, Failure> {
    let input: Box<dyn BufRead + Send> = if file == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened = File::open(file).map_err(|error| Failure::file("cannot read", file, error))?;
        Box::new(BufReader::new(opened))
    };
    let mut import = ndjson::Import::begin(input)?;
    ServerIdentity::claim(&config.data, config.server_name.as_deref(), clock::now().0)?;
    if config.data.join("log").exists() {
        let log = Node::open_log(config, None)?;
        if log.tail().borrow().0 > 0 {
            let data = config.data.display();
            return Err(Failure::new(format!(
                "{data} has a log already, and a log cannot be put behind another one: choose \
                 an empty folder with --data"
            )));
        }
        drop(log);
        std::fs::remove_dir_all(config.data.join("log"))?;
    }
    let copied = copy(config, &mut import).await;
    if copied.is_err() {
        // Half a log must not be taken for a whole one.
        std::fs::remove_dir_all(config.data.join("log"))?;
    }
    copied
}

async fn copy(
    config: &Config,
    import: &mut ndjson::Import<Box<dyn BufRead + Send>>,
) -> Result<u64, Failure> {
    let log = Node::open_log(config, Some(import.epoch()))?;
    let mut bar = Progress::on_stderr("importing", "commits", None);
    let mut under_way = VecDeque::with_capacity(UNDER_WAY_MAX);
    let mut contents = Contents::default();
    while let Some(record) = import.read()? {
        contents
            .check(&record)
            .map_err(|changed| Failure::new(format!("line {}: {changed}", import.line())))?;
        under_way.push_back(log.append_record(record));
        if under_way.len() >= UNDER_WAY_MAX
            && let Some(oldest) = under_way.pop_front()
        {
            oldest.await?;
        }
        bar.tell(import.records());
    }
    for append in under_way {
        append.await?;
    }
    bar.finish(import.records());
    Ok(import.records())
}
