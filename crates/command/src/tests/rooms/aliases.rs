use std::sync::Arc;

use rookery_domain::{CreateRoom, OwnedRoomAliasId, Rejection, RoomCommand};

use crate::tests::{actor, commands, memory, public_room};
use crate::{Commands, HandleError, Retry};

fn alias(name: &str) -> OwnedRoomAliasId {
    format!("#{name}:test").try_into().unwrap()
}

fn with_alias(name: &str) -> CreateRoom {
    CreateRoom { alias: Some(alias(name)), ..CreateRoom::default() }
}

fn set(canonical: Option<&str>) -> RoomCommand {
    RoomCommand::SetAliases { canonical: canonical.map(alias), alternative: Vec::new() }
}

async fn resolve(commands: &Commands, name: &str) -> Option<rookery_domain::OwnedRoomId> {
    commands.resolve_alias(&alias(name)).await.unwrap()
}

#[tokio::test]
async fn one_of_many_racers_gets_the_alias() {
    let log = memory();
    let commands = Arc::new(commands(&log));
    let racers: Vec<_> = (0..10)
        .map(|number| {
            let commands = Arc::clone(&commands);
            tokio::spawn(async move {
                let racer = actor(&format!("racer{number}"));
                commands.create_room(&racer, &with_alias("tea"), Retry::Unnamed).await
            })
        })
        .collect();
    let mut winners = Vec::new();
    for racer in racers {
        match racer.await.unwrap() {
            Ok(outcome) => winners.push(outcome.room()),
            Err(HandleError::Rejected(
                Rejection::AliasTaken { .. } | Rejection::AliasUnavailable { .. },
            )) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(resolve(&commands, "tea").await, winners.pop());
}

#[tokio::test]
async fn an_alias_of_a_private_room_is_refused_like_any_other_name_after_some_guesses() {
    let log = memory();
    let commands = commands(&log);
    commands.create_room(&actor("alice"), &with_alias("secret"), Retry::Unnamed).await.unwrap();
    public_room(&commands, "alice").await;
    let public = CreateRoom { preset: rookery_domain::Preset::Public, ..with_alias("known") };
    commands.create_room(&actor("alice"), &public, Retry::Unnamed).await.unwrap();
    let ask = async |user: &str, name: &str, now: u64| {
        let actor = crate::Actor { now: rookery_log::Millis(now), ..actor(user) };
        match commands.create_room(&actor, &with_alias(name), Retry::Unnamed).await {
            Ok(_) => "made".to_owned(),
            Err(HandleError::Rejected(rejection)) => rejection.code().to_owned(),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(ask("alice", "secret", 1).await, "ALIAS_TAKEN", "it is her own room");
    assert_eq!(ask("eve", "known", 1).await, "ALIAS_TAKEN", "everybody may know the room");
    for guess in 0..crate::rooms::guesses::GUESSES_MAX {
        assert_eq!(ask("eve", "free", 1).await, if guess == 0 { "made" } else { "ALIAS_TAKEN" });
        assert_eq!(ask("eve", "secret", 1).await, "ALIAS_UNAVAILABLE", "guess {guess}");
    }
    for name in ["secret", "also-free", "known"] {
        assert_eq!(ask("eve", name, 1).await, "ALIAS_UNAVAILABLE", "{name}");
    }
    assert_eq!(ask("bob", "also-free", 1).await, "made", "others are not held up");
    let later = 1 + crate::rooms::guesses::GUESS_MILLIS;
    assert_eq!(ask("eve", "still-free", later).await, "made");
}

#[tokio::test]
async fn a_replaced_alias_can_be_taken_by_another_room() {
    let log = memory();
    let commands = commands(&log);
    let created = commands.create_room(&actor("alice"), &with_alias("tea"), Retry::Unnamed).await;
    let room = created.unwrap().room();
    commands.room(&actor("alice"), &room, &set(Some("coffee")), Retry::Unnamed).await.unwrap();
    assert_eq!(resolve(&commands, "tea").await, None);
    assert_eq!(resolve(&commands, "coffee").await, Some(room));
    let other = commands.create_room(&actor("bob"), &with_alias("tea"), Retry::Unnamed).await;
    assert_eq!(resolve(&commands, "tea").await, Some(other.unwrap().room()));
}

#[tokio::test]
async fn who_may_not_set_aliases_claims_none() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    commands.room(&actor("bob"), &room, &crate::tests::join(), Retry::Unnamed).await.unwrap();
    let refused = commands.room(&actor("bob"), &room, &set(Some("mine")), Retry::Unnamed).await;
    assert!(
        matches!(refused, Err(HandleError::Rejected(Rejection::InsufficientPower { .. }))),
        "{refused:?}"
    );
    assert_eq!(resolve(&commands, "mine").await, None);
}

#[tokio::test]
async fn a_taken_alias_leaves_the_others_unclaimed() {
    let log = memory();
    let commands = commands(&log);
    commands.create_room(&actor("bob"), &with_alias("taken"), Retry::Unnamed).await.unwrap();
    let room = public_room(&commands, "alice").await;
    let command = RoomCommand::SetAliases {
        canonical: Some(alias("fresh")),
        alternative: vec![alias("taken")],
    };
    commands.room(&actor("alice"), &room, &command, Retry::Unnamed).await.unwrap_err();
    assert_eq!(resolve(&commands, "fresh").await, None);
}

#[tokio::test]
async fn a_claim_whose_room_never_came_is_taken_over_by_its_owner_alone() {
    let log = memory();
    let commands = commands(&log);
    let nowhere = rookery_domain::OwnedRoomId::try_from("!never:test").unwrap();
    commands.claim_alias(&actor("alice"), &alias("tea"), &nowhere).await.unwrap();
    let bob = commands.create_room(&actor("bob"), &with_alias("tea"), Retry::Unnamed).await;
    assert!(matches!(bob, Err(HandleError::Rejected(Rejection::AliasTaken { .. }))), "{bob:?}");
    let alice = commands.create_room(&actor("alice"), &with_alias("tea"), Retry::Unnamed).await;
    assert_eq!(resolve(&commands, "tea").await, Some(alice.unwrap().room()));
}
