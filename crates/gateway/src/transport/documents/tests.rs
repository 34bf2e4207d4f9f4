use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Enum, Executor as _, ID, InputObject, Name, Object,
    OneofObject, Request, Response, Schema, ValidationMode, Value, Variables,
};
use proptest::prelude::*;

use super::{Check, DocumentLimits, Documents, Reading, Validated};
use crate::transport::gate::GateLimits;

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

struct Query;

#[Object]
impl Query {
    async fn filtered(&self, filter: Option<Filter>, moods: Option<Vec<Mood>>) -> usize {
        let filter = filter.map_or(0, |filter| {
            filter.name.len()
                + usize::from(filter.inner.is_some())
                + filter.moods.map_or(0, |moods| moods.len())
                + usize::from(filter.limit > 0)
        });
        filter + moods.map_or(0, |moods| moods.len())
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
    #[graphql(complexity = "count * child_complexity + 1")]
    async fn many(&self, count: usize) -> Vec<Query> {
        std::iter::repeat_with(|| Self).take(count).collect()
    }
    async fn executed(&self, context: &Context<'_>) -> usize {
        context.data_unchecked::<Arc<AtomicUsize>>().fetch_add(1, Ordering::SeqCst)
    }
}

type Toy = Schema<Query, EmptyMutation, EmptySubscription>;

struct Both {
    strict: Toy,
    prepared: Validated<Toy>,
    documents: Arc<Documents>,
    executed: Arc<AtomicUsize>,
}

impl Both {
    fn new(limits: &DocumentLimits) -> Self {
        let executed = Arc::new(AtomicUsize::new(0));
        let builder = || {
            Schema::build(Query, EmptyMutation, EmptySubscription)
                .data(Arc::clone(&executed))
                .limit_complexity(100)
                .limit_depth(4)
                .limit_directives(2)
        };
        let run = builder().validation_mode(ValidationMode::Fast).finish();
        let prepared = Validated::new(run, builder().extension(Check).finish());
        let documents = Arc::new(Documents::new(limits));
        Self { strict: builder().finish(), prepared, documents, executed }
    }

    async fn asked(&self, query: &str, variables: Value) -> String {
        let name = None;
        let admitted = self.documents.admit(query, name, &GateLimits::default());
        let (_, reading) = admitted.expect("the gate lets it through");
        text(&self.prepared.execute(request(query, variables).data(reading)).await)
    }

    /// The answer, which has to be the same from validation in full, at first, and from what is kept.
    async fn same(&self, query: &str, variables: Value) -> String {
        let strict = text(&self.strict.execute(request(query, variables.clone())).await);
        for time in ["at first", "again"] {
            assert_eq!(self.asked(query, variables.clone()).await, strict, "{time}: {query}");
        }
        strict
    }
}

fn request(query: &str, variables: Value) -> Request {
    let Value::Object(object) = variables else { panic!("variables are an object") };
    let variables = Variables::from_value(Value::Object(object));
    Request::new(query).variables(variables)
}

fn text(response: &Response) -> String {
    serde_json::to_string(response).expect("responses are JSON")
}

fn with(variables: &[(&str, Value)]) -> Value {
    Value::Object(variables.iter().map(|(name, value)| (Name::new(name), value.clone())).collect())
}

const DOCUMENT: &str =
    "query($filter: Filter, $moods: [Mood!], $place: Place!, $number: Int!, $lists: [[Int!]!]!,
        $flag: Boolean!, $share: Float, $name: String! = \"given\") {
    filtered(filter: $filter, moods: $moods) at(place: $place)
    numbers(lists: $lists, flag: $flag, share: $share)
    ... Part @include(if: $flag) }
    fragment Part on Query { mixed: filtered(filter: { name: $name, limit: $number }) }";

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..3i64).prop_map(Value::from),
        Just(Value::from(i64::MAX)),
        Just(Value::from(0.5)),
        Just(Value::from("GLAD")),
        Just(Value::from("GREEN")),
        Just(Value::Enum(Name::new("SAD"))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name = prop_oneof![
            Just("name"),
            Just("limit"),
            Just("moods"),
            Just("inner"),
            Just("room"),
            Just("number"),
            Just("other")
        ];
        let field = (name.prop_map(Name::new), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::List),
            prop::collection::vec(field, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A value that fits more often than not.
fn mostly(fitting: Vec<Value>) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        8 => prop::sample::select(fitting).prop_map(Some),
        2 => value().prop_map(Some),
        1 => Just(None),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn answers_are_the_same_for_any_variables(
        filter in mostly(vec![
            Value::Null,
            with(&[("name", "x".into())]),
            with(&[("name", "x".into()), ("inner", with(&[("name", "y".into()), ("limit", 2.into())]))]),
            with(&[("name", "x".into()), ("moods", Value::List(vec!["SAD".into()]))]),
        ]),
        moods in mostly(vec![Value::Null, "GLAD".into(), Value::List(vec!["GLAD".into(), "SAD".into()])]),
        place in mostly(vec![with(&[("room", "r".into())]), with(&[("number", 3.into())])]),
        number in mostly(vec![1.into(), (-1).into()]),
        lists in mostly(vec![Value::List(vec![Value::List(vec![1.into()])]), 5.into()]),
        flag in mostly(vec![true.into(), false.into()]),
        share in mostly(vec![0.5.into(), 2.into(), Value::Null]),
    ) {
        let given = [("filter", filter), ("moods", moods), ("place", place), ("number", number),
            ("lists", lists), ("flag", flag), ("share", share)];
        let given: Vec<_> =
            given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let both = Both::new(&DocumentLimits::default());
        let run = async {
            // One that fits comes first, so that the document is known.
            both.same(DOCUMENT, with(&fitting())).await;
            assert_eq!(both.documents.size().0, 1, "the document is kept");
            both.same(DOCUMENT, with(&given)).await;
        };
        futures_util::FutureExt::now_or_never(run).expect("nothing waits");
    }
}

fn fitting() -> Vec<(&'static str, Value)> {
    vec![
        ("place", with(&[("room", "r".into())])),
        ("number", 1.into()),
        ("lists", Value::List(Vec::new())),
        ("flag", true.into()),
    ]
}

#[tokio::test]
async fn what_is_refused_is_not_kept_and_refused_again() {
    let both = Both::new(&DocumentLimits::default());
    for refused in [
        "{ nothing }",
        "{ at }",
        "{ numbers(lists: 1, flag: 1) }",
        "query($unused: Int) { executed }",
        "{ many(count: 200) { executed } }",
        "{ many(count: 1) { many(count: 1) { many(count: 1) { many(count: 1) { executed } } } } }",
        "{ executed @skip(if: false) @include(if: true) @nothing }",
        "{ same: executed same: filtered }",
    ] {
        let answer = both.same(refused, with(&[])).await;
        assert!(answer.contains("\"errors\""), "{answer}");
        assert_eq!(both.documents.size(), (0, 0), "{refused}");
    }
    assert_eq!(both.executed.load(Ordering::SeqCst), 0, "nothing was executed");
}

#[tokio::test]
async fn limits_hold_for_documents_that_are_known() {
    let both = Both::new(&DocumentLimits::default());
    let document = "query($count: Int!) { many(count: $count) { at(place: { number: 1 }) } }";
    let answer = both.same(document, with(&[("count", 2.into())])).await;
    assert!(answer.contains("\"data\":{\"many\":[{\"at\":\"1\"},{\"at\":\"1\"}]}"), "{answer}");
    assert_eq!(both.documents.size().0, 1);
    let answer = both.same(document, with(&[("count", 1_000.into())])).await;
    assert!(answer.contains("Query is too complex."), "{answer}");
}

#[tokio::test]
async fn a_known_document_is_executed_once_for_each_request() {
    let both = Both::new(&DocumentLimits::default());
    for expected in 0..3 {
        let answer = both.asked("{ executed }", with(&[])).await;
        assert_eq!(answer, format!("{{\"data\":{{\"executed\":{expected}}}}}"));
    }
}

#[tokio::test]
async fn a_flood_of_documents_stays_within_both_bounds() {
    let count_max = NonZeroUsize::new(50).expect("not zero");
    let by_count = Both::new(&DocumentLimits { count_max, ..DocumentLimits::default() });
    let by_bytes = Both::new(&DocumentLimits { count_max, bytes_max: 20_000 });
    for number in 0..200 {
        let document = format!("{{ a{number}: executed }}");
        by_count.asked(&document, with(&[])).await;
        by_bytes.asked(&document, with(&[])).await;
        let fields = (0..50).map(|field| format!("b{number}x{field}: executed"));
        let large = fields.collect::<Vec<_>>().join(" ");
        by_bytes.asked(&format!("{{ many(count: 1) {{ {large} }} }}"), with(&[])).await;
        let (count, bytes) = by_bytes.documents.size();
        assert!(count <= 50 && bytes <= 20_000, "{count} documents, {bytes} bytes");
        assert!(count > 0, "small documents are kept beside large ones");
    }
    assert_eq!(by_count.documents.size().0, 50);
}

#[tokio::test]
async fn a_document_that_was_read_is_handed_on() {
    let both = Both::new(&DocumentLimits::default());
    let admit = || both.documents.admit("{ executed }", None, &GateLimits::default());
    let (_, reading): (_, Reading) = admit().expect("admitted");
    assert!(reading.document().is_none(), "nobody has validated it yet");
    both.asked("{ executed }", with(&[])).await;
    let (_, reading) = admit().expect("admitted");
    assert_eq!(reading.document().map(|document| document.operations.iter().len()), Some(1));
}
