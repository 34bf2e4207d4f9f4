//! Full, gone or stalled outputs: the server serves, and commands fail with a message.

use std::{
    fs::{File, OpenOptions},
    path::Path,
    process::{Output, Stdio},
};

use serde_json::json;
use tempfile::tempdir;

use crate::{
    client::Client,
    server::{Server, eventually, rookery, succeed},
};

/// A file on a disk that is always full, if the system has one.
fn full_disk() -> Option<File> {
    let opened = OpenOptions::new().write(true).open("/dev/full");
    if opened.is_err() {
        println!("skipped: there is no /dev/full");
    }
    opened.ok()
}

/// Writes, reads, asks for the status and stops.
fn goes_on(server: Server, data: &Path) -> u64 {
    let alice = Client::register(&server, "alice");
    let room = alice.act("createRoom", json!({ "preset": "PUBLIC" }))["room"]["roomId"].clone();
    alice.say(room.as_str().unwrap(), "heard by nobody's log");
    let status = succeed(data, &["status"], "");
    let lost = status.lines().find_map(|line| line.strip_prefix("log lines lost: "));
    let lost = lost.unwrap_or_else(|| panic!("no count in {status}")).parse().unwrap();
    assert_eq!(server.stop().code(), Some(0), "it drains and ends well");
    lost
}

#[test]
fn a_server_whose_log_is_on_a_full_disk_serves_and_counts_what_is_lost() {
    let Some(full) = full_disk() else { return };
    let data = tempdir().unwrap();
    let server = Server::start_unheard(data.path(), full, &[]);
    assert!(goes_on(server, data.path()) > 0);
}

#[test]
fn a_server_whose_log_nobody_reads_any_more_serves_and_drains() {
    let data = tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let server = Server::start_unheard(data.path(), writer, &[]);
    drop(reader);
    goes_on(server, data.path());
}

#[test]
fn a_reader_of_the_log_that_stalls_does_not_stall_the_server() {
    let data = tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let server = Server::start_unheard(data.path(), writer, &["--log", "trace"]);
    let alice = Client::register(&server, "bob");
    // More than a pipe and the server's own queue hold.
    eventually("log lines are lost", || {
        // Many between two checks: a check starts a program, which takes longest on a slow machine.
        for _ in 0..1_000 {
            alice.run("{ viewer { position } }", &json!({}));
        }
        !succeed(data.path(), &["status"], "").contains("log lines lost: 0\n")
    });
    assert!(goes_on(server, data.path()) > 0);
    drop(reader);
}

/// Runs a command whose standard output goes to `stdout`.
fn output_to(stdout: impl Into<Stdio>, data: &Path, arguments: &[&str]) -> Output {
    let mut command = rookery();
    command.args(arguments).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
    command.env("ROOKERY_DATA", data).spawn().unwrap().wait_with_output().unwrap()
}

#[test]
fn a_command_whose_reader_has_gone_ends_quietly() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room = alice.act("createRoom", json!({ "preset": "PUBLIC" }))["room"]["roomId"].clone();
    for number in 0..200 {
        alice.say(room.as_str().unwrap(), &format!("message {number}"));
    }
    let mut server = Some(server);
    for online in [true, false] {
        if !online {
            drop(server.take());
        }
        for command in [
            &["log", "tail", "--after", "0"][..],
            &["log", "tail", "--after", "0", "--follow"],
            &["export", "-"],
            &["schema"],
            &["user", "list"],
            &["verify"],
            &["--check-config"],
            &["--help"],
            if online { &["status"] } else { &["log", "salvage", "-"] },
        ] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let ended = output_to(writer, data.path(), command);
            assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{command:?}");
            assert_eq!(ended.status.code(), Some(141), "{command:?}, online: {online}");
        }
    }
}

#[test]
fn a_result_that_cannot_be_written_fails_the_command() {
    let data = tempdir().unwrap();
    drop(Server::start(data.path()));
    succeed(data.path(), &["user", "create", "ada"], "long enough\n");
    for command in [
        &["schema"][..],
        &["--help"],
        &["--version"],
        &["--check-config"],
        &["user", "list"],
        &["export", "-"],
        &["verify"],
    ] {
        let Some(full) = full_disk() else { return };
        let ended = output_to(full, data.path(), command);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.contains("cannot write to the standard output"), "{command:?}: {said}");
    }
}

#[test]
fn a_command_that_cannot_say_why_it_failed_still_fails() {
    let nothing = tempdir().unwrap();
    for (command, code) in [(&["verify"][..], 1), (&["verifi"], 2)] {
        let Some(full) = full_disk() else { return };
        let mut failing = rookery();
        failing.args(command).env("ROOKERY_DATA", nothing.path().join("missing"));
        assert_eq!(failing.stderr(full).status().unwrap().code(), Some(code), "{command:?}");
    }
}
