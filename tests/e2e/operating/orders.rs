//! Commands on their way to a running server: sent there first, with one version, and stopped when
//! the operator leaves.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, mpsc},
};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    client::Client,
    server::{Server, eventually, fail, rookery, succeed},
};

/// A folder with only a name and a socket that accepts commands: the receiver returns each command.
fn somebody_who_takes_orders() -> (TempDir, mpsc::Receiver<Value>) {
    let data = tempdir().unwrap();
    let identity = json!({ "format": 1, "server_name": "localhost", "created": 1 });
    fs::write(data.path().join("identity.json"), identity.to_string()).unwrap();
    let socket = UnixListener::bind(data.path().join("operator.sock")).unwrap();
    let (sender, orders) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in socket.incoming().map_while(Result::ok) {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap_or_default();
            if line.is_empty() {
                continue;
            }
            (&stream).write_all(b"{\"text\":\"carried out\\n\"}\n\"done\"\n").unwrap_or_default();
            let order: Value = serde_json::from_str(&line).unwrap_or_default();
            if sender.send(order["order"].clone()).is_err() {
                return;
            }
        }
    });
    (data, orders)
}

#[test]
fn a_running_server_is_asked_before_the_folder_is_touched() {
    let (data, orders) = somebody_who_takes_orders();
    let path = data.path();
    let files = tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (events, keys) =
        (file("events", "{\"origin\":\"a.example\",\"pdu\":{}}\n"), file("keys", "{}"));
    for (command, kind) in [
        (&["rebuild"][..], "rebuild"),
        (&["verify"], "verify"),
        (&["export", "-"], "export"),
        (&["status"], "status"),
        (&["log", "tail"], "tail"),
        (&["user", "list"], "user"),
        (&["user", "create", "ada", "--no-password"], "user"),
        (&["user", "deactivate", "ada", "--yes"], "user"),
        (&["room", "receive", &events, "--keys", &keys], "receive"),
    ] {
        assert_eq!(succeed(path, command, ""), "carried out\n", "{command:?}");
        let order = orders.recv().unwrap();
        assert!(order == kind || order[kind].is_object(), "{command:?} asked {order}");
    }
    for command in [&["compact"][..], &["log", "salvage", "-"]] {
        let said = fail(path, command, "");
        assert!(said.contains("a server has") && said.contains("stop"), "{command:?}: {said}");
    }
    let mut left: Vec<_> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["identity.json", "operator.sock"]);
}

#[test]
fn a_socket_that_a_killed_server_left_is_no_server() {
    let data = tempdir().unwrap();
    Server::start(data.path()).kill();
    assert!(data.path().join("operator.sock").exists());
    succeed(data.path(), &["user", "create", "ada", "--no-password"], "");
    assert!(succeed(data.path(), &["verify"], "").contains("0 commits with 0 events"));
}

/// Sends a line to the operator's socket, and reads to the end.
fn send(data: &Path, line: &str) -> String {
    let mut stream = UnixStream::connect(data.join("operator.sock")).unwrap();
    stream.write_all(line.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_order_of_another_version_is_refused_with_what_to_do() {
    let data = tempdir().unwrap();
    let _server = Server::start(data.path());
    for line in [
        "\"status\"\n",
        "{\"user\":{\"command\":{\"list\":{}},\"password\":null}}\n",
        "{\"format\":99,\"version\":\"9.8.7\",\"order\":{\"dance\":1}}\n",
        "no JSON at all\n",
    ] {
        let answer = send(data.path(), line);
        let reply: Value = serde_json::from_str(&answer).unwrap();
        let said = reply["failed"].as_str().unwrap();
        assert!(said.contains("use the `rookery` program of the server"), "{line}: {said}");
    }
    assert!(send(data.path(), "{\"format\":2,\"order\":\"dance\"}\n").contains("dance"));
    assert!(succeed(data.path(), &["status"], "").contains("ready"));
}

#[test]
fn a_server_that_says_nothing_or_nonsense_is_named() {
    for (answer, hint) in
        [("", "closed the connection without an answer"), ("what?\n", "does not understand")]
    {
        let data = tempdir().unwrap();
        let identity = json!({ "format": 1, "server_name": "localhost", "created": 1 });
        fs::write(data.path().join("identity.json"), identity.to_string()).unwrap();
        let socket = UnixListener::bind(data.path().join("operator.sock")).unwrap();
        std::thread::spawn(move || {
            for stream in socket.incoming().map_while(Result::ok) {
                BufReader::new(&stream).read_line(&mut String::new()).unwrap_or_default();
                (&stream).write_all(answer.as_bytes()).unwrap_or_default();
            }
        });
        let said = fail(data.path(), &["user", "list"], "");
        assert!(said.contains(hint) && said.contains("of the server"), "{said}");
    }
}

#[test]
fn an_order_that_waits_ends_quietly_when_nobody_reads_it_any_more() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    alice.create_room(json!({ "preset": "PUBLIC" }));
    let mut server = Some(server);
    for online in [true, false] {
        if !online {
            drop(server.take());
        }
        let mut child = rookery();
        child.args(["log", "tail", "--follow", "--after", "0", "--data"]).arg(data.path());
        let mut child = child
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut String::new()).unwrap();
        drop(lines);
        let child = Mutex::new(child);
        eventually("the command ends", || matches!(child.lock().unwrap().try_wait(), Ok(Some(_))));
        let ended = child.into_inner().unwrap().wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "online: {online}");
        assert_eq!(ended.status.code(), Some(141), "online: {online}");
    }
}

#[test]
fn the_socket_takes_orders_again_after_the_server_had_no_descriptors_left() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    succeed(data.path(), &["user", "create", "ada", "--no-password"], "");
    let process = Pid::from_raw(i32::try_from(server.id()).unwrap());
    // The hard limit stays: only root may raise it again.
    let maximum = getrlimit(Resource::Nofile).maximum;
    let before = prlimit(process, Resource::Nofile, Rlimit { current: Some(0), maximum });
    let Ok(before) = before else {
        println!("skipped: the limits of another process cannot be changed here");
        return;
    };
    let mut child = rookery();
    child.args(["user", "list", "--data"]).arg(data.path()).stdout(Stdio::piped());
    let child = child.spawn().unwrap();
    eventually("the server says so", || {
        !server.logged("cannot accept an operator's connection").is_empty()
    });
    prlimit(process, Resource::Nofile, before).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert!(String::from_utf8_lossy(&ended.stdout).contains("@ada:localhost"));
    assert!(succeed(data.path(), &["status"], "").contains("ready"));
}

#[test]
fn a_file_in_the_place_of_the_data_folder_is_one_error() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    for data in [file.clone(), file.join("below")] {
        for command in [
            &["serve", "--listen", "127.0.0.1:0"][..],
            &["rebuild"],
            &["compact"],
            &["verify"],
            &["export", "-"],
            &["import", "-"],
            &["import", "irc", "."],
            &["log", "tail"],
            &["log", "salvage", "-"],
            &["user", "list"],
            &["status"],
        ] {
            let said = fail(&data, command, "");
            assert!(
                said.contains("is a file; name another folder with --data"),
                "{command:?}: {said}"
            );
            assert_eq!(said.lines().count(), 1, "{command:?}: {said}");
        }
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

/// Types lines at a separate terminal for a command, and returns the output of the terminal; `None` without `script`.
fn at_a_terminal(data: &Path, command: &str, typed: &str) -> Option<String> {
    // The first line names the terminal.
    let line =
        format!("tty; exec {} {command} --data {}", env!("CARGO_BIN_EXE_rookery"), data.display());
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let child = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        println!("skipped: there is no `script`, which makes terminals");
        return None;
    };
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut typed) = (Vec::new(), typed.lines());
    let mut byte = [0; 1];
    while screen.read(&mut byte).unwrap() == 1 {
        shown.push(byte[0]);
        if shown.ends_with(b": ")
            && let Some(line) = typed.next()
        {
            let screen = String::from_utf8_lossy(&shown);
            let device = screen.lines().next().unwrap();
            eventually("the terminal shows nothing that is typed", || {
                let state = Command::new("stty").args(["-a", "-F", device]).output().unwrap();
                String::from_utf8_lossy(&state.stdout).contains(" -echo ")
            });
            keys.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }
    child.wait().unwrap();
    Some(String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn a_password_that_is_typed_is_not_shown() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let Some(shown) =
        at_a_terminal(data.path(), "user create ada", "correct horse\ncorrect horse\n")
    else {
        return;
    };
    assert!(!shown.contains("horse") && shown.contains("created the user ada"), "{shown}");
    let mut ada = Client::anonymous(&server);
    ada.user_id = "@ada:localhost".to_owned();
    assert!(ada.log_in("correct horse")["token"].is_string());
    let shown =
        at_a_terminal(data.path(), "user create bob", "correct horse\ncorrect house\n").unwrap();
    assert!(!shown.contains("hors") && shown.contains("nothing was changed"), "{shown}");
    assert!(!succeed(data.path(), &["user", "list"], "").contains("@bob"));
}

#[test]
fn the_first_line_of_the_log_names_the_page_and_the_first_step() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let said = server.logged("listening on").join("\n");
    assert!(
        said.contains(&format!("the page for browsers: http://{}/", server.address())),
        "{said}"
    );
    assert!(said.contains("no account exists yet: register one from this machine"), "{said}");
    Client::register(&server, "alice");
    server.stop();
    let server = Server::start_with(data.path(), &["--registration", "closed"]);
    let said = server.logged("listening on").join("\n");
    assert!(said.contains("http://") && !said.contains("no account"), "{said}");
}
