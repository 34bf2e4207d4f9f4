//! Commits for the tests, and shorthands for what the rules do with them.

use bytes::Bytes;

use crate::{
    Appended, CommandId, Commit, EventLog, Guard, LoggedEvent, Millis, PAGE_MAX, Position, Record,
    Scope, StreamId, StreamKind, is_last_page,
};

pub(super) fn room(name: &str) -> StreamId {
    StreamId::new(StreamKind::Room, name)
}

pub(super) fn event(text: &str) -> LoggedEvent {
    LoggedEvent {
        id: format!("$of-{text}"),
        envelope: Bytes::copy_from_slice(format!("envelope of {text}").as_bytes()),
        content: Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// A commit to `stream` of one event for each of `texts`.
pub(super) fn commit(stream: &StreamId, texts: &[&str]) -> Commit {
    Commit {
        stream: stream.clone(),
        command: None,
        received: Millis(1_000),
        events: texts.iter().map(|text| event(text)).collect(),
    }
}

pub(super) fn command(number: u64) -> CommandId {
    CommandId::derive(&[b"contract", &number.to_le_bytes()])
}

pub(super) fn by_command(number: u64, stream: &StreamId, texts: &[&str]) -> Commit {
    Commit { command: Some(command(number)), ..commit(stream, texts) }
}

/// The guard of an append that follows the event with this text.
pub(super) fn after(text: &str) -> Guard {
    Guard::after(&event(text).id)
}

/// Appends at the durable end of the stream.
pub(super) async fn append(log: &dyn EventLog, commit: Commit) -> Appended {
    let head = log.head(&commit.stream).await.expect("a read");
    log.append(commit, head.guard()).await.expect("an append with a guard that holds")
}

/// The texts of the events of records.
pub(super) fn texts(records: &[std::sync::Arc<Record>]) -> Vec<String> {
    let events = records.iter().flat_map(|record| &record.commit.events);
    events.map(|event| String::from_utf8_lossy(&event.content).into_owned()).collect()
}

pub(super) async fn read_all(log: &dyn EventLog) -> Vec<std::sync::Arc<Record>> {
    let mut records: Vec<std::sync::Arc<Record>> = Vec::new();
    loop {
        let after = records.last().map_or(Position::ORIGIN, |last| last.position);
        let page = log.read(&Scope::All, after, PAGE_MAX).await.expect("a read");
        let ended = is_last_page(&page, PAGE_MAX);
        records.extend(page);
        if ended {
            return records;
        }
    }
}
