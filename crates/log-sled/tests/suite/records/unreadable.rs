//! Records that cannot be read while the log is open: the jobs that they fail, and the jobs that
//! they do not.

use bytes::Bytes;
use rookery_log::{AppendError, ErasableLog, EraseError, EventLog, Position, ReadError};
use tempfile::TempDir;

use crate::support::{append_all, commit, guard, open, tamper, temporary};

/// A closed log of 30 commits; those at `positions` cannot be read.
async fn given(positions: &[u64]) -> TempDir {
    let dir = temporary();
    append_all(&open(dir.path()), 0..30, 100).await;
    tamper(dir.path(), |db| {
        let commits = db.open_tree("commits").unwrap();
        for position in positions {
            let key = position.to_be_bytes();
            let mut value = commits.get(key).unwrap().unwrap().to_vec();
            value[60] ^= 1;
            commits.insert(key, value).unwrap();
        }
    });
    dir
}

#[tokio::test]
async fn unreadable_record_fails_its_own_erasure_and_no_other_work() {
    let dir = given(&[5]).await;
    let log = open(dir.path());
    for _ in 0..2 {
        let refused = log.erase(Position(5), 0, Bytes::new()).await;
        let damaged = ReadError::Damaged {
            position: Position(5),
            damage: "the checksum does not match".into(),
        };
        assert_eq!(refused, Err(EraseError::Unreadable(damaged)));
    }
    assert_eq!(log.erase(Position(6), 0, Bytes::new()).await, Ok(()));
    assert_eq!(*log.fault().borrow(), None);
    append_all(&log, 30..40, 100).await;
}

#[tokio::test]
async fn unreadable_end_of_a_stream_holds_up_no_other_stream() {
    // The last commit of stream 1 is at position 29.
    let dir = given(&[29]).await;
    let log = open(dir.path());
    let refused = log.append(commit(31, 10), guard(31)).await;
    let Err(AppendError::Unavailable(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.to_string().contains("nothing was written"), "{reason}");
    let repeated = log.append(commit(28, 10), guard(28)).await;
    assert!(matches!(repeated, Err(AppendError::Unavailable(_))), "{repeated:?}");
    assert_eq!(*log.fault().borrow(), None);
    assert_eq!(*log.tail().borrow(), Position(30));
    for number in [30, 32, 33] {
        log.append(commit(number, 10), guard(number)).await.unwrap();
    }
}
