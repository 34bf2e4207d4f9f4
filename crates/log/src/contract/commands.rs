//! Rules about command IDs: promise 5.

use futures_util::future::join_all;

use super::{
    Rig,
    sample::{after, append, by_command, command, commit, read_all, room, texts},
};
use crate::{Appended, EventLog, Guard, Position, Revision};

const FIRST: Appended = Appended { position: Position(2), revision: Revision(3), repeated: false };
const AGAIN: Appended = Appended { repeated: true, ..FIRST };

async fn given(log: &dyn EventLog) {
    let stream = room("!a");
    append(log, commit(&stream, &["before"])).await;
    assert_eq!(append(log, by_command(1, &stream, &["one", "two"])).await, FIRST);
    append(log, commit(&stream, &["after"])).await;
}

/// The same command ID is the same command, whatever the guard, the stream or the content is.
async fn repeated(log: &dyn EventLog) {
    let before = log.tail_hash().await;
    let stream = room("!a");
    let again = [
        (by_command(1, &stream, &["one", "two"]), after("before")),
        (by_command(1, &stream, &["one", "two"]), after("after")),
        (by_command(1, &stream, &["something else"]), after("nothing")),
        (by_command(1, &room("!b"), &["elsewhere"]), Guard::EMPTY),
        (by_command(1, &stream, &[]), after("after")),
    ];
    for (commit, guard) in again {
        assert_eq!(log.append(commit, guard).await, Ok(AGAIN));
    }
    assert_eq!(log.tail_hash().await, before);
    assert_eq!(texts(&read_all(log).await), ["before", "one", "two", "after"]);
}

/// A repeated command returns its first result, marked as repeated, and writes nothing.
pub async fn command_gives_its_first_result_again(rig: &mut impl Rig) {
    let log = rig.log();
    given(&*log).await;
    repeated(&*log).await;
}

/// The same holds after a restart.
pub async fn command_is_remembered_after_reopening(rig: &mut impl Rig) {
    given(&*rig.log()).await;
    rig.reopen().await;
    repeated(&*rig.log()).await;
}

/// Retries that arrive before the first answer get that answer too.
pub async fn command_repeated_in_the_same_breath_is_written_once(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    let tries = (0..50).map(|_| log.append(by_command(1, &stream, &["one"]), Guard::EMPTY));
    let outcomes = join_all(tries.collect::<Vec<_>>()).await;
    for (index, outcome) in outcomes.into_iter().enumerate() {
        let expected =
            Appended { position: Position(1), revision: Revision(1), repeated: index > 0 };
        assert_eq!(outcome, Ok(expected));
    }
    assert_eq!(texts(&read_all(&*log).await), ["one"]);
}

/// The log does not remember a command that conflicted: a retry is decided again.
pub async fn find_names_the_commit_of_a_command(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    assert_eq!(log.find(command(1)).await, Ok(None));
    given(&*log).await;
    assert_eq!(log.find(command(1)).await, Ok(Some(FIRST.position)));
    assert!(log.append(by_command(2, &stream, &["stale"]), Guard::EMPTY).await.is_err());
    assert_eq!(log.find(command(2)).await, Ok(None));
    let retried = append(&*log, by_command(2, &stream, &["fresh"])).await;
    assert!(!retried.repeated);
    drop(log);
    rig.reopen().await;
    let log = rig.log();
    assert_eq!(log.find(command(2)).await, Ok(Some(retried.position)));
    assert_eq!(log.find(command(3)).await, Ok(None));
}
