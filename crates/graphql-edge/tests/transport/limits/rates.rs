//! The rate limit of a caller.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rookery_graphql_edge::{Rate, TransportOptions};
use serde_json::{Value, json};

use crate::clients::http::{Answer, Request};
use crate::clients::socket::connect_as;
use crate::limits::costs::counting;
use crate::streams::limits::FORMS;
use crate::streams::single::{open, posted};
use crate::toy::{Toy, toy_with};

/// A bucket of 100 that gains 10 in each second of `clock`.
async fn limited(clock: fn() -> Duration) -> Toy {
    let change = move |options: &mut TransportOptions| {
        counting(options);
        options.rate = Some(Rate { per_second: 10, burst: 100 });
        options.clock = clock;
    };
    toy_with(|options, _| change(options)).await
}

fn standing() -> Duration {
    Duration::from_secs(1_700_000_000)
}

async fn bump(toy: &Toy, times: usize, token: &str) -> Answer {
    let fields: Vec<_> = (0..times).map(|number| format!("a{number}: bump")).collect();
    let fields = fields.join(" ");
    let token = if token.is_empty() { String::new() } else { format!("Bearer {token}") };
    let query = format!("mutation {{ {fields} }}");
    Request::query(&query).header("Authorization", &token).send(toy.address).await
}

#[tokio::test]
async fn who_has_spent_too_much_gets_429_and_is_told_when_to_come_back() {
    let toy = limited(standing).await;
    assert_eq!(bump(&toy, 9, "").await.status, 200);
    let refused = bump(&toy, 2, "").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    let cost = json!({"requested": 20, "limit": 100});
    let told = json!({"code": "RATE_LIMITED", "cost": cost, "retryAfter": 1});
    assert_eq!(refused.json()["errors"][0]["extensions"], told);
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 9);
    // The refused request took nothing, and there is enough for a cheaper one.
    assert_eq!(bump(&toy, 1, "").await.status, 200);
}

#[tokio::test]
async fn a_user_has_a_bucket_of_her_own_on_all_of_her_connections() {
    let toy = limited(standing).await;
    assert_eq!(bump(&toy, 10, "good").await.status, 200);
    let mut client = connect_as(toy.address, Some("good")).await;
    client.subscribe("m", "{ hello }").await;
    let refused = client.receive().await;
    assert_eq!(refused["type"], "error");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    assert_eq!(bump(&toy, 10, "").await.status, 200);
}

#[tokio::test]
async fn what_was_spent_comes_back() {
    static NOW: AtomicU64 = AtomicU64::new(1_700_000_000);
    let toy = limited(|| Duration::from_secs(NOW.load(Ordering::SeqCst))).await;
    assert_eq!(bump(&toy, 10, "").await.status, 200);
    assert_eq!(bump(&toy, 1, "").await.status, 429);
    NOW.fetch_add(1, Ordering::SeqCst);
    assert_eq!(bump(&toy, 1, "").await.status, 200);
    assert_eq!(bump(&toy, 1, "").await.status, 429);
}

#[tokio::test]
async fn a_subscription_is_charged_once_when_it_starts() {
    let toy = limited(standing).await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("s", "subscription { panics }").await;
    client.receive().await;
    let left = "{ hello }";
    let mut answered = 0;
    while Request::query(left).send(toy.address).await.status == 200 {
        answered += 1;
    }
    assert_eq!(answered, 99);
}

#[tokio::test]
async fn streams_over_http_are_charged_and_refused_too() {
    let toy = limited(standing).await;
    let subscribe = async |form| {
        Request::query("subscription { panics }").header("Accept", form).send(toy.address).await
    };
    for form in FORMS {
        assert!(subscribe(form).await.body.contains("INTERNAL"), "{form}");
    }
    // Each has taken one.
    assert_eq!(bump(&toy, 10, "").await.status, 429);
    assert_eq!(bump(&toy, 9, "").await.status, 200);
    for _ in 0..8 {
        assert!(subscribe(FORMS[0]).await.body.contains("INTERNAL"));
    }
    // Browsers hide other answers from an `EventSource`.
    for (form, status) in FORMS.into_iter().zip([200, 429]) {
        let refused = subscribe(form).await;
        assert_eq!(refused.status, status, "{refused:?}");
        assert!(refused.body.contains("RATE_LIMITED"), "{refused:?}");
        assert!(refused.body.contains("\"retryAfter\":1"), "{refused:?}");
    }
}

#[tokio::test]
async fn operations_of_one_event_stream_are_charged_to_its_user() {
    let toy = limited(standing).await;
    // The reservation took the whole bucket.
    let (token, _stream) = open(&toy).await;
    for query in ["{ hello }", "subscription { panics }", "mutation { bump }"] {
        let body = json!({"query": query, "extensions": {"operationId": "a"}});
        let refused = posted(&token, &body).send(toy.address).await;
        assert_eq!((refused.status, &*refused.code()), (429, "RATE_LIMITED"), "{query}");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn without_a_rate_nobody_is_limited() {
    let toy = toy_with(|options, _| counting(options)).await;
    for _ in 0..3 {
        let answer = bump(&toy, 10, "").await;
        assert_eq!((answer.status, answer.json()["errors"].clone()), (200, Value::Null));
    }
}
