//! An eager object beside the same object under the executor of the library.

#![expect(clippy::unused_async, reason = "async-graphql takes resolvers that are async")]

use std::{sync::Arc, task::Poll, time::Duration};

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Response, Result, Schema};
use serde_json::{Value as Json, json};
use tokio::{sync::Barrier, time::timeout};

use super::Eager;
use crate::list::List;

/// More than any answer takes.
const TIME_MAX: Duration = Duration::from_mins(1);

/// An object whose fields are ready, wait, or fail.
struct Thing;

#[Object]
impl Thing {
    async fn now(&self) -> &str {
        "now"
    }

    async fn later(&self) -> i32 {
        pass_turn().await;
        2
    }

    async fn nothing(&self) -> Option<bool> {
        None
    }

    async fn fails(&self) -> Result<i32> {
        Err("at once".into())
    }

    async fn fails_later(&self) -> Result<Option<i32>> {
        pass_turn().await;
        Err("later".into())
    }

    async fn inner(&self) -> Eager<Thing> {
        Eager(Thing)
    }

    async fn list(&self) -> List<Eager<Thing>> {
        List(vec![Eager(Thing), Eager(Thing)])
    }

    /// Ends when both halves of a pair wait at the same time.
    async fn meets(&self, context: &Context<'_>) -> bool {
        context.data_unchecked::<Arc<Barrier>>().wait().await;
        true
    }
}

/// Gives the other futures a turn.
async fn pass_turn() {
    let mut passed = false;
    std::future::poll_fn(|task| {
        if std::mem::replace(&mut passed, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Root;

#[Object]
impl Root {
    /// The object, executed by this module.
    async fn eager(&self) -> Eager<Thing> {
        Eager(Thing)
    }

    /// The object, executed by the library.
    async fn plain(&self) -> Thing {
        Thing
    }
}

async fn answer(document: &str) -> Response {
    let schema = Schema::build(Root, EmptyMutation, EmptySubscription);
    let schema = schema.data(Arc::new(Barrier::new(2))).finish();
    timeout(TIME_MAX, schema.execute(document)).await.expect("no field waits for a later one")
}

/// The object at `root` for a selection, and the errors with their paths below it.
async fn object(root: &str, selection: &str) -> (Json, Vec<Json>) {
    let answer = answer(&format!("{{ {root} {{ {selection} }} }}")).await;
    let answer = serde_json::to_value(answer).expect("JSON");
    let below = |error: &Json| {
        let path = error["path"].as_array().map(|path| path[1..].to_vec());
        json!({ "message": error["message"], "path": path })
    };
    let mut errors: Vec<_> = answer["errors"].as_array().into_iter().flatten().map(below).collect();
    errors.sort_by_key(Json::to_string);
    (answer["data"][root].clone(), errors)
}

#[tokio::test]
async fn an_eager_object_answers_as_the_executor_of_the_library_does() {
    for selection in [
        "now later nothing",
        "a: later b: now __typename",
        "fails now",
        "failsLater later fails",
        "inner { later inner { now failsLater } } now",
        "list { now later fails } later",
        "... on Thing { now later } nothing",
        "... { later ... on Thing { now } }",
        // Selected twice: the library merges the two.
        "inner { now fails } inner { later }",
        "a: now b: now c: now d: now e: now f: now g: now h: now i: now j: now k: now l: now \
            m: now n: now o: now inner { now } inner { fails later }",
        "now @include(if: false)",
        "now @skip(if: true) later @include(if: true)",
    ] {
        let (eager, plain) = (object("eager", selection).await, object("plain", selection).await);
        assert_eq!(eager, plain, "{selection}");
    }
}

#[tokio::test]
async fn fields_have_the_order_of_the_document_also_if_some_wait() {
    let answer = answer("{ eager { later now inner { later now } nothing } }").await;
    let answer = answer.data.to_string();
    assert_eq!(
        answer,
        "{eager: {later: 2, now: \"now\", inner: {later: 2, now: \"now\"}, nothing: null}}"
    );
}

#[tokio::test]
async fn fields_and_items_that_wait_do_so_together() {
    let fields = answer("{ eager { one: meets other: meets } }").await;
    assert_eq!(fields.data.to_string(), "{eager: {one: true, other: true}}");
    let items = answer("{ eager { list { meets } } }").await;
    assert_eq!(items.data.to_string(), "{eager: {list: [{meets: true}, {meets: true}]}}");
}
