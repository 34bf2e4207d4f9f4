//! Imports of logs in the format of `rookery export`.
//!
//! **Invariant:** the log in the folder is a prefix of the file at any time. A continued import
//! compares each existing record with the file.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::Path,
    sync::Arc,
};

use rookery_log::{EventLog, Position, Record, Scope};
use rookery_log_sled::SledLog;

use crate::{
    config::{Config, ServerIdentity},
    data_directory::contents::Contents,
    failure::Failure,
    import::unfinished::{Kind, Unfinished},
    node::{Node, clock},
    terminal::progress::Progress,
};

/// Records in flight to the disk.
const UNDER_WAY_MAX: usize = 1_024;

/// Records in one comparison.
const PAGE: usize = 256;

type Input = rookery_ndjson::Import<Box<dyn BufRead + Send>>;

/// Reads an exported log into a data directory without a log, record by record, with the same event
/// IDs and hashes. Or continues an import of the same file that did not finish. Returns the number
/// of records.
///
/// # Errors
/// [`Failure`], which names the line that does not fit.
pub(crate) async fn import_log(config: &Config, file: &Path) -> Result<u64, Failure> {
    let input: Box<dyn BufRead + Send> = if file == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened = File::open(file).map_err(|error| Failure::file("cannot read", file, error))?;
        Box::new(BufReader::new(opened))
    };
    let mut import = rookery_ndjson::Import::begin(input)?;
    let first = import.read()?;
    ServerIdentity::claim(&config.data, config.server_name.as_deref(), clock::now().0)?;
    let hash = first.as_ref().map_or_else(String::new, |first| first.hash.to_string());
    let this = Unfinished::new(Kind::Ndjson, [file], format!("{} {hash}", import.epoch()));
    if Unfinished::read(&config.data)?.is_none() {
        remove_empty_log(config)?;
    }
    let goes_on = this.begin(&config.data)?;
    let copied = copy(config, &this, file, &mut import, first).await;
    match copied {
        Ok(()) => {
            Unfinished::end(&config.data)?;
            Ok(import.records())
        }
        // The file is unusable, and the folder had no other data.
        Err(Broken::File(failure)) if !goes_on => {
            fs::remove_dir_all(config.data.join("log"))?;
            Unfinished::end(&config.data)?;
            Err(failure)
        }
        Err(Broken::File(failure)) => Err(failure),
        Err(Broken::Other(failure)) => Err(Failure::new(format!(
            "the import did not finish: {failure}; run the same import again to continue"
        ))),
    }
}

/// A folder may have a log without any commit.
fn remove_empty_log(config: &Config) -> Result<(), Failure> {
    if !config.data.join("log").exists() {
        return Ok(());
    }
    let log = Node::open_log(config, None)?;
    if log.tail().borrow().0 > 0 {
        let data = config.data.display();
        return Err(Failure::new(format!(
            "{data} already has a log, and an import cannot append to another log: choose an \
             empty folder with --data"
        )));
    }
    drop(log);
    Ok(fs::remove_dir_all(config.data.join("log"))?)
}

/// Why a file was not copied to its end.
enum Broken {
    /// The file is incomplete, or was changed.
    File(Failure),
    /// The log refuses writes, or has other data.
    Other(Failure),
}

async fn copy(
    config: &Config,
    this: &Unfinished,
    file: &Path,
    import: &mut Input,
    first: Option<Record>,
) -> Result<(), Broken> {
    let other = |failure: Failure| Broken::Other(failure);
    let log = Node::open_log(config, Some(import.epoch())).map_err(other)?;
    let mut stored = Stored::new(Arc::clone(&log));
    let mut bar = Progress::on_stderr("importing", "commits", None);
    let mut under_way = VecDeque::with_capacity(UNDER_WAY_MAX);
    let mut contents = Contents::default();
    let mut next = first;
    while let Some(record) = next {
        contents.check(&record).map_err(|changed| {
            Broken::File(Failure::new(format!("line {}: {changed}", import.line())))
        })?;
        match stored.next().await.map_err(other)? {
            Some(known) if *known == record => {}
            Some(_) => return Err(other(this.other(&config.data, &file.display().to_string()))),
            None => under_way.push_back(log.append_record(record)),
        }
        if under_way.len() >= UNDER_WAY_MAX
            && let Some(oldest) = under_way.pop_front()
        {
            oldest.await.map_err(|error| other(error.into()))?;
        }
        bar.tell(import.records());
        next = import.read().map_err(|error| Broken::File(error.into()))?;
    }
    for append in under_way {
        append.await.map_err(|error| other(error.into()))?;
    }
    if stored.next().await.map_err(other)?.is_some() {
        return Err(other(this.other(&config.data, &file.display().to_string())));
    }
    bar.finish(import.records());
    Ok(())
}

/// The records of an earlier run, one by one.
struct Stored {
    log: Arc<SledLog>,
    end: Position,
    after: Position,
    page: VecDeque<Arc<Record>>,
}

impl Stored {
    fn new(log: Arc<SledLog>) -> Self {
        let end = *log.tail().borrow();
        Self { log, end, after: Position::ORIGIN, page: VecDeque::new() }
    }

    async fn next(&mut self) -> Result<Option<Arc<Record>>, Failure> {
        if self.page.is_empty() && self.after < self.end {
            self.page = self.log.read(&Scope::All, self.after, PAGE).await?.into();
            self.page.retain(|record| record.position <= self.end);
        }
        let next = self.page.pop_front();
        self.after = next.as_ref().map_or(self.after, |next| next.position);
        Ok(next)
    }
}
