//! A disk that fills up while the server runs, and has room again later.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    client::{Answer, Client},
    server::{Server, eventually, fail, succeed},
};

/// A separate small disk, which needs root.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(mebibytes: u32) -> Option<Self> {
        let folder = tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path());
        if mount.output().is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: mounting a small disk needs root");
        None
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Fills all free space.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("fill");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[0; 4_096]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}

fn ready(server: &Server) -> (u16, String) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.get(format!("http://{}/readyz", server.address())).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

/// The error of a request that changes accounts and cannot be stored.
fn error_of(client: &Client, document: &str) -> Value {
    let Answer { body, .. } = client.post(document, &json!({}));
    let error = body["errors"][0].clone();
    assert_eq!(error["extensions"]["code"], "UNAVAILABLE", "{document}: {body}");
    assert!(error["message"].as_str().unwrap().contains("nothing was done"), "{error}");
    error
}

fn logs_in(client: &Client) -> bool {
    let document = "mutation { logIn(input: { username: \"alice\", password: \"correct horse\" }) {
        token } }";
    client.nobody().post(document, &json!({})).body["data"]["logIn"]["token"].is_string()
}

fn says_no_path(text: &str, data: &Path) {
    assert!(!text.contains(data.to_str().unwrap()) && !text.contains('/'), "{text}");
}

#[test]
fn a_full_disk_is_named_everywhere_and_costs_no_restart() {
    let Some(disk) = SmallDisk::mount(64) else { return };
    let data = disk.data();
    let server = Server::start(&data);
    let alice = Client::register(&server, "alice");
    let room = alice.act("createRoom", json!({ "preset": "PUBLIC" }))["room"]["roomId"].clone();
    let room = room.as_str().unwrap();
    alice.say(room, "while there is room");
    assert!(logs_in(&alice));
    assert_eq!(ready(&server), (200, "ready\n".to_owned()));

    let fill = disk.fill();
    for document in [
        "mutation { logIn(input: { username: \"alice\", password: \"correct horse\" }) { token } }",
        "mutation { register(input: { username: \"bob\", password: \"correct horse\" }) { token } }",
    ] {
        for _ in 0..12 {
            error_of(&alice.nobody(), document);
        }
    }
    error_of(&alice, "mutation { logOut(input: {}) { devices } }");
    let (status, said) = ready(&server);
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("the accounts accept no changes"), "{said}");
    says_no_path(&said.replace("`rookery status`", ""), &data);
    let url = format!("http://{}/readyz", server.address());
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut stranger = agent.get(url).header("x-forwarded-for", "203.0.113.9").call().unwrap();
    let told = stranger.body_mut().read_to_string().unwrap();
    assert_eq!((stranger.status().as_u16(), told.contains("accounts")), (503, false), "{told}");
    let told = fail(&data, &["status"], "");
    assert!(told.contains("a part of the server does not work"), "{told}");
    eventually("the log of the server says so", || {
        !server.logged("not ready: the accounts accept no changes").is_empty()
    });
    alice.run("{ viewer { devices { nodes { deviceId } } } }", &json!({}));

    fs::remove_file(fill).unwrap();
    assert!(logs_in(&alice), "at once, and no attempt was counted");
    let document =
        "mutation($room: RoomID!) { sendMessage(input: { roomId: $room, body: \"again\" })
        { event { eventId } } }";
    eventually("messages are stored", || {
        let answer = alice.post(document, &json!({ "room": room })).body;
        answer["data"]["sendMessage"]["event"]["eventId"].is_string()
    });
    eventually("it is ready", || ready(&server).0 == 200);
    assert!(succeed(&data, &["status"], "").ends_with("ready\n"));
    assert!(server.stop().success());
}
