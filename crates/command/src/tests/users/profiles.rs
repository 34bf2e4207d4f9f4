use rookery_domain::{Account, AccountCommand, Fact, Profile};
use rookery_log::{ErasableLog, Millis};

use crate::tests::{actor, commands, join, memory, open, pdus, public_room};
use crate::{CommandOptions, Commands, ProfileChange, Retry};

fn named(name: &str) -> ProfileChange {
    ProfileChange { displayname: Some(Some(name.into())), avatar_url: None }
}

/// How many member events of the log have this name.
async fn mentions(log: &std::sync::Arc<dyn ErasableLog>, name: &str) -> usize {
    let all = rookery_log::Scope::All;
    let records = log.read(&all, rookery_log::Position::ORIGIN, 4_096).await.unwrap();
    let rooms = records.iter().filter(|record| record.commit.stream.as_str().starts_with("room/"));
    rooms.flat_map(|record| pdus(record)).filter(|pdu| pdu.content.get().contains(name)).count()
}

#[tokio::test]
async fn a_new_name_reaches_each_joined_room_once() {
    let log = memory();
    let commands = commands(&log);
    for creator in ["alice", "bob", "carol"] {
        let room = public_room(&commands, creator).await;
        if creator != "carol" {
            commands.room(&actor("alice"), &room, &join(), Retry::Unnamed).await.unwrap();
        }
    }
    let alice = actor("alice");
    commands.set_profile(&alice, &named("Alicia"), Retry::Unnamed).await.unwrap();
    let profile = commands.profile(&alice.user).await.unwrap();
    assert_eq!(profile.displayname.as_deref(), Some("Alicia"));
    commands.resume_profiles(Millis(2_000)).await.unwrap();
    assert_eq!(mentions(&log, "Alicia").await, 2);
}

#[tokio::test]
async fn a_new_name_is_answered_at_once_and_told_to_the_rooms_behind_it() {
    let log = memory();
    let commands = std::sync::Arc::new(commands(&log));
    for _ in 0..3 {
        public_room(&commands, "alice").await;
    }
    let outcome = commands.set_profile(&actor("alice"), &named("Alicia"), Retry::Unnamed).await;
    assert_eq!(outcome.unwrap().position, *log.tail().borrow(), "the change is the last commit");
    assert_eq!(mentions(&log, "Alicia").await, 0);
    let running = std::sync::Arc::clone(&commands);
    let processes = tokio::spawn(async move { running.run_processes(&|| Millis(2_000)).await });
    let mut tail = log.tail();
    while mentions(&log, "Alicia").await < 3 {
        tail.changed().await.unwrap();
    }
    processes.abort();
}

#[tokio::test]
async fn what_a_user_says_after_a_new_name_comes_after_it_in_the_room() {
    let log = memory();
    let commands = commands(&log);
    let (room, other) =
        (public_room(&commands, "alice").await, public_room(&commands, "alice").await);
    commands.set_profile(&actor("alice"), &named("Alicia"), Retry::Unnamed).await.unwrap();
    crate::tests::say(&commands, "alice", &room, "hello").await;
    let records =
        log.read(&rookery_log::Scope::All, rookery_log::Position::ORIGIN, 4_096).await.unwrap();
    let of_room =
        records.iter().filter(|record| record.commit.stream.as_str().contains(room.as_str()));
    let kinds: Vec<_> =
        of_room.flat_map(|record| pdus(record)).map(|pdu| pdu.kind.to_string()).collect();
    assert_eq!(kinds[kinds.len() - 2..], ["m.room.member", "m.room.message"]);
    // The write side updates the other rooms later, and does not update this one again.
    commands.resume_profiles(Millis(2_000)).await.unwrap();
    assert_eq!(mentions(&log, "Alicia").await, 2);
    drop(other);
}

#[tokio::test]
async fn the_last_of_many_names_is_the_one_that_every_room_shows() {
    let log = memory();
    let commands = std::sync::Arc::new(commands(&log));
    let mut rooms = Vec::new();
    for _ in 0..20 {
        rooms.push(public_room(&commands, "alice").await);
    }
    let running = std::sync::Arc::clone(&commands);
    let processes = tokio::spawn(async move { running.run_processes(&|| Millis(2_000)).await });
    for number in 0..12 {
        let name = named(&format!("name {number}"));
        commands.set_profile(&actor("alice"), &name, Retry::Unnamed).await.unwrap();
        tokio::task::yield_now().await;
    }
    // Several spreads ran at the same time. Each room still ends with the last name.
    let done = || {
        commands
            .processes()
            .iter()
            .any(|it| it.name == "profiles" && it.position == *log.tail().borrow())
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), async {
        while !done() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    for room in &rooms {
        let stream_state = commands.rooms.state_of(room.as_str());
        let name = |room: Option<&rookery_domain::Room>| {
            Profile::of(room.unwrap().state("m.room.member", actor("alice").user.as_str()).unwrap())
                .displayname
        };
        let name = commands.core.read_state(&commands.rooms, &stream_state, name).await.unwrap();
        assert_eq!(name.as_deref(), Some("name 11"));
    }
    processes.abort();
}

#[tokio::test]
async fn a_name_that_a_stop_kept_from_the_rooms_reaches_them_after_the_start() {
    let log = memory();
    let before = commands(&log);
    public_room(&before, "alice").await;
    change_without_telling(&before, "Alicia").await;
    assert_eq!(mentions(&log, "Alicia").await, 0);
    let after = commands(&log);
    after.resume_profiles(Millis(2_000)).await.unwrap();
    assert_eq!(mentions(&log, "Alicia").await, 1);
    after.resume_profiles(Millis(3_000)).await.unwrap();
    assert_eq!(mentions(&log, "Alicia").await, 1);
}

#[tokio::test]
async fn a_start_does_not_look_at_changes_that_were_spread() {
    let log = memory();
    let folder = tempfile::tempdir().unwrap();
    let before = open(&log, Some(folder.path()), CommandOptions::default());
    public_room(&before, "alice").await;
    before.set_profile(&actor("alice"), &named("Alicia"), Retry::Unnamed).await.unwrap();
    before.resume_profiles(Millis(2_000)).await.unwrap();
    before.save().await.unwrap();
    let after = open(&log, Some(folder.path()), CommandOptions::default());
    assert_eq!(after.resume_profiles(Millis(2_000)).await.unwrap(), 0);
}

#[tokio::test]
async fn an_action_number_used_for_another_name_is_refused() {
    let log = memory();
    let commands = commands(&log);
    let retry = Retry::Action(9);
    let first = commands.set_profile(&actor("alice"), &named("Alicia"), retry).await.unwrap();
    let again = commands.set_profile(&actor("alice"), &named("Alicia"), retry).await.unwrap();
    assert_eq!(first.position, again.position);
    let other = commands.set_profile(&actor("alice"), &named("Ally"), retry).await;
    assert!(matches!(other, Err(crate::HandleError::ActionIdReused)), "{other:?}");
}

#[tokio::test]
async fn what_is_left_out_of_a_change_stays() {
    let log = memory();
    let commands = commands(&log);
    let avatar =
        ProfileChange { displayname: None, avatar_url: Some(Some("mxc://test/picture".into())) };
    commands.set_profile(&actor("alice"), &named("Alicia"), Retry::Unnamed).await.unwrap();
    commands.set_profile(&actor("alice"), &avatar, Retry::Unnamed).await.unwrap();
    let profile = commands.profile(&actor("alice").user).await.unwrap();
    assert_eq!(profile.displayname.as_deref(), Some("Alicia"));
    assert_eq!(profile.avatar_url.as_deref(), Some("mxc://test/picture"));
}

/// The log when the process dies right after the change.
async fn change_without_telling(commands: &Commands, name: &str) {
    let stream_state = commands.accounts.state_of(actor("alice").user.as_str());
    let profile = Profile { displayname: Some(name.into()), avatar_url: None };
    let decide = |_: Option<&Account>| {
        let command = AccountCommand::SetProfile { profile: profile.clone() };
        let events = Account::default().decide(&command)?;
        Ok(events.into_iter().map(Fact::Account).collect())
    };
    let request = actor("alice").request(Retry::Unnamed);
    commands.core.handle(&commands.accounts, &stream_state, &request, decide).await.unwrap();
}
