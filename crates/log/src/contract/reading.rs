//! Rules about reading: promises 1, 2, 3 and 7.

use futures_util::future::join_all;

use super::{
    Rig,
    sample::{after, append, by_command, commit, event, read_all, room, texts},
};
use crate::{
    EventKey, EventLog, Guard, Hash, Head, PAGE_BYTES_MAX, PAGE_MAX, Position, Revision, Scope,
    StreamId, is_last_page,
};

const COMMITS: u64 = 90;

/// Commits of 1, 2 or 3 events to three streams in turn; every second one has a command ID.
async fn fill(log: &dyn EventLog) {
    let mut guards = [Guard::EMPTY; 3];
    let mut answers = Vec::new();
    for index in 0..COMMITS {
        let which = usize::try_from(index % 3).expect("small");
        let names = (0..=index % 3).map(|event| format!("{index}.{event}")).collect::<Vec<_>>();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let stream = stream(index);
        let commit = if index % 2 == 0 {
            by_command(index, &stream, &names)
        } else {
            commit(&stream, &names)
        };
        let next = Guard { last: commit.last_event() };
        answers.push(log.append(commit, std::mem::replace(&mut guards[which], next)));
    }
    for answer in join_all(answers).await {
        answer.expect("an append with a guard that holds");
    }
}

fn stream(index: u64) -> StreamId {
    room(["!a", "!b", "!c"][usize::try_from(index % 3).expect("small")])
}

async fn positions(log: &dyn EventLog, scope: &Scope, after: u64, limit: usize) -> Vec<u64> {
    let page = log.read(scope, Position(after), limit).await.expect("a read");
    page.iter().map(|record| record.position.0).collect()
}

/// Reads return the appended data: all fields, in the order of positions.
pub async fn reads_give_what_was_appended_in_order(rig: &mut impl Rig) {
    let log = rig.log();
    assert_eq!(read_all(&*log).await, []);
    fill(&*log).await;
    for (index, record) in (0..).zip(&read_all(&*log).await) {
        assert_eq!(record.position, Position(index + 1));
        assert_eq!(record.commit.stream, stream(index));
        assert_eq!(record.commit.command.is_some(), index % 2 == 0);
        assert_eq!(record.epoch, log.epoch());
        let count = index % 3 + 1;
        assert_eq!(record.revision, Revision((index / 3 + 1) * count));
        let names: Vec<_> = (0..count).map(|event| format!("{index}.{event}")).collect();
        assert_eq!(texts(std::slice::from_ref(record)), names);
    }
}

/// A page has at most `limit` records and at most [`PAGE_MAX`]; a page of small records has fewer only at the end.
pub async fn pages_end_where_the_log_does(rig: &mut impl Rig) {
    let log = rig.log();
    assert_eq!(positions(&*log, &Scope::All, 0, 10).await, []);
    fill(&*log).await;
    assert_eq!(positions(&*log, &Scope::All, 0, 3).await, [1, 2, 3]);
    assert_eq!(positions(&*log, &Scope::All, 3, 2).await, [4, 5]);
    assert_eq!(positions(&*log, &Scope::All, COMMITS - 1, 2).await, [COMMITS]);
    for after in [COMMITS, COMMITS + 1, u64::MAX] {
        assert_eq!(positions(&*log, &Scope::All, after, 2).await, []);
        assert_eq!(positions(&*log, &Scope::Stream(stream(0)), after, 2).await, []);
    }
    assert_eq!(positions(&*log, &Scope::All, 0, 0).await, []);
    let all: Vec<_> = (1..=COMMITS).collect();
    assert_eq!(positions(&*log, &Scope::All, 0, PAGE_MAX).await, all);
    let more = PAGE_MAX as u64 + 10;
    let last = log.head(&stream(0)).await.expect("a read").guard();
    let guard = |index| if index == 0 { last } else { after("x") };
    let answers = (0..more).map(|index| log.append(commit(&stream(0), &["x"]), guard(index)));
    join_all(answers.collect::<Vec<_>>()).await;
    for scope in [Scope::All, Scope::Stream(stream(0))] {
        let page = log.read(&scope, Position::ORIGIN, usize::MAX).await.expect("a read");
        assert_eq!(page.len(), PAGE_MAX);
    }
    assert_eq!(read_all(&*log).await.len() as u64, COMMITS + more);
}

/// The pages of a stream together hold the records of that stream and no others.
pub async fn streams_are_read_in_pages(rig: &mut impl Rig) {
    let log = rig.log();
    fill(&*log).await;
    for which in 0..3 {
        let scope = Scope::Stream(stream(which));
        let expected: Vec<_> =
            (1..=COMMITS).filter(|position| (position - 1) % 3 == which).collect();
        for limit in [1, 7, 30, PAGE_MAX] {
            let mut seen = Vec::new();
            loop {
                let after = seen.last().copied().unwrap_or(0);
                let page = positions(&*log, &scope, after, limit).await;
                let ended = page.len() < limit;
                seen.extend(page);
                if ended {
                    break;
                }
            }
            assert_eq!(seen, expected, "in pages of {limit}");
        }
        // A page may begin between two commits of the stream.
        assert_eq!(positions(&*log, &scope, 10, 1).await, [11 + (which + 2) % 3]);
    }
    assert_eq!(positions(&*log, &Scope::Stream(room("!none")), 0, 10).await, []);
}

/// A page ends after the record that brings it to [`PAGE_BYTES_MAX`], and the next page goes on behind it.
pub async fn pages_are_bounded_in_bytes(rig: &mut impl Rig) {
    let log = rig.log();
    let text = "x".repeat(PAGE_BYTES_MAX * 3 / 8);
    for number in 0..5 {
        let mut commit = commit(&stream(number % 2), &[&number.to_string()]);
        commit.events[0].content = text.clone().into();
        append(&*log, commit).await;
    }
    let check = async |log: &dyn EventLog| {
        for (scope, pages) in [
            (Scope::All, vec![vec![1, 2, 3], vec![4, 5]]),
            (Scope::Stream(stream(0)), vec![vec![1, 3, 5]]),
        ] {
            let mut after = Position::ORIGIN;
            for (index, expected) in pages.iter().enumerate() {
                let page = log.read(&scope, after, PAGE_MAX).await.expect("a read");
                let positions: Vec<_> = page.iter().map(|record| record.position.0).collect();
                assert_eq!(positions, *expected, "page {index} of {scope:?}");
                let is_full = page.len() == 3;
                assert_eq!(is_last_page(&page, PAGE_MAX), !is_full, "page {index} of {scope:?}");
                after = page.last().expect("a record").position;
            }
            assert_eq!(log.read(&scope, after, PAGE_MAX).await.expect("a read"), []);
        }
    };
    check(&*log).await;
    drop(log);
    rig.reopen().await;
    check(&*rig.log()).await;
}

/// `get` keeps the order and the repetitions of the request, and leaves out missing records.
pub async fn get_gives_records_in_the_order_asked_for(rig: &mut impl Rig) {
    let log = rig.log();
    fill(&*log).await;
    let asked = [7, 1, COMMITS, 7, 0, COMMITS + 1, u64::MAX, 2].map(Position);
    let expected = [7, 1, COMMITS, 7, 2];
    let check = async |log: &dyn EventLog| {
        let records = log.get(&asked).await.expect("a read");
        let positions: Vec<_> = records.iter().map(|record| record.position.0).collect();
        assert_eq!(positions, expected);
        assert_eq!(texts(&records[..1]), ["6.0"]);
        assert_eq!(log.get(&[]).await.expect("a read"), []);
        let every: Vec<_> = (1..=COMMITS).map(Position).collect();
        assert_eq!(log.get(&every).await.expect("a read"), read_all(log).await);
    };
    check(&*log).await;
    drop(log);
    rig.reopen().await;
    check(&*rig.log()).await;
}

/// `head` returns the revision and last position of a stream; zeros for an empty one.
pub async fn head_is_where_the_stream_ends(rig: &mut impl Rig) {
    let log = rig.log();
    assert_eq!(log.head(&stream(0)).await, Ok(Head::default()));
    fill(&*log).await;
    drop(log);
    for _ in 0..2 {
        let log = rig.log();
        for which in 0..3 {
            let position = Position(COMMITS - 2 + which);
            let last = event(&format!("{}.{which}", position.0 - 1));
            let expected = Head {
                revision: Revision(COMMITS / 3 * (which + 1)),
                position,
                last: Some(EventKey::of(&last.id)),
            };
            assert_eq!(log.head(&stream(which)).await, Ok(expected));
        }
        assert_eq!(log.head(&room("!none")).await, Ok(Head::default()));
        drop(log);
        rig.reopen().await;
    }
}

/// Each record names the hash of the one before, the first one names the origin, and each is
/// intact.
pub async fn records_form_a_chain(rig: &mut impl Rig) {
    let log = rig.log();
    assert_eq!(log.tail_hash().await, Ok((Position::ORIGIN, Hash::ORIGIN)));
    fill(&*log).await;
    drop(log);
    rig.reopen().await;
    let log = rig.log();
    append(&*log, commit(&room("!after"), &["reopening"])).await;
    let mut previous = Hash::ORIGIN;
    for record in read_all(&*log).await {
        assert!(record.is_intact(), "position {}", record.position);
        assert_eq!(record.previous, previous, "position {}", record.position);
        previous = record.hash;
    }
    assert_eq!(log.tail_hash().await, Ok((Position(COMMITS + 1), previous)));
}

/// A reader finds every commit up to the tail, by read, by head and by find. An answer is never
/// ahead of the tail.
pub async fn nothing_is_read_before_it_is_durable(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    for index in 0..50 {
        let guard = if index == 0 { Guard::EMPTY } else { after("x") };
        let answer = log.append(by_command(index, &stream, &["x"]), guard);
        // Every record seen now is at or below the tail that is read later.
        let seen = read_all(&*log).await.len() as u64;
        let head = log.head(&stream).await.expect("a read");
        let tail = log.tail().borrow().0;
        assert!(seen <= tail && head.position.0 <= tail);
        let appended = answer.await.expect("an append with a guard that holds");
        let tail = *log.tail().borrow();
        assert!(tail >= appended.position, "an answer ahead of the tail");
        assert_eq!(read_all(&*log).await.len() as u64, tail.0, "a tail ahead of what is read");
        assert_eq!(log.head(&stream).await.expect("a read").position, appended.position);
        assert_eq!(log.tail_hash().await.expect("a read").0, tail);
    }
}

/// A reader that starts anywhere, catches up and then waits for the tail sees each commit once.
pub async fn catching_up_then_following_sees_each_once(rig: &mut impl Rig) {
    let log = rig.log();
    fill(&*log).await;
    let more = 200;
    let stream = room("!live");
    let write = async {
        for index in 0..more {
            let guard = if index == 0 { Guard::EMPTY } else { after("live") };
            log.append(commit(&stream, &["live"]), guard).await.expect("a guard that holds");
        }
    };
    let follow = async |from: u64| {
        let mut tail = log.tail();
        let mut after = Position(from);
        while after.0 < COMMITS + more {
            let page = log.read(&Scope::All, after, 16).await.expect("a read");
            for record in &page {
                assert_eq!(record.position, after.next(), "a gap or a repeat");
                after = record.position;
            }
            if page.len() < 16 {
                tail.wait_for(|tail| *tail > after || after.0 == COMMITS + more)
                    .await
                    .expect("the log is open");
            }
        }
    };
    tokio::join!(write, follow(0), follow(45), follow(COMMITS));
}

/// A restart changes nothing: records, epoch, heads and the tail are the same, and positions
/// continue.
pub async fn all_is_there_after_reopening(rig: &mut impl Rig) {
    let log = rig.log();
    fill(&*log).await;
    let (epoch, hash, records) = (log.epoch(), log.tail_hash().await, read_all(&*log).await);
    drop(log);
    for _ in 0..3 {
        rig.reopen().await;
        let log = rig.log();
        assert_eq!(log.epoch(), epoch);
        assert_eq!(*log.tail().borrow(), Position(COMMITS));
        assert_eq!(log.tail_hash().await, hash);
        assert_eq!(read_all(&*log).await, records);
        assert_eq!(*log.fault().borrow(), None);
    }
    let next = append(&*rig.log(), commit(&stream(0), &["next"])).await;
    assert_eq!(next.position, Position(COMMITS + 1));
}
