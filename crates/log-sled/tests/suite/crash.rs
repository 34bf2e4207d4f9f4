//! Killing the process in the middle of its work.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use rookery_log::EventLog;

use crate::support::{child, child_dir, commit, guard, open, read_all, temporary};

const ROUNDS: u64 = 6;
const PIPELINED: usize = 40;

/// Every seventh commit is stored in parts.
fn bytes_of(number: u64) -> usize {
    if number.is_multiple_of(7) { 20_000 } else { 200 }
}

/// Appends until it is killed, and prints each answered position.
#[tokio::test]
async fn appending_child() {
    let Some(dir) = child_dir() else { return };
    let log = open(&dir);
    let mut number = log.tail().borrow().0;
    let mut answers = FuturesOrdered::new();
    loop {
        answers.push_back(log.append(commit(number, bytes_of(number)), guard(number)));
        number += 1;
        if answers.len() >= PIPELINED {
            println!("\nanswered {}", answers.next().await.unwrap().unwrap().position);
        }
    }
}

/// Kills a child after `count` answers. Returns the last position that it printed.
fn kill_after(count: u64, dir: &Path) -> u64 {
    let mut command = child("crash::appending_child", dir, &[]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut last = 0;
    let mut told = 0;
    for line in lines {
        let Some(position) = line.strip_prefix("answered ") else { continue };
        // The last line may be torn.
        last = position.parse().unwrap_or(last).max(last);
        told += 1;
        if told == count {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(told >= count, "the child ended by itself after {told} answers");
    last
}

#[tokio::test]
async fn killed_process_loses_nothing_it_acknowledged() {
    let dir = temporary();
    let mut before = 0;
    for round in 0..ROUNDS {
        let last = kill_after(1 + round * 61 % 150, dir.path());
        let log = open(dir.path());
        let tail = log.tail().borrow().0;
        assert!(tail >= last, "round {round}: {last} was acknowledged, the log ends at {tail}");
        assert!(tail > before);
        let found = log.verify(|_, _| ()).unwrap();
        assert_eq!((found.commits, found.commands), (tail, tail));
        for (number, record) in (0..).zip(read_all(&log).await) {
            let expected = commit(number, bytes_of(number));
            assert!(record.commit == expected, "round {round}: {number} has changed");
        }
        before = tail;
    }
}
