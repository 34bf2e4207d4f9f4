#![expect(clippy::unused_async, reason = "async-graphql takes resolvers that are async")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Enum, Executor as _, ID, InputObject, Interface,
    Object, OneofObject, Request, Schema, SimpleObject, Union, ValidationMode, Variables,
};
use serde_json::{Value as Json, json};

use super::analysed::Analysed;
use super::{DocumentLimits, Documents, Types, Validated};
use crate::gate::GateLimits;

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Glad,
    Sad,
}

#[derive(InputObject)]
struct Filter {
    moods: Option<Vec<Mood>>,
    #[graphql(default = 7)]
    limit: i32,
    name: String,
    inner: Option<Box<Filter>>,
}

#[derive(OneofObject)]
enum Place {
    Room(ID),
    Number(i32),
}

#[derive(SimpleObject)]
struct Cat {
    name: String,
    lives: i32,
}

struct Dog;

#[Object]
impl Dog {
    async fn name(&self) -> async_graphql::Result<String> {
        Err("a dog has no name".into())
    }
    async fn toy(&self) -> async_graphql::Result<Option<String>> {
        Err("the toy is lost".into())
    }
    async fn age(&self) -> i32 {
        3
    }
}

#[derive(Union)]
enum Pet {
    Cat(Cat),
    Dog(Dog),
}

#[derive(Interface)]
#[graphql(field(name = "name", ty = "String"))]
enum Named {
    Cat(Cat),
}

fn cat() -> Cat {
    Cat { name: "Tom".to_owned(), lives: 9 }
}

struct Query;

#[Object]
impl Query {
    async fn filtered(&self, filter: Option<Filter>, moods: Option<Vec<Mood>>) -> String {
        let filter = filter.map(|filter| {
            let inner = filter.inner.map(|inner| inner.name);
            format!(
                "{} {} {inner:?} {:?}",
                filter.name,
                filter.limit,
                filter.moods.map(|it| it.len())
            )
        });
        format!("{filter:?} {:?}", moods.map(|moods| moods.len()))
    }
    async fn at(&self, place: Place) -> String {
        match place {
            Place::Room(room) => room.0,
            Place::Number(number) => number.to_string(),
        }
    }
    async fn numbers(&self, lists: Vec<Vec<i32>>, flag: bool, share: Option<f64>) -> usize {
        lists.len() + usize::from(flag) + usize::from(share.is_some())
    }
    async fn text(&self, text: String) -> String {
        text
    }
    async fn cat(&self) -> Cat {
        cat()
    }
    async fn dog(&self) -> Option<Dog> {
        Some(Dog)
    }
    async fn named(&self) -> Named {
        Named::Cat(cat())
    }
    async fn pets(&self) -> Vec<Pet> {
        vec![Pet::Cat(cat()), Pet::Dog(Dog)]
    }
    async fn pets_or_not(&self) -> Vec<Option<Pet>> {
        vec![Some(Pet::Cat(cat())), Some(Pet::Dog(Dog)), None]
    }
    async fn executed(&self, context: &Context<'_>) -> usize {
        context.data_unchecked::<Arc<AtomicUsize>>().fetch_add(1, Ordering::SeqCst)
    }
    async fn query(&self) -> Query {
        Query
    }
}

type Toy = Schema<Query, EmptyMutation, EmptySubscription>;

struct Reader {
    executor: Validated<Toy>,
    documents: Arc<Documents>,
    executed: Arc<AtomicUsize>,
}

impl Reader {
    fn new(limits: &DocumentLimits) -> Self {
        let executed = Arc::new(AtomicUsize::new(0));
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
            .data(Arc::clone(&executed))
            .limit_depth(6)
            .validation_mode(ValidationMode::Fast)
            .finish();
        let types = Arc::new(Types::new(&schema.sdl()).expect("a schema"));
        let documents = Arc::new(Documents::new(limits, types));
        Self { executor: Validated::new(schema), documents, executed }
    }

    async fn asked(&self, query: &str, variables: Json) -> Json {
        let admitted = self.documents.admit(query, None, &GateLimits::default());
        let (_, reading) = admitted.expect("the gate lets it through");
        let request = Request::new(query).variables(Variables::from_json(variables)).data(reading);
        serde_json::to_value(self.executor.execute(request).await).expect("responses are JSON")
    }

    /// The answer, which has to be the same at first and with a cached document.
    async fn answer(&self, query: &str, variables: Json) -> Json {
        let first = self.asked(query, variables.clone()).await;
        assert_eq!(self.asked(query, variables).await, first, "{query}");
        first
    }
}

/// The answer to a document, from an empty cache.
async fn answer(query: &str, variables: Json) -> Json {
    Reader::new(&DocumentLimits::default()).answer(query, variables).await
}

/// The data of an answer, and the paths of its errors.
async fn told(query: &str, variables: Json) -> (Json, Vec<Json>) {
    let answer = answer(query, variables).await;
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let mut paths: Vec<_> = errors.iter().map(|error| error["path"].clone()).collect();
    paths.sort_by_key(ToString::to_string);
    (answer["data"].clone(), paths)
}

#[tokio::test]
async fn a_field_that_fails_is_null_or_nulls_the_nearest_parent_that_may_be() {
    let dog = told("{ dog { toy } cat { name } }", json!({})).await;
    assert_eq!(dog.0, json!({ "dog": { "toy": null }, "cat": { "name": "Tom" } }));
    assert_eq!(dog.1, [json!(["dog", "toy"])]);
    let dog = told("{ dog { age name } }", json!({})).await;
    assert_eq!(dog, (json!({ "dog": null }), vec![json!(["dog", "name"])]));
    let pets =
        told("{ petsOrNot { ... on Dog { name age } ... on Cat { lives } } }", json!({})).await;
    assert_eq!(pets.0, json!({ "petsOrNot": [{ "lives": 9 }, null, null] }));
    let pets =
        told("{ cat { name } pets { __typename ... on Dog { toy name } } }", json!({})).await;
    assert_eq!(pets.0, Json::Null);
    let under = told("{ query { pets { ... on Dog { name } } } }", json!({})).await;
    assert_eq!(under.0, Json::Null);
}

#[tokio::test]
async fn an_object_of_which_nothing_is_selected_is_empty() {
    let skipped = "query($no: Boolean! = true) { cat { name @skip(if: $no) } dog { age } }";
    assert_eq!(told(skipped, json!({})).await.0, json!({ "cat": {}, "dog": { "age": 3 } }));
    assert_eq!(told("{ cat @skip(if: true) { name } }", json!({})).await.0, json!({}));
    let union = told("{ pets { ... on Cat { lives } } }", json!({})).await;
    assert_eq!(union, (json!({ "pets": [{ "lives": 9 }, {}] }), vec![]));
    let union = told("{ petsOrNot { ... on Named { name } } }", json!({})).await;
    assert_eq!(union.0, json!({ "petsOrNot": [{ "name": "Tom" }, {}, null] }));
}

#[tokio::test]
async fn fields_of_one_name_are_executed_once() {
    let query = "{ query { first: executed } query { first: executed ... on Query { second: executed } ...F } }
        fragment F on Query { first: executed }";
    let reader = Reader::new(&DocumentLimits::default());
    assert_eq!(
        reader.asked(query, json!({})).await["data"],
        json!({ "query": { "first": 0, "second": 1 } })
    );
    let pets =
        told("{ named { name ... on Cat { name lives } ... on Named { __typename } } }", json!({}));
    assert_eq!(
        pets.await.0,
        json!({ "named": { "name": "Tom", "lives": 9, "__typename": "Cat" } })
    );
}

#[tokio::test]
async fn fields_of_one_name_with_lists_of_different_lengths_are_refused() {
    for (one, other) in [
        ("numbers(lists: [[1], [2]], flag: true)", "numbers(lists: [[1]], flag: true)"),
        ("numbers(lists: [[1, 2]], flag: true)", "numbers(lists: [[1]], flag: true)"),
        ("numbers(lists: [], flag: true)", "numbers(lists: [[1]], flag: true)"),
        (
            "filtered(filter: {name: \"a\", moods: [GLAD]})",
            "filtered(filter: {name: \"a\", moods: []})",
        ),
    ] {
        let refused = answer(&format!("{{ {one} {other} }}"), json!({})).await;
        assert_eq!(
            refused["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED",
            "{refused}"
        );
        assert!(refused.get("data").is_none_or(Json::is_null), "{refused}");
        for skipped in ["@include(if: false)", "@skip(if: true)"] {
            let refused = answer(&format!("{{ {one} {other} {skipped} }}"), json!({})).await;
            let code = &refused["errors"][0]["extensions"]["code"];
            assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{refused}");
        }
        let executed = answer(&format!("{{ {one} {one} }}"), json!({})).await;
        assert_eq!(executed.get("errors"), None, "{executed}");
    }
}

#[tokio::test]
async fn variables_that_do_not_fit_are_refused_before_anything_is_executed() {
    let filter = "query($filter: Filter) { executed filtered(filter: $filter) }";
    let place = "query($place: Place!) { executed at(place: $place) }";
    let lists = "query($lists: [[Int!]!]!) { executed numbers(lists: $lists, flag: true) }";
    let reader = Reader::new(&DocumentLimits::default());
    for (query, variables) in [
        (filter, json!({ "filter": { "name": "x", "moods": ["GREEN"] } })),
        (filter, json!({ "filter": { "name": "x", "moods": [null] } })),
        (filter, json!({ "filter": { "name": null } })),
        (filter, json!({ "filter": { "limit": 1 } })),
        (filter, json!({ "filter": { "name": "x", "limit": 2_147_483_648_u32 } })),
        (filter, json!({ "filter": { "name": "x", "other": 1 } })),
        (filter, json!({ "filter": { "name": "x", "inner": { "name": 1 } } })),
        (filter, json!({ "filter": "x" })),
        (place, json!({ "place": { "room": "r", "number": 1 } })),
        (place, json!({ "place": {} })),
        (place, json!({ "place": { "room": null } })),
        (place, json!({})),
        (lists, json!({ "lists": [[1], null] })),
        (lists, json!({ "lists": [[0.5]] })),
        (lists, json!({ "lists": null })),
    ] {
        let answer = reader.answer(query, variables.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{variables}");
        assert_eq!(answer["data"], Json::Null, "{variables}");
    }
    assert_eq!(reader.executed.load(Ordering::SeqCst), 0, "nothing was executed");
}

#[tokio::test]
async fn variables_that_fit_have_the_values_of_their_types() {
    let lists = "query($lists: [[Int!]!]!) { numbers(lists: $lists, flag: true) }";
    assert_eq!(answer(lists, json!({ "lists": 5 })).await["data"]["numbers"], 2);
    assert_eq!(answer(lists, json!({ "lists": [[1.0], []] })).await["data"]["numbers"], 3);
    let within = "query($name: String! = \"x\", $limit: Int, $mood: Mood!) {
        filtered(filter: { name: $name, limit: $limit, moods: [$mood] }) }";
    let absent = answer(within, json!({ "mood": "SAD" })).await;
    assert_eq!(absent["data"]["filtered"], "Some(\"x 7 None Some(1)\") None");
    let given = answer(within, json!({ "mood": "SAD", "limit": 2 })).await;
    assert_eq!(given["data"]["filtered"], "Some(\"x 2 None Some(1)\") None");
    let place = "query($id: ID!) { at(place: { room: $id }) }";
    assert_eq!(answer(place, json!({ "id": 3 })).await["data"]["at"], "3");
}

#[tokio::test]
async fn literals_are_what_the_specification_says() {
    for (literal, text) in [
        (r#""""a \""" b""""#, r#"a """ b"#),
        (r#""tea \uD83C\uDF75""#, "tea \u{1f375}"),
        (r#""tea \u{1F375}""#, "tea \u{1f375}"),
        (r#""\u00e4\n\"""#, "ä\n\""),
        ("\"\"\"\n  one\n    two\n\"\"\"", "one\n  two"),
    ] {
        let answer = answer(&format!("{{ text(text: {literal}) }}"), json!({})).await;
        assert_eq!(answer["data"]["text"], text, "{literal}: {answer}");
    }
}

#[tokio::test]
async fn what_is_refused_is_not_kept_and_refused_again() {
    let reader = Reader::new(&DocumentLimits::default());
    for refused in [
        "{ nothing }",
        "{ at }",
        "{ numbers(lists: 1, flag: 1) }",
        "query($unused: Int) { executed }",
        "query($c: Boolean) { executed @include(if: $c) }",
        "query($c: Boolean = null) { executed @include(if: $c) }",
        "query($n: Int) { numbers(lists: [[$n]], flag: true) }",
        "query($n: String) { filtered(filter: { name: $n }) }",
        "{ filtered(filter: { name: \"x\", name: \"y\" }) }",
        "{ filtered(filter: { name: \"x\", other: 1 }) }",
        "query($n: String!) { filtered(filter: { name: $n, other: 1 }) }",
        "{ filtered(moods: [\"GLAD\"]) }",
        "{ at(place: { room: \"x\", number: 1 }) }",
        "query($r: ID) { at(place: { room: $r }) }",
        "query($p: Place! = {}) { at(place: $p) }",
        "query($p: Place! = { room: \"x\", number: 1 }) { at(place: $p) }",
        "query($p: Place! = { room: null }) { at(place: $p) }",
        "query($f: Filter = { name: \"x\", name: \"y\" }) { filtered(filter: $f) }",
        "{ executed @skip(if: false) @include(if: true) @nothing }",
        "{ same: executed same: filtered }",
        "{ query { same: executed } query { same: cat { name } } }",
        "{ pets { ... on Cat { same: name } ... on Dog { same: age } } }",
        "{ __typename @nothing }",
        "{ __typename(a: 1) }",
        "{ __typename { a } }",
        "{ cat }",
        "query($a: Int @nothing) { numbers(lists: [[$a]], flag: true) }",
    ] {
        let answer = reader.answer(refused, json!({})).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(*code, "GRAPHQL_VALIDATION_FAILED", "{refused}: {answer}");
        assert_eq!(reader.documents.size(), (0, 0), "{refused}");
    }
    assert_eq!(reader.executed.load(Ordering::SeqCst), 0, "nothing was executed");
}

#[test]
fn a_subscription_has_one_field_at_its_root() {
    let sdl = "type Query { a: Int } type Subscription { a: Int b: Int }";
    let types = Arc::new(Types::new(sdl).expect("a schema"));
    let is_valid = |text| Analysed::read(text, &types).is_ok();
    for valid in [
        "subscription { x: a }",
        "subscription { ...F } fragment F on Subscription { a }",
        "subscription { ... { a } }",
    ] {
        assert!(is_valid(valid), "{valid}");
    }
    for invalid in [
        "subscription { a b }",
        "subscription { a x: a }",
        "subscription { a ...F } fragment F on Subscription { b }",
        "subscription { __typename }",
        "query Q { a } subscription S { a b }",
    ] {
        assert!(!is_valid(invalid), "{invalid}");
    }
}

#[tokio::test]
async fn limits_hold_for_documents_that_are_known() {
    let reader = Reader::new(&DocumentLimits::default());
    let deep = "{ query { query { query { query { query { query { executed } } } } } } }";
    let answer = reader.answer(deep, json!({})).await;
    assert_eq!(answer["errors"][0]["message"], "Query is nested too deep.");
    // Each pet multiplies the cost of its selection, as far as it goes.
    let wide =
        (0..900).map(|number| format!("a{number}: __typename")).collect::<Vec<_>>().join(" ");
    let (_, reading) = reader
        .documents
        .admit(&format!("{{ pets {{ {wide} }} }}"), None, &GateLimits::default())
        .expect("it is within the gate");
    assert!(!reading.is_known());
}

#[tokio::test]
async fn a_known_document_is_executed_once_for_each_request() {
    let reader = Reader::new(&DocumentLimits::default());
    for expected in 0..3 {
        let answer = reader.asked("{ executed }", json!({})).await;
        assert_eq!(answer, json!({ "data": { "executed": expected } }));
    }
}

#[tokio::test]
async fn conditions_are_decided_for_each_request() {
    let reader = Reader::new(&DocumentLimits::default());
    let query = "query($a: Boolean!, $b: Boolean!, $c: Boolean! = true) {
        a: __typename @include(if: $a) b: __typename @skip(if: $b) c: __typename @include(if: $c) }";
    for case in 0..16 {
        let [a, b, c] = [0, 1, 2].map(|bit| case >> bit & 1 == 1);
        let answer = reader.asked(query, json!({ "a": a, "b": b, "c": c })).await;
        let told = |name: &str| answer["data"].get(name).is_some();
        assert_eq!([told("a"), told("b"), told("c")], [a, !b, c], "{answer}");
    }
    assert_eq!(reader.documents.size().0, 1);
}

#[tokio::test]
async fn a_flood_of_documents_stays_within_both_bounds() {
    let count_max = NonZeroUsize::new(50).expect("not zero");
    let by_count = Reader::new(&DocumentLimits { count_max, ..DocumentLimits::default() });
    let by_bytes = Reader::new(&DocumentLimits { count_max, bytes_max: 100_000 });
    for number in 0..200 {
        let document = format!("{{ a{number}: executed }}");
        by_count.asked(&document, json!({})).await;
        by_bytes.asked(&document, json!({})).await;
        let fields = (0..50).map(|field| format!("b{number}x{field}: executed"));
        let large = fields.collect::<Vec<_>>().join(" ");
        by_bytes.asked(&format!("{{ query {{ {large} }} }}"), json!({})).await;
        let (count, bytes) = by_bytes.documents.size();
        assert!(count <= 50 && bytes <= 100_000, "{count} documents, {bytes} bytes");
        assert!(count > 0, "small documents are kept beside large ones");
    }
    assert_eq!(by_count.documents.size().0, 50);
}
