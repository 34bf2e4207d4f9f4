//! Sessions: their rights and their end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{DeviceError, Login, Options, Revocation, testing::*};

#[tokio::test]
async fn a_token_tells_who_and_nothing_else_does() {
    let (_folder, accounts) = accounts();
    let session = accounts.registered("ada").await;
    let who = accounts.who(&session, NOW).expect("in");
    assert_eq!(who.user_id(), "@ada:example.org");
    assert_eq!(who.device_id(), session.device_id);
    assert!(who.is_admin());
    for other in ["", "rk_", "rk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &session.device_id] {
        assert!(accounts.authenticate(other, NOW).expect("reads").is_none());
    }
}

#[tokio::test]
async fn logout_ends_the_session_before_it_answers() {
    let (_folder, accounts) = accounts();
    let session = accounts.registered("ada").await;
    let other = accounts.logged_in("ada").await;
    let who = accounts.who(&session, NOW).expect("in");
    let ended = tokio::spawn({
        let who = who.clone();
        async move { end_of(&who).await }
    });
    accounts.remove_device("@ada:example.org", &session.device_id).await.expect("logs out");
    assert_eq!(who.revocation(), Some(Revocation::LoggedOut));
    assert_eq!(ended.await.expect("resolves"), Revocation::LoggedOut);
    assert!(accounts.who(&session, NOW).is_none());
    assert!(accounts.who(&other, NOW).is_some());
    assert_eq!(end_of(&who).await, Revocation::LoggedOut, "also for who asks late");
    let again = accounts.remove_device("ada", &session.device_id).await;
    assert_eq!(again, Err(DeviceError::NoSuchDevice));
}

#[tokio::test]
async fn a_logout_whose_caller_gives_up_ends_the_session_all_the_same() {
    let (_folder, accounts) = accounts();
    let session = accounts.registered("ada").await;
    let who = accounts.who(&session, NOW).expect("in");
    {
        let mut logout = Box::pin(accounts.remove_device("ada", &session.device_id));
        std::future::poll_fn(|context| {
            let _ = logout.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    assert_eq!(end_of(&who).await, Revocation::LoggedOut);
}

#[tokio::test]
async fn a_session_ends_also_when_the_cache_is_too_small_for_it() {
    let (_folder, accounts) = accounts_with(Options { sessions_cached_max: 1, ..options() });
    let mut held = vec![accounts.registered("ada").await];
    for _ in 0..5 {
        held.push(accounts.logged_in("ada").await);
    }
    let identities: Vec<_> =
        held.iter().map(|session| accounts.who(session, NOW).expect("in")).collect();
    assert_eq!(accounts.logout_all("ada").await.map(|gone| gone.len()), Ok(6));
    for who in identities {
        assert_eq!(who.revocation(), Some(Revocation::LoggedOut));
    }
    assert!(held.iter().all(|session| accounts.who(session, NOW).is_none()));
    assert_eq!(accounts.devices("ada"), Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_let_in_again_while_a_logout_races_with_requests() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    for _ in 0..20 {
        let session = accounts.logged_in("ada").await;
        let answered = Arc::new(AtomicBool::new(false));
        let requests: Vec<_> = (0..3)
            .map(|_| {
                let (accounts, session) = (accounts.clone(), session.clone());
                let answered = answered.clone();
                tokio::task::spawn_blocking(move || {
                    while !answered.load(Ordering::Acquire) {
                        let _ = accounts.who(&session, NOW);
                    }
                })
            })
            .collect();
        let logout = accounts.remove_device("ada", &session.device_id).await;
        answered.store(true, Ordering::Release);
        logout.expect("logs out");
        for request in requests {
            request.await.expect("ends");
        }
        assert!(accounts.who(&session, NOW).is_none());
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_and_its_socket_hears_it() {
    let (_folder, accounts) = accounts_with(expiring(1_000));
    let session = accounts.registered("ada").await;
    assert_eq!(session.expires, Some(later(1_000)));
    let who = accounts.who(&session, later(999)).expect("in");
    assert!(accounts.who(&session, later(1_000)).is_none());
    assert_eq!(end_of(&who).await, Revocation::Expired);
    let device = &accounts.devices("ada").expect("reads")[0];
    assert!(!device.logged_in, "the device stays, to log in again");
    let again = Login { device_id: Some(session.device_id), ..credentials("ada", PASSWORD) };
    assert!(accounts.login(again, later(2_000)).await.is_ok());
}

#[tokio::test]
async fn whether_a_session_is_over_is_known_at_once_and_stays_so() {
    let (_folder, accounts) = accounts_with(expiring(1_000));
    let (first, second) = (accounts.registered("ada").await, accounts.logged_in("ada").await);
    let removed = accounts.who(&first, NOW).expect("in");
    let expiring = accounts.who(&second, NOW).expect("in");
    assert!(!removed.is_over(NOW) && !expiring.is_over(later(999)));
    accounts.remove_device("ada", &first.device_id).await.expect("removes");
    assert!(removed.is_over(NOW));
    assert!(expiring.is_over(later(1_000)));
    assert!(expiring.is_over(NOW), "a clock that is set back revives nothing");
    assert_eq!(end_of(&expiring).await, Revocation::Expired);
}

#[tokio::test]
async fn maintenance_ends_sessions_that_ask_for_nothing() {
    let (_folder, accounts) = accounts_with(expiring(1_000));
    let idle = accounts.registered("ada").await;
    let who = accounts.who(&idle, NOW).expect("in");
    accounts.maintain(later(999)).await.expect("maintains");
    assert_eq!(who.revocation(), None);
    accounts.maintain(later(1_000)).await.expect("maintains");
    assert_eq!(who.revocation(), Some(Revocation::Expired));
}

#[tokio::test]
async fn an_expired_token_never_revives_when_the_clock_is_set_back() {
    let (folder, accounts) = accounts_with(expiring(1_000));
    let seen = accounts.registered("ada").await;
    let unseen = accounts.registered("bob").await;
    assert!(accounts.who(&seen, later(5_000)).is_none());
    for session in [&seen, &unseen] {
        assert!(accounts.who(session, NOW).is_none(), "{} is back", session.user_id);
    }
    drop(accounts);
    let accounts = open_at(folder.path(), options());
    for session in [&seen, &unseen] {
        assert!(accounts.who(session, NOW).is_none(), "{} is back", session.user_id);
    }
}

#[tokio::test]
async fn a_clock_that_jumps_does_not_shorten_later_sessions() {
    let (_folder, accounts) = accounts_with(expiring(1_000));
    let session = accounts.registered("ada").await;
    assert!(accounts.who(&session, later(1_000_000_000)).is_none());
    let session = accounts.logged_in("ada").await;
    assert!(accounts.who(&session, later(999)).is_some());
}

#[tokio::test]
async fn thousands_of_tokens_expire_together() {
    let options = Options { devices_per_user_max: 5_000, ..expiring(1_000) };
    let (_folder, accounts) = accounts_with(options);
    accounts.registered("ada").await;
    let inner = accounts.inner.clone();
    inner
        .change(|change| {
            let name = inner.find("ada").expect("a name");
            let user = change.user(&name)?.expect("is there");
            for _ in 0..4_200 {
                change.begin_session(&name, &user, None, NOW)?;
            }
            Ok::<_, crate::Unavailable>(())
        })
        .expect("writes");
    accounts.maintain(later(1_000)).await.expect("maintains");
    let devices = accounts.devices("ada").expect("reads");
    assert_eq!(devices.len(), 4_201);
    assert!(devices.iter().all(|device| !device.logged_in));
}

#[tokio::test]
async fn a_minted_token_has_the_lifetime_that_was_asked_for() {
    let (_folder, accounts) = accounts_with(expiring(1_000));
    accounts.ensure_users(["imported"], NOW).await.expect("makes");
    let minute = Some(Duration::from_mins(1));
    let session = accounts.mint_token("imported", Some("cli"), minute, NOW).await.expect("mints");
    assert!(accounts.who(&session, later(59_999)).is_some());
    assert!(accounts.who(&session, later(60_000)).is_none());
    let endless = accounts.mint_token("imported", None, None, NOW).await.expect("mints");
    assert!(accounts.who(&endless, later(u64::MAX / 2)).is_some());
    assert_eq!(accounts.devices("imported").expect("reads").len(), 2);
}

#[tokio::test]
async fn it_is_noted_now_and_then_when_a_device_was_seen() {
    let (folder, accounts) = accounts();
    let session = accounts.registered("ada").await;
    let seen = |accounts: &crate::Accounts| accounts.devices("ada").expect("reads")[0].last_seen;
    accounts.maintain(NOW).await.expect("maintains");
    let _ = accounts.who(&session, later(60_000));
    assert_eq!(seen(&accounts), NOW, "a minute is not worth a note");
    let _ = accounts.who(&session, later(599_000));
    assert_eq!(seen(&accounts), later(599_000));
    accounts.maintain(later(600_000)).await.expect("maintains");
    drop(accounts);
    assert_eq!(seen(&open_at(folder.path(), options())), later(599_000));
}

#[tokio::test]
async fn a_device_is_renamed_by_its_owner() {
    let (_folder, accounts) = accounts();
    let session = accounts.registered("ada").await;
    accounts.registered("eve").await;
    let id = session.device_id.as_str();
    accounts.rename_device("ada", id, Some("desk")).await.expect("renames");
    assert_eq!(accounts.devices("ada").expect("reads")[0].name.as_deref(), Some("desk"));
    for user in ["eve", "nobody", "@ada:example.com"] {
        let refused = accounts.rename_device(user, id, Some("mine")).await;
        assert_eq!(refused, Err(DeviceError::NoSuchDevice));
        assert_eq!(accounts.remove_device(user, id).await, Err(DeviceError::NoSuchDevice));
    }
    let refused = accounts.rename_device("ada", id, Some("\u{7}")).await;
    assert_eq!(refused.map_err(|error| error.code()), Err(Some("DEVICE_NAME_INVALID")));
    accounts.rename_device("ada", id, None).await.expect("renames");
    assert_eq!(accounts.devices("ada").expect("reads")[0].name, None);
    assert!(accounts.who(&session, NOW).is_some());
}

#[tokio::test]
async fn the_devices_of_one_user_are_not_those_of_the_next() {
    let (_folder, accounts) = accounts();
    for name in ["ad", "ada", "ada.", "adb"] {
        accounts.registered(name).await;
    }
    assert_eq!(accounts.devices("ada").expect("reads").len(), 1);
    assert_eq!(accounts.logout_all("ada").await.map(|gone| gone.len()), Ok(1));
    for name in ["ad", "ada.", "adb"] {
        assert_eq!(accounts.devices(name).expect("reads").len(), 1, "{name}");
    }
}
