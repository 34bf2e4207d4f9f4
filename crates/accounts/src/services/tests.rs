//! Services of the accounts: their sessions, and the ends of those.

use std::sync::Arc;

use crate::{
    ActError, NewService, Revocation, ServiceError, ServiceToken, SessionListener,
    testing::{NOW, accounts, end_of, later, open_at, options},
};

fn token(text: &str) -> ServiceToken {
    ServiceToken::given(text)
}

fn service(name: &str, secret: &str) -> NewService {
    NewService {
        name: name.into(),
        token: token(secret),
        bot: format!("{name}-bot"),
        registration: "{}".into(),
        hs_token: None,
    }
}

#[tokio::test]
async fn a_service_acts_as_its_bot_on_one_device_also_after_a_restart() {
    let (folder, accounts) = accounts();
    accounts.add_service(service("irc", "first secret"), NOW).await.expect("adds");
    let hash = token("first secret").hash();
    let first = accounts.act("irc", hash, "irc-bot", NOW).await.expect("acts");
    let again = accounts.act("irc", hash, "@irc-bot:example.org", later(1)).await.expect("acts");
    assert_eq!(first.device_id(), again.device_id());
    assert_eq!(first.user_id(), "@irc-bot:example.org");
    let devices = accounts.devices("irc-bot").expect("reads");
    assert_eq!(devices[0].name.as_deref(), Some("service:irc"));
    let device = first.device_id().to_owned();
    drop((first, again, accounts));
    let accounts = open_at(folder.path(), options());
    let later_on = accounts.act("irc", hash, "irc-bot", later(2)).await.expect("acts");
    assert_eq!(later_on.device_id(), device);
}

#[tokio::test]
async fn rotating_a_service_ends_its_sessions_and_keeps_its_devices() {
    let (_folder, accounts) = accounts();
    accounts.add_service(service("irc", "first secret"), NOW).await.expect("adds");
    accounts.ensure_user_of_service("_irc_bob", NOW).await.expect("creates");
    let old = token("first secret").hash();
    let bot = accounts.act("irc", old, "irc-bot", NOW).await.expect("acts");
    let bob = accounts.act("irc", old, "_irc_bob", NOW).await.expect("acts");
    accounts.rotate_service("irc", &token("second secret")).await.expect("rotates");
    for session in [&bot, &bob] {
        assert_eq!(end_of(session).await, Revocation::Replaced);
    }
    assert_eq!(accounts.act("irc", old, "_irc_bob", NOW).await.err(), Some(ActError::Ended));
    let new = token("second secret").hash();
    let again = accounts.act("irc", new, "_irc_bob", NOW).await.expect("acts");
    assert_eq!(again.device_id(), bob.device_id());
}

#[tokio::test]
async fn removing_a_service_ends_its_sessions_and_removes_its_devices_only() {
    #[derive(Default)]
    struct Told(parking_lot::Mutex<Vec<String>>);
    impl SessionListener for Told {
        fn ended(&self, user_id: &str, _: &str) {
            self.0.lock().push(user_id.to_owned());
        }
    }
    let (_folder, accounts) = accounts();
    let told = Arc::new(Told::default());
    accounts.listen(told.clone());
    accounts.add_service(service("irc", "first secret"), NOW).await.expect("adds");
    accounts.add_service(service("other", "other secret"), NOW).await.expect("adds");
    let ada = accounts.registered("ada").await;
    let session = accounts.who(&ada, NOW).expect("logged in");
    let hash = token("first secret").hash();
    let as_ada = accounts.act("irc", hash, "ada", NOW).await.expect("acts");
    let others = accounts.act("other", token("other secret").hash(), "ada", NOW).await;
    let others = others.expect("acts");
    let gone = accounts.remove_service("irc").await.expect("removes");
    assert_eq!(gone, [("@ada:example.org".to_owned(), as_ada.device_id().to_owned())]);
    assert_eq!(as_ada.revocation(), Some(Revocation::LoggedOut));
    assert_eq!(*told.0.lock(), ["@ada:example.org"]);
    assert_eq!((session.revocation(), others.revocation()), (None, None));
    assert_eq!(accounts.act("irc", hash, "ada", NOW).await.err(), Some(ActError::Ended));
    assert!(accounts.services().expect("reads").iter().all(|service| service.name == "other"));
}

#[tokio::test]
async fn a_device_of_a_service_that_its_user_removes_is_made_again_with_another_id() {
    let (_folder, accounts) = accounts();
    accounts.add_service(service("irc", "first secret"), NOW).await.expect("adds");
    let hash = token("first secret").hash();
    let first = accounts.act("irc", hash, "irc-bot", NOW).await.expect("acts");
    accounts.remove_device("irc-bot", first.device_id()).await.expect("removes");
    assert_eq!(first.revocation(), Some(Revocation::LoggedOut));
    let second = accounts.act("irc", hash, "irc-bot", NOW).await.expect("acts");
    assert_ne!(first.device_id(), second.device_id());
}

#[tokio::test]
async fn a_service_acts_as_no_user_who_does_not_exist_or_is_deactivated() {
    let (_folder, accounts) = accounts();
    accounts.add_service(service("irc", "first secret"), NOW).await.expect("adds");
    let hash = token("first secret").hash();
    let missing = accounts.act("irc", hash, "_irc_bob", NOW).await.err();
    assert_eq!(missing, Some(ActError::NoSuchUser { user: "@_irc_bob:example.org".into() }));
    assert!(accounts.ensure_user_of_service("_irc_bob", NOW).await.expect("creates"));
    assert!(!accounts.ensure_user_of_service("_irc_bob", NOW).await.expect("is there"));
    let bob = accounts.act("irc", hash, "_irc_bob", NOW).await.expect("acts");
    accounts.deactivate("_irc_bob", NOW).await.expect("deactivates");
    assert_eq!(bob.revocation(), Some(Revocation::Deactivated));
    let gone = accounts.act("irc", hash, "_irc_bob", NOW).await.err();
    assert_eq!(gone, Some(ActError::Deactivated { user: "@_irc_bob:example.org".into() }));
}

#[tokio::test]
async fn a_service_has_a_name_a_token_and_a_bot_of_its_own() {
    let (_folder, accounts) = accounts();
    accounts.add_service(service("irc", "first secret"), NOW).await.expect("adds");
    let add = |new| accounts.add_service(new, NOW);
    let name = add(service("irc", "another secret")).await.err();
    assert_eq!(name, Some(ServiceError::Exists { name: "irc".into() }));
    let secret = add(service("slack", "first secret")).await.err();
    assert_eq!(secret, Some(ServiceError::TokenInUse { other: "irc".into() }));
    accounts.registered("ada").await;
    let bot = add(NewService { bot: "ada".into(), ..service("slack", "another secret") }).await;
    assert_eq!(bot.err(), Some(ServiceError::BotHasPassword { user: "ada".into() }));
    assert_eq!(accounts.services().expect("reads").len(), 1);
}

#[test]
fn debug_shows_no_token_of_a_service() {
    let shown = format!("{:?} {:?}", token("first secret"), token("first secret").hash());
    assert!(!shown.contains("secret"), "{shown}");
    assert!(ServiceToken::generate().expect("random") != ServiceToken::generate().expect("random"));
}
