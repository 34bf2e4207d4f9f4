//! A server without a socket, with two services.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header::AUTHORIZATION},
};
use parking_lot::Mutex;
use rookery_command::{Actor, CommandOptions, Commands, EventLookup, Ports, testing::NoReadSide};
use rookery_delivery::Feeds;
use rookery_domain::{KnownEvent, OwnedEventId, OwnedUserId, ProfileAudience, RoomId, UserId};
use rookery_ephemeral::{Audience, Ephemeral, Listening, Now};
use rookery_log::{Epoch, ErasableLog, MemoryLog, Millis, Position, Unavailable};
use rookery_projection::ReadModels;
use rookery_view::{NoOtherServers, Reader, Viewer};
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle};
use tower_service::Service as _;

use crate::{
    ActingSession, Api, Asking, Endpoint, Ensured, Outgoing, OutgoingAnswer, OutgoingError,
    OutgoingRequest, Service, Services, router,
};

pub(super) const NAME: &str = "one.example";
/// The token of the service with the bot `@bridge` and the users `@irc_...`.
pub(super) const TOKEN: &str = "token-of-the-bridge";
/// The token of another service, with the bot `@other`.
pub(super) const OTHER: &str = "token-of-another";

pub(super) struct Home {
    app: Router,
    /// Delivers the commits.
    pub(super) feeds: Feeds,
    services: Arc<Registered>,
    outgoing: Arc<Answering>,
    projector: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    _folder: tempfile::TempDir,
}

/// An answer of a call.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Called {
    /// The body of a successful answer.
    pub(super) fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// The status and the code of an error.
    pub(super) fn error(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["errcode"].as_str().unwrap_or_default())
    }
}

impl Home {
    pub(super) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log: Arc<dyn ErasableLog> = Arc::new(MemoryLog::new(Epoch(1)));
        let options = rookery_projection::Options { rebuild_threads: 1, ..Default::default() };
        let models = folder.path().join("models");
        let models = ReadModels::open(log.clone(), &models, options, |_| {}).await.unwrap();
        let reader = Reader::new(models.clone());
        let feeds = Feeds::new(reader.clone(), rookery_delivery::Options::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let projector =
            tokio::spawn(async move { models.run(async { drop(stopped.await) }).await });
        let (services, outgoing) =
            (Arc::new(Registered::default()), Arc::new(Answering::default()));
        services.has_bridges.store(true, Ordering::Relaxed);
        let now = || Now { at: std::time::Instant::now(), wall_millis: 1 };
        let app = router(Api {
            commands: Arc::new(commands(&log, &reader)),
            reader,
            ephemeral: Ephemeral::new(Nobody, now),
            services: services.clone(),
            asking: Asking::new(outgoing.clone()),
            profiles: ProfileAudience::default(),
            other_servers: Arc::new(NoOtherServers),
            clock: || Millis(1),
            known: |_| {},
        });
        Self { app, feeds, services, outgoing, projector, stop, _folder: folder }
    }

    pub(super) async fn close(self) {
        drop(self.stop);
        self.projector.await.unwrap();
    }

    /// Removes all bridges.
    pub(super) fn without_bridges(&self) {
        self.services.has_bridges.store(false, Ordering::Relaxed);
    }

    /// Refuses all further requests of services for this long.
    pub(super) fn limit(&self, wait: Duration) {
        self.services.wait_ms.store(wait.as_millis().try_into().unwrap(), Ordering::Relaxed);
    }

    /// Makes the bridge answer questions with this status; 0 for no answer.
    pub(super) fn bridge_answers(&self, status: u16) {
        self.outgoing.status.store(status.into(), Ordering::Relaxed);
    }

    /// The questions to the bridge so far.
    pub(super) fn asked(&self) -> Vec<OutgoingRequest> {
        self.outgoing.asked.lock().clone()
    }

    /// A request with raw bytes.
    pub(super) async fn raw(
        &self,
        token: Option<&str>,
        (method, path): (&str, &str),
        body: Vec<u8>,
    ) -> Called {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.app.clone().call(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Called { status, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    /// A call of the bridge's bot. `path` begins after the version.
    pub(super) async fn call(&self, method: &str, path: &str, body: Value) -> Called {
        let path = format!("/_matrix/client/v3/{path}");
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.raw(Some(TOKEN), (method, &path), body).await
    }

    /// A call of the bridge as one of its users.
    pub(super) async fn call_as(
        &self,
        name: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> Called {
        let path = format!("{path}?user_id=%40{name}%3A{NAME}");
        self.call(method, &path, body).await
    }

    /// Registers a user of the bridge.
    pub(super) async fn register(&self, name: &str) -> Called {
        let body = serde_json::json!({
            "type": "m.login.application_service", "username": name, "inhibit_login": true });
        self.call("POST", "register?kind=user", body).await
    }

    /// A new room of the bot.
    pub(super) async fn room(&self, body: Value) -> String {
        let created = self.call("POST", "createRoom", body).await.ok();
        created["room_id"].as_str().unwrap().to_owned()
    }

    /// Sends a message of the bot; returns its ID.
    pub(super) async fn say(&self, room: &str, text: &str, txn: &str) -> String {
        let body = serde_json::json!({ "msgtype": "m.text", "body": text });
        let path = format!("rooms/{room}/send/m.room.message/{txn}");
        let sent = self.call("PUT", &path, body).await.ok();
        sent["event_id"].as_str().unwrap().to_owned()
    }

    /// The state of a room, of one type and an empty key.
    pub(super) async fn state(&self, room: &str, kind: &str) -> Value {
        self.call("GET", &format!("rooms/{room}/state/{kind}"), Value::Null).await.ok()
    }
}

/// The write side, which finds referenced events.
fn commands(log: &Arc<dyn ErasableLog>, reader: &Reader) -> Commands {
    let none = Arc::new(NoReadSide);
    let events = Arc::new(FromModels(reader.clone()));
    let (memberships, last_actions) = (none.clone(), none.clone());
    let ports = Ports { memberships, events, last_actions, calls: none };
    let (name, options) = (NAME.try_into().unwrap(), CommandOptions::default());
    Commands::open(Arc::clone(log), name, ports, None, options).unwrap()
}

struct FromModels(Reader);

#[async_trait]
impl EventLookup for FromModels {
    async fn known(
        &self,
        events: &[OwnedEventId],
        viewer: &UserId,
        at_least: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable> {
        self.0.wait_for(at_least, Duration::from_secs(10)).await.unwrap();
        Ok(self.0.known(events, &Viewer::User(viewer.to_owned())).await.unwrap())
    }
}

struct Nobody;

impl Audience for Nobody {
    fn of_room(&self, _: &RoomId, _: &Listening<'_>, _: &mut dyn FnMut(&UserId)) {}
    fn of_user(&self, _: &UserId, _: &Listening<'_>, _: &mut dyn FnMut(&UserId)) {}
}

/// Two services.
#[derive(Default)]
struct Registered {
    has_bridges: AtomicBool,
    wait_ms: AtomicU64,
    /// The users that they have made.
    made: Arc<Mutex<BTreeSet<OwnedUserId>>>,
}

struct OneService {
    name: &'static str,
    bot: OwnedUserId,
    wait_ms: u64,
    made: Arc<Mutex<BTreeSet<OwnedUserId>>>,
}

impl Services for Registered {
    fn has_bridges(&self) -> bool {
        self.has_bridges.load(Ordering::Relaxed)
    }

    fn authenticate(
        &self,
        token: &str,
        _: Millis,
    ) -> Result<Option<Arc<dyn Service>>, Unavailable> {
        let name = match token {
            TOKEN => "bridge",
            OTHER => "other",
            _ => return Ok(None),
        };
        let wait_ms = self.wait_ms.load(Ordering::Relaxed);
        let bot = format!("@{name}:{NAME}").try_into().unwrap();
        let made = Arc::clone(&self.made);
        Ok(Some(Arc::new(OneService { name, bot, wait_ms, made })))
    }
}

impl OneService {
    fn owns(&self, user: &UserId) -> bool {
        *user == *self.bot || (self.name == "bridge" && user.localpart().starts_with("irc_"))
    }
}

#[async_trait]
impl Service for OneService {
    fn id(&self) -> &str {
        self.name
    }

    fn bot(&self) -> &UserId {
        &self.bot
    }

    fn endpoint(&self) -> Option<Endpoint> {
        let (url, token) = ("http://bridge".to_owned(), "hs-token".to_owned());
        (self.name == "bridge").then_some(Endpoint { url, token })
    }

    async fn act_as(&self, user: &UserId, _: Millis) -> Result<ActingSession, Unavailable> {
        let exists = *user == *self.bot || self.made.lock().contains(user);
        Ok(if self.owns(user) && exists {
            ActingSession::On { device: self.name.to_owned() }
        } else {
            ActingSession::Refused("not a user of this service".to_owned())
        })
    }

    async fn ensure_user(&self, user: &UserId, _: Millis) -> Result<Ensured, Unavailable> {
        if !self.owns(user) {
            return Ok(Ensured::Reserved("not in a namespace".to_owned()));
        }
        if *user == *self.bot || !self.made.lock().insert(user.to_owned()) {
            return Ok(Ensured::Existed);
        }
        Ok(Ensured::Created)
    }

    fn actor(&self, user: OwnedUserId, device: String, now: Millis) -> Actor {
        Actor { user, device: Some(device), now, deliver: None, received: None, service: None }
    }

    fn charge(&self, _: Millis) -> Option<Duration> {
        (self.wait_ms > 0).then(|| Duration::from_millis(self.wait_ms))
    }
}

/// A bridge that answers every question alike.
#[derive(Default)]
struct Answering {
    status: AtomicU64,
    asked: Mutex<Vec<OutgoingRequest>>,
}

#[async_trait]
impl Outgoing for Answering {
    async fn send(&self, request: OutgoingRequest) -> Result<OutgoingAnswer, OutgoingError> {
        self.asked.lock().push(request);
        match self.status.load(Ordering::Relaxed) {
            0 => Err(OutgoingError::TimedOut),
            status => {
                Ok(OutgoingAnswer { status: status.try_into().unwrap(), body: b"{}".to_vec() })
            }
        }
    }
}
