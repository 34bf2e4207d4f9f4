//! Commits, folders and child processes to test with.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rookery_log::{
    Appended, CommandId, Commit, EventLog, Guard, LoggedEvent, Millis, PAGE_MAX, Position, Record,
    Scope, StreamId, StreamKind,
};
use rookery_log_sled::{SledLog, SledOptions};
use tempfile::TempDir;

/// How many streams [`commit`] spreads over.
const STREAMS: u64 = 3;

pub(crate) fn temporary() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub(crate) fn open(dir: &Path) -> SledLog {
    SledLog::open(dir, SledOptions::default()).unwrap()
}

pub(crate) fn stream(number: u64) -> StreamId {
    StreamId::new(StreamKind::Room, &format!("!{}", number % STREAMS))
}

pub(crate) fn command(number: u64) -> CommandId {
    CommandId::derive(&[&number.to_le_bytes()])
}

/// The commit that belongs at position `number + 1`, with `bytes` bytes of content.
pub(crate) fn commit(number: u64, bytes: usize) -> Commit {
    let filler = (0..bytes as u64).map(|index| (number * 31 + index * 7).to_le_bytes()[0]);
    Commit {
        stream: stream(number),
        command: Some(command(number)),
        received: Millis(number),
        events: vec![LoggedEvent {
            id: format!("$event{number}"),
            envelope: b"envelope".as_slice().into(),
            content: filler.collect(),
        }],
    }
}

pub(crate) fn guard(number: u64) -> Guard {
    let last = number.checked_sub(STREAMS);
    last.map_or(Guard::EMPTY, |last| Guard::after(&format!("$event{last}")))
}

/// Appends commits `numbers`, without waiting between them.
pub(crate) async fn append_all(
    log: &SledLog,
    numbers: std::ops::Range<u64>,
    bytes: usize,
) -> Vec<Appended> {
    let answers: Vec<_> =
        numbers.map(|number| log.append(commit(number, bytes), guard(number))).collect();
    join_all(answers).await.into_iter().map(Result::unwrap).collect()
}

pub(crate) async fn read_all(log: &SledLog) -> Vec<Arc<Record>> {
    let mut records: Vec<Arc<Record>> = Vec::new();
    loop {
        let after = records.last().map_or(Position::ORIGIN, |record| record.position);
        let page = log.read(&Scope::All, after, PAGE_MAX).await.unwrap();
        if page.is_empty() {
            return records;
        }
        records.extend(page);
    }
}

/// Copies the present content of `from`, as a crash would leave it.
pub(crate) fn copy(from: &Path) -> TempDir {
    let to = temporary();
    copy_into(from, to.path());
    to
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file below `dir`, with its bytes.
pub(crate) fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    files
}

/// Deletes the files that hold the known end of the log.
pub(crate) fn forget_reach(dir: &Path) {
    for name in ["anchor", "head"] {
        // A log that was never idle and never closed has no anchor yet.
        let path = dir.join(name);
        assert!(!path.exists() || fs::remove_file(path).is_ok());
    }
}

pub(crate) fn db(dir: &Path) -> PathBuf {
    dir.join("sled").join("db")
}

/// Changes the engine's data without the log.
pub(crate) fn tamper(dir: &Path, work: impl FnOnce(&sled::Db)) {
    let began = Instant::now();
    let db = loop {
        match sled::Config::new().path(dir.join("sled")).flush_every_ms(None).open() {
            Ok(db) => break db,
            // Threads of the engine release the file a moment after it was closed.
            Err(error) => assert!(began.elapsed() < Duration::from_secs(10), "{error}"),
        }
    };
    work(&db);
    db.flush().unwrap();
}

const CHILD_DIR: &str = "ROOKERY_LOG_TEST_DIR";

/// The folder for a child to work in; `None` in a usual run of the tests.
pub(crate) fn child_dir() -> Option<PathBuf> {
    env::var_os(CHILD_DIR).map(PathBuf::from)
}

/// A command that runs one test of this binary. The test gets its task from [`child_dir`].
pub(crate) fn child(test: &str, dir: &Path, wrapper: &[&str]) -> Command {
    let exe = env::current_exe().unwrap();
    let mut words = wrapper.iter().map(PathBuf::from).chain([exe]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(CHILD_DIR, dir).stdin(Stdio::null());
    command
}

/// Waits for a child that must end by itself. Returns its output.
pub(crate) fn finish(mut command: Command, limit: Duration) -> String {
    let mut child: Child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > limit {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the child hung; it printed: {}", reader.join().unwrap().unwrap());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let text = reader.join().unwrap().unwrap();
    assert!(status.success(), "the child failed: {status}; it printed: {text}");
    text
}
