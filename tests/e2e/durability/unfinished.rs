//! Killed imports: half an import never passes for a whole one, and the same import continues.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::Path,
    process::{Child, Stdio},
};

use tempfile::{TempDir, tempdir};

use crate::server::{Server, eventually, fail, rookery, succeed};

/// More than an import has in flight to the disk, and more than a pipe holds.
const LINES: usize = 4_000;

/// IRC logs of `LINES` messages in two files.
fn irc_logs(channel: &str) -> TempDir {
    let folder = tempdir().unwrap();
    for day in 1..=2 {
        let mut text = String::from("=== ada [~ada@hive.example]  has joined\n");
        for number in 0..LINES / 2 {
            let (hour, minute) = (number / 60 % 24, number % 60);
            writeln!(text, "[{hour:02}:{minute:02}] <ada> message {number} of day {day}").unwrap();
        }
        let day = folder.path().join(format!("2004/01/{day:02}"));
        fs::create_dir_all(&day).unwrap();
        fs::write(day.join(format!("#{channel}.txt")), text).unwrap();
    }
    folder
}

/// An exported log of some thousand commits.
fn exported() -> String {
    let (data, logs) = (tempdir().unwrap(), irc_logs("made-up"));
    succeed(data.path(), &["import", "irc", logs.path().to_str().unwrap()], "");
    succeed(data.path(), &["export", "-"], "")
}

fn start_import(data: &Path, arguments: &[&str]) -> Child {
    let mut command = rookery();
    command.arg("import").args(arguments).env("ROOKERY_DATA", data);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Every command that uses the folder refuses it by name.
fn is_refused(data: &Path, source: &str) {
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["verify"],
        &["export", "-"],
        &["rebuild"],
        &["compact"],
        &["log", "tail"],
        &["user", "list"],
    ] {
        let said = fail(data, command, "");
        assert!(
            said.contains("did not finish") && said.contains(source) && said.contains("again"),
            "{command:?}: {said}"
        );
    }
}

#[test]
fn an_import_of_a_log_that_was_killed_is_refused_until_the_same_file_was_read_to_its_end() {
    let whole = exported();
    let ends: Vec<_> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
    let files = tempdir().unwrap();
    let file = files.path().join("whole.ndjson");
    fs::write(&file, &whole).unwrap();
    let other = files.path().join("other.ndjson");
    {
        let data = tempdir().unwrap();
        drop(Server::start(data.path()));
        succeed(data.path(), &["export", other.to_str().unwrap()], "");
    }
    // After the first record, in the middle, and after everything but the end of the file.
    for lines in [2, 3_000, ends.len()] {
        let data = tempdir().unwrap();
        let data = data.path();
        let mut import = start_import(data, &["-"]);
        let mut input = import.stdin.take().unwrap();
        input.write_all(&whole.as_bytes()[..ends[lines - 1]]).unwrap();
        eventually("the import has begun", || data.join("import.json").exists());
        import.kill().unwrap();
        import.wait().unwrap();
        drop(input);

        is_refused(data, "-");
        let said = fail(data, &["import", other.to_str().unwrap()], "");
        assert!(said.contains("other.ndjson is not the source of that import"), "{said}");
        is_refused(data, "-");
        succeed(data, &["import", file.to_str().unwrap()], "");
        assert!(!data.join("import.json").exists());
        assert!(succeed(data, &["export", "-"], "") == whole, "killed after {lines} lines");
        assert!(succeed(data, &["verify"], "").contains("equal to a rebuild"));
        let said = fail(data, &["import", file.to_str().unwrap()], "");
        assert!(said.contains("already has a log"), "{said}");
    }
}

#[test]
fn an_import_that_goes_on_takes_no_file_with_another_beginning_or_end() {
    let whole = exported();
    let ends: Vec<_> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
    let data = tempdir().unwrap();
    let data = data.path();
    let mut import = start_import(data, &["-"]);
    let mut input = import.stdin.take().unwrap();
    // When all of this has gone into the pipe, hundreds of records are durable.
    input.write_all(&whole.as_bytes()[..ends[3_000]]).unwrap();
    import.kill().unwrap();
    import.wait().unwrap();
    let short = format!("{}{{\"records\":1,\"hash\":\"x\",\"epoch\":\"y\"}}\n", &whole[..ends[1]]);
    for bad in [&whole[..ends[1]], &short, &whole[..ends[3_000]]] {
        let said = fail(data, &["import", "-"], bad);
        assert!(said.contains("line"), "{said}");
        is_refused(data, "-");
    }
    succeed(data, &["import", "-"], &whole);
    assert!(succeed(data, &["export", "-"], "") == whole);
}

#[test]
fn an_import_of_irc_logs_that_was_killed_goes_on_and_adds_nothing_twice() {
    let logs = irc_logs("made-up");
    let path = logs.path().to_str().unwrap();
    let reference = tempdir().unwrap();
    succeed(reference.path(), &["import", "irc", path], "");
    let texts = |data: &Path| -> Vec<String> {
        let log = succeed(data, &["export", "-"], "");
        let text = |line: &str| {
            let (_, rest) = line.split_once("\"body\":\"message ")?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        log.lines().filter_map(text).collect()
    };
    let expected = texts(reference.path());
    assert_eq!(expected.len(), LINES);
    let data = tempdir().unwrap();
    let data = data.path();
    for _ in 0..3 {
        let mut import = start_import(data, &["irc", path]);
        let models = data.join("models");
        eventually("the import has begun", || data.join("import.json").exists() && models.exists());
        import.kill().unwrap();
        import.wait().unwrap();
        is_refused(data, path);
    }
    let elsewhere = irc_logs("elsewhere");
    let said = fail(data, &["import", "irc", elsewhere.path().to_str().unwrap()], "");
    assert!(said.contains("is not the source of that import") && said.contains(path), "{said}");
    let said = fail(data, &["import", "-"], &exported());
    assert!(said.contains("did not finish"), "{said}");
    // The same logs in another place are the same logs.
    let moved = tempdir().unwrap();
    fs::rename(logs.path().join("2004"), moved.path().join("2004")).unwrap();
    succeed(data, &["import", "irc", moved.path().to_str().unwrap()], "");
    assert_eq!(texts(data), expected);
    assert!(succeed(data, &["verify"], "").contains("equal to a rebuild"));
    drop(Server::start(data));
}
