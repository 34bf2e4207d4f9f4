//! Documents that clients name instead of sending them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rookery_graphql_edge::{AllowList, Introspection, TransportOptions};
use serde_json::{Value, json};

use crate::clients::http::{Answer, Request};
use crate::clients::socket::connect_as;
use crate::streams::limits::FORMS;
use crate::streams::single::{open, posted};
use crate::toy::{Toy, toy, toy_with};

const HELLO: &str = "{hello}";
/// `printf '{hello}' | sha256sum`
const HASH: &str = "9dd7ff987fac8d0d1979084ebde5ce8bd855cd066d1a34e98432275cc6bc264c";

fn persisted(hash: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}})
}

async fn post(toy: &Toy, body: Value) -> Answer {
    Request::post(body.to_string()).send(toy.address).await
}

fn escaped(json: &Value) -> String {
    form_urlencoded::byte_serialize(json.to_string().as_bytes()).collect()
}

#[tokio::test]
async fn a_document_is_sent_once_and_named_by_its_hash_from_then_on() {
    let toy = toy().await;
    let by_hash = json!({"extensions": persisted(HASH)});
    let unknown = post(&toy, by_hash.clone()).await;
    assert_eq!((unknown.status, &*unknown.code()), (200, "PERSISTED_QUERY_NOT_FOUND"));
    // Apollo's clients check the message.
    assert_eq!(unknown.json()["errors"][0]["message"], "PersistedQueryNotFound");
    let sent = post(&toy, json!({"query": HELLO, "extensions": persisted(HASH)})).await;
    assert_eq!(sent.json()["data"]["hello"], "world");
    assert_eq!(post(&toy, by_hash.clone()).await.json()["data"]["hello"], "world");
    let url = format!("/graphql?extensions={}", escaped(&persisted(HASH)));
    let got = Request::get(url).send(toy.address).await;
    assert_eq!(got.json()["data"]["hello"], "world");
    let url = format!("/graphql?documentId=sha256:{HASH}");
    assert_eq!(Request::get(url).send(toy.address).await.json()["data"]["hello"], "world");
    let mut client = connect_as(toy.address, None).await;
    client.send(json!({"type": "subscribe", "id": "p", "payload": by_hash})).await;
    assert_eq!(client.receive().await["payload"]["data"]["hello"], "world");
}

#[tokio::test]
async fn a_document_can_be_persisted_over_a_socket() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    let by_hash = json!({"extensions": persisted(HASH)});
    client.send(json!({"type": "subscribe", "id": "a", "payload": by_hash})).await;
    let refused = client.receive().await;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    let payload = json!({"query": HELLO, "extensions": persisted(HASH)});
    client.send(json!({"type": "subscribe", "id": "a", "payload": payload})).await;
    assert_eq!(client.receive().await["payload"]["data"]["hello"], "world");
    assert_eq!(post(&toy, by_hash).await.json()["data"]["hello"], "world");
}

const COUNT: &str = "subscription{count(to:2)}";
/// `printf 'subscription{count(to:2)}' | sha256sum`
const COUNT_HASH: &str = "b021f7efea816ca90d1243fd013248399ec317f07663096a078d8863f6e06a08";

#[tokio::test]
async fn a_subscription_is_named_over_event_streams_and_multipart_answers() {
    let toy = toy().await;
    let by_hash = json!({"extensions": persisted(COUNT_HASH)});
    let ask = async |body: &Value, form| {
        let request = Request::post(body.to_string()).header("Accept", form);
        request.send(toy.address).await.body
    };
    for form in FORMS {
        assert!(ask(&by_hash, form).await.contains("PERSISTED_QUERY_NOT_FOUND"), "{form}");
    }
    let both = json!({"query": COUNT, "extensions": persisted(COUNT_HASH)});
    assert!(ask(&both, FORMS[0]).await.contains("{\"count\":2}"));
    for form in FORMS {
        assert!(ask(&by_hash, form).await.contains("{\"count\":2}"), "{form}");
    }
    let url = format!("/graphql?extensions={}", escaped(&persisted(COUNT_HASH)));
    let got = Request::get(url).header("Accept", FORMS[0]).send(toy.address).await;
    assert!(got.body.contains("{\"count\":2}"), "{got:?}");
    let (token, mut stream) = open(&toy).await;
    let mut named = by_hash.clone();
    named["extensions"]["operationId"] = "s".into();
    assert_eq!(posted(&token, &named).send(toy.address).await.status, 202);
    stream.until("{\"count\":2}").await;
}

#[tokio::test]
async fn a_hash_of_something_else_is_refused_and_keeps_nothing() {
    let toy = toy().await;
    let lie = post(&toy, json!({"query": "{__typename}", "extensions": persisted(HASH)})).await;
    assert_eq!((lie.status, &*lie.code()), (400, "PERSISTED_QUERY_MISMATCH"));
    let by_hash = json!({"extensions": persisted(HASH)});
    assert_eq!(post(&toy, by_hash).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    for extensions in [
        json!({"persistedQuery": 1}),
        json!({"persistedQuery": {"version": 2, "sha256Hash": HASH}}),
        json!({"persistedQuery": {"version": 1}}),
    ] {
        let answer = post(&toy, json!({"query": HELLO, "extensions": extensions})).await;
        assert_eq!((answer.status, &*answer.code()), (400, "BAD_REQUEST"), "{extensions}");
    }
    assert_eq!(post(&toy, json!({"extensions": {}})).await.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn a_mutation_that_is_named_does_not_run_over_get() {
    let toy = toy().await;
    // printf 'mutation{bump}' | sha256sum
    let hash = "6d00a87dfa6a7a250ef68d1ec4c9280ca59ab46c9d24e85adbe23192107fabaa";
    let sent = post(&toy, json!({"query": "mutation{bump}", "extensions": persisted(hash)})).await;
    assert_eq!(sent.status, 200);
    let url = format!("/graphql?extensions={}", escaped(&persisted(hash)));
    assert_eq!(Request::get(url).send(toy.address).await.status, 405);
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 1);
}

fn only_hello(options: &mut TransportOptions) {
    let manifest = json!({"first": HELLO}).to_string();
    options.allowed = Some(Arc::new(AllowList::read(&manifest).unwrap()));
}

#[tokio::test]
async fn with_a_list_nothing_else_runs() {
    let toy = toy_with(|options, _| only_hello(options)).await;
    for allowed in [
        json!({"documentId": "first"}),
        json!({"query": HELLO}),
        json!({"extensions": persisted(HASH)}),
        json!({"extensions": persisted("first")}),
        // The list's text counts.
        json!({"query": "mutation{bump}", "documentId": "first"}),
    ] {
        let answer = post(&toy, allowed.clone()).await;
        assert_eq!(answer.json()["data"]["hello"], "world", "{allowed}");
    }
    for refused in [
        json!({"query": "mutation{bump}"}),
        json!({"query": "{hello hello}"}),
        json!({"query": "mutation{bump}", "documentId": "second"}),
        json!({"documentId": "second"}),
        json!({"query": "mutation{...F} fragment F on Mutation{bump}"}),
        json!({"query": "query A{__typename} mutation B{bump}", "operationName": "B"}),
    ] {
        let answer = post(&toy, refused.clone()).await;
        assert_eq!((answer.status, &*answer.code()), (403, "DOCUMENT_NOT_ALLOWED"), "{refused}");
    }
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn with_a_list_nothing_else_is_streamed() {
    let toy = toy_with(|options, _| only_hello(options)).await;
    for form in FORMS {
        let answer = Request::query(COUNT).header("Accept", form).send(toy.address).await;
        assert!(answer.body.contains("DOCUMENT_NOT_ALLOWED"), "{answer:?}");
        assert!(!answer.body.contains("{\"count\":1}"), "{answer:?}");
    }
    let (token, mut stream) = open(&toy).await;
    for query in [COUNT, "mutation{bump}"] {
        let body = json!({"query": query, "extensions": {"operationId": "s"}});
        let refused = posted(&token, &body).send(toy.address).await;
        assert_eq!((refused.status, &*refused.code()), (403, "DOCUMENT_NOT_ALLOWED"), "{query}");
    }
    let body = json!({"documentId": "first", "extensions": {"operationId": "s"}});
    assert_eq!(posted(&token, &body).send(toy.address).await.status, 202);
    stream.until("\"world\"").await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("s", COUNT).await;
    let refused = client.receive().await;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "DOCUMENT_NOT_ALLOWED");
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_schema_is_shown_to_whom_the_configuration_names() {
    let schema = "{__schema{queryType{name}}}";
    let in_fragment = "{...F} fragment F on Query{__type(name:\"Query\"){name}}";
    let cases = [
        (Introspection::Everybody, [200, 200]),
        (Introspection::Users, [403, 200]),
        (Introspection::Admins, [403, 403]),
        (Introspection::Nobody, [403, 403]),
    ];
    for (introspection, statuses) in cases {
        let toy = toy_with(|options, _| {
            // This also holds where only listed documents run.
            only_hello(options);
            options.introspection = introspection;
        })
        .await;
        for (token, status) in ["", "Bearer good"].iter().zip(statuses) {
            for query in [schema, in_fragment] {
                let request = Request::query(query).header("Authorization", token);
                let answer = request.send(toy.address).await;
                assert_eq!(answer.status, status, "{introspection:?} {token} {query}");
                if status == 403 {
                    assert_eq!(answer.code(), "INTROSPECTION_FORBIDDEN");
                }
            }
            let request = Request::query(HELLO).header("Authorization", token);
            assert_eq!(request.send(toy.address).await.status, 200);
        }
    }
}
