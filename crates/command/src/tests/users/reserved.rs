//! Names that services claim, and the rate of a service.

use std::{sync::Arc, time::Duration};

use rookery_domain::{CreateRoom, Rejection, RoomCommand};
use rookery_namespaces::{Claim, Service, Services};
use rookery_rates::Pace;
use tokio::sync::watch;

use crate::tests::{actor, commands, join, memory, open, public_room, text};
use crate::{ActionKind, ActionRates, Actor, CommandOptions, HandleError, Retry};

fn service(is_rate_limited: bool) -> Arc<Service> {
    let claim = |sign: &str| [Claim { regex: format!("{sign}_irc_.*:test"), exclusive: true }];
    let namespaces = Service::namespaces_of(&claim("@"), &claim("#"), &[]).unwrap();
    let bot = actor("irc").user;
    Arc::new(Service { name: "irc".into(), bot, is_rate_limited, namespaces })
}

fn acting(name: &str, service: &Arc<Service>) -> Actor {
    Actor { service: Some(Arc::clone(service)), ..actor(name) }
}

fn aliases(name: &str) -> RoomCommand {
    let canonical = Some(format!("#{name}:test").as_str().try_into().unwrap());
    RoomCommand::SetAliases { canonical, alternative: Vec::new() }
}

fn is_reserved<T: std::fmt::Debug>(result: &Result<T, HandleError>) -> bool {
    matches!(result, Err(HandleError::Rejected(Rejection::NameReserved(..))))
}

#[tokio::test]
async fn names_of_a_service_enter_rooms_and_become_aliases_for_the_service_alone() {
    let log = memory();
    let rules = watch::Sender::new(Arc::new(Services::default()));
    let commands = commands(&log).with_services(rules.subscribe());
    let room = public_room(&commands, "alice").await;
    commands.room(&actor("_irc_early"), &room, &join(), Retry::Unnamed).await.unwrap();
    let irc = service(true);
    rules.send_replace(Arc::new(Services::new(vec![Arc::clone(&irc)])));

    let alice = actor("alice");
    let alias = commands.room(&alice, &room, &aliases("_irc_tea"), Retry::Unnamed).await;
    assert!(is_reserved(&alias), "{alias:?}");
    let alias = Some("#_irc_tea:test".try_into().unwrap());
    let create = CreateRoom { alias, ..CreateRoom::default() };
    let created = commands.create_room(&alice, &create, Retry::Unnamed).await;
    assert!(is_reserved(&created), "{created:?}");
    for name in ["_irc_bob", "irc"] {
        let joined = commands.room(&actor(name), &room, &join(), Retry::Unnamed).await;
        assert!(is_reserved(&joined), "{name}: {joined:?}");
        let plain = CreateRoom::default();
        let created = commands.create_room(&actor(name), &plain, Retry::Unnamed).await;
        assert!(is_reserved(&created), "{name}: {created:?}");
    }
    // Members who were there before stay, and names that nobody claims are free.
    let said = text("still here");
    commands.room(&actor("_irc_early"), &room, &said, Retry::Unnamed).await.unwrap();
    commands.room(&alice, &room, &aliases("tea"), Retry::Unnamed).await.unwrap();

    commands.room(&acting("_irc_bob", &irc), &room, &join(), Retry::Unnamed).await.unwrap();
    commands.create_room(&acting("irc", &irc), &create, Retry::Unnamed).await.unwrap();
}

#[tokio::test]
async fn all_users_of_a_service_share_one_rate() {
    let log = memory();
    let pace = Some(Pace { burst: 3, interval: Duration::from_secs(1) });
    let rates = ActionRates::default().with(ActionKind::Services, pace);
    let commands = open(&log, None, CommandOptions { rates, ..CommandOptions::default() });
    let room = public_room(&commands, "alice").await;
    let limited = service(true);
    let users = ["_irc_a", "_irc_b"].map(|name| acting(name, &limited));
    for user in &users {
        commands.room(user, &room, &join(), Retry::Unnamed).await.unwrap();
    }
    commands.room(&users[0], &room, &text("the last one"), Retry::Unnamed).await.unwrap();
    for user in &users {
        let refused = commands.room(user, &room, &text("too many"), Retry::Unnamed).await;
        let is_limited = |kind| kind == ActionKind::Services;
        assert!(
            matches!(refused, Err(HandleError::RateLimited { kind, .. }) if is_limited(kind)),
            "{refused:?}"
        );
    }
    let unlimited = acting("_irc_c", &service(false));
    commands.room(&unlimited, &room, &join(), Retry::Unnamed).await.unwrap();
    for _ in 0..5 {
        commands
            .room(&unlimited, &room, &text("as many as it wants"), Retry::Unnamed)
            .await
            .unwrap();
    }
}
