//! Rules about what an append does: promises 1, 2, 4 and 6.

use futures_util::future::join_all;

use super::{
    Rig,
    sample::{append, at, commit, event, read_all, room, texts, try_append},
};
use crate::{AppendError, Appended, COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Position, Revision};

/// Positions are 1, 2, 3 ... over all streams; a revision counts the events of its stream.
pub async fn positions_are_dense_and_revisions_count_events(rig: &mut impl Rig) {
    let log = rig.log();
    let (a, b) = (room("!a"), room("!b"));
    let got = [
        append(&*log, commit(&a, &["one"]), 0).await,
        append(&*log, commit(&b, &["one", "two", "three"]), 0).await,
        append(&*log, commit(&a, &["two", "three"]), 1).await,
        append(&*log, commit(&b, &["four"]), 3).await,
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

/// A guard that does not hold, too low or too high, gives the true revision and changes nothing.
pub async fn stale_guard_conflicts_and_writes_nothing(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    append(&*log, commit(&stream, &["one", "two"]), 0).await;
    let before = log.tail_hash().await;
    for guard in [0, 1, 3, u64::MAX] {
        let outcome = try_append(&*log, commit(&stream, &["stale"]), guard).await;
        assert_eq!(outcome, Err(AppendError::Conflict { actual: Revision(2) }), "at {guard}");
    }
    let other = try_append(&*log, commit(&room("!b"), &["stale"]), 1).await;
    assert_eq!(other, Err(AppendError::Conflict { actual: Revision::EMPTY }));
    assert_eq!(log.tail_hash().await, before);
    assert_eq!(texts(&read_all(&*log).await), ["one", "two"]);
    assert_eq!(append(&*log, commit(&stream, &["three"]), 2).await.position, Position(2));
}

/// Empty commits and those over a limit are refused, and change nothing.
pub async fn unfit_commits_are_refused(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    let mut many = commit(&stream, &[]);
    many.events = vec![event("x"); COMMIT_EVENTS_MAX + 1];
    let mut large = commit(&stream, &["x"]);
    large.events[0].content = vec![0; COMMIT_BYTES_MAX].into();
    for unfit in [commit(&stream, &[]), many, large] {
        assert_eq!(try_append(&*log, unfit, 0).await, Err(AppendError::Unfit));
    }
    assert_eq!(*log.tail().borrow(), Position::ORIGIN);
    assert_eq!(append(&*log, commit(&stream, &["one"]), 0).await.position, Position(1));
}

/// A commit of the most events, and one of the most bytes, come back as they were, also after
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
    append(&*log, many.clone(), 0).await;
    append(&*log, large.clone(), COMMIT_EVENTS_MAX as u64).await;
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
        answers.push(log.append(commit(stream, &[&index.to_string()]), at(index / 3)));
    }
    // Whoever asks for the answers backwards gets the same ones.
    answers.reverse();
    let mut positions: Vec<_> =
        join_all(answers).await.into_iter().map(|answer| answer.map(|it| it.position)).collect();
    positions.reverse();
    let expected: Vec<_> = (1..=300).map(|position| Ok(Position(position))).collect();
    assert_eq!(positions, expected);
    let expected: Vec<_> = (0..300).map(|index: u64| index.to_string()).collect();
    assert_eq!(texts(&read_all(&*log).await), expected);
}

/// An append goes on when nobody waits for it.
pub async fn dropped_append_goes_on(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    drop(log.append(commit(&stream, &["one"]), at(0)));
    assert_eq!(append(&*log, commit(&stream, &["two"]), 1).await.position, Position(2));
    assert_eq!(texts(&read_all(&*log).await), ["one", "two"]);
}

/// Of many appends on the same guard one wins, and the others learn where the stream is.
pub async fn one_racer_wins_each_guard(rig: &mut impl Rig) {
    let log = rig.log();
    let stream = room("!a");
    for round in 0..20_u64 {
        let racers = (0..16).map(|racer: u64| {
            let log = rig.log();
            let racer = commit(&stream, &[&format!("{round} {racer}")]);
            async move { log.append(racer, at(round)).await }
        });
        let outcomes = join_all(racers).await;
        let conflict = Err(AppendError::Conflict { actual: Revision(round + 1) });
        let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let losers = outcomes.iter().filter(|outcome| **outcome == conflict).count();
        assert_eq!((winners, losers), (1, 15), "in round {round}");
    }
    assert_eq!(read_all(&*log).await.len(), 20);
}
