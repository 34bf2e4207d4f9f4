//! The system calls of the log, seen with strace.

use std::{fs, process::Command, time::Duration};

use rookery_log::{AppendError, EventLog};
use rookery_log_sled::{SledLog, SledOptions};

use crate::support::{append_all, child, child_dir, commit, db, finish, guard, open, temporary};

const SINGLY: u64 = 20;
const TOGETHER: u64 = 400;

/// The body of the traced children.
#[tokio::test]
async fn traced_child() {
    let Some(dir) = child_dir() else { return };
    let log = open(&dir);
    for number in 0..SINGLY {
        if let Err(error) = log.append(commit(number, 100), guard(number)).await {
            assert!(matches!(error, AppendError::Unavailable(_)));
            println!("\nrefused {number}: {error}");
            return;
        }
        println!("\nanswered {number}");
    }
    append_all(&log, SINGLY..SINGLY + TOGETHER, 100).await;
}

/// The body of the traced child whose log stops and goes on.
#[tokio::test]
async fn recovering_child() {
    let Some(dir) = child_dir() else { return };
    let options = SledOptions { probe_pause: Duration::from_millis(1), ..SledOptions::default() };
    let log = SledLog::open(&dir, options).unwrap();
    let mut fault = log.fault();
    for number in 0..SINGLY {
        while let Err(error) = log.append(commit(number, 100), guard(number)).await {
            println!("\nrefused {number}: {error}");
            fault.wait_for(Option::is_none).await.unwrap();
        }
        println!("\nanswered {number}");
    }
    assert_eq!(log.verify(|_, _| ()).unwrap().commits, SINGLY);
}

/// Whether strace exists and may trace.
fn can_trace() -> bool {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        eprintln!("SKIPPED: strace is not installed or may not trace");
    }
    works
}

#[test]
fn each_answer_follows_a_real_sync_and_groups_share_one() {
    if !can_trace() {
        return;
    }
    let dir = temporary();
    let trace = dir.path().join("trace");
    let data = dir.path().join("data");
    let wrapper =
        ["strace", "-f", "-y", "-e", "trace=fdatasync,write", "-o", trace.to_str().unwrap()];
    finish(child("traced::traced_child", &data, &wrapper), Duration::from_mins(1));
    let file = format!("<{}>", db(&data).display());
    let mut syncs = 0;
    let mut answers = 0;
    for line in fs::read_to_string(trace).unwrap().lines() {
        if line.contains("fdatasync(") && line.contains(&file) {
            syncs += 1;
        }
        if line.contains("write(1") && line.contains("answered") {
            answers += 1;
            assert!(syncs > answers, "answer {answers} after only {syncs} syncs");
        }
    }
    assert_eq!(answers, SINGLY);
    // One when opening and one when closing.
    assert!((SINGLY + 2..SINGLY + TOGETHER / 4).contains(&syncs), "{syncs} syncs");
}

#[test]
fn input_output_error_of_the_kernel_stops_writes() {
    if !can_trace() {
        return;
    }
    let dir = temporary();
    let data = dir.path().join("data");
    // strace counts for each thread; the engine writes on eight of them.
    for inject in ["fdatasync:error=EIO:when=9", "sync_file_range:error=EIO:when=3+"] {
        let inject = format!("inject={inject}");
        let wrapper = ["strace", "-f", "-o", "/dev/null", "-e", &inject];
        let printed =
            finish(child("traced::traced_child", &data, &wrapper), Duration::from_mins(1));
        assert!(printed.contains("refused"), "{inject}: {printed}");
        let answered = printed.matches("answered").count() as u64;
        let log = open(&data);
        assert!(log.tail().borrow().0 >= answered, "{inject}: an acknowledged commit is gone");
        log.verify(|_, _| ()).unwrap();
        drop(log);
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn input_output_errors_that_end_cost_no_restart() {
    if !can_trace() {
        return;
    }
    let dir = temporary();
    let data = dir.path().join("data");
    // strace counts for each thread: of the syncs the writer made eight, the engine's threads wrote
    // some.
    let head = data.join("head");
    for (inject, path) in [
        // A file system that became read-only, and whose last sync was reported as successful.
        ("write:error=EROFS:when=5..6", Some(&head)),
        ("fdatasync:error=EIO:when=9", None),
        ("fdatasync:error=ENOSPC:when=9..11", None),
        ("sync_file_range:error=EIO:when=3", None),
        ("pwrite64:error=EIO:when=3", None),
        ("pwrite64:error=ENOSPC:when=3..4", None),
    ] {
        let inject = format!("inject={inject}");
        let mut wrapper = vec!["strace", "-f", "-o", "/dev/null", "-e", &inject];
        if let Some(path) = path {
            wrapper.extend(["-P", path.to_str().unwrap()]);
        }
        let printed =
            finish(child("traced::recovering_child", &data, &wrapper), Duration::from_mins(1));
        assert!(printed.contains("refused"), "{inject}: {printed}");
        assert_eq!(printed.matches("answered").count() as u64, SINGLY, "{inject}: {printed}");
        let log = open(&data);
        assert_eq!(log.verify(|_, _| ()).unwrap().commits, SINGLY, "{inject}");
        drop(log);
        fs::remove_dir_all(&data).unwrap();
    }
}
