//! The rows of consumers.

use crate::{
    Accounts, BatchRow, ConsumerError, ConsumerKey, ConsumerRow, ParkedFate, ParkedRow, testing::*,
};

const MAX: usize = 2;

fn key(user: &str, name: &str) -> ConsumerKey {
    ConsumerKey { owner: format!("@{user}"), name: name.into() }
}

fn row(position: u64) -> ConsumerRow {
    let batches =
        vec![BatchRow { end: position + 1, first_sent: NOW, deliveries: 1, retried: None }];
    let (acknowledged, run) = (None, 3);
    ConsumerRow { created: NOW, incarnation: 0, epoch: 1, position, acknowledged, run, batches }
}

async fn create(accounts: &Accounts, user: &str, name: &str) -> Result<ConsumerRow, ConsumerError> {
    accounts.create_consumer(key(user, name), row(0), MAX).await
}

#[tokio::test]
async fn a_consumer_is_there_after_reopening_and_is_made_once() {
    let (folder, accounts) = accounts();
    accounts.registered("ada").await;
    let made = create(&accounts, "ada", "bot").await.expect("makes");
    assert_eq!(create(&accounts, "ada", "bot").await, Ok(made.clone()), "it is there already");
    let moved = ConsumerRow { position: 7, ..made };
    assert_eq!(accounts.save_consumer(key("ada", "bot"), moved.clone(), vec![]).await, Ok(true));
    drop(accounts);
    let accounts = open_at(folder.path(), options());
    assert_eq!(accounts.consumer(&key("ada", "bot")), Ok(Some(moved)));
    assert_eq!(accounts.delete_consumer(key("ada", "bot")).await, Ok(true));
    assert_eq!(accounts.delete_consumer(key("ada", "bot")).await, Ok(false));
    assert_eq!(accounts.save_consumer(key("ada", "bot"), row(1), vec![]).await, Ok(false));
    assert_eq!(accounts.consumer(&key("ada", "bot")), Ok(None), "a save makes none");
}

#[tokio::test]
async fn each_owner_has_as_many_consumers_as_allowed_and_sees_its_own() {
    let (_folder, accounts) = accounts();
    for user in ["ada", "ada2", "bob"] {
        accounts.registered(user).await;
        for name in ["a", "b"] {
            create(&accounts, user, name).await.expect("makes");
        }
        let refused = create(&accounts, user, "c").await;
        assert_eq!(refused, Err(ConsumerError::TooMany { max: MAX }));
    }
    assert_eq!(create(&accounts, "eve", "a").await, Err(ConsumerError::NoOwner));
    let names = |owner: Option<&str>, after: Option<&ConsumerKey>, limit| {
        let found = accounts.consumers(owner, after, limit).expect("reads");
        found.into_iter().map(|(key, _)| format!("{}/{}", key.owner, key.name)).collect::<Vec<_>>()
    };
    assert_eq!(names(Some("@ada"), None, 9), ["@ada/a", "@ada/b"]);
    assert_eq!(names(Some("@ada"), Some(&key("ada", "a")), 9), ["@ada/b"]);
    assert_eq!(names(None, Some(&key("ada", "b")), 2), ["@ada2/a", "@ada2/b"]);
    assert_eq!(accounts.user_of_owner("@ada").as_deref(), Some("@ada:example.org"));
    assert_eq!(accounts.consumer_owner("@ada:example.org").as_deref(), Some("@ada"));
}

#[tokio::test]
async fn a_deactivated_user_has_no_consumers_and_gets_none() {
    let (_folder, accounts) = accounts();
    for user in ["ada", "ada2"] {
        accounts.registered(user).await;
        create(&accounts, user, "bot").await.expect("makes");
    }
    accounts.deactivate("ada", NOW).await.expect("deactivates");
    assert_eq!(accounts.consumer(&key("ada", "bot")), Ok(None));
    assert!(accounts.consumer(&key("ada2", "bot")).expect("reads").is_some());
    assert_eq!(accounts.save_consumer(key("ada", "bot"), row(3), vec![]).await, Ok(false));
    assert_eq!(create(&accounts, "ada", "bot").await, Err(ConsumerError::NoOwner));
}

#[tokio::test]
async fn parked_events_are_stored_with_their_consumer_and_leave_with_it() {
    let (folder, accounts) = accounts();
    accounts.registered("ada").await;
    let parked = |reason: &str| {
        let (reason, since) = (reason.to_owned(), NOW);
        Some(ParkedRow { reason, since, position: 3, fate: ParkedFate::Waits })
    };
    for name in ["bot", "bot2"] {
        create(&accounts, "ada", name).await.expect("makes");
        let events = vec![("$a".to_owned(), parked("no")), ("$b".to_owned(), parked("no"))];
        assert_eq!(accounts.save_consumer(key("ada", name), row(1), events).await, Ok(true));
    }
    let changes = vec![("$a".to_owned(), None), ("$c".to_owned(), parked("why"))];
    assert_eq!(accounts.save_consumer(key("ada", "bot"), row(2), changes).await, Ok(true));
    drop(accounts);
    let accounts = open_at(folder.path(), options());
    let ids = |name: &str, after, limit| {
        let found = accounts.parked(&key("ada", name), after, limit).expect("reads");
        found.into_iter().map(|(event, _)| event).collect::<Vec<_>>()
    };
    assert_eq!(ids("bot", None, 9), ["$b", "$c"]);
    assert_eq!(ids("bot", Some("$b"), 9), ["$c"]);
    assert_eq!(ids("bot", None, 1), ["$b"]);
    assert_eq!(accounts.delete_consumer(key("ada", "bot")).await, Ok(true));
    assert_eq!(ids("bot", None, 9), [""; 0]);
    assert_eq!(ids("bot2", None, 9), ["$a", "$b"], "those of the other stay");
}

#[tokio::test]
async fn changes_that_wait_together_are_all_made_in_their_order() {
    let (_folder, accounts) = accounts();
    accounts.registered("ada").await;
    create(&accounts, "ada", "bot").await.expect("makes");
    let saves: Vec<_> = (0..50)
        .map(|position| {
            let accounts = accounts.clone();
            // Each is given when it is first polled.
            Box::pin(async move {
                accounts.save_consumer(key("ada", "bot"), row(position), vec![]).await
            })
        })
        .collect();
    for save in futures_of(saves).await {
        assert_eq!(save, Ok(true));
    }
    let stored = accounts.consumer(&key("ada", "bot")).expect("reads").expect("is there");
    assert_eq!(stored.position, 49);
}

/// Polls all futures in their order until each has ended.
async fn futures_of<T: Send + 'static>(
    futures: Vec<std::pin::Pin<Box<impl Future<Output = T> + Send + 'static>>>,
) -> Vec<T> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (future, None)).collect();
    std::future::poll_fn(|context| {
        let mut is_over = true;
        for (future, result) in &mut running {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(ended) => *result = Some(ended),
                    std::task::Poll::Pending => is_over = false,
                }
            }
        }
        if is_over { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, result)| result).collect()
}
