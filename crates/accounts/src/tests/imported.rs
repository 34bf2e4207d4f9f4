//! Users that an import made.

use crate::{LocalpartError, NewUserError, Password, RegisterError, testing::*};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn an_import_gets_the_names_that_are_free_and_no_name_of_somebody_else() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    accounts.create_user("bot", None, false, NOW).await.expect("makes");
    let wanted = names(&["ada", "bot", "eve", "irc.import"]);
    for _ in 0..2 {
        let claimed = accounts.claim_imported(wanted.clone(), NOW).await;
        assert_eq!(claimed, Ok(vec![false, false, true, true]));
    }
    assert_eq!(accounts.try_register("eve").await, Err(RegisterError::Taken));
    let imported = accounts.users(None, 10).expect("reads").into_iter();
    let imported = imported.filter(|user| user.imported).map(|user| user.localpart);
    assert_eq!(imported.collect::<Vec<_>>(), ["eve", "irc.import"]);
    assert!(accounts.user("eve").expect("reads").expect("is there").imported);
    assert!(!accounts.user("bot").expect("reads").expect("is there").imported);
}

#[tokio::test]
async fn an_import_no_longer_acts_for_a_user_who_was_handed_over() {
    let (_folder, accounts) = accounts();
    let all = names(&["password", "token", "admin", "gone", "kept"]);
    accounts.claim_imported(all.clone(), NOW).await.expect("makes");
    accounts.set_password("password", Password::new(PASSWORD), false).await.expect("sets");
    let token = accounts.mint_token("token", None, None, NOW).await.expect("mints");
    accounts.logout_all("token").await.expect("logs out");
    accounts.set_admin("admin", true).await.expect("sets");
    accounts.deactivate("gone", NOW).await.expect("closes");
    let claimed = accounts.claim_imported(all, NOW).await;
    assert_eq!(claimed, Ok(vec![false, false, false, false, true]));
    assert!(token.user_id.contains("token"));
}

#[tokio::test]
async fn a_name_that_is_not_one_claims_nothing() {
    let (_folder, accounts) = accounts();
    let refused = accounts.claim_imported(names(&["joe", "no spaces"]), NOW).await;
    assert!(matches!(refused, Err(NewUserError::Localpart { name, .. }) if name == "no spaces"));
    assert_eq!(accounts.exists("joe"), Ok(false), "all or none");
}

#[tokio::test]
async fn nobody_registers_a_name_that_imports_use() {
    let (_folder, accounts) = accounts();
    for name in ["irc.import", "irc.ada"] {
        let refused = accounts.try_register(name).await;
        assert_eq!(refused, Err(RegisterError::Localpart(LocalpartError::Reserved)));
        let refused = accounts.create_user(name, None, false, NOW).await;
        let error = LocalpartError::Reserved;
        assert_eq!(refused, Err(NewUserError::Localpart { name: name.into(), error }));
    }
}
