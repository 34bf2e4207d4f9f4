//! Rules about appends: promises 1, 2, 4, 6, 9 and 10.

use bytes::Bytes;
use futures_util::future::join_all;

use super::{
    Rig,
    sample::{after, append, by_command, commit, event, read_all, room, texts},
};
use crate::{
    APPENDS_IN_FLIGHT_BYTES_MAX, AppendError, Appended, COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Guard,
    Head, Position, Revision,
};

/// Positions are 1, 2, 3 ... over all streams; a revision counts the events of its stream.
pub async fn positions_are_dense_and_revisions_count_events(rig: &mut impl Rig) {
    let log = rig.log();
    let (a, b) = (room("!a"), room("!b"));
    let got = [
        append(&*log, commit(&a, &["one"])).await,
        append(&*log, commit(&b, &["one", "two", "three"])).await,
        append(&*log, commit(&a, &["two", "three"])).await,
        append(&*log, commit(&b, &["four"])).await,
    ];
    let expected = [(1, 1), (2, 3), (3, 3), (4, 4)].map(|(position, revision)| Appended {
        position: Position(position),
        revision: Revision(revision),
        repeated: false,
    });
    assert_eq!(got, expected);
    assert_eq!(*log.tail().borrow(), Position(4));
    let sequences: Vec<_> = read_all(&*log).await.iter().map(|record| record.sequence(0)).collect();
    assert_eq!(sequences, [1, 1, 2, 4]);
}

/// A stale guard names an earlier event, another event or no event. The append then returns the
/// true revision and changes nothing.
pub async fn stale_guard_conflicts_and_writes_nothing(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    append(&*log, commit(&stream, &["one", "two"])).await;
    let before = log.tail_hash().await;
    for guard in [Guard::EMPTY, after("one"), after("three"), Guard::after("two")] {
        let outcome = log.append(commit(&stream, &["stale"]), guard).await;
        assert_eq!(outcome, Err(AppendError::Conflict { actual: Revision(2) }), "{guard:?}");
    }
    let other = log.append(commit(&room("!b"), &["stale"]), after("two")).await;
    assert_eq!(other, Err(AppendError::Conflict { actual: Revision::EMPTY }));
    assert_eq!(log.tail_hash().await, before);
    assert_eq!(texts(&read_all(&*log).await), ["one", "two"]);
    assert_eq!(append(&*log, commit(&stream, &["three"])).await.position, Position(2));
}

/// Empty commits and commits over a limit are refused and change nothing.
pub async fn unfit_commits_are_refused(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    let mut many = commit(&stream, &[]);
    many.events = vec![event("x"); COMMIT_EVENTS_MAX + 1];
    let mut large = commit(&stream, &["x"]);
    large.events[0].content = vec![0; COMMIT_BYTES_MAX].into();
    for unfit in [commit(&stream, &[]), many, large] {
        assert_eq!(log.append(unfit, Guard::EMPTY).await, Err(AppendError::Unfit));
    }
    assert_eq!(*log.tail().borrow(), Position::ORIGIN);
    assert_eq!(append(&*log, commit(&stream, &["one"])).await.position, Position(1));
}

/// A commit with the most events and one with the most bytes come back unchanged, also after
/// reopening.
pub async fn largest_commits_are_kept_whole(rig: &mut impl Rig) {
    let stream = room("!a");
    let mut many = commit(&stream, &[]);
    many.events = (0..COMMIT_EVENTS_MAX).map(|index| event(&index.to_string())).collect();
    let mut large = commit(&stream, &["x"]);
    let taken = large.len_bytes() - large.events[0].content.len();
    let content = (0..COMMIT_BYTES_MAX - taken).map(|index| index.to_le_bytes()[index % 3]);
    large.events[0].content = content.collect();
    assert!(many.fits() && large.fits());
    let log = rig.log();
    append(&*log, many.clone()).await;
    append(&*log, large.clone()).await;
    drop(log);
    for _ in 0..2 {
        let records = read_all(&*rig.log()).await;
        let commits: Vec<_> = records.iter().map(|record| &record.commit).collect();
        assert!(commits == [&many, &large], "a large commit has changed");
        assert!(records.iter().all(|record| record.is_intact()));
        drop(records);
        rig.reopen().await;
    }
}

/// Appends that are started without waiting for answers are applied in the order of the calls, so
/// each can build on the one before.
pub async fn pipelined_appends_are_applied_in_order(rig: &mut impl Rig) {
    let log = rig.log();
    let streams = [room("!a"), room("!b"), room("!c")];
    let mut answers = Vec::new();
    for index in 0..300_u64 {
        let stream = &streams[usize::try_from(index % 3).expect("small")];
        let guard = index.checked_sub(3).map_or(Guard::EMPTY, |last| after(&last.to_string()));
        answers.push(log.append(commit(stream, &[&index.to_string()]), guard));
    }
    // Asking for the answers in reverse order gives the same answers.
    answers.reverse();
    let mut positions: Vec<_> =
        join_all(answers).await.into_iter().map(|answer| answer.map(|it| it.position)).collect();
    positions.reverse();
    let expected: Vec<_> = (1..=300).map(|position| Ok(Position(position))).collect();
    assert_eq!(positions, expected);
    let expected: Vec<_> = (0..300).map(|index: u64| index.to_string()).collect();
    assert_eq!(texts(&read_all(&*log).await), expected);
}

/// An append continues when its caller drops the future.
pub async fn dropped_append_goes_on(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    drop(log.append(commit(&stream, &["one"]), Guard::EMPTY));
    let next = log.append(commit(&stream, &["two"]), after("one")).await;
    assert_eq!(next.map(|it| it.position), Ok(Position(2)));
    assert_eq!(texts(&read_all(&*log).await), ["one", "two"]);
}

/// Of many appends with the same guard one wins, and the others learn the revision of the stream.
pub async fn one_racer_wins_each_guard(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    for round in 0..20_u64 {
        let guard = log.head(&stream).await.expect("a read").guard();
        let racers = (0..16).map(|racer: u64| {
            let log = rig.log();
            let racer = commit(&stream, &[&format!("{round} {racer}")]);
            async move { log.append(racer, guard).await }
        });
        let outcomes = join_all(racers).await;
        let conflict = Err(AppendError::Conflict { actual: Revision(round + 1) });
        let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let losers = outcomes.iter().filter(|outcome| **outcome == conflict).count();
        assert_eq!((winners, losers), (1, 15), "in round {round}");
    }
    assert_eq!(read_all(&*log).await.len(), 20);
}

/// An append that builds on a lost append fails too, however many events the winner wrote. So does
/// an append that builds on that one.
pub async fn append_that_builds_on_a_failed_one_fails_too(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    append(&*log, commit(&stream, &["one"])).await;
    // Another writer appends first, with as many events as the loser has.
    let winner = log.append(commit(&stream, &["won"]), after("one"));
    let lost = log.append(commit(&stream, &["lost"]), after("one"));
    let built = log.append(commit(&stream, &["built on it"]), after("lost"));
    let higher = log.append(commit(&stream, &["and on that"]), after("built on it"));
    let next = log.append(commit(&stream, &["next"]), after("won"));
    assert_eq!(winner.await.map(|it| it.position), Ok(Position(2)));
    for outcome in join_all([lost, built, higher]).await {
        assert!(matches!(outcome, Err(AppendError::Conflict { .. })), "{outcome:?}");
    }
    assert_eq!(next.await.map(|it| it.position), Ok(Position(3)));
    assert_eq!(texts(&read_all(&*log).await), ["one", "won", "next"]);
}

/// The same holds when the failed append repeated a command, which writes nothing, or was too
/// large.
pub async fn append_that_builds_on_what_was_not_written_fails(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    append(&*log, by_command(1, &stream, &["one"])).await;
    let repeated = log.append(by_command(1, &stream, &["again"]), after("one"));
    let built = log.append(commit(&stream, &["built on again"]), after("again"));
    let mut large = commit(&stream, &["large"]);
    large.events[0].content = vec![0; COMMIT_BYTES_MAX].into();
    let unfit = log.append(large, after("one"));
    let on_unfit = log.append(commit(&stream, &["built on large"]), after("large"));
    assert!(repeated.await.is_ok_and(|it| it.repeated));
    assert_eq!(unfit.await, Err(AppendError::Unfit));
    for outcome in [built.await, on_unfit.await] {
        assert_eq!(outcome, Err(AppendError::Conflict { actual: Revision(1) }));
    }
    assert_eq!(texts(&read_all(&*log).await), ["one"]);
}

/// The guard of the next append is the same after the content of the last event was erased, and
/// after a restart.
pub async fn guards_hold_over_erasing_and_reopening(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    append(&*log, commit(&stream, &["one", "two"])).await;
    log.erase(Position(1), 1, Bytes::new()).await.expect("an event that is there");
    drop(log);
    for (last, text) in [("two", "three"), ("three", "four")] {
        rig.reopen().await;
        let log = rig.log();
        assert_eq!(log.head(&stream).await.map(Head::guard), Ok(after(last)));
        let appended = log.append(commit(&stream, &[text]), after(last)).await;
        assert!(appended.is_ok(), "{appended:?}");
    }
}

/// A caller that waits for the backlog can append more in all than may be in flight at once.
pub async fn backlog_ends_when_appends_are_answered(rig: &mut impl Rig) {
    const BYTES: usize = COMMIT_BYTES_MAX / 2;
    let log = rig.log();
    let count = APPENDS_IN_FLIGHT_BYTES_MAX / BYTES + 2;
    let mut answers = Vec::new();
    for index in 0..count {
        if let Some(backlog) = log.backlog() {
            backlog.await;
        }
        let mut commit = commit(&room(&format!("!{index}")), &["x"]);
        commit.events[0].content = vec![0; BYTES].into();
        answers.push(log.append(commit, Guard::EMPTY));
    }
    assert!(join_all(answers).await.iter().all(Result::is_ok));
    assert!(log.backlog().is_none(), "nothing is under way");
}
