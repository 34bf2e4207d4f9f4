//! Login.

use std::net::IpAddr;

use crate::{Login, LoginError, Options, Password, Revocation, testing::*};

const WRONG: Result<crate::Session, LoginError> = Err(LoginError::WrongCredentials);

#[tokio::test]
async fn the_right_password_gives_a_device_of_its_own() {
    let (_folder, accounts) = accounts();
    let first = accounts.registered("ada").await;
    let second = accounts.logged_in("@ada:example.org").await;
    assert_eq!(first.user_id, "@ada:example.org");
    assert_eq!(second.user_id, first.user_id);
    assert_ne!(second.device_id, first.device_id);
    assert!(accounts.who(&first, NOW).is_some(), "the other device stays logged in");
    assert_eq!(accounts.who(&second, NOW).expect("in").device_id(), second.device_id);
}

#[tokio::test]
async fn unknown_user_and_wrong_password_get_the_same_answer() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    accounts.ensure_users(["imported"], NOW).await.expect("makes");
    let long = "x".repeat(100_000);
    for (user, password) in [
        ("ada", "wrong password"),
        ("ada", ""),
        ("ada", long.as_str()),
        ("nobody", PASSWORD),
        ("imported", PASSWORD),
        ("imported", ""),
        ("@ada:elsewhere.org", PASSWORD),
        ("not a name", PASSWORD),
        ("", ""),
    ] {
        assert_eq!(accounts.try_login(user, password).await, WRONG, "{user}");
    }
    assert_eq!(accounts.devices("ada").expect("reads").len(), 1, "no device was made");
}

#[tokio::test]
async fn guesses_are_limited_but_the_owner_gets_in_from_elsewhere() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    for _ in 0..10 {
        assert_eq!(accounts.try_login("ada", "wrong password").await, WRONG);
    }
    let refused = accounts.try_login("@ADA:example.org", PASSWORD).await;
    assert!(
        matches!(refused, Err(LoginError::RateLimited { retry_after }) if !retry_after.is_zero())
    );
    let elsewhere: IpAddr = [192, 0, 2, 7].into();
    let owner = Login { from: elsewhere, ..credentials("ada", PASSWORD) };
    assert!(accounts.login(owner, NOW).await.is_ok());
    let later = accounts.login(credentials("ada", PASSWORD), later(5 * 60_000)).await;
    assert!(later.is_ok());
}

#[tokio::test]
async fn many_guesses_at_once_are_limited_too() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let accounts = accounts.clone();
            tokio::spawn(async move { accounts.try_login("ada", "wrong password").await })
        })
        .collect();
    let mut hashed = 0;
    for task in tasks {
        hashed += usize::from(task.await.expect("runs") == WRONG);
    }
    assert_eq!(hashed, 10);
}

#[tokio::test]
async fn being_told_to_come_back_is_no_failure() {
    let (_folder, accounts) = accounts_with(Options { hashes_waiting_max: 2, ..options() });
    accounts.registered("ada").await;
    let stalled = accounts.inner.hashing.stall();
    let mut waiting = ["eve", "fay"].map(|name| Box::pin(accounts.try_login(name, PASSWORD)));
    for login in &mut waiting {
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(login.as_mut().poll(context).is_pending())
        });
        assert!(polled.await, "it waits for its turn");
    }
    for _ in 0..20 {
        let refused = accounts.try_login("ada", PASSWORD).await;
        assert!(matches!(refused, Err(LoginError::Busy { .. })), "{refused:?}");
    }
    drop((waiting, stalled));
    assert!(accounts.try_login("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_known_device_goes_on_with_a_new_token() {
    let (_folder, accounts) = accounts();
    let first = accounts.registered("ada").await;
    let old = accounts.who(&first, NOW).expect("in");
    let again = Login { device_id: Some(first.device_id.clone()), ..credentials("ada", PASSWORD) };
    let second = accounts.login(again, later(1)).await.expect("logs in");
    assert_eq!(second.device_id, first.device_id);
    assert_ne!(second.token, first.token);
    assert_eq!(old.revocation(), Some(Revocation::Replaced));
    assert!(accounts.who(&first, NOW).is_none());
    let devices = accounts.devices("ada").expect("reads");
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].name.as_deref(), Some("laptop"), "a name not given is kept");
}

#[tokio::test]
async fn the_device_of_another_or_a_made_up_one_is_refused_after_the_right_password_only() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    let bob = accounts.registered("bob").await;
    for id in [bob.device_id.as_str(), "MADEUPDEVI", ""] {
        let login = Login { device_id: Some(id.into()), ..credentials("ada", PASSWORD) };
        assert_eq!(accounts.login(login.clone(), NOW).await, Err(LoginError::NoSuchDevice));
        let login = Login { password: Password::new("wrong password"), ..login };
        assert_eq!(accounts.login(login, NOW).await, WRONG);
    }
    assert!(accounts.who(&bob, NOW).is_some());
}

#[tokio::test]
async fn a_user_has_a_bounded_number_of_devices() {
    let (_folder, accounts) = accounts_with(Options { devices_per_user_max: 2, ..options() });
    let first = accounts.registered("ada").await;
    accounts.logged_in("ada").await;
    let refused = accounts.try_login("ada", PASSWORD).await;
    assert_eq!(refused, Err(LoginError::TooManyDevices { max: 2 }));
    assert!(accounts.mint_token("ada", None, None, NOW).await.is_err());
    accounts.remove_device("ada", &first.device_id).await.expect("removes");
    assert!(accounts.try_login("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_password_that_is_changed_while_it_is_checked_lets_nobody_in() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    // The change gets its turn first, while the login still hashes.
    let stalled = accounts.inner.hashing.stall();
    let mut login = Box::pin(accounts.try_login("ada", PASSWORD));
    let polled = std::future::poll_fn(|context| {
        std::task::Poll::Ready(login.as_mut().poll(context).is_pending())
    });
    assert!(polled.await);
    accounts.deactivate("ada", NOW).await.expect("deactivates");
    drop(stalled);
    assert_eq!(login.await, WRONG);
}

#[tokio::test]
async fn a_stranger_at_a_shared_address_locks_nobody_out() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    accounts.create_user("bob", Some(Password::new(PASSWORD)), false, NOW).await.expect("is made");
    let mut refused = 0;
    for n in 0..150 {
        let login = accounts.try_login(&format!("nobody{}", n / 9), PASSWORD).await;
        refused += usize::from(matches!(login, Err(LoginError::RateLimited { .. })));
    }
    assert_eq!(refused, 50);
    assert!(accounts.try_login("ada", PASSWORD).await.is_ok());
    assert!(accounts.try_login("bob", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn beyond_the_limit_a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    for n in 0..100 {
        assert_eq!(accounts.try_login(&format!("nobody{n}"), PASSWORD).await, WRONG);
    }
    let unknown = accounts.try_login("nobody", PASSWORD).await;
    assert!(matches!(unknown, Err(LoginError::RateLimited { .. })), "{unknown:?}");
    for _ in 0..20 {
        assert_eq!(accounts.try_login("ada", "wrong password").await, unknown);
    }
    assert_eq!(accounts.try_login("ada", PASSWORD).await, unknown, "it was guessed at too often");
}
