//! A schema with one field for each case of a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{
    Context, Error, ErrorExtensions as _, Object, Result, Schema, Subscription, ValidationMode,
};
use futures_util::future::{BoxFuture, pending};
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use rookery_graphql_documents::{GuardedFields, Types, Validated};
use rookery_graphql_edge::{
    AuthFailure, Authenticator, Bookmark, Budget, Caller, Credentials, Peer, ResumePoint,
    ServeOptions, SessionEnd, ShutdownHandle, TransportOptions, Unshared, files, router, serve,
    shutdown,
};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use crate::http::files::{FILES, PAGE};

/// The state that tests observe and control.
#[derive(Default)]
pub(crate) struct Probe {
    /// Mutations that ran to their end.
    pub(crate) bumps: AtomicUsize,
    /// A mutation has begun.
    pub(crate) begun: Notify,
    /// Lets a mutation end.
    pub(crate) proceed: Notify,
    /// A mutation has ended.
    pub(crate) ended: Notify,
    /// Chunks that subscriptions made.
    pub(crate) chunks: AtomicUsize,
    /// A subscription's stream was dropped.
    pub(crate) dropped: Notify,
    pub(crate) revoked: watch::Sender<bool>,
    /// Open sockets of sessions, as reported.
    pub(crate) connected: watch::Sender<usize>,
}

fn secret_panic() -> bool {
    let nothing: Option<bool> = std::hint::black_box(None);
    nothing.expect("a secret path")
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }
    async fn repeated(&self, times: usize) -> String {
        "never more ".repeat(times)
    }
    async fn same(&self, number: i32) -> i32 {
        number
    }
    async fn user(&self, context: &Context<'_>) -> String {
        context.data_unchecked::<Session>().user.to_owned()
    }
    async fn peer_is_local(&self, context: &Context<'_>) -> bool {
        context.data_unchecked::<Peer>().address.ip().is_loopback()
    }
    /// A text that takes more of the budget than its length.
    async fn takes(&self, context: &Context<'_>, bytes: usize) -> Result<String> {
        context.data_unchecked::<Budget>().take(bytes).await?;
        Ok("x".repeat(bytes / 8))
    }
    async fn looks_at(&self, context: &Context<'_>, units: usize) -> Result<bool> {
        Ok(context.data_unchecked::<Budget>().look_at(units).map(|()| true)?)
    }
    /// Computes for ever, and never waits.
    async fn spins(&self, context: &Context<'_>) -> Result<bool> {
        loop {
            context.data_unchecked::<Budget>().pause().await?;
        }
    }
    async fn never(&self) -> bool {
        pending().await
    }
    async fn when_told(&self, context: &Context<'_>) -> bool {
        let probe = context.data_unchecked::<Arc<Probe>>();
        probe.begun.notify_one();
        probe.proceed.notified().await;
        true
    }
    async fn panics(&self) -> bool {
        secret_panic()
    }
    async fn faults(&self) -> Result<bool> {
        Err(Error::new("a secret path"))
    }
    async fn breaks(&self) -> Result<bool> {
        Ok(std::fs::exists("a\0secret")?)
    }
    async fn refuses(&self) -> Result<bool> {
        Err(Error::new("not for you").extend_with(|_, error| error.set("code", "FORBIDDEN")))
    }
}

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    async fn bump(&self, context: &Context<'_>) -> usize {
        context.data_unchecked::<Arc<Probe>>().bumps.fetch_add(1, Ordering::SeqCst) + 1
    }
    async fn bump_and_take(&self, context: &Context<'_>, bytes: usize) -> Result<usize> {
        let bumps = self.bump(context).await?;
        context.data_unchecked::<Budget>().take(bytes).await?;
        Ok(bumps)
    }
    async fn bump_by(&self, number: i32) -> i32 {
        number
    }
    async fn bump_when_told(&self, context: &Context<'_>) -> usize {
        let probe = context.data_unchecked::<Arc<Probe>>();
        probe.begun.notify_one();
        probe.proceed.notified().await;
        let bumps = probe.bumps.fetch_add(1, Ordering::SeqCst) + 1;
        probe.ended.notify_one();
        bumps
    }
    async fn bump_and_panic(&self, context: &Context<'_>) -> bool {
        self.bump(context).await.ok();
        secret_panic()
    }
    async fn bump_and_fault(&self, context: &Context<'_>) -> Result<bool> {
        self.bump(context).await?;
        Err(Error::new("a secret fault"))
    }
    async fn log_in(&self) -> bool {
        true
    }
}

struct TellsDrop(Arc<Probe>);

impl Drop for TellsDrop {
    fn drop(&mut self) {
        self.0.dropped.notify_one();
    }
}

/// The schema has one field that a request may have once.
const GUARDED: GuardedFields = GuardedFields {
    names: &["logIn"],
    max: 1,
    code: "TOO_MANY_LOGINS",
    message: "One request may log in once.",
};

pub(crate) struct Subscriptions;

#[Subscription]
impl Subscriptions {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }
    async fn silence(&self, context: &Context<'_>) -> impl Stream<Item = bool> + use<> {
        let guard = TellsDrop(context.data_unchecked::<Arc<Probe>>().clone());
        stream::once(async move {
            let _guard = guard;
            pending().await
        })
    }
    async fn flood(
        &self,
        context: &Context<'_>,
        bytes: usize,
    ) -> impl Stream<Item = String> + use<> {
        let probe = context.data_unchecked::<Arc<Probe>>().clone();
        let guard = TellsDrop(probe.clone());
        stream::repeat("x".repeat(bytes)).inspect(move |_| {
            let _ = &guard;
            probe.chunks.fetch_add(1, Ordering::SeqCst);
        })
    }
    /// Chunks from `after` on that report their end.
    async fn pages(
        &self,
        context: &Context<'_>,
        after: u64,
        bytes: usize,
    ) -> impl Stream<Item = String> + use<> {
        let probe = context.data_unchecked::<Arc<Probe>>().clone();
        let (guard, bookmark) = (TellsDrop(probe), context.data_unchecked::<Bookmark>().clone());
        bookmark.set(ResumePoint(after));
        stream::iter(after + 1..).map(move |position| {
            let _ = &guard;
            bookmark.set(ResumePoint(position));
            format!("{position} {}", "x".repeat(bytes))
        })
    }
    async fn unknown_position(&self) -> Result<stream::Empty<bool>> {
        Err(Error::new("no such position")
            .extend_with(|_, error| error.set("code", "POSITION_UNKNOWN")))
    }
    async fn panics(&self) -> impl Stream<Item = bool> {
        stream::once(async { secret_panic() })
    }
}

#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) user: &'static str,
}

struct Tokens(Arc<Probe>);

struct Disconnects(Arc<Probe>);

impl Drop for Disconnects {
    fn drop(&mut self) {
        self.0.connected.send_modify(|count| *count -= 1);
    }
}

impl Authenticator for Tokens {
    type Session = Session;

    async fn authenticate(
        &self,
        credentials: Credentials<'_>,
        _: &Peer,
    ) -> Result<Session, AuthFailure> {
        match (credentials.bearer, credentials.act_as) {
            (Some("program"), None) => return Ok(Session { user: "program" }),
            (Some("program"), Some("eve")) => return Ok(Session { user: "eve" }),
            (_, Some(_)) => return Err(AuthFailure::Forbidden),
            _ => {}
        }
        match credentials.bearer {
            None => Ok(Session { user: "nobody" }),
            Some("good") if *self.0.revoked.borrow() => Err(AuthFailure::Invalid),
            Some("good") => Ok(Session { user: "ada" }),
            Some("down") => Err(AuthFailure::Unavailable),
            Some(_) => Err(AuthFailure::Invalid),
        }
    }

    fn caller<'a>(&self, session: &'a Session) -> Caller<'a> {
        let user = Some(session.user).filter(|user| *user != "nobody");
        Caller { user, is_admin: false, is_program: false }
    }

    fn connected(&self, _: &Session) -> Box<dyn Send> {
        self.0.connected.send_modify(|count| *count += 1);
        Box::new(Disconnects(self.0.clone()))
    }

    fn end(&self, session: &Session) -> Arc<dyn SessionEnd> {
        Arc::new(TokenEnd { session: session.clone(), probe: self.0.clone() })
    }
}

struct TokenEnd {
    session: Session,
    probe: Arc<Probe>,
}

impl SessionEnd for TokenEnd {
    fn is_over(&self) -> bool {
        self.session.user != "nobody" && *self.probe.revoked.borrow()
    }

    fn over(&self) -> BoxFuture<'static, ()> {
        if self.session.user == "nobody" {
            return pending().boxed();
        }
        let mut revoked = self.probe.revoked.subscribe();
        async move {
            let _ = revoked.wait_for(|revoked| *revoked).await;
        }
        .boxed()
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Toy {
    pub(crate) address: SocketAddr,
    pub(crate) probe: Arc<Probe>,
    pub(crate) shutdown: ShutdownHandle,
}

impl Drop for Toy {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

pub(crate) async fn toy() -> Toy {
    toy_with(|_, _| {}).await
}

pub(crate) async fn toy_with(change: impl FnOnce(&mut TransportOptions, &mut ServeOptions)) -> Toy {
    let (mut options, mut serving) = (TransportOptions::default(), ServeOptions::default());
    options.gate.guarded = GUARDED;
    options.page = Some(PAGE);
    change(&mut options, &mut serving);
    let probe = Arc::new(Probe::default());
    let schema = Schema::build(Query, Mutation, Subscriptions)
        .data(probe.clone())
        .validation_mode(ValidationMode::Fast)
        .finish();
    let (handle, heed) = shutdown();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let types = Arc::new(Types::new(&schema.sdl()).unwrap());
    let executor = Validated::new(Unshared(schema));
    let router = router(executor, types, Tokens(probe.clone()), options, heed.clone())
        .merge(files::router(&FILES));
    tokio::spawn(serve(listener, router, serving, heed));
    Toy { address, probe, shutdown: handle }
}
