//! A server with a schema of its own on the edge of Rookery, for `tests/graphql`, which compares its answers with those
//! of the reference implementation: objects, interfaces and unions, fields that fail, arguments of all kinds.
//!
//! It prints its address and serves until its standard input ends.

#![expect(clippy::unused_async, reason = "async-graphql takes resolvers that are async")]

use std::io::Read as _;
use std::sync::Arc;

use async_graphql::{
    Enum, Error, ErrorExtensions as _, ID, InputObject, Interface, Object, OneofObject, Result,
    Schema, SimpleObject, Subscription, Union, ValidationMode,
};
use futures_util::future::{BoxFuture, pending};
use futures_util::{FutureExt as _, Stream, stream};
use rookery_graphql_documents::{GateLimits, Types, Validated};
use rookery_graphql_edge::{
    AuthFailure, Authenticator, Caller, Credentials, Peer, ServeOptions, SessionEnd,
    TransportOptions, Unshared, router, serve, shutdown,
};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

fn failure<T>() -> Result<T> {
    Err(Error::new("it fails").extend_with(|_, error| error.set("code", "FAILED")))
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
enum Color {
    Red,
    Green,
    Blue,
}

fn name_of(color: Color) -> &'static str {
    match color {
        Color::Red => "RED",
        Color::Green => "GREEN",
        Color::Blue => "BLUE",
    }
}

#[derive(InputObject)]
struct Input {
    a: i32,
    #[graphql(default_with = "vec![\"x\".to_owned()]")]
    b: Vec<String>,
    c: Option<Color>,
    inner: Option<Box<Input>>,
    ids: Option<Vec<Option<Vec<Option<ID>>>>>,
}

impl Input {
    fn told(&self) -> Json {
        let color = self.c.map(name_of);
        let inner = self.inner.as_ref().map(|inner| inner.told());
        let ids = self.ids.as_ref().map(|lists| {
            let told = |ids: &Vec<Option<ID>>| {
                let ids = ids.iter().map(|id| id.as_ref().map(|id| id.0.clone()));
                ids.collect::<Vec<_>>()
            };
            lists.iter().map(|ids| ids.as_ref().map(told)).collect::<Vec<_>>()
        });
        json!([self.a, self.b, color, inner, ids])
    }
}

#[derive(OneofObject)]
enum Pick {
    Number(i32),
    Text(String),
}

struct Item(i32);

#[Object]
impl Item {
    async fn id(&self) -> ID {
        self.0.into()
    }
    async fn label(&self) -> Option<String> {
        (self.0 % 2 == 0).then(|| format!("item {}", self.0))
    }
    async fn must(&self) -> Result<String> {
        if self.0 % 3 == 0 { failure() } else { Ok(format!("must {}", self.0)) }
    }
    async fn fails(&self) -> Result<Option<String>> {
        failure()
    }
    async fn fails_hard(&self) -> Result<String> {
        failure()
    }
    async fn items(&self, #[graphql(default = 2)] count: i32) -> Vec<Item> {
        (0..count.clamp(0, 4)).map(|index| Item(self.0 + index)).collect()
    }
    /// The second one fails.
    async fn failing_items(&self) -> Option<Vec<Result<Item>>> {
        Some(vec![Ok(Item(1)), failure(), Ok(Item(2))])
    }
    async fn other(&self) -> Option<Thing> {
        (self.0 != 1).then(|| thing(self.0 + 1))
    }
    async fn color(&self) -> Color {
        Color::Green
    }
    async fn colors(&self) -> Vec<Option<Color>> {
        vec![Some(Color::Red), None, Some(Color::Blue)]
    }
    async fn parent(&self) -> Result<Option<Item>> {
        if self.0 == 5 { failure() } else { Ok((self.0 > 1).then(|| Item(self.0 - 1))) }
    }
}

struct Other(i32);

#[Object]
impl Other {
    async fn id(&self) -> ID {
        self.0.into()
    }
    async fn label(&self) -> Result<Option<String>> {
        failure()
    }
    async fn must(&self) -> String {
        format!("other {}", self.0)
    }
    async fn count(&self) -> i32 {
        self.0
    }
    async fn weight(&self) -> Option<f64> {
        Some(f64::from(self.0) + 0.5)
    }
    async fn node(&self) -> Node {
        Node::Item(Item(self.0))
    }
    async fn friends(&self) -> Vec<Option<Node>> {
        vec![Some(Node::Item(Item(self.0))), None, Some(Node::Other(Other(self.0 + 1)))]
    }
}

#[derive(SimpleObject)]
struct Leafy {
    size: i32,
    text: Option<String>,
}

#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "ID"),
    field(name = "label", ty = "Option<String>"),
    field(name = "must", ty = "String")
)]
enum Node {
    Item(Item),
    Other(Other),
}

#[derive(Union)]
enum Thing {
    Item(Item),
    Other(Other),
    Leafy(Leafy),
}

/// Numbers of objects are small, so that there is room for those beside them.
const SMALL: i32 = 1_000;

fn thing(id: i32) -> Thing {
    let id = id.clamp(-SMALL, SMALL);
    match id.rem_euclid(3) {
        0 => Thing::Item(Item(id)),
        1 => Thing::Other(Other(id)),
        _ => Thing::Leafy(Leafy { size: id, text: None }),
    }
}

struct Query;

#[Object]
impl Query {
    async fn item(&self, id: i32) -> Option<Item> {
        (0..=SMALL).contains(&id).then_some(Item(id))
    }
    async fn node(&self, id: i32) -> Option<Node> {
        match id {
            ..0 | 1_001.. => None,
            id if id % 2 == 0 => Some(Node::Item(Item(id))),
            id => Some(Node::Other(Other(id))),
        }
    }
    async fn thing(&self, id: i32) -> Thing {
        thing(id)
    }
    async fn things(&self, #[graphql(default = 3)] count: i32) -> Vec<Thing> {
        (0..count.clamp(0, 4)).map(thing).collect()
    }
    async fn maybe_things(&self) -> Option<Vec<Option<Thing>>> {
        Some(vec![Some(thing(0)), None, Some(thing(1)), Some(thing(2))])
    }
    async fn need_things(&self) -> Option<Vec<Thing>> {
        Some(vec![thing(4), thing(3)])
    }
    async fn fails(&self) -> Result<Option<Item>> {
        failure()
    }
    async fn self_or_null(&self) -> Option<Query> {
        Some(Query)
    }
    #[expect(clippy::too_many_arguments, reason = "one of each kind")]
    async fn echo(
        &self,
        input: Option<Input>,
        list: Option<Vec<i32>>,
        #[graphql(default_with = "Color::Red")] color: Color,
        ids: Option<Vec<Option<ID>>>,
        #[graphql(default = true)] flag: bool,
        text: Option<String>,
        share: Option<f64>,
        pick: Option<Pick>,
    ) -> String {
        let ids = ids.map(|ids| ids.into_iter().map(|id| id.map(|id| id.0)).collect::<Vec<_>>());
        let pick = pick.map(|pick| match pick {
            Pick::Number(number) => json!({ "number": number }),
            Pick::Text(text) => json!({ "text": text }),
        });
        let share = share.map(|share| share.to_string());
        let input = input.map(|input| input.told());
        json!([input, list, name_of(color), ids, flag, text, share, pick]).to_string()
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn make(&self, id: i32) -> Option<Item> {
        Some(Item(id.clamp(-SMALL, SMALL)))
    }
    async fn change(&self, input: Input) -> Option<Thing> {
        Some(thing(input.a))
    }
}

struct Subscriptions;

#[Subscription]
impl Subscriptions {
    async fn ticks(&self, #[graphql(default = 2)] count: i32) -> impl Stream<Item = Thing> {
        stream::iter((0..count.clamp(0, 4)).map(thing))
    }
    async fn maybe(&self) -> impl Stream<Item = Option<Thing>> {
        stream::iter([Some(thing(3)), None, Some(thing(4))])
    }
}

struct Nobody;

impl SessionEnd for Nobody {
    fn is_over(&self) -> bool {
        false
    }
    fn over(&self) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

struct Everybody;

impl Authenticator for Everybody {
    type Session = ();

    async fn authenticate(&self, _: Credentials<'_>, _: &Peer) -> Result<(), AuthFailure> {
        Ok(())
    }
    fn caller<'a>(&self, (): &'a ()) -> Caller<'a> {
        Caller::NOBODY
    }
    fn connected(&self, (): &()) -> Box<dyn Send> {
        Box::new(())
    }
    fn end(&self, (): &()) -> Arc<dyn SessionEnd> {
        Arc::new(Nobody)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let schema = Schema::build(Query, Mutation, Subscriptions)
        .validation_mode(ValidationMode::Fast)
        .finish();
    let types = Arc::new(Types::new(&schema.sdl())?);
    let (handle, heed) = shutdown();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/graphql", listener.local_addr()?);
    let executor = Validated::new(Unshared(schema));
    // Documents that are made at random pass the limits of the gate where they are wide.
    let gate = GateLimits { root_fields_max: 100, directives_max: 200, ..GateLimits::default() };
    let options = TransportOptions { gate, ..TransportOptions::default() };
    let router = router(executor, types, Everybody, options, heed.clone());
    let serving = tokio::spawn(serve(listener, router, ServeOptions::default(), heed));
    // The caller holds the other end.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    handle.request();
    serving.await?;
    Ok(())
}
