//! IRC logs become rooms in which their users can continue to talk.

use std::{collections::HashMap, path::Path};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    crash::all_messages,
    server::{Server, fail, succeed},
};

const FIRST: &str = "=== ada [~ada@hive.example]  has joined #made-up
[09:58] <ada> hello all
[09:58] <[bee]> buzz
[09:59]  * ada waves
=== ada is now known as ada_
=== ada_ changed the topic of #made-up to: Birds
this line is nothing
[10:00] <ada_> <b>&amp; \"quoted\"
[99:99] <ada_> at no time
=== ada_ [~ada@hive.example]  has left #made-up []
";

const SECOND: &str = "=== ada_ [~ada@hive.example]  has joined #made-up
[00:01] <ada_> back again
[00:02] <wasp> I sting
";

/// Messages of the sample, counted by another program than the importer.
fn count(text: &str) -> usize {
    let spoken = |line: &&str| {
        let Some((time, rest)) = line.split_once("] ") else { return false };
        let time = time.trim_start_matches('[');
        let valid = time < "24:00" && time.len() == 5;
        valid && (rest.starts_with('<') || rest.trim_start().starts_with("* "))
    };
    text.lines().filter(spoken).count()
}

fn write_sample(folder: &Path) {
    for (day, text) in [("01", FIRST), ("02", SECOND)] {
        let day = folder.join("2004/01").join(day);
        std::fs::create_dir_all(&day).unwrap();
        std::fs::write(day.join("#made-up.txt"), text).unwrap();
    }
}

/// The counts of the summary, by label.
fn counts(summary: &str) -> HashMap<String, u64> {
    let number = |line: &str| {
        let line = line.trim();
        let (what, number) = line.rsplit_once(char::is_whitespace)?;
        Some((what.trim().to_owned(), number.replace(',', "").parse().ok()?))
    };
    summary.lines().filter_map(number).collect()
}

#[test]
fn an_import_reports_each_line_and_doing_it_again_adds_nothing() {
    let (data, logs) = (tempdir().unwrap(), tempdir().unwrap());
    write_sample(logs.path());
    let paths = ["import", "irc", logs.path().to_str().unwrap()];
    let summary = succeed(data.path(), &paths, "");
    assert!(summary.contains("#made-up.txt:7: "), "{summary}");
    assert!(summary.contains("#made-up.txt:9: "), "{summary}");
    let found = counts(&summary);
    let said = found["messages"] + found["actions (/me)"];
    assert_eq!(said, (count(FIRST) + count(SECOND)) as u64, "{summary}");
    assert_eq!(found["unreadable"], 2, "{summary}");
    let log = succeed(data.path(), &["export", "-"], "");
    let again = succeed(data.path(), &paths, "");
    assert!(again.contains("added 0 commits"), "{again}");
    assert_eq!(succeed(data.path(), &["export", "-"], ""), log, "the second run wrote something");
    assert!(succeed(data.path(), &["verify"], "").contains("equal to a rebuild"));
    let missing = fail(data.path(), &["import", "irc", "/no/such/file"], "");
    assert!(missing.contains("/no/such/file"), "{missing}");
}

#[test]
fn an_imported_user_logs_in_reads_and_goes_on_talking() {
    let (data, logs) = (tempdir().unwrap(), tempdir().unwrap());
    write_sample(logs.path());
    succeed(data.path(), &["import", "irc", logs.path().to_str().unwrap()], "");
    let users = succeed(data.path(), &["user", "list"], "");
    let name = |nick: &str| {
        let user = users.lines().find(|line| line.starts_with(&format!("@{nick}:")));
        user.unwrap_or_else(|| panic!("no {nick} in {users}"))[1..]
            .split_once(':')
            .unwrap()
            .0
            .to_owned()
    };
    // She took the name `ada_` on the first day, and used it on the second.
    let (ada, wasp) = (name("ada_"), name("wasp"));
    let server = Server::start(data.path());
    let client = |name: &str| {
        let token = succeed(data.path(), &["user", "token", name], "");
        Client::with_token(&server, name, &token)
    };
    let (ada, wasp) = (client(&ada), client(&wasp));
    let document = "{ initialSync { position rooms { roomId topic memberCount canonicalAlias
        lastMessage { text sender { displayName } sentAt } } } }";
    let sync = ada.run(document, &json!({}))["initialSync"].clone();
    let room = &sync["rooms"][0];
    assert_eq!(room["topic"], "Birds", "{sync}");
    assert_eq!(room["lastMessage"]["text"], "I sting");
    assert_eq!(room["lastMessage"]["sentAt"].as_str().unwrap()[..10], *"2004-01-02");
    let id = room["roomId"].as_str().unwrap();
    let texts: Vec<String> =
        all_messages(&ada, id).into_iter().rev().map(|(_, text)| text).collect();
    let all = ["hello all", "buzz", "waves", "<b>&amp; \"quoted\"", "back again", "I sting"];
    assert_eq!(texts, all);
    let mut stream = wasp.follow(None);
    let said = ada.say(id, "after twenty years");
    assert_eq!(stream.until(|item| item["eventId"] == said.as_str())["text"], "after twenty years");
    let names = ada.run(
        "query($room: RoomID!) { room(by: { roomId: $room }) { members { nodes { displayName } } } }",
        &json!({ "room": id }),
    );
    let names: Vec<&Value> = names["room"]["members"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| &member["displayName"])
        .collect();
    assert!(names.contains(&&json!("ada_")), "{names:?}");
}
