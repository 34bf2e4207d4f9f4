//! Access ends where it is revoked: each path times each way to end a session, for clients that read and for clients that do
//! not.
//!
//! The server has no refresh tokens, so no family of them can be revoked.

mod paths;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use rookery_log::Rounds;
use serde_json::{Value, json};
use tempfile::tempdir;

use self::paths::{Connected, PATHS, Path, Place};
use crate::{
    client::Client,
    resume::Done,
    server::{Server, eventually, succeed},
    services::registered,
};

const PASSWORD: &str = "correct horse";

/// Long messages: more than the kernel takes for a client that does not read.
const LONG: usize = 64;
const LONG_BYTES: usize = 59_000;

/// The text of messages while all are connected, and after the end of their sessions.
const LIVE: &str = "all are here";
const AFTER: &str = "they are gone";
const FROM_BEYOND: &str = "said by a session that is over";

/// A server, and a room with many messages.
struct Scene {
    data: tempfile::TempDir,
    server: Server,
    ann: Client,
    uma: Client,
    room: String,
    before: String,
    behind: String,
}

impl Scene {
    fn new() -> Self {
        Self::of(|server, _| Client::register(server, "uma"))
    }

    /// A scene in which Uma is made by `uma`.
    fn of(uma: impl FnOnce(&Server, &std::path::Path) -> Client) -> Self {
        let data = tempdir().unwrap();
        let server = Server::start_with(data.path(), &["--limits-rate", "none"]);
        let (ann, uma) = (Client::register(&server, "ann"), uma(&server, data.path()));
        let room = ann.create_room(json!({ "preset": "PUBLIC" }));
        uma.act("joinRoom", json!({ "room": { "roomId": room } }));
        let before = uma.position();
        let long = "x".repeat(LONG_BYTES);
        for _ in 0..LONG {
            ann.say(&room, &long);
        }
        let behind = ann.position();
        Self { data, server, ann, uma, room, before, behind }
    }

    /// A new device of Uma, and its ID.
    fn device(&self) -> (Client, String) {
        let session = self.uma.log_in(PASSWORD);
        assert_eq!(session["refusal"], Value::Null, "{session}");
        let text = |name: &str| session[name].as_str().unwrap().to_owned();
        (self.uma.on_device(&text("token")), text("deviceId"))
    }

    fn place(&self) -> Place<'_> {
        Place { room: &self.room, before: &self.before, behind: &self.behind }
    }

    /// Connects a client on each path, with devices from `device`.
    fn connect(&self, reads: bool, device: impl Fn() -> (Client, String)) -> Vec<Connected> {
        let connected =
            |path: &Path| Connected::new(&self.server, *path, reads, device(), &self.place());
        PATHS.iter().map(connected).collect()
    }

    /// Ends the sessions of clients with `end`, which returns once that is acknowledged, and checks what the clients
    /// receive and can do.
    fn check(&self, mut clients: Vec<Connected>, end: impl FnOnce(&[Connected])) {
        self.ann.say(&self.room, LIVE);
        for client in &mut clients {
            client.settle(&self.server, LIVE);
        }
        for client in &mut clients {
            client.stop_reading();
        }
        end(&clients);
        self.ann.say(&self.room, AFTER);
        for client in &mut clients {
            let status = client.act(&self.server, &self.room, FROM_BEYOND);
            assert!(status.is_none_or(|status| status == 401), "{client}: {status:?}");
            assert_eq!(client.device.post("{ __typename }", &json!({})).status, 401, "{client}");
        }
        for client in clients {
            let (name, path, reads) = (client.to_string(), client.path, client.reads);
            let device = client.device_id.clone();
            let heard = client.end(&self.server);
            for never in [AFTER, FROM_BEYOND, &device] {
                assert!(!heard.contains(never), "{name} heard {never:?}");
            }
            if reads {
                check_last_word(&name, path, &heard);
            } else {
                assert!(heard.len() < LONG * LONG_BYTES, "{name} got all that waited for it");
            }
        }
        let document = "query($room: RoomID!) { room(by: { roomId: $room }) { timeline(last: 20) { nodes { text } } } }";
        let page = self.ann.run(document, &json!({ "room": self.room })).to_string();
        assert!(page.contains(AFTER) && !page.contains(FROM_BEYOND), "{page}");
    }

    /// Checks clients that read and clients that do not. `end` ends all of their sessions.
    fn check_both(&self, end: impl Fn(&[Connected])) {
        let mut clients = self.connect(true, || self.device());
        clients.extend(self.connect(false, || self.device()));
        self.check(clients, end);
    }
}

/// The documented last message: see "When a session ends" in `docs/graphql.md`.
fn check_last_word(name: &str, path: Path, heard: &str) {
    let last = match path {
        Path::Http => "\"UNAUTHENTICATED\"",
        Path::WebSocket => "closed with 4403: Forbidden: access token revoked",
        Path::EventStream => "event: complete\ndata:\n\n",
        Path::SingleStream => "event: complete\ndata: {\"id\":\"1\"}\n\n",
        Path::Multipart => "\r\n--graphql--\r\n",
    };
    assert!(heard.contains(last), "{name} heard another last word: {heard}");
    let refusals = heard.matches("\"UNAUTHENTICATED\"").count();
    assert_eq!(refusals, usize::from(path != Path::WebSocket), "{name}: {heard}");
}

#[test]
fn a_device_that_logs_itself_out_is_gone_on_every_path() {
    let scene = Scene::new();
    scene.check_both(|clients| {
        for client in clients {
            client.device.run("mutation { logOut(input: {}) { devices } }", &json!({}));
        }
    });
}

#[test]
fn logging_out_everywhere_ends_all_devices_on_every_path() {
    let scene = Scene::new();
    scene.check_both(|_| {
        let all = "mutation { logOut(input: { everywhere: true }) { devices } }";
        scene.uma.run(all, &json!({}));
    });
}

#[test]
fn a_removed_device_is_gone_on_every_path() {
    let scene = Scene::new();
    scene.check_both(|clients| {
        for client in clients {
            remove(&scene.uma, &client.device_id);
        }
    });
}

fn remove(owner: &Client, device_id: &str) {
    let document = "mutation($id: ID!) { removeDevice(input: { deviceId: $id }) { deviceId } }";
    let removed = owner.run(document, &json!({ "id": device_id }));
    assert_eq!(removed["removeDevice"]["deviceId"], device_id);
}

#[test]
fn a_device_that_logs_in_again_ends_its_old_token_on_every_path() {
    let scene = Scene::new();
    scene.check_both(|clients| {
        for client in clients {
            let document = "mutation($input: LogInInput!) { logIn(input: $input) { deviceId } }";
            let input = json!({
                "username": "uma", "password": PASSWORD, "deviceId": client.device_id,
            });
            let again = scene.uma.nobody().run(document, &json!({ "input": input }));
            assert_eq!(again["logIn"]["deviceId"], client.device_id.as_str());
        }
    });
}

#[test]
fn a_new_password_ends_all_devices_on_every_path() {
    let scene = Scene::new();
    scene.check_both(|_| {
        succeed(scene.data.path(), &["user", "set-password", "uma"], "another password\n");
    });
}

#[test]
fn a_user_who_is_deactivated_is_gone_on_every_path_and_never_comes_back() {
    let scene = Scene::new();
    scene.check_both(|_| {
        succeed(scene.data.path(), &["user", "deactivate", "uma", "--yes"], "");
    });
    let refused = scene.uma.log_in(PASSWORD);
    assert_eq!(refused["refusal"]["code"], "WRONG_CREDENTIALS");
}

#[test]
fn a_token_that_expires_ends_its_session_on_every_path() {
    let scene = Scene::new();
    let expiring = || {
        let command = ["user", "token", "uma", "--lifetime", "20s"];
        let token = succeed(scene.data.path(), &command, "");
        (Client::with_token(&scene.server, "uma", &token), "unknown".to_owned())
    };
    let mut clients = scene.connect(true, expiring);
    clients.extend(scene.connect(false, expiring));
    scene.check(clients, |clients| {
        for client in clients {
            eventually("the token has expired", || {
                client.device.post("{ __typename }", &json!({})).status == 401
            });
        }
    });
}

/// Checks the clients of a service, all of which have its one token.
fn check_service(end: &str) {
    let scene = Scene::of(|server, data| registered::add(server, data, "uma"));
    let device = scene.uma.run("{ viewer { device { deviceId } } }", &json!({}));
    let device = device["viewer"]["device"]["deviceId"].as_str().unwrap().to_owned();
    let client = || (scene.uma.clone(), device.clone());
    let mut clients = scene.connect(true, client);
    clients.extend(scene.connect(false, client));
    scene.check(clients, |_| {
        succeed(scene.data.path(), &["service", end, "uma"], "");
    });
}

#[test]
fn a_service_that_is_removed_is_gone_on_every_path() {
    check_service("remove");
}

#[test]
fn a_service_with_another_token_ends_its_sessions_on_every_path() {
    check_service("rotate");
}

/// A device sends without a pause while its owner removes it.
#[test]
fn what_is_sent_after_a_removal_was_acknowledged_is_never_accepted() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rate", "none"]);
    let uma = Client::register(&server, "uma");
    let room = uma.create_room(json!({}));
    for round in Rounds::of(6, 1) {
        let session = uma.log_in(PASSWORD);
        let phone = uma.on_device(session["token"].as_str().unwrap());
        let (removed, begun) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            // If the owner fails, the senders end as well.
            let done = Done(&removed);
            for sender in 0..3 {
                let (phone, room, removed, begun) = (&phone, &room, &removed, &begun);
                scope.spawn(move || {
                    loop {
                        let late = removed.load(Ordering::SeqCst);
                        let when = if late { "late" } else { "early" };
                        let body = format!("{when} {round} {sender}");
                        let document = "mutation($room: RoomID!, $body: String!) {
                            sendMessage(input: { roomId: $room, body: $body }) { position } }";
                        let variables = json!({ "room": room, "body": body });
                        let accepted = phone.post(document, &variables).status == 200;
                        assert!(!(late && accepted), "a removed device sent something");
                        begun.fetch_or(accepted, Ordering::SeqCst);
                        if late {
                            return;
                        }
                    }
                });
            }
            eventually("the device sends", || begun.load(Ordering::SeqCst));
            remove(&uma, session["deviceId"].as_str().unwrap());
            drop(done);
        });
    }
    let stored = crate::crash::all_messages(&uma, &room);
    assert!(stored.iter().all(|(_, text)| !text.starts_with("late")));
}
