//! Operator commands, with and without a running server.

use std::path::Path;

use rookery_log::Record;
use rookery_log_sled::{SledLog, SledOptions};
use rookery_ndjson as ndjson;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    client::Client,
    crash::all_messages,
    server::{Server, fail, run, succeed},
};

fn list(data: &Path) -> Vec<(String, String)> {
    let output = succeed(data, &["user", "list"], "");
    let pair = |line: &str| {
        let (user, notes) = line.split_once('\t').unwrap();
        (user.to_owned(), notes.to_owned())
    };
    output.lines().map(pair).collect()
}

#[test]
fn accounts_are_made_and_changed_with_and_without_a_running_server() {
    let data = tempdir().unwrap();
    let path = data.path();
    drop(Server::start(path));
    for online in [false, true] {
        let server = online.then(|| Server::start(path));
        let name = if online { "berta" } else { "ada" };
        succeed(path, &["user", "create", name, "--admin"], "first password\n");
        assert!(fail(path, &["user", "create", name], "first password\n").contains("is taken"));
        let users = list(path);
        assert!(
            users.contains(&(format!("@{name}:localhost"), "administrator".into())),
            "{users:?}"
        );
        succeed(path, &["user", "set-password", name], "second password\n");
        succeed(path, &["user", "admin", name, "--revoke"], "");
        let bot = format!("{name}.bot");
        succeed(path, &["user", "create", &bot, "--no-password"], "");
        let token = succeed(path, &["user", "token", &bot, "--device-name", "script"], "");
        succeed(path, &["user", "create", &format!("{name}.gone"), "--no-password"], "");
        succeed(path, &["user", "deactivate", &format!("{name}.gone"), "--yes"], "");
        let users = list(path);
        assert!(users.contains(&(format!("@{name}:localhost"), String::new())), "{users:?}");
        assert!(users.contains(&(format!("@{bot}:localhost"), "no password".into())), "{users:?}");
        let gone = users.iter().find(|(user, _)| user.contains(".gone")).unwrap();
        assert!(gone.1.contains("deactivated"), "{users:?}");
        let server = server.unwrap_or_else(|| Server::start(path));
        let mut client = Client::anonymous(&server);
        client.user_id = format!("@{name}:localhost");
        assert_eq!(client.log_in("first password")["refusal"]["code"], "WRONG_CREDENTIALS");
        client.token = client.log_in("second password")["token"].as_str().map(ToOwned::to_owned);
        let viewer = client.run("{ viewer { isAdmin } }", &json!({}));
        assert_eq!(viewer["viewer"]["isAdmin"], false);
        let bot = Client::with_token(&server, &bot, &token);
        let devices = bot.run("{ viewer { devices { nodes { name isCurrent } } } }", &json!({}));
        assert_eq!(
            devices["viewer"]["devices"]["nodes"],
            json!([{ "name": "script", "isCurrent": true }])
        );
    }
    let page = succeed(path, &["user", "list", "--after", "ada.gone", "--limit", "1"], "");
    assert_eq!(page, "@berta:localhost\t\n");
}

/// The added and removed devices on the stream of their owner.
fn comings_and_goings(client: &Client, after: &str) -> Vec<(String, String)> {
    let document = "query($after: Position!) { events(after: $after) { events { __typename
        ... on DeviceAdded { deviceId name } ... on DeviceRemoved { deviceId } } } }";
    let chunk = client.run(document, &json!({ "after": after }))["events"].clone();
    let items = chunk["events"].as_array().unwrap().iter();
    let text = |item: &Value, field: &str| item[field].as_str().unwrap_or_default().to_owned();
    let of = |item: &Value| {
        let what = text(item, "__typename") + " " + &text(item, "name");
        (what.trim_end().to_owned(), text(item, "deviceId"))
    };
    items.filter(|item| item["deviceId"].is_string()).map(of).collect()
}

/// Runs a command beside the server, or between two runs of it.
fn order(data: &Path, server: Server, online: bool, arguments: &[&str], input: &str) -> Server {
    if online {
        succeed(data, arguments, input);
        return server;
    }
    assert!(server.stop().success());
    succeed(data, arguments, input);
    Server::start(data)
}

#[test]
fn devices_that_an_operator_makes_and_removes_are_told_to_their_owner() {
    for online in [true, false] {
        let data = tempdir().unwrap();
        let path = data.path();
        let mut server = Server::start(path);
        let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
        let (after, bobs) = (alice.position(), bob.position());
        let mint = ["user", "token", "@alice:localhost", "--device-name", "script"];
        server = order(path, server, online, &mint, "");
        let keep = ["user", "set-password", "alice", "--keep-devices"];
        server = order(path, server, online, &keep, "second password\n");
        let devices = "{ viewer { devices { nodes { deviceId name } } } }";
        let devices =
            alice.at(&server).run(devices, &json!({}))["viewer"]["devices"]["nodes"].clone();
        let mut devices: Vec<_> = devices.as_array().unwrap().iter().collect();
        devices.sort_by_key(|device| device["name"] != "script");
        let id = |device: &Value| device["deviceId"].as_str().unwrap().to_owned();
        let added = ("DeviceAdded script".to_owned(), id(devices[0]));
        assert_eq!(comings_and_goings(&alice.at(&server), &after), [added]);
        let after = alice.at(&server).position();
        // She has no device left to inform; her next login sees the change.
        server =
            order(path, server, online, &["user", "set-password", "alice"], "third password\n");
        let session = alice.at(&server).log_in("third password");
        let anew = Client::with_token(&server, "alice", session["token"].as_str().unwrap());
        let told = comings_and_goings(&anew, &after);
        let mut gone: Vec<_> =
            devices.iter().map(|device| ("DeviceRemoved".to_owned(), id(device))).collect();
        gone.sort();
        let (mut removed, new) = (told[..gone.len()].to_vec(), &told[gone.len()..]);
        removed.sort();
        assert_eq!((removed, new.len()), (gone, 1), "{told:?}");
        let end = ["user", "deactivate", "alice", "--yes"];
        server = order(path, server, online, &end, "");
        let log = succeed(path, &["log", "tail", "--after", "0"], "");
        assert_eq!(log.matches("device_removed").count(), 3, "{log}");
        assert_eq!(comings_and_goings(&bob.at(&server), &bobs), [], "{log}");
    }
}

#[test]
fn the_last_head_is_deactivated_with_a_successor_or_when_the_operator_says_so() {
    let (data, server, alice, _) = with_conversation();
    let path = data.path();
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let (bob, carol) = (Client::register(&server, "bob"), Client::register(&server, "carol"));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let refused = fail(path, &["user", "deactivate", "alice", "--yes"], "");
    assert!(refused.contains(&room) && refused.contains("--successor"), "{refused}");
    for stranger in ["carol", "nobody", "alice"] {
        let arguments = ["user", "deactivate", "alice", "--yes", "--successor", stranger];
        let refused = fail(path, &arguments, "");
        assert!(refused.to_lowercase().contains("nothing was changed"), "{refused}");
    }
    alice.say(&room, "I am still here");
    let arguments = ["user", "deactivate", "alice", "--yes", "--successor", "bob"];
    succeed(path, &arguments, "");
    let renamed = bob.act("setRoomName", json!({ "roomId": room, "name": "Coffee" }));
    assert_eq!(renamed["refusal"], Value::Null, "{renamed}");
    carol.act("joinRoom", json!({ "room": { "roomId": room } }));
    let members = carol.run(
        "query($room: RoomID!) { room(by: { roomId: $room }) { members(first: 9) { nodes { userId } } } }",
        &json!({ "room": room }),
    );
    let members = members["room"]["members"]["nodes"].as_array().unwrap().len();
    assert_eq!(members, 2, "alice has left");
    // Bob is the last one now.
    fail(path, &["user", "deactivate", "bob", "--yes"], "");
    succeed(path, &["user", "deactivate", "bob", "--yes", "--leave-headless"], "");
    let listed = succeed(path, &["user", "list"], "");
    assert_eq!(listed.matches("deactivated").count(), 2, "{listed}");
}

/// A server with a room and some messages.
fn with_conversation() -> (TempDir, Server, Client, String) {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "name": "Tea", "alias": "#tea:localhost" }));
    for n in 0..30 {
        alice.say(&room, &format!("message {n}"));
    }
    (data, server, alice, room)
}

#[test]
fn the_log_is_shown_commit_by_commit() {
    let (data, server, alice, room) = with_conversation();
    for online in [true, false] {
        let all = succeed(data.path(), &["log", "tail", "--after", "0"], "");
        let commits: Vec<Value> =
            all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let positions = commits.iter().map(|commit| commit["position"].as_u64().unwrap());
        assert!(positions.eq(1..=commits.len() as u64), "a commit is missing");
        let last = succeed(data.path(), &["log", "tail"], "");
        let ten: Vec<&str> = all.lines().rev().take(10).collect();
        assert!(last.lines().rev().eq(ten), "not the last ten");
        assert!(!all.contains(alice.token.as_ref().unwrap()) && !all.contains("correct horse"));
        let beyond = fail(data.path(), &["log", "tail", "--after", "100000"], "");
        assert!(beyond.contains("--follow"), "{beyond}");
        if online {
            alice.say(&room, "one more");
        } else {
            break;
        }
    }
    assert!(server.stop().success());
    assert!(succeed(data.path(), &["log", "tail"], "").contains("one more"));
}

#[test]
fn an_export_imported_elsewhere_is_the_same_log() {
    let (data, server, alice, room) = with_conversation();
    let before = all_messages(&alice, &room);
    let files = tempdir().unwrap();
    let [online, offline, again] =
        ["online", "offline", "again"].map(|name| files.path().join(name));
    succeed(data.path(), &["export", online.to_str().unwrap()], "");
    assert!(server.stop().success());
    succeed(data.path(), &["export", offline.to_str().unwrap()], "");
    let text = std::fs::read_to_string(&online).unwrap();
    assert_eq!(text, std::fs::read_to_string(&offline).unwrap());
    let refused = fail(data.path(), &["export", offline.to_str().unwrap()], "");
    assert!(refused.contains("exists"), "{refused}");

    let copy = tempdir().unwrap();
    succeed(copy.path(), &["import", online.to_str().unwrap()], "");
    succeed(copy.path(), &["export", again.to_str().unwrap()], "");
    assert_eq!(std::fs::read_to_string(&again).unwrap(), text, "hashes or events differ");
    assert_eq!(succeed(copy.path(), &["export", "-"], ""), text);
    let verify = |path: &Path| succeed(path, &["verify"], "");
    assert_eq!(verify(copy.path()), verify(data.path()));
    let twice = fail(copy.path(), &["import", online.to_str().unwrap()], "");
    assert!(twice.contains("already has a log"), "{twice}");

    succeed(copy.path(), &["user", "create", "alice", "--no-password"], "");
    let token = succeed(copy.path(), &["user", "token", "alice"], "");
    let server = Server::start(copy.path());
    let alice = Client::with_token(&server, "alice", &token);
    assert_eq!(all_messages(&alice, &room), before);
    alice.say(&room, "life goes on");
}

#[test]
fn an_import_that_fails_names_the_line_and_leaves_nothing_behind() {
    let (data, server, ..) = with_conversation();
    assert!(server.stop().success());
    let text = succeed(data.path(), &["export", "-"], "");
    let lines: Vec<&str> = text.lines().collect();
    let join = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let mut missing = lines.clone();
    missing.remove(10);
    let mut doubled = lines.clone();
    doubled.insert(10, lines[10]);
    let changed = text.replace("message 7", "message 8");
    let cases = [
        ("cut short", join(&lines[..20])),
        ("line 11", join(&missing)),
        ("line 12", join(&doubled)),
        ("line 1", "no export\n".to_owned()),
        ("line", text[..text.len() / 2].to_owned()),
    ];
    for (hint, input) in cases {
        let copy = tempdir().unwrap();
        let said = fail(copy.path(), &["import", "-"], &input);
        assert!(said.contains(hint), "{hint}: {said}");
        // The same folder takes the whole file afterwards.
        succeed(copy.path(), &["import", "-"], &text);
        assert_eq!(succeed(copy.path(), &["export", "-"], ""), text);
    }
    if changed != text {
        let copy = tempdir().unwrap();
        let said = fail(copy.path(), &["import", "-"], &changed);
        assert!(said.contains("line"), "{said}");
    }
}

/// The records of an export.
fn records(export: &str) -> Vec<Record> {
    let mut import = ndjson::Import::begin(export.as_bytes()).unwrap();
    std::iter::from_fn(|| import.read().unwrap()).collect()
}

/// Replaces the log in `data`, and the files derived from it, with a log of these records.
async fn replace_log(data: &Path, records: &[Record]) {
    let folder = data.join("log");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::remove_dir_all(data.join("models")).ok();
    let options = SledOptions { epoch: Some(records[0].epoch), ..SledOptions::default() };
    let log = SledLog::open(&folder, options).unwrap();
    for record in records {
        log.append_record(record.clone()).await.unwrap();
    }
}

#[tokio::test]
async fn content_that_somebody_has_changed_is_named_by_import_and_verify() {
    let (data, server, alice, room) = with_conversation();
    let taken_back = alice.say(&room, "never said");
    alice.act("redactEvent", json!({ "roomId": room, "eventId": taken_back }));
    alice
        .run("mutation { setProfile(input: { displayName: \"Alice\" }) { position } }", &json!({}));
    assert!(server.stop().success());
    let text = succeed(data.path(), &["export", "-"], "");
    assert!(!text.contains("never said"));
    let verified = succeed(data.path(), &["verify"], "");
    assert!(verified.contains("match their IDs"), "{verified}");
    let whole = records(&text);
    for (from, to) in
        [("message 7", "message 8"), ("\"displayname\":\"Alice\"", "\"displayname\":\"Malice\"")]
    {
        let mut changed = whole.clone();
        let event = |record: &Record| {
            let text = |content: &[u8]| String::from_utf8_lossy(content).contains(from);
            record.commit.events.iter().position(|event| text(&event.content))
        };
        let place = changed.iter().position(|record| event(record).is_some()).unwrap();
        let index = event(&changed[place]).unwrap();
        let tampered = &mut changed[place].commit.events[index];
        let content = String::from_utf8(tampered.content.to_vec()).unwrap();
        tampered.content = content.replace(from, to).into();
        let named = format!("the event {} at position {}", tampered.id, place + 1);
        let mut export = ndjson::Export::begin(Vec::new(), changed[0].epoch).unwrap();
        for record in &changed {
            export.write(record).unwrap();
        }
        let forged = String::from_utf8(export.finish().unwrap()).unwrap();

        // Checksums and hashes are right: the attacker has computed them again.
        let copy = tempdir().unwrap();
        let said = fail(copy.path(), &["import", "-"], &forged);
        assert!(said.contains(&named) && said.contains(&format!("line {}", place + 2)), "{said}");
        succeed(copy.path(), &["import", "-"], &text);
        replace_log(copy.path(), &changed).await;
        let said = fail(copy.path(), &["verify"], "");
        assert!(said.contains(&named), "{said}");
        replace_log(copy.path(), &whole).await;
        succeed(copy.path(), &["verify"], "");
    }
}

#[test]
fn errors_say_what_is_wrong_and_what_to_do() {
    let nothing = tempdir().unwrap();
    let missing = nothing.path().join("missing");
    for command in
        [&["verify"][..], &["rebuild"], &["export", "-"], &["log", "tail"], &["user", "list"]]
    {
        let said = fail(&missing, command, "");
        assert!(said.contains("there is no Rookery data") && said.contains("--data"), "{said}");
        assert!(!missing.exists(), "{command:?} made a folder");
    }
    let (data, _server, ..) = with_conversation();
    let path = data.path();
    let second = fail(path, &["serve", "--listen", "127.0.0.1:0"], "");
    assert!(second.contains("in use") && second.contains("stop"), "{second}");
    let sample = path.join("sample.txt");
    let irc = fail(path, &["import", "irc", sample.to_str().unwrap()], "");
    assert!(irc.contains("cannot read") && irc.contains("sample.txt"), "{irc}");
    let log = fail(path, &["import", "-"], "no export\n");
    assert!(log.contains("line 1"), "{log}");
    let wrong: [(&[&str], &str, &str); 12] = [
        (&["user", "create", "Not A Name"], "long enough\n", "a-z"),
        (&["user", "create", "short"], "abc\n", "8"),
        (&["user", "create", "nothing"], "", "--no-password"),
        (&["user", "token", "nobody"], "", "user list"),
        (&["user", "set-password", "nobody"], "long enough\n", "user list"),
        (&["user", "admin", "@alice:elsewhere.example"], "", "user list"),
        (&["user", "deactivate", "alice"], "", "--yes"),
        (&["user", "token", "alice", "--lifetime", "soon"], "", "12h"),
        (&["verify", "--listen", "127.0.0.1:1"], "", "--listen"),
        (&["verify", "--nonsense"], "", "--nonsense"),
        (&["verifi"], "", "verify"),
        (&["export", "/no/such/folder/file"], "", "/no/such/folder/file"),
    ];
    for (command, input, hint) in wrong {
        let said = fail(path, command, input);
        assert!(said.contains(hint), "{command:?} should name {hint:?}: {said}");
    }
}

#[test]
fn wrong_settings_are_all_named_with_their_place() {
    let data = tempdir().unwrap();
    let file = data.path().join("rookery.toml");
    let cases = [
        (
            "listen = \"nowhere\"\nregistratoin = \"open\"\n",
            &["nowhere", "registratoin", "registration"][..],
        ),
        ("listen = \n", &["not valid TOML", "line 1"]),
        (
            "[limits]\nbody = \"much\"\nfields = 0\n",
            &["limits.body", "much", "64KiB", "limits.fields"],
        ),
    ];
    for (text, hints) in cases {
        std::fs::write(&file, text).unwrap();
        let said = fail(data.path(), &["serve", "--config", file.to_str().unwrap()], "");
        for hint in hints {
            assert!(said.contains(hint), "{text:?} should name {hint:?}: {said}");
        }
    }
    let absent = fail(data.path(), &["serve", "--config", "/no/such/file.toml"], "");
    assert!(absent.contains("/no/such/file.toml"), "{absent}");
    let address = fail(data.path(), &["serve", "--listen", "192.0.2.1:1"], "");
    assert!(address.contains("--listen"), "{address}");
    let checked = run(data.path(), &["--check-config", "--registration", "open"], "");
    assert!(
        checked.success && checked.output.contains("flag --registration"),
        "{}",
        checked.output
    );
    drop(Server::start_with(data.path(), &["--server-name", "one.example"]));
    let renamed = fail(data.path(), &["serve", "--server-name", "two.example"], "");
    assert!(renamed.contains("one.example") && renamed.contains("--data"), "{renamed}");
}

#[test]
fn a_data_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let _server = Server::start(&data);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("operator.sock")), 0o600);
    assert_eq!(mode(&data.join("signing.key")), 0o600);
}
