//! Accounts that were lost, or that are older than the log: nobody takes over another user by
//! registering.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    client::Client,
    server::{Server, fail, succeed},
};

const ACCEPT: &str = "--accept-missing-accounts";

/// A folder in which `root`, `alice` and `bob` have a room with a secret of alice.
fn with_a_secret() -> (TempDir, String) {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [_root, alice, bob] = ["root", "alice", "bob"].map(|name| Client::register(&server, name));
    let room = alice.create_room(json!({ "name": "Board", "invite": [bob.user_id] }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    alice.say(&room, "SECRET of the board");
    assert!(server.stop().success());
    (data, room)
}

/// Registers an account, and returns the payload.
fn register(server: &Server, name: &str) -> Value {
    let document = "mutation($input: RegisterInput!) { register(input: $input) {
        token user { userId } refusal { code message } } }";
    let input = json!({ "username": name, "password": "attackers password" });
    Client::anonymous(server).run(document, &json!({ "input": input }))["register"].clone()
}

fn is_admin(server: &Server, payload: &Value) -> bool {
    let token = payload["token"].as_str().expect("a token");
    let client = Client::with_token(server, "somebody", token);
    client.run("{ viewer { isAdmin } }", &json!({}))["viewer"]["isAdmin"] == true
}

/// Starts on `data`, which has to be refused; returns the server's message.
fn refused(data: &Path) -> String {
    let said = fail(data, &["serve", "--listen", "127.0.0.1:0"], "");
    assert!(said.contains("accounts.redb") && said.contains(ACCEPT), "{said}");
    said
}

/// A server on which an operator has accepted the loss: nobody gets the data of the log's users.
fn nobody_takes_over(data: &Path, room: &str) {
    let server = Server::start_with(data, &[ACCEPT]);
    assert!(
        !server.logged("accounts without a password").is_empty(),
        "the server says what it did"
    );
    for name in ["alice", "bob", "root"] {
        assert_eq!(register(&server, name)["refusal"]["code"], "USER_NAME_TAKEN", "{name}");
    }
    let mallory = register(&server, "mallory");
    assert_eq!(mallory["refusal"], Value::Null);
    assert!(!is_admin(&server, &mallory), "whoever comes first is no administrator");
    assert!(server.stop().success());
    // The second start needs no flag, and an operator gives alice her account back.
    succeed(data, &["user", "set-password", "alice"], "a new password\n");
    let server = Server::start(data);
    let login = "mutation { logIn(input: { username: \"alice\", password: \"a new password\" }) { token } }";
    let token = Client::anonymous(&server).run(login, &json!({}))["logIn"]["token"].clone();
    let alice = Client::with_token(&server, "alice", token.as_str().expect("a token"));
    let said = alice.run(
        "query($room: RoomID!) { room(by: { roomId: $room }) { lastMessage { text } } }",
        &json!({ "room": room }),
    );
    assert_eq!(said["room"]["lastMessage"]["text"], "SECRET of the board");
}

#[test]
fn a_log_without_its_accounts_is_refused_by_name_and_gives_nobody_a_name_of_the_log() {
    let (data, room) = with_a_secret();
    std::fs::remove_file(data.path().join("accounts.redb")).unwrap();
    let said = refused(data.path());
    assert!(said.contains("3 users without an account (alice, bob, root)"), "{said}");
    refused(data.path());
    nobody_takes_over(data.path(), &room);
}

#[test]
fn an_imported_log_gives_nobody_a_name_of_the_log() {
    let (data, room) = with_a_secret();
    let text = succeed(data.path(), &["export", "-"], "");
    let copy = tempdir().unwrap();
    succeed(copy.path(), &["import", "-"], &text);
    refused(copy.path());
    // An operator may also name the users one by one, and has then named the last administrator.
    let one = tempdir().unwrap();
    succeed(one.path(), &["import", "-"], &text);
    succeed(one.path(), &["user", "create", "alice", "--no-password"], "");
    let token = succeed(one.path(), &["user", "token", "bob"], "");
    assert!(refused(one.path()).contains("1 user without an account (root)"));
    succeed(one.path(), &["user", "token", "root"], "");
    let server = Server::start(one.path());
    let bob = Client::with_token(&server, "bob", &token);
    assert_eq!(
        bob.run("{ viewer { user { userId } } }", &json!({}))["viewer"]["user"]["userId"],
        "@bob:localhost"
    );
    assert!(!is_admin(&server, &register(&server, "mallory")));
    drop(server);
    nobody_takes_over(copy.path(), &room);
}

#[test]
fn accounts_from_before_a_registration_are_refused_and_the_name_stays_taken() {
    let (data, _) = with_a_secret();
    let accounts = data.path().join("accounts.redb");
    let backup = std::fs::read(&accounts).unwrap();
    let server = Server::start(data.path());
    let carol = Client::register(&server, "carol");
    carol.create_room(json!({ "name": "Carol's" }));
    assert!(server.stop().success());
    std::fs::write(&accounts, backup).unwrap();
    let said = refused(data.path());
    assert!(said.contains("1 user without an account (carol)"), "{said}");
    let server = Server::start_with(data.path(), &[ACCEPT]);
    assert_eq!(register(&server, "carol")["refusal"]["code"], "USER_NAME_TAKEN");
}

#[test]
fn accounts_from_before_a_logout_are_refused_and_the_device_stays_out() {
    let (data, _) = with_a_secret();
    let accounts = data.path().join("accounts.redb");
    let token = succeed(data.path(), &["user", "token", "alice"], "");
    let backup = std::fs::read(&accounts).unwrap();
    let server = Server::start(data.path());
    let lost = Client::with_token(&server, "alice", &token);
    lost.run("mutation { logOut(input: {}) { devices } }", &json!({}));
    assert!(server.stop().success());
    // The accounts that recorded the logout have no fault.
    assert!(Server::start(data.path()).stop().success());
    std::fs::write(&accounts, backup).unwrap();
    let said = refused(data.path());
    assert!(said.contains("the log removed them: 1 device"), "{said}");
    let server = Server::start_with(data.path(), &[ACCEPT]);
    assert_eq!(lost.at(&server).fail("{ viewer { position } }", &json!({})), "UNAUTHENTICATED");
    assert!(server.stop().success());
    assert!(Server::start(data.path()).stop().success(), "said once is enough");
}

#[test]
fn accounts_of_another_log_are_refused() {
    let (data, _) = with_a_secret();
    let (other, _) = with_a_secret();
    let accounts = |data: &TempDir| data.path().join("accounts.redb");
    std::fs::copy(accounts(&other), accounts(&data)).unwrap();
    assert!(refused(data.path()).contains("another log"));
}

#[test]
fn names_of_an_import_from_irc_are_taken_and_the_first_to_register_is_administrator() {
    let logs = tempdir().unwrap();
    let day = logs.path().join("2010/01/02");
    std::fs::create_dir_all(&day).unwrap();
    let lines =
        "=== alice [n=a@b] has joined #chan\n[10:00] <alice> hello\n[10:01] <bob> hi alice\n";
    std::fs::write(day.join("#chan.txt"), lines).unwrap();
    let data = tempdir().unwrap();
    succeed(data.path(), &["import", "irc", logs.path().to_str().unwrap()], "");
    let server = Server::start(data.path());
    for name in ["alice", "bob"] {
        assert_eq!(register(&server, name)["refusal"]["code"], "USER_NAME_TAKEN", "{name}");
    }
    assert!(is_admin(&server, &register(&server, "human")));
    drop(server);
    std::fs::remove_file(data.path().join("accounts.redb")).unwrap();
    assert!(refused(data.path()).contains("(alice, bob, human and 1 more)"));
}

#[test]
fn an_id_that_others_only_invited_or_banned_is_still_free() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "name": "Tea" }));
    alice.act("banUser", json!({ "roomId": room, "userId": "@later:localhost" }));
    assert_eq!(register(&server, "later")["refusal"], Value::Null);
}
