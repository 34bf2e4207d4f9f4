//! A server that lacks a resource recovers when there is enough again.

use std::{net::TcpStream, process::Command};

use serde_json::json;
use tempfile::tempdir;

use crate::{
    client::Client,
    server::{Server, rookery},
};

/// The program under limits that a shell sets.
fn limited(limits: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limits}; exec \"$@\""), "sh"]).arg(rookery().get_program());
    command
}

#[test]
fn connections_that_wait_take_no_descriptor_that_others_need() {
    let data = tempdir().unwrap();
    let server = Server::start_as(limited("ulimit -n 64"), data.path(), &[]);
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({}));
    let taken: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    let said = alice.at(&server).say(&room, "still here");
    let mut stream = alice.follow(None);
    let next = alice.at(&server).say(&room, "and listening");
    assert_eq!(stream.item()["eventId"], next.as_str());
    assert_ne!(said, next);
    drop(taken);
    assert!(!alice.at(&server).say(&room, "and after them").is_empty());
    assert!(
        !server
            .logged("connections fit into 64 open files: raise the limit of open files")
            .is_empty()
    );
    assert!(server.logged("panicked").is_empty());
}

#[test]
fn more_sockets_are_open_than_the_soft_limit_of_open_files_allows() {
    const SOFT: usize = 256;
    let data = tempdir().unwrap();
    // The soft limit first: it may not be above the hard one.
    let command = limited("ulimit -Sn 256; ulimit -Hn 2048");
    let server = Server::start_as(command, data.path(), &["--limits-rate", "none"]);
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    assert!(!server.logged("open_files=2048").is_empty(), "the log names the limit");
    assert!(server.logged("raise the limit of open files").is_empty(), "it is enough");
    // More than one user may have.
    let users = [&alice, &bob];
    let mut sockets: Vec<_> = (0..SOFT + 40).map(|number| users[number % 2].socket()).collect();
    for socket in &mut sockets {
        socket.subscribe("q", "{ viewer { position } }", &json!({}));
        assert_eq!(socket.receive()["type"], "next");
    }
    assert!(server.logged("panicked").is_empty());
}
