//! The users of an import, overlapping logs, and imports while the server runs.

use std::{fs, path::Path, process::Stdio};

use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::{
    client::Client,
    crash::all_messages,
    server::{Server, eventually, fail, rookery, succeed},
};

fn logs(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn import(data: &Path, folder: &TempDir, arguments: &[&str]) -> String {
    let path = folder.path().to_str().unwrap();
    succeed(data, &[&["import", "irc", path], arguments].concat(), "")
}

/// The senders and the texts of all messages in the log.
fn said(data: &Path) -> Vec<(String, String)> {
    let log = succeed(data, &["export", "-"], "");
    let said = |line: &str| {
        let sender = line.split_once("\"sender\":\"@")?.1.split_once(':')?.0;
        let body = line.split_once("\"body\":\"")?.1.split_once('"')?.0;
        Some((sender.to_owned(), body.to_owned()))
    };
    log.lines().filter_map(said).collect()
}

fn pair(sender: &str, body: &str) -> (String, String) {
    (sender.to_owned(), body.to_owned())
}

#[test]
fn an_import_never_acts_for_users_with_accounts() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room =
        alice.create_room(json!({ "name": "Tea", "alias": "#tea:localhost", "preset": "PUBLIC" }));
    drop(server);
    succeed(data.path(), &["user", "create", "bot", "--no-password"], "");
    let folder = logs(&[(
        "#tea/2014-05-06.log",
        b"[07:00] <alice> never said here\n[07:01] <Bot> nor this\n[07:02] <wren> hi\n\
          [07:03] * wren waves\n",
    )]);
    let summary = import(data.path(), &folder, &[]);
    assert!(
        summary.contains("alice as irc.alice") && summary.contains("bot as irc.bot"),
        "{summary}"
    );
    let expected = [
        pair("irc.alice", "never said here"),
        pair("irc.bot", "nor this"),
        pair("wren", "hi"),
        pair("wren", "waves"),
    ];
    assert_eq!(said(data.path()), expected);
    assert!(import(data.path(), &folder, &[]).contains("added 0 commits"));

    let server = Server::start(data.path());
    let alice = alice.at(&server);
    let sync =
        alice.run("{ initialSync { rooms { roomId timeline { nodes { text } } } } }", &json!({}));
    let rooms = sync["initialSync"]["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), 1, "alice is in no room of the import: {sync}");
    assert_eq!(rooms[0]["roomId"], room.as_str());
    assert!(!rooms[0].to_string().contains("never said here"), "the room of a user was written to");
}

#[test]
fn a_user_who_was_handed_over_is_no_longer_acted_for() {
    let data = tempdir().unwrap();
    import(data.path(), &logs(&[("#a/2014-05-06.log", b"[07:00] <wren> hi\n")]), &[]);
    succeed(data.path(), &["user", "set-password", "wren"], "long enough\n");
    let grown = logs(&[("#a/2014-05-06.log", b"[07:00] <wren> hi\n[07:01] <wren> ho\n")]);
    assert!(import(data.path(), &grown, &[]).contains("wren as irc.wren"));
    assert_eq!(said(data.path()), [pair("wren", "hi"), pair("irc.wren", "ho")]);
}

#[test]
fn an_operator_says_which_nicks_are_users_with_accounts() {
    let data = tempdir().unwrap();
    drop(Server::start(data.path()));
    succeed(data.path(), &["user", "create", "alice"], "long enough\n");
    let folder = logs(&[("#a/2014-05-06.log", b"[07:00] <ally> hi\n[07:01] <wren> ho\n")]);
    let map = logs(&[("map", b"ally = alice\n"), ("wrong", b"ally = nobody\n")]);
    let file = |name: &str| map.path().join(name).to_str().unwrap().to_owned();
    let path = folder.path().to_str().unwrap();
    let refused = fail(data.path(), &["import", "irc", path, "--map", &file("wrong")], "");
    assert!(refused.contains("nobody") && refused.contains("user create"), "{refused}");
    assert!(said(data.path()).is_empty());
    import(data.path(), &folder, &["--map", &file("map"), "--user-prefix", "old-"]);
    assert_eq!(said(data.path()), [pair("alice", "hi"), pair("old-wren", "ho")]);
}

#[test]
fn nobody_registers_the_name_of_the_importer() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let register =
        "mutation($u: String!) { register(input: { username: $u, password: \"long enough\" })
        { token refusal { code } } }";
    for name in ["irc.import", "irc.wren"] {
        let answer = Client::anonymous(&server).run(register, &json!({ "u": name }));
        assert_eq!(answer["register"]["refusal"]["code"], "USER_NAME_INVALID", "{name}: {answer}");
    }
    let refused = fail(data.path(), &["user", "create", "irc.import"], "long enough\n");
    assert!(refused.contains("reserved"), "{refused}");
}

#[test]
fn logs_that_overlap_neither_lose_nor_double_a_line() {
    let data = tempdir().unwrap();
    let day = b"[07:00] <wren> a\n[07:01] <wren> b\n";
    let networks = logs(&[("libera/#a/2014-05-06.log", day), ("oftc/#a/2014-05-06.log", day)]);
    import(data.path(), &networks, &[]);
    assert_eq!(said(data.path()).len(), 4);

    // The logs of one of the networks alone, and grown.
    let grown = logs(&[(
        "libera/#a/2014-05-06.log",
        b"[07:00] <wren> a\n[07:01] <wren> b\n[07:02] <wren> c\n",
    )]);
    import(data.path(), &grown, &[]);
    assert_eq!(said(data.path()).len(), 5);
    let one = networks.path().join("oftc");
    let summary = succeed(data.path(), &["import", "irc", one.to_str().unwrap()], "");
    assert!(summary.contains("added 0 commits"), "{summary}");

    // A log without a network is the same log in any folder.
    let data = tempdir().unwrap();
    import(data.path(), &logs(&[("#a/2014-05-06.log", day)]), &[]);
    for moved in ["backup/#a/2014-05-06.log", "#a-20140506.log.1"] {
        let summary = import(data.path(), &logs(&[(moved, day)]), &[]);
        assert!(summary.contains("added 0 commits"), "{moved}: {summary}");
    }
    assert_eq!(said(data.path()).len(), 2);
}

#[test]
fn a_file_of_which_nothing_can_be_read_fails_and_is_named() {
    let data = tempdir().unwrap();
    let folder = logs(&[
        ("#a/2014-05-06.log", b"[07:00] <wren> hi\n"),
        ("#a/2014-05-07.log", b"{\"messages\": [\n]}\n"),
    ]);
    let path = folder.path().to_str().unwrap();
    let refused = fail(data.path(), &["import", "irc", path], "");
    assert!(refused.contains("2014-05-07.log") && refused.contains("JSON"), "{refused}");
    assert_eq!(said(data.path()), [pair("wren", "hi")], "the other file was read");
    let whole = fail(data.path(), &["import", "irc", path, "--format", "weechat"], "");
    assert!(whole.contains("2 files"), "{whole}");
}

#[test]
fn an_import_while_the_server_runs_reaches_those_who_listen() {
    let data = tempdir().unwrap();
    let folder = logs(&[(
        "#tea/2014-05-06.log",
        b"[07:00] <ada> hello\n[07:01] <bob> <b>&amp; \"x\"\n[07:02] * ada waves\nodd\n",
    )]);
    let server = Server::start(data.path());
    Client::register(&server, "ada");
    let wren = Client::register(&server, "wren");
    let summary = import(data.path(), &folder, &[]);
    assert!(
        summary.contains("ada as irc.ada") && summary.contains("2014-05-06.log:4: "),
        "{summary}"
    );
    let room = wren.run("{ room(by: { alias: \"#tea:localhost\" }) { roomId } }", &json!({}));
    let room = room["room"]["roomId"].as_str().unwrap().to_owned();
    wren.act("joinRoom", json!({ "room": { "roomId": room } }));
    let texts: Vec<String> =
        all_messages(&wren, &room).into_iter().rev().map(|(_, text)| text).collect();
    assert_eq!(texts, ["hello", "<b>&amp; \"x\"", "waves"]);

    // A grown log reaches a following member, and nothing comes twice.
    let mut stream = wren.follow(None);
    let more =
        [&fs::read(folder.path().join("#tea/2014-05-06.log")).unwrap()[..], b"[07:03] <bob> bye\n"];
    fs::write(folder.path().join("#tea/2014-05-06.log"), more.concat()).unwrap();
    assert!(import(data.path(), &folder, &[]).contains("added 1 commit "), "one line is new");
    assert_eq!(stream.until(|item| item["text"] == "bye")["text"], "bye");
    assert!(import(data.path(), &folder, &[]).contains("added 0 commits"));
    drop(server);
    assert_eq!(said(data.path()).len(), 4);
    assert!(import(data.path(), &folder, &[]).contains("added 0 commits"), "also without a server");
    assert!(succeed(data.path(), &["verify"], "").contains("equal to a rebuild"));
}

#[test]
fn an_import_while_the_server_runs_that_was_killed_goes_on() {
    const LINES: usize = 6_000;
    let data = tempdir().unwrap();
    let text: String = (0..LINES)
        .map(|number| {
            format!("[{:02}:{:02}] <ada> message {number}.\n", number / 60 % 24, number % 60)
        })
        .fold(String::new(), |all, line| all + &line);
    let folder = logs(&[("#tea/2014-05-06.log", text.as_bytes())]);
    let server = Server::start(data.path());
    let path = folder.path().to_str().unwrap();
    let mut command = rookery();
    command.args(["import", "irc", path]).env("ROOKERY_DATA", data.path());
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let imported =
        || succeed(data.path(), &["log", "tail", "--after", "0"], "").matches("message ").count();
    eventually("some lines were imported", || imported() > 0);
    running.kill().unwrap();
    running.wait().unwrap();
    import(data.path(), &folder, &[]);
    drop(server);
    let mut texts: Vec<String> = said(data.path()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts.len(), LINES);
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), LINES);
}

#[test]
fn the_sample_log_of_this_repository_is_read_whole() {
    let data = tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/irc");
    let summary = succeed(data.path(), &["import", "irc", sample.to_str().unwrap()], "");
    assert!(!summary.contains("unreadable lines:"), "{summary}");
    assert!(!summary.contains("files left out"), "{summary}");
    assert!(said(data.path()).len() > 10, "{summary}");
}
