//! Administration of users.

use crate::{
    LoginError, Password, PasswordError, RegisterError, Revocation, UserError, testing::*,
};

fn missing(user: &str) -> Result<(), UserError> {
    Err(UserError::NoSuchUser { user: user.into() })
}

#[tokio::test]
async fn a_new_password_replaces_the_old_and_may_log_out() {
    let (_folder, accounts) = accounts();
    let session = accounts.registered("ada").await;
    let who = accounts.who(&session, NOW).expect("in");
    accounts.set_password("ada", Password::new("second one"), false).await.expect("sets");
    assert_eq!(who.revocation(), None);
    assert_eq!(accounts.try_login("ada", PASSWORD).await, Err(LoginError::WrongCredentials));
    assert!(accounts.try_login("ada", "second one").await.is_ok());

    accounts.set_password("ada", Password::new("third one"), true).await.expect("sets");
    assert_eq!(who.revocation(), Some(Revocation::PasswordChanged));
    assert_eq!(accounts.devices("ada"), Ok(Vec::new()));

    let short = accounts.set_password("ada", Password::new("short"), true).await;
    assert_eq!(short, Err(PasswordError::TooShort.into()));
    assert!(accounts.try_login("ada", "third one").await.is_ok());
}

#[tokio::test]
async fn an_imported_user_can_log_in_once_there_is_a_password() {
    let (_folder, accounts) = accounts();
    accounts.ensure_users(["imported"], NOW).await.expect("makes");
    assert!(accounts.try_login("imported", PASSWORD).await.is_err());
    accounts.set_password("imported", Password::new(PASSWORD), true).await.expect("sets");
    assert!(accounts.try_login("imported", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn administrators_come_and_go_in_open_sessions() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    let bob = accounts.registered("bob").await;
    let who = accounts.who(&bob, NOW).expect("in");
    accounts.set_admin("bob", true).await.expect("sets");
    assert!(who.is_admin());
    accounts.set_admin("bob", false).await.expect("sets");
    assert!(!who.is_admin());
    assert_eq!(who.revocation(), None);
    assert!(!accounts.user("bob").expect("reads").expect("is there").admin);
}

#[tokio::test]
async fn a_deactivated_user_never_comes_back() {
    let (folder, accounts) = accounts();
    let session = accounts.registered("ada").await;
    let who = accounts.who(&session, NOW).expect("in");
    accounts.deactivate("ada", later(7)).await.expect("deactivates");
    assert_eq!(who.revocation(), Some(Revocation::Deactivated));
    assert!(accounts.who(&session, NOW).is_none());
    drop(accounts);

    let accounts = open_at(folder.path(), options());
    assert!(accounts.who(&session, NOW).is_none());
    assert_eq!(accounts.try_login("ada", PASSWORD).await, Err(LoginError::WrongCredentials));
    assert_eq!(accounts.try_register("ada").await, Err(RegisterError::Taken));
    assert_eq!(accounts.ensure_users(["ada"], NOW).await, Ok(0));
    let gone = UserError::Deactivated { user: "ada".into() };
    let password = Password::new(PASSWORD);
    assert_eq!(accounts.set_password("ada", password, false).await.as_ref().err(), Some(&gone));
    assert_eq!(accounts.set_admin("ada", true).await.as_ref(), Err(&gone));
    assert_eq!(accounts.mint_token("ada", None, None, NOW).await.as_ref(), Err(&gone));
    let again = accounts.deactivate("ada", later(9)).await.expect("again is no error");
    assert_eq!(again, [""; 0], "there is nothing left to remove");
    let user = accounts.user("ada").expect("reads").expect("is there");
    assert_eq!((user.deactivated, user.admin, user.has_password), (Some(later(7)), false, false));
}

#[tokio::test]
async fn users_are_listed_in_pages() {
    let (_folder, accounts) = accounts();
    let names: Vec<_> = (0..25).map(|n| format!("user{n:02}")).collect();
    accounts.ensure_users(&names, NOW).await.expect("makes");
    assert_eq!(accounts.count(), Ok(25));
    let mut seen = Vec::new();
    loop {
        let last = seen.last().map(String::as_str);
        let page = accounts.users(last, 10).expect("reads");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 10);
        seen.extend(page.into_iter().map(|user| user.localpart));
    }
    assert_eq!(seen, names);
}

#[tokio::test]
async fn who_is_not_there_is_named() {
    let (_folder, accounts) = accounts();
    for user in ["nobody", "@nobody:example.org", "@ada:elsewhere.org", "no name"] {
        let name = if user.ends_with(":example.org") { "nobody" } else { user };
        assert_eq!(accounts.set_admin(user, true).await, missing(name));
        assert_eq!(accounts.deactivate(user, NOW).await.map(drop), missing(name));
        let password = Password::new(PASSWORD);
        assert_eq!(accounts.set_password(user, password, true).await.map(drop), missing(name));
        assert_eq!(accounts.mint_token(user, None, None, NOW).await.map(drop), missing(name));
        assert_eq!(accounts.exists(user), Ok(false));
    }
}
