//! Incoming webhooks: their secrets, their users and their bounds.

use crate::{
    LocalpartError, NewUserError, NewWebhook, RegisterError, WEBHOOKS_OF_ROOM_MAX,
    WEBHOOKS_OF_USER_MAX, WebhookError, WebhookLogin, testing::*,
};

fn new(room: &str, creator: &str) -> NewWebhook {
    NewWebhook {
        room_id: room.into(),
        creator: creator.into(),
        name: "Alerts".into(),
        avatar_url: None,
        may_mention: false,
    }
}

#[tokio::test]
async fn a_webhook_is_known_by_its_secret_until_that_is_replaced_or_revoked() {
    let (folder, accounts) = accounts();
    let (made, secret) = accounts.create_webhook(new("!a", "@ada:x"), NOW).await.expect("makes");
    let log_in = |secret: &str| accounts.log_in_webhook(&made.id, secret).expect("reads");
    assert_eq!(log_in(secret.expose()), WebhookLogin::Known(made.clone()));
    assert_eq!(log_in("guess"), WebhookLogin::WrongSecret);
    assert_eq!(accounts.log_in_webhook("other", secret.expose()), Ok(WebhookLogin::Unknown));
    let second = accounts.rotate_webhook(&made.id).await.expect("writes").expect("it is there");
    assert_eq!(log_in(secret.expose()), WebhookLogin::WrongSecret);
    assert_eq!(log_in(second.expose()), WebhookLogin::Known(made.clone()));
    assert_eq!(accounts.revoke_webhook(&made.id).await, Ok(true));
    assert_eq!(log_in(second.expose()), WebhookLogin::WrongSecret);
    let known = accounts.webhook(&made.id).expect("reads").expect("it is there");
    assert!(!known.has_secret);
    assert_eq!(accounts.rotate_webhook("other").await, Ok(None));
    assert_eq!(accounts.revoke_webhook("other").await, Ok(false));
    drop(accounts);
    let bytes = std::fs::read(folder.path().join("accounts.redb")).expect("reads");
    for secret in [secret.expose(), second.expose()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        assert_eq!(secret.len(), 43);
    }
}

#[tokio::test]
async fn a_deleted_webhook_is_gone_and_its_user_stays_closed() {
    let (folder, accounts) = accounts();
    let (made, secret) = accounts.create_webhook(new("!a", "@ada:x"), NOW).await.expect("makes");
    let name = format!("hook.{}", made.id);
    assert_eq!(made.user_id, format!("@{name}:example.org"));
    for _ in 0..2 {
        accounts.delete_webhook(&made.id, NOW).await.expect("deletes");
    }
    drop(accounts);
    let accounts = open_at(folder.path(), options());
    assert_eq!(accounts.log_in_webhook(&made.id, secret.expose()), Ok(WebhookLogin::Unknown));
    assert_eq!(accounts.webhooks_of_room("!a", None, 10), Ok(Vec::new()));
    let user = accounts.user(&name).expect("reads").expect("it stays");
    assert_eq!((user.deactivated, user.has_password), (Some(NOW), false));
}

#[tokio::test]
async fn a_webhook_whose_user_was_deactivated_is_unknown() {
    let (_folder, accounts) = accounts();
    let (made, secret) = accounts.create_webhook(new("!a", "@ada:x"), NOW).await.expect("makes");
    accounts.deactivate(&made.user_id, NOW).await.expect("deactivates");
    assert_eq!(accounts.log_in_webhook(&made.id, secret.expose()), Ok(WebhookLogin::Unknown));
}

#[tokio::test]
async fn a_webhook_that_was_never_used_leaves_no_user() {
    let (_folder, accounts) = accounts();
    let (made, _) = accounts.create_webhook(new("!a", "@ada:x"), NOW).await.expect("makes");
    accounts.discard_webhook(&made.id).await.expect("discards");
    assert_eq!(accounts.user(&made.user_id), Ok(None));
    assert_eq!(accounts.webhook(&made.id), Ok(None));
}

#[tokio::test]
async fn webhooks_of_a_room_have_pages_and_a_bound() {
    let (_folder, accounts) = accounts();
    for room in ["!a", "!b"] {
        for _ in 0..3 {
            accounts.create_webhook(new(room, "@ada:x"), NOW).await.expect("makes");
        }
    }
    let page = |after: Option<&str>| accounts.webhooks_of_room("!a", after, 2).expect("reads");
    let first = page(None);
    let rest = page(Some(&first[1].id));
    assert_eq!((first.len(), rest.len()), (2, 1));
    assert!(first[0].id < first[1].id && first[1].id < rest[0].id);
    assert!(first.iter().chain(&rest).all(|webhook| webhook.room_id == "!a"));
    for _ in 3..WEBHOOKS_OF_ROOM_MAX {
        accounts.create_webhook(new("!a", "@bob:x"), NOW).await.expect("makes");
    }
    let full = accounts.create_webhook(new("!a", "@eve:x"), NOW).await.err();
    assert_eq!(full, Some(WebhookError::TooMany { max: WEBHOOKS_OF_ROOM_MAX }));
    accounts.delete_webhook(&first[0].id, NOW).await.expect("deletes");
    assert!(accounts.create_webhook(new("!a", "@eve:x"), NOW).await.is_ok());
}

#[tokio::test]
async fn a_user_makes_so_many_webhooks_in_all_rooms() {
    let (_folder, accounts) = accounts();
    for number in 0..WEBHOOKS_OF_USER_MAX {
        accounts.create_webhook(new(&format!("!{number}"), "@ada:x"), NOW).await.expect("makes");
    }
    let full = accounts.create_webhook(new("!new", "@ada:x"), NOW).await.err();
    assert_eq!(full, Some(WebhookError::TooMany { max: WEBHOOKS_OF_USER_MAX }));
    assert!(accounts.create_webhook(new("!new", "@bob:x"), NOW).await.is_ok());
}

#[tokio::test]
async fn nobody_registers_a_name_that_webhooks_use() {
    let (_folder, accounts) = accounts();
    let refused = accounts.try_register("hook.abc").await;
    assert_eq!(refused, Err(RegisterError::Localpart(LocalpartError::Reserved)));
    let refused = accounts.create_user("hook.abc", None, false, NOW).await;
    let error = LocalpartError::Reserved;
    assert_eq!(refused, Err(NewUserError::Localpart { name: "hook.abc".into(), error }));
}
