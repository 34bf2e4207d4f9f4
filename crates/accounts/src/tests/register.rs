//! Registration.

use crate::{
    LocalpartError, NewUserError, Options, PasswordError, RegisterError, Registration,
    RegistrationPolicy, testing::*, time::Millis,
};

#[tokio::test]
async fn the_first_to_register_is_administrator_and_nobody_after() {
    let (_folder, accounts) = accounts();
    assert!(accounts.registered("ada").await.admin);
    assert!(!accounts.registered("bob").await.admin);
    let admins = accounts.users(None, 10).expect("reads").into_iter().filter(|user| user.admin);
    assert_eq!(admins.map(|user| user.localpart).collect::<Vec<_>>(), ["ada"]);
}

#[tokio::test]
async fn of_two_first_users_at_once_one_is_administrator() {
    let (_folder, accounts) = accounts();
    let names = ["ada", "bob", "eve", "joe"];
    let tasks: Vec<_> = names
        .map(|name| {
            let accounts = accounts.clone();
            tokio::spawn(async move { accounts.registered(name).await })
        })
        .into();
    let mut admins = 0;
    for task in tasks {
        admins += usize::from(task.await.expect("registers").admin);
    }
    assert_eq!(admins, 1);
}

#[tokio::test]
async fn of_many_who_want_one_name_one_gets_it() {
    let (_folder, accounts) = accounts();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let accounts = accounts.clone();
            tokio::spawn(async move { accounts.try_register("ada").await })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        match task.await.expect("runs") {
            Ok(session) => winners += usize::from(accounts.who(&session, NOW).is_some()),
            Err(error) => assert_eq!(error, RegisterError::Taken),
        }
    }
    assert_eq!((winners, accounts.count()), (1, Ok(1)));
    assert_eq!(accounts.devices("ada").expect("reads").len(), 1);
}

#[tokio::test]
async fn imported_users_leave_the_first_place_to_a_human() {
    let (_folder, accounts) = accounts();
    accounts.ensure_users(["old", "older"], NOW).await.expect("makes");
    assert!(accounts.registered("ada").await.admin);
}

#[tokio::test]
async fn nobody_is_administrator_by_being_first_after_one_was_appointed() {
    let (_folder, accounts) = accounts();
    accounts.create_user("root", None, true, NOW).await.expect("makes");
    assert!(!accounts.registered("ada").await.admin);
    accounts.set_admin("root", false).await.expect("takes it back");
    assert!(!accounts.registered("bob").await.admin);
}

#[tokio::test]
async fn registration_is_for_loopback_unless_configured() {
    assert_eq!(Options::default().registration, RegistrationPolicy::LoopbackOnly);
    let from = |address: &str| Registration {
        from: address.parse().expect("an address"),
        ..registration(if address.contains(':') { "six" } else { "four" })
    };
    let closed = Options { registration: RegistrationPolicy::Closed, ..options() };
    let loopback = Options { registration: RegistrationPolicy::LoopbackOnly, ..options() };

    let (_folder, accounts) = accounts_with(loopback);
    for foreign in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "0.0.0.0", "10.0.0.1"] {
        let refused = accounts.register(from(foreign), NOW).await;
        assert_eq!(refused, Err(RegisterError::LoopbackOnly), "{foreign}");
    }
    for near in ["127.9.9.9", "::ffff:127.0.0.1"] {
        assert!(accounts.register(from(near), NOW).await.is_ok(), "{near}");
    }
    let (_folder, accounts) = accounts_with(closed);
    let refused = accounts.register(from("127.0.0.1"), NOW).await;
    assert_eq!(refused, Err(RegisterError::Closed));
    assert_eq!(accounts.count(), Ok(0));
}

#[tokio::test]
async fn bad_names_and_passwords_are_refused_by_name() {
    let (_folder, accounts) = accounts();
    let refused = accounts.try_register("Ada").await;
    assert_eq!(refused, Err(LocalpartError::Character('A').into()));
    let mut short = registration("ada");
    short.password = crate::Password::new("seven77");
    let refused = accounts.register(short, NOW).await;
    assert_eq!(refused, Err(PasswordError::TooShort.into()));
    let mut noisy = registration("ada");
    noisy.device_name = Some("a\nb".into());
    let refused = accounts.register(noisy, NOW).await;
    assert_eq!(refused.map_err(|error| error.code()), Err(Some("DEVICE_NAME_INVALID")));
    assert_eq!(accounts.count(), Ok(0));
}

#[tokio::test]
async fn a_full_queue_makes_no_account() {
    let (_folder, accounts) = accounts_with(Options { hashes_waiting_max: 2, ..options() });
    let _stalled = accounts.inner.hashing.stall();
    let waiting = [accounts.try_register("a"), accounts.try_register("b")];
    let mut waiting = waiting.map(Box::pin);
    for registration in &mut waiting {
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(registration.as_mut().poll(context).is_pending())
        });
        assert!(polled.await, "it waits for its turn");
    }
    let refused = accounts.try_register("c").await;
    assert!(matches!(refused, Err(RegisterError::Busy { .. })), "{refused:?}");
    assert_eq!(accounts.count(), Ok(0));
}

#[tokio::test]
async fn users_can_be_made_in_one_batch_and_again() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    assert_eq!(accounts.ensure_users(["bob", "ada", "eve", "bob"], NOW).await, Ok(2));
    assert_eq!(accounts.ensure_users(["bob", "ada", "eve"], Millis(5)).await, Ok(0));
    let user = accounts.user("@bob:example.org").expect("reads").expect("is there");
    assert_eq!((user.has_password, user.admin, user.created), (false, false, NOW));
    assert!(accounts.user("ada").expect("reads").expect("is there").has_password);

    let refused = accounts.ensure_users(["joe", "no spaces"], NOW).await;
    assert!(matches!(refused, Err(NewUserError::Localpart { name, .. }) if name == "no spaces"));
    assert_eq!(accounts.exists("joe"), Ok(false), "all or none");
}

#[tokio::test]
async fn a_made_user_takes_no_name_of_another() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    let refused = accounts.create_user("ada", None, true, NOW).await;
    assert_eq!(refused, Err(NewUserError::Taken { name: "ada".into() }));
    assert_eq!(accounts.try_register("ada").await, Err(RegisterError::Taken));
}
