//! A server that lacks a resource recovers when there is enough again.

use std::{net::TcpStream, process::Command};

use serde_json::json;
use tempfile::tempdir;

use crate::{
    client::Client,
    server::{Server, rookery},
};

#[test]
fn connections_that_wait_take_no_descriptor_that_others_need() {
    let data = tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$@\"", "sh"]).arg(rookery().get_program());
    let server = Server::start_as(command, data.path(), &[]);
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
    assert!(!server.logged("raise the limit of open files").is_empty());
    assert!(server.logged("panicked").is_empty());
}
