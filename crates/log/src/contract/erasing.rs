//! Rules about erasing: promise 8.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use super::{
    Rig,
    sample::{after, append, by_command, commit, event, read_all, room, texts},
};
use crate::{
    COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Commit, ErasableLog, EraseError, Guard, Hash, LoggedEvent,
    Millis, Position, Record, Scope, StreamId, StreamKind,
};

const LEFT: &[u8] = b"{}";

async fn erase(log: &dyn ErasableLog, position: u64, index: usize) {
    log.erase(Position(position), index, LEFT.into()).await.expect("an event that is there");
}

async fn given(log: &dyn ErasableLog) {
    for (number, stream) in (0..).zip([room("!a"), room("!b"), room("!c")]) {
        append(log, by_command(number, &stream, &["one", "two", "three"])).await;
    }
}

/// The same record without the content at `index`.
fn without(record: &Record, index: usize) -> Record {
    let mut record = record.clone();
    record.commit.events[index].content = LEFT.into();
    record
}

/// The records form a chain, and the hash of each matches it.
fn assert_chain(records: &[Arc<Record>]) {
    let mut previous = Hash::ORIGIN;
    for record in records {
        assert!(record.is_intact() && record.previous == previous, "{}", record.position);
        previous = record.hash;
    }
}

/// No read returns the content, and nothing else has changed.
async fn assert_erased(log: &dyn ErasableLog, before: &[Arc<Record>]) {
    let expected: Vec<_> = before
        .iter()
        .map(|record| if record.position.0 == 2 { without(record, 1) } else { (**record).clone() })
        .collect();
    let all = read_all(log).await;
    assert!(all.iter().map(|record| &**record).eq(&expected));
    let scope = Scope::Stream(room("!b"));
    let stream = log.read(&scope, Position::ORIGIN, 10).await.expect("a read");
    let got = log.get(&[Position(2)]).await.expect("a read");
    assert_eq!([&*stream[0], &*got[0]], [&expected[1], &expected[1]]);
    assert_chain(&all);
}

/// One event loses its content. Its ID, its envelope, its neighbours and all hashes stay.
pub async fn erased_content_is_gone_and_all_else_stays(rig: &mut impl Rig) {
    let log = rig.log();
    given(&*log).await;
    let before = read_all(&*log).await;
    let (tail, hash) = (*log.tail().borrow(), log.tail_hash().await);
    erase(&*log, 2, 1).await;
    assert_erased(&*log, &before).await;
    assert_eq!((*log.tail().borrow(), log.tail_hash().await), (tail, hash));
    let again = append(&*log, by_command(1, &room("!b"), &["else"])).await;
    assert!(again.repeated && again.position == Position(2));
    append(&*log, commit(&room("!b"), &["after"])).await;
    assert_chain(&read_all(&*log).await);
}

/// Erasing is durable when it answers.
pub async fn what_is_erased_stays_so_after_reopening(rig: &mut impl Rig) {
    let log = rig.log();
    given(&*log).await;
    let before = read_all(&*log).await;
    erase(&*log, 2, 1).await;
    drop(log);
    for _ in 0..2 {
        rig.reopen().await;
        assert_erased(&*rig.log(), &before).await;
    }
}

/// A caller that does not know whether the content was erased erases again.
pub async fn erasing_again_changes_nothing(rig: &mut impl Rig) {
    let log = rig.log();
    given(&*log).await;
    let before = read_all(&*log).await;
    for _ in 0..3 {
        erase(&*log, 2, 1).await;
    }
    let together = (0..20).map(|_| log.erase(Position(2), 1, LEFT.into()));
    assert!(join_all(together).await.into_iter().all(|outcome| outcome.is_ok()));
    assert_erased(&*log, &before).await;
}

/// A commit of two events that reaches the limits, of incompressible bytes.
fn large(stream: &StreamId) -> Commit {
    let bytes = COMMIT_BYTES_MAX / 2 - 1_024;
    let content =
        |seed: usize| (0..bytes).map(move |at| (at * 31 + at / 255 + seed).to_le_bytes()[0]);
    let event = |seed| LoggedEvent { content: content(seed).collect(), ..event(&seed.to_string()) };
    let events = vec![event(1), event(2)];
    Commit { stream: stream.clone(), command: None, received: Millis(1), events }
}

/// This also holds for commits that an engine stores in many pieces, one event after the other.
pub async fn any_event_of_the_largest_commits_can_be_erased(rig: &mut impl Rig) {
    let log = rig.log();
    let (few, many) = (room("!few"), room("!many"));
    append(&*log, large(&few)).await;
    let names: Vec<_> = (0..COMMIT_EVENTS_MAX).map(|number| format!("{number:100}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    append(&*log, commit(&many, &names)).await;
    let before = read_all(&*log).await;
    drop(log);
    for (position, index) in [(1, 1), (2, 700), (1, 0), (2, 0), (2, COMMIT_EVENTS_MAX - 1)] {
        erase(&*rig.log(), position, index).await;
        rig.reopen().await;
    }
    let after = read_all(&*rig.log()).await;
    assert_eq!(*after[0], without(&without(&before[0], 0), 1));
    let last = COMMIT_EVENTS_MAX - 1;
    assert_eq!(*after[1], without(&without(&without(&before[1], 0), 700), last));
    assert_chain(&after);
}

/// Erasing an event that does not exist fails, and no file grows.
pub async fn what_is_not_there_cannot_be_erased(rig: &mut impl Rig) {
    let log = rig.log();
    given(&*log).await;
    let before = read_all(&*log).await;
    for (position, index) in [(0, 0), (4, 0), (u64::MAX, 0), (2, 3), (2, usize::MAX)] {
        let position = Position(position);
        let outcome = log.erase(position, index, Bytes::new()).await;
        assert_eq!(outcome, Err(EraseError::Absent { position, index }));
    }
    let outcome = log.erase(Position(2), 1, b"four".as_slice().into()).await;
    assert_eq!(outcome, Err(EraseError::Longer));
    assert_eq!(read_all(&*log).await, before);
    assert_eq!(*log.fault().borrow(), None);
}

/// Erasing and appending do not disturb each other.
pub async fn erasing_goes_on_beside_appends(rig: &mut impl Rig) {
    const COMMITS: u64 = 60;
    let log = rig.log();
    let stream = room("!a");
    let mut answers = Vec::new();
    for index in 0..COMMITS {
        let guard = if index == 0 { Guard::EMPTY } else { after("kept") };
        answers.push(log.append(commit(&stream, &["secret", "kept"]), guard));
        if let Some(position) = index.checked_sub(30) {
            // It was appended long ago, but may not have been answered yet.
            answers.remove(0).await.expect("an append with a guard that holds");
            erase(&*log, position + 1, 0).await;
        }
    }
    join_all(answers).await;
    let check = async |log: &dyn ErasableLog| {
        let records = read_all(log).await;
        for record in &records {
            let erased = record.position.0 <= COMMITS - 30;
            let first = if erased { "{}" } else { "secret" };
            assert_eq!(texts(std::slice::from_ref(record)), [first, "kept"]);
        }
        assert_chain(&records);
    };
    check(&*log).await;
    drop(log);
    rig.reopen().await;
    check(&*rig.log()).await;
}

/// Content in the streams of users and aliases can be erased as well.
pub async fn facts_of_every_kind_of_stream_can_be_erased(rig: &mut impl Rig) {
    let log = rig.log();
    let streams = [
        StreamId::new(StreamKind::Room, "!a"),
        StreamId::new(StreamKind::User, "@a"),
        StreamId::new(StreamKind::Alias, "#a"),
    ];
    for (stream, position) in streams.iter().zip(1..) {
        append(&*log, commit(stream, &["secret"])).await;
        erase(&*log, position, 0).await;
    }
    assert_eq!(texts(&read_all(&*log).await), ["{}"; 3]);
}
