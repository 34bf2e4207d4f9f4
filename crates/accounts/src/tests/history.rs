//! Accounts beside a log that knows more than they do.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{Accounts, History, LogMark, RegisterError, testing::*};

/// A log that knows `@ada:example.org` and grows when the test says so.
struct Known(AtomicU64);

impl History for Known {
    fn knows(&self, user_id: &str) -> bool {
        user_id == "@ada:example.org"
    }

    fn mark(&self) -> LogMark {
        LogMark { epoch: 7, position: self.0.load(Ordering::Relaxed) }
    }
}

fn following(accounts: &Accounts) -> Arc<Known> {
    let log = Arc::new(Known(AtomicU64::new(1)));
    accounts.follow(log.clone());
    log
}

#[tokio::test]
async fn a_name_that_the_log_knows_is_taken_until_an_operator_gives_it_out() {
    let (_folder, accounts) = accounts();
    following(&accounts);
    assert_eq!(accounts.try_register("ada").await, Err(RegisterError::Taken));
    assert!(accounts.registered("bob").await.admin);
    accounts.create_user("ada", None, false, NOW).await.expect("an operator may");
}

#[tokio::test]
async fn each_change_notes_how_far_the_log_is() {
    let (folder, accounts) = accounts();
    accounts.registered("bob").await;
    assert_eq!(accounts.log_mark(), Ok(None), "nobody said how far it is");
    let log = following(&accounts);
    log.0.store(5, Ordering::Relaxed);
    let session = accounts.registered("eve").await;
    log.0.store(9, Ordering::Relaxed);
    let mark = LogMark { epoch: 7, position: 5 };
    assert_eq!(accounts.log_mark(), Ok(Some(mark)), "what changes nothing notes nothing");
    accounts.remove_device("eve", &session.device_id).await.expect("removes");
    drop(accounts);
    let accounts = open_at(folder.path(), options());
    assert_eq!(accounts.log_mark(), Ok(Some(LogMark { epoch: 7, position: 9 })));
}

#[tokio::test]
async fn users_of_the_log_without_an_account_are_found_and_get_one_that_nobody_logs_in_to() {
    let (_folder, accounts) = accounts();
    let bob = accounts.registered("bob").await;
    let named = ["ada", "bob", "No Name", "eve"];
    assert_eq!(accounts.without_account(named), Ok(vec!["ada", "eve"]));
    let devices = vec![("bob".to_owned(), bob.device_id.clone())];
    let lost = || vec!["ada".to_owned(), "eve".to_owned(), "No Name".to_owned()];
    for _ in 0..2 {
        accounts.adopt(lost(), devices.clone(), NOW).await.expect("adopts");
        assert_eq!(accounts.without_account(named), Ok(vec![]));
    }
    assert!(accounts.who(&bob, NOW).is_none(), "the device is out");
    assert!(accounts.try_login("ada", PASSWORD).await.is_err());
    assert!(!accounts.user("ada").expect("reads").expect("is there").has_password);
}

#[tokio::test]
async fn nobody_is_first_among_users_of_a_log_whose_accounts_were_lost() {
    let (_folder, accounts) = accounts();
    accounts.adopt(Vec::new(), Vec::new(), NOW).await.expect("adopts");
    assert!(!accounts.registered("mallory").await.admin);
    accounts.create_user("root", None, true, NOW).await.expect("an operator may");
}
