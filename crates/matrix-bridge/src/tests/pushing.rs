//! The push of transactions.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use rookery_outgoing::Pauses;
use serde_json::{Value, json};

use crate::{
    Asking, Endpoint, Outgoing, OutgoingAnswer, OutgoingError, OutgoingRequest, Source,
    SourceError, Transaction, push_to,
};

fn bridge() -> Endpoint {
    Endpoint { url: "http://bridge".to_owned(), token: "hs-token".to_owned() }
}

/// Transactions, of which some are acknowledged.
struct Batches {
    all: Vec<Transaction>,
    done: usize,
    /// Calls that fail before the others work.
    unavailable: usize,
    failures: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Source for Batches {
    async fn current(&mut self) -> Result<Transaction, SourceError> {
        if self.unavailable > 0 {
            self.unavailable -= 1;
            return Err(SourceError::Unavailable("the disk is full".to_owned()));
        }
        self.all.get(self.done).cloned().ok_or(SourceError::Over)
    }

    async fn acknowledge(&mut self) -> Result<(), SourceError> {
        self.done += 1;
        Ok(())
    }

    async fn failed(&mut self, reason: &str) {
        self.failures.lock().push(reason.to_owned());
    }
}

/// A bridge that answers as listed, then with 200.
#[derive(Default)]
struct Scripted {
    answers: Mutex<Vec<Result<u16, OutgoingError>>>,
    got: Mutex<Vec<OutgoingRequest>>,
}

#[async_trait]
impl Outgoing for Scripted {
    async fn send(&self, request: OutgoingRequest) -> Result<OutgoingAnswer, OutgoingError> {
        self.got.lock().push(request);
        let mut answers = self.answers.lock();
        let answer = if answers.is_empty() { Ok(200) } else { answers.remove(0) };
        answer.map(|status| OutgoingAnswer { status, body: Vec::new() })
    }
}

fn transaction(id: &str, events: &[u32]) -> Transaction {
    Transaction { id: id.to_owned(), events: events.iter().map(|it| json!({ "n": it })).collect() }
}

#[tokio::test(start_paused = true)]
async fn transactions_come_in_order_and_each_try_is_the_same() {
    let all = vec![transaction("a/1", &[1, 2]), transaction("b", &[]), transaction("c", &[3])];
    let failures = Arc::default();
    let source = Batches { all, done: 0, unavailable: 1, failures: Arc::clone(&failures) };
    let outgoing = Scripted::default();
    *outgoing.answers.lock() = vec![
        Ok(500),
        Err(OutgoingError::TimedOut),
        Ok(302),
        Ok(200),
        Err(OutgoingError::Failed("connection refused".to_owned())),
    ];
    let begun = tokio::time::Instant::now();
    push_to("bridge", &bridge(), source, &outgoing, Pauses::default()).await;
    let got = outgoing.got.lock();
    let tries: Vec<(&str, Value)> = got
        .iter()
        .map(|it| (&*it.url, serde_json::from_slice(it.body.as_deref().unwrap()).unwrap()))
        .collect();
    let first = (
        "http://bridge/_matrix/app/v1/transactions/a%2F1",
        json!({ "events": [{ "n": 1 }, { "n": 2 }] }),
    );
    let last = ("http://bridge/_matrix/app/v1/transactions/c", json!({ "events": [{ "n": 3 }] }));
    let expected = [&first, &first, &first, &first, &last, &last];
    assert_eq!(tries.iter().collect::<Vec<_>>(), expected);
    assert!(got.iter().all(|it| it.method == "PUT" && it.token == "hs-token"));
    let reasons = failures.lock();
    assert_eq!(reasons.len(), 5);
    assert_eq!(reasons[0], "the disk is full");
    assert_eq!(reasons[1], "it answered with status 500");
    // The clock of the test runs only through the pauses: 1 + 2 + 4 + 8, and after a success 1 again.
    assert_eq!(begun.elapsed().as_secs(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_bridge_that_never_answers_is_only_behind() {
    let all = vec![transaction("a", &[1])];
    let source = Batches { all, done: 0, unavailable: 0, failures: Arc::default() };
    let outgoing = Scripted::default();
    *outgoing.answers.lock() = vec![Err(OutgoingError::TimedOut); 50];
    let begun = tokio::time::Instant::now();
    push_to("bridge", &bridge(), source, &outgoing, Pauses::default()).await;
    assert_eq!(outgoing.got.lock().len(), 51);
    assert!(begun.elapsed() > Duration::from_mins(5) * 40);
}

#[tokio::test]
async fn a_bridge_says_which_users_and_aliases_it_has() {
    let outgoing = Arc::new(Scripted::default());
    *outgoing.answers.lock() = vec![Ok(200), Ok(404), Err(OutgoingError::TimedOut), Ok(200)];
    let asking = Asking::new(outgoing.clone());
    assert!(asking.has_user(&bridge(), "@irc_bob:one.example").await);
    assert!(!asking.has_user(&bridge(), "@irc_cat:one.example").await);
    assert!(!asking.has_user(&bridge(), "@irc_dan:one.example").await);
    assert!(asking.has_alias(&bridge(), "#irc_birds:one.example").await);
    let got = outgoing.got.lock();
    assert_eq!(got[0].url, "http://bridge/_matrix/app/v1/users/%40irc_bob%3Aone.example");
    assert_eq!(got[3].url, "http://bridge/_matrix/app/v1/rooms/%23irc_birds%3Aone.example");
}
