//! The port to other servers' history, with a fake server behind it.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use rookery_domain::{Envelope, EventStatus, Origin, OwnedEventId, RoomId};
use rookery_gateway::schema::{Session, schema};
use rookery_log::{
    Commit, EventLog, LoggedEvent, Millis, Position, StreamId, StreamKind, Unavailable,
};
use rookery_view::Backfill;
use serde_json::{Value, json};

use super::Node;
use crate::{
    cli, config,
    operator::{Order, Output, Reply, execute},
};

const ROOM: &str = "!far:else.example";
const BOB: &str = "@bob:localhost";
const EVE: &str = "@eve:else.example";

/// An event of another server, without the fields that only the checks read.
fn event(
    number: u64,
    kind: &str,
    sender: &str,
    state_key: Option<&str>,
    content: &Value,
) -> LoggedEvent {
    let origin = Origin::Server("else.example".try_into().unwrap());
    let envelope =
        Envelope { origin, status: EventStatus::Accepted, ..Envelope::local(None, None) };
    let mut pdu = json!({
        "room_id": ROOM, "sender": sender, "type": kind, "content": content, "depth": number,
        "origin_server_ts": number, "prev_events": [], "auth_events": [],
    });
    if let Some(state_key) = state_key {
        pdu["state_key"] = state_key.into();
    }
    LoggedEvent {
        id: format!("$event{number}"),
        envelope: serde_json::to_vec(&envelope).unwrap().into(),
        content: serde_json::to_vec(&pdu).unwrap().into(),
    }
}

async fn append(log: &dyn EventLog, events: Vec<LoggedEvent>) -> Position {
    let stream = StreamId::new(StreamKind::Room, ROOM);
    let guard = log.head(&stream).await.unwrap().guard();
    let commit = Commit { stream, command: None, received: Millis(1), events };
    log.append(commit, guard).await.unwrap().position
}

/// Another server, with the beginning of the room.
struct Elsewhere {
    log: Arc<dyn EventLog>,
    asked: AtomicUsize,
}

#[async_trait]
impl Backfill for Elsewhere {
    async fn fetch_before(
        &self,
        room: &RoomId,
        before: &[OwnedEventId],
        limit: usize,
    ) -> Result<Option<Position>, Unavailable> {
        assert_eq!((room.as_str(), before[0].as_str()), (ROOM, "$event10"));
        assert!(limit > 0);
        if self.asked.fetch_add(1, Ordering::Relaxed) > 0 {
            return Ok(None);
        }
        let older = vec![
            event(1, "m.room.create", EVE, Some(""), &json!({ "room_version": "11" })),
            event(2, "m.room.message", EVE, None, &json!({ "body": "long ago" })),
        ];
        Ok(Some(append(&*self.log, older).await))
    }
}

async fn timeline(schema: &rookery_gateway::schema::Schema, backfill: bool) -> Value {
    let document = format!(
        "{{ room(by: {{ roomId: {ROOM:?} }}) {{ timeline(last: 10, backfill: {backfill}) {{
            nodes {{ eventId }}
            pageInfo {{ timelineStart hasMoreLocally hasMoreRemotely }} }} }} }}"
    );
    let user = Some(BOB.try_into().unwrap());
    let peer = std::net::Ipv4Addr::LOCALHOST.into();
    let session = Session { identity: None, user, service: None, peer, received: Millis(1) };
    let answer =
        schema.execute(rookery_gateway::schema::Request::new(document).data(session)).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    answer.data.into_json().unwrap()["room"]["timeline"].clone()
}

/// A server on an empty folder.
async fn open(folder: &tempfile::TempDir) -> Node {
    let data = folder.path().display().to_string();
    let line = ["rookery", "--data", &data].map(ToOwned::to_owned);
    let flags = cli::parse(line).unwrap().flags;
    let config = config::load(&flags, []).map_err(|_| "the flags are right").unwrap().config;
    Node::open(&config).await.map_err(|failure| failure.to_string()).unwrap()
}

/// The text that a command of an operator prints, and whether it failed.
async fn order(node: &Node, order: Order) -> (String, bool) {
    let (output, mut replies) = Output::channel();
    let work = async {
        let result = execute(node, order, &output).await;
        output.end(result).await;
        drop(output);
    };
    let read = async {
        let (mut text, mut failed) = (String::new(), false);
        while let Some(reply) = replies.recv().await {
            match reply {
                Reply::Text(more) => text += &more,
                Reply::Note(line) => text = text + &line + "\n",
                Reply::Failed(reason) => (text, failed) = (text + &reason, true),
                Reply::Progress { .. } | Reply::Done => {}
            }
        }
        (text, failed)
    };
    tokio::join!(work, read).1
}

#[tokio::test]
async fn an_operator_sees_parked_streams_and_can_retry_them() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(&folder).await;
    assert_eq!(order(&node, Order::Retry).await, ("0 parked streams applied now\n".into(), false));
    let garbage = LoggedEvent { content: "no PDU".into(), ..event(1, "m", EVE, None, &json!({})) };
    let at = append(&*node.log, vec![garbage]).await;
    node.models.wait_for(at, std::time::Duration::from_secs(30)).await.unwrap();
    let named = format!("parked: room/{ROOM} in summaries at position {at}, event $event1: ");
    let (status, failed) = order(&node, Order::Status).await;
    assert!(status.contains(&named) && status.ends_with("ready\n") && !failed, "{status}");
    let (retried, failed) = order(&node, Order::Retry).await;
    assert!(retried.contains(&named) && failed, "{retried}");
    node.close().await;
}

#[tokio::test]
async fn history_that_is_missing_is_fetched_from_other_servers() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(&folder).await;
    let join = json!({ "membership": "join" });
    let known = vec![
        event(10, "m.room.member", BOB, Some(BOB), &join),
        event(11, "m.room.message", EVE, None, &json!({ "body": "hello" })),
    ];
    let at = append(&*node.log, known).await;
    node.models.wait_for(at, std::time::Duration::from_secs(30)).await.unwrap();
    let alone = schema(Arc::new(node.app()));
    let missing = json!({
        "nodes": [{ "eventId": "$event10" }, { "eventId": "$event11" }],
        "pageInfo": { "timelineStart": "MORE", "hasMoreLocally": false, "hasMoreRemotely": true },
    });
    assert_eq!(timeline(&alone, false).await, missing);
    assert_eq!(timeline(&alone, true).await, missing, "no other server is connected");
    let log: Arc<dyn EventLog> = node.log.clone();
    let elsewhere = Arc::new(Elsewhere { log, asked: AtomicUsize::new(0) });
    let connected = schema(Arc::new(node.app().with_backfill(elsewhere.clone())));
    assert_eq!(timeline(&connected, false).await, missing, "it was not asked for");
    let ids = ["$event1", "$event2", "$event10", "$event11"];
    let whole = json!({
        "nodes": ids.map(|id| json!({ "eventId": id })),
        "pageInfo": {
            "timelineStart": "ROOM_CREATED", "hasMoreLocally": false, "hasMoreRemotely": false,
        },
    });
    assert_eq!(timeline(&connected, true).await, whole);
    assert_eq!(timeline(&connected, true).await, whole);
    assert_eq!(elsewhere.asked.load(Ordering::Relaxed), 1, "what is here is not asked for again");
    node.close().await;
}
