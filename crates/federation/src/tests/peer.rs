//! Another server: it publishes a key, takes transactions, and sends requests that a test signs.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Path, State},
    http::StatusCode,
    routing::{get, put},
};
use parking_lot::Mutex;
use rookery_domain::{OwnedEventId, OwnedRoomId, OwnedServerName, OwnedUserId, SigningKey, sign};
use rookery_outgoing::{Client, HeaderMap, HeaderValue, Method, Request, Target, header};
use rookery_pdu::Unsealed;
use ruma_common::{CanonicalJsonValue, MilliSecondsSinceUnixEpoch, RoomVersionId};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::world::{Certificate, Here, now};
use crate::{
    Listener, OwnKeys,
    paths::percent,
    signing::{Signed, sign_request},
};

/// Another server.
pub(super) struct Peer {
    pub(super) name: OwnedServerName,
    pub(super) key: Arc<SigningKey>,
    pub(super) taken: Arc<Taken>,
    client: Arc<Client>,
    _serving: JoinHandle<()>,
}

/// The method, the path and the body of a request.
pub(super) type Asked = (String, String, Bytes);

/// The answer to a request.
pub(super) type Answers = Box<dyn Fn(&Asked) -> (u16, Value) + Send + Sync>;

/// The transactions that have come, and what the peer answers.
#[derive(Default)]
pub(super) struct Taken {
    /// The ID and the body of each try.
    pub(super) tries: Mutex<Vec<(String, Bytes)>>,
    /// Whether it refuses everything.
    pub(super) is_down: Mutex<bool>,
    /// Whether it answers no transaction without events.
    pub(super) stalls_messages: Mutex<bool>,
    pub(super) keys: Mutex<String>,
    /// The address of the connection of each try.
    pub(super) connections: Mutex<Vec<SocketAddr>>,
    /// The other requests: method, path and body.
    pub(super) asked: Mutex<Vec<Asked>>,
    /// The answers to them. Without one, the peer never answers.
    pub(super) answers: Mutex<Option<Answers>>,
    changed: tokio::sync::Notify,
}

impl Taken {
    /// How many requests had this in their path.
    pub(super) fn count(&self, part: &str) -> usize {
        self.asked.lock().iter().filter(|(_, path, _)| path.contains(part)).count()
    }

    /// Waits until a request had this in its path.
    pub(super) async fn until_asked(&self, part: &str) {
        self.until(|_| self.count(part) > 0).await;
    }

    /// Waits until the tries are as `is_enough` wants them.
    pub(super) async fn until(&self, is_enough: impl Fn(&[(String, Bytes)]) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if is_enough(&self.tries.lock()) {
                return;
            }
            changed.await;
        }
    }
}

impl Peer {
    pub(super) async fn open(certificate: &Certificate) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(address, Some(&certificate.files())).await.unwrap();
        let name = format!("localhost:{}", listener.address().unwrap().port());
        let name = OwnedServerName::try_from(name).unwrap();
        let key = Arc::new(SigningKey::from_seed([3; 32], "peer").unwrap());
        let own = OwnKeys { server_name: name.clone(), current: Arc::clone(&key), old: Vec::new() };
        let taken = Arc::new(Taken::default());
        *taken.keys.lock() = own.published(now()).unwrap();
        let router = Router::new()
            .route("/_matrix/key/v2/server", get(keys))
            .route("/_matrix/federation/v1/send/{id}", put(take))
            .fallback(answer)
            .with_state(Arc::clone(&taken));
        let serving = tokio::spawn(async move { listener.serve(router).await });
        Self { name, key, taken, client: certificate.client(), _serving: serving }
    }

    pub(super) fn user(&self) -> OwnedUserId {
        format!("@bob:{}", self.name).try_into().unwrap()
    }

    /// A signed request, and its answer.
    pub(super) async fn ask(
        &self,
        to: &Here,
        method: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        self.ask_as(to, (method, path, body), &to.name.clone()).await
    }

    /// A request that is signed for `destination`.
    pub(super) async fn ask_as(
        &self,
        to: &Here,
        (method, path, body): (&'static str, &str, Option<Value>),
        destination: &OwnedServerName,
    ) -> (u16, Value) {
        let content: Option<CanonicalJsonValue> = body.map(|body| body.try_into().unwrap());
        let signed = Signed {
            method,
            uri: path,
            origin: &self.name,
            destination,
            content: content.as_ref(),
        };
        let header = sign_request(&signed, &self.key).unwrap().to_string();
        let body = content.map(|it| serde_json::to_vec(&it).unwrap()).unwrap_or_default();
        self.send(to, (method, path, body), Some(&header)).await
    }

    /// A request with any bytes and any header.
    pub(super) async fn send(
        &self,
        to: &Here,
        (method, path, body): (&'static str, &str, Vec<u8>),
        authorization: Option<&str>,
    ) -> (u16, Value) {
        request(&self.client, to, (method, path, body), authorization).await
    }

    /// Makes an event of this server out of a template.
    pub(super) fn complete(&self, template: &Value) -> (OwnedEventId, Value) {
        let event = &template["event"];
        let version: RoomVersionId = template["room_version"].as_str().unwrap().try_into().unwrap();
        let ids = |name: &str| serde_json::from_value(event[name].clone()).unwrap();
        let room: OwnedRoomId = serde_json::from_value(event["room_id"].clone()).unwrap();
        let content: CanonicalJsonValue = event["content"].clone().try_into().unwrap();
        let sent = MilliSecondsSinceUnixEpoch(now().try_into().unwrap());
        let pdu = Unsealed {
            room_id: Some(&room),
            sender: &self.user(),
            kind: event["type"].as_str().unwrap(),
            state_key: event["state_key"].as_str(),
            redacts: None,
            content: serde_json::to_string(&content).unwrap(),
            prev_events: ids("prev_events"),
            auth_events: ids("auth_events"),
            depth: event["depth"].as_u64().unwrap(),
            origin_server_ts: sent,
        }
        .seal(&version.rules().unwrap())
        .unwrap();
        let signed = sign(&pdu, &self.key, &self.name, &version).unwrap();
        (pdu.event_id, serde_json::from_str(&signed).unwrap())
    }

    /// Joins a room by the two requests for that. Returns the join, and the answer to it.
    pub(super) async fn join(&self, to: &Here, room: &OwnedRoomId) -> (OwnedEventId, Value) {
        let (segment, user) = (percent(room.as_str()), percent(self.user().as_str()));
        let path = format!("/_matrix/federation/v1/make_join/{segment}/{user}?ver=11&ver=12");
        let (status, template) = self.ask(to, "GET", &path, None).await;
        assert_eq!(status, 200, "{template}");
        let (id, event) = self.complete(&template);
        let path = format!("/_matrix/federation/v2/send_join/{segment}/{}", percent(id.as_str()));
        let (status, joined) = self.ask(to, "PUT", &path, Some(event)).await;
        assert_eq!(status, 200, "{joined}");
        (id, joined)
    }

    /// A message that follows an event of its own.
    pub(super) fn message(&self, joined: &Value, after: &OwnedEventId, body: &str) -> Value {
        let state = joined["state"].as_array().unwrap();
        let own = joined["event"].clone();
        let version = state
            .iter()
            .find_map(|event| event["content"]["room_version"].as_str())
            .unwrap_or("12");
        let mut auth = own["auth_events"].clone();
        auth.as_array_mut().unwrap().retain(|id| {
            // Join rules authorise joins alone.
            let rules = state
                .iter()
                .zip(ids_of(state, version))
                .find(|(event, _)| event["type"] == "m.room.join_rules");
            rules.is_none_or(|(_, rules)| *id != rules.as_str())
        });
        let join = &joined["id"];
        auth.as_array_mut().unwrap().push(join.clone());
        let event = json!({
            "room_id": own["room_id"], "type": "m.room.message", "depth": 100,
            "content": { "msgtype": "m.text", "body": body },
            "prev_events": [after], "auth_events": auth,
        });
        let template = json!({ "room_version": version, "event": event });
        let (id, mut event) = self.complete(&template);
        event["unsigned"] = json!({ "id": id });
        event
    }
}

/// A request with any bytes and any header, and its answer.
pub(super) async fn request(
    client: &Client,
    to: &Here,
    (method, path, body): (&'static str, &str, Vec<u8>),
    authorization: Option<&str>,
) -> (u16, Value) {
    let mut headers = HeaderMap::new();
    if let Some(authorization) = authorization {
        let value = HeaderValue::try_from(authorization).unwrap();
        headers.insert(header::AUTHORIZATION, value);
    }
    let request = Request {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        target: Target::parse(&format!("https://{}{path}", to.name)).unwrap(),
        headers,
        body: body.into(),
        time_max: std::time::Duration::from_mins(1),
        answer_bytes_max: 1024 * 1024,
        server: None,
    };
    let answer = client.send(request).await.unwrap();
    let body = serde_json::from_slice(&answer.body).unwrap_or_default();
    (answer.status.as_u16(), body)
}

/// The IDs of events, by their bytes.
fn ids_of(events: &[Value], version: &str) -> Vec<OwnedEventId> {
    let version = RoomVersionId::try_from(version).unwrap();
    let id = |event: &Value| {
        let json = serde_json::value::RawValue::from_string(event.to_string()).unwrap();
        rookery_domain::Incoming::read(&json, &version).unwrap().event_id().to_owned()
    };
    events.iter().map(id).collect()
}

async fn keys(State(taken): State<Arc<Taken>>) -> String {
    taken.keys.lock().clone()
}

async fn take(
    State(taken): State<Arc<Taken>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let has_events = !body.windows(9).any(|part| part == b"\"pdus\":[]");
    taken.connections.lock().push(from);
    taken.tries.lock().push((id, body));
    taken.changed.notify_waiters();
    let stalls = *taken.stalls_messages.lock() && !has_events;
    if stalls {
        std::future::pending::<()>().await;
    }
    let is_down = *taken.is_down.lock();
    if is_down {
        (StatusCode::SERVICE_UNAVAILABLE, "{}")
    } else {
        (StatusCode::OK, "{\"pdus\":{}}")
    }
}

async fn answer(
    State(taken): State<Arc<Taken>>,
    method: Method,
    uri: axum::http::Uri,
    body: Bytes,
) -> (StatusCode, String) {
    let asked = (method.to_string(), uri.to_string(), body);
    let answer = taken.answers.lock().as_ref().map(|answers| answers(&asked));
    taken.asked.lock().push(asked);
    taken.changed.notify_waiters();
    let Some((status, body)) = answer else { return std::future::pending().await };
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}
