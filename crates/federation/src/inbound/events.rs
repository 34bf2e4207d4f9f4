//! Events and states of rooms.

mod moments;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use rookery_domain::{EventStatus, OwnedEventId, OwnedRoomId, RoomId, RoomVersionId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(super) use self::moments::timestamp_to_event;
use super::{
    authenticated::Authenticated,
    refusal::{Answer, Refusal, Reply},
};
use crate::{
    home::Home,
    rooms::{KnownPdu, Standing, visible},
};

/// Most events of a page.
const PAGE_MAX: usize = 100;

#[derive(Serialize)]
struct Page {
    origin: String,
    origin_server_ts: u64,
    pdus: Vec<Box<RawValue>>,
}

/// The parameters of a query, decoded.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(query: Option<&str>) -> Self {
        let query = query.unwrap_or_default().as_bytes();
        let all = form_urlencoded::parse(query).take(200);
        Self(all.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn one(&self, name: &'static str) -> Option<&str> {
        self.all(name).next()
    }

    /// A parameter that has to be there.
    pub(super) fn required<T: for<'a> TryFrom<&'a str>>(
        &self,
        name: &'static str,
    ) -> Result<T, Refusal> {
        let value = self.one(name).ok_or_else(|| {
            Refusal::bad("M_MISSING_PARAM", format!("the parameter `{name}` is missing"))
        })?;
        T::try_from(value).map_err(|_| Refusal::invalid(format!("`{name}` is not valid")))
    }

    fn limit(&self, default: usize) -> usize {
        let limit = self.one("limit").and_then(|limit| limit.parse().ok());
        limit.unwrap_or(default).min(PAGE_MAX)
    }
}

/// The version of a room that the server is in.
pub(super) async fn admitted(
    home: &Home,
    request: &Authenticated,
    room: &RoomId,
) -> Result<RoomVersionId, Refusal> {
    let standing = Standing::of(&home.commands, &request.origin, room).await?;
    let Some(version) = standing.version.filter(|_| standing.has_member) else {
        return Err(Refusal::forbidden("your server is not in this room"));
    };
    if !standing.is_let_in {
        return Err(Refusal::forbidden("the room does not let your server take part"));
    }
    Ok(version)
}

/// The bytes of events, redacted where the server may not see the content.
async fn shown(
    home: &Home,
    request: &Authenticated,
    (room, version): (&RoomId, &RoomVersionId),
    events: &[KnownPdu],
) -> Result<Vec<Box<RawValue>>, Refusal> {
    let all = home.events();
    let seen = visible((&home.reader, &home.commands), room, &request.origin, events).await?;
    let bytes = |(event, is_seen): (&KnownPdu, bool)| {
        if is_seen {
            return all.bytes(&event.pdu, version);
        }
        let redacted = event.pdu.redacted(version).map_err(|error| error.to_string())?;
        all.bytes(&redacted, version)
    };
    let bytes = events.iter().zip(seen).map(bytes).collect::<Result<_, _>>();
    bytes.map_err(|error| Refusal::fault(&error))
}

fn page(home: &Home, pdus: Vec<Box<RawValue>>) -> Answer {
    let origin = home.own.server_name.to_string();
    Reply::from(&Page { origin, origin_server_ts: home.now(), pdus })
}

pub(super) async fn event(
    State(home): State<Arc<Home>>,
    Path(id): Path<OwnedEventId>,
    request: Authenticated,
) -> Answer {
    let unknown = || Refusal::not_found("this event is not known, or your server may not see it");
    let found = home.events().find(&id).await.map_err(|error| Refusal::fault(&error))?;
    let (room, found) = found.ok_or_else(unknown)?;
    let version = admitted(&home, &request, &room).await.map_err(|error| {
        // A server outside of the room does not learn whether the event exists.
        if error.code == "M_FORBIDDEN" { unknown() } else { error }
    })?;
    if found.status == EventStatus::Rejected {
        return Err(unknown());
    }
    let pdus = shown(&home, &request, (&room, &version), &[found]).await?;
    page(&home, pdus)
}

pub(super) async fn event_auth(
    State(home): State<Arc<Home>>,
    Path((room, id)): Path<(OwnedRoomId, OwnedEventId)>,
    request: Authenticated,
) -> Answer {
    #[derive(Serialize)]
    struct Chain {
        auth_chain: Vec<Box<RawValue>>,
    }
    let version = admitted(&home, &request, &room).await?;
    let events = home.events();
    let fault = |error: String| Refusal::fault(&error);
    let found = events.get(&room, &[id]).await.map_err(fault)?;
    if found.is_empty() {
        return Err(Refusal::not_found("this event is not known in this room"));
    }
    let chain = events.auth_chain(&room, &found).await.map_err(fault)?;
    let bytes = chain.iter().map(|event| events.bytes(&event.pdu, &version));
    let auth_chain = bytes.collect::<Result<_, _>>().map_err(fault)?;
    Reply::from(&Chain { auth_chain })
}

/// The state before an event, and its auth chain. It is found in a task of its own: a few are found at a time, and a
/// server that goes away delays no other one.
async fn state_before(
    home: &Arc<Home>,
    request: Authenticated,
    (room, id): (OwnedRoomId, OwnedEventId),
) -> Result<(Vec<KnownPdu>, Vec<KnownPdu>), Refusal> {
    let home = Arc::clone(home);
    let work = tokio::spawn(async move {
        let _turn = home.large_answers.take(&request.origin).await?;
        find_state(&home, &room, &id).await
    });
    work.await.map_err(|error| Refusal::fault(&error))?
}

async fn find_state(
    home: &Home,
    room: &RoomId,
    id: &OwnedEventId,
) -> Result<(Vec<KnownPdu>, Vec<KnownPdu>), Refusal> {
    let unknown = || Refusal::not_found("this event is not known in this room");
    let events = home.events();
    let fault = |error: String| Refusal::fault(&error);
    let event = events.get(room, std::slice::from_ref(id)).await.map_err(fault)?.pop();
    let state = home.state_before(room, &event.ok_or_else(unknown)?).await?;
    let state = state.ok_or_else(unknown)?;
    let state = events.get(room, &state).await.map_err(fault)?;
    let chain = events.auth_chain(room, &state).await.map_err(fault)?;
    Ok((state, chain))
}

pub(super) async fn state(
    State(home): State<Arc<Home>>,
    Path(room): Path<OwnedRoomId>,
    RawQuery(query): RawQuery,
    request: Authenticated,
) -> Answer {
    #[derive(Serialize)]
    struct State {
        pdus: Vec<Box<RawValue>>,
        auth_chain: Vec<Box<RawValue>>,
    }
    let id: OwnedEventId = Query::of(query.as_deref()).required("event_id")?;
    let version = admitted(&home, &request, &room).await?;
    let (state, chain) = state_before(&home, request, (room, id)).await?;
    let events = home.events();
    let bytes = |known: &[KnownPdu]| -> Result<Vec<_>, Refusal> {
        let bytes = known.iter().map(|event| events.bytes(&event.pdu, &version));
        bytes.collect::<Result<_, _>>().map_err(|error| Refusal::fault(&error))
    };
    Reply::from(&State { pdus: bytes(&state)?, auth_chain: bytes(&chain)? })
}

pub(super) async fn state_ids(
    State(home): State<Arc<Home>>,
    Path(room): Path<OwnedRoomId>,
    RawQuery(query): RawQuery,
    request: Authenticated,
) -> Answer {
    #[derive(Serialize)]
    struct State {
        pdu_ids: Vec<OwnedEventId>,
        auth_chain_ids: Vec<OwnedEventId>,
    }
    let id: OwnedEventId = Query::of(query.as_deref()).required("event_id")?;
    admitted(&home, &request, &room).await?;
    let (state, chain) = state_before(&home, request, (room, id)).await?;
    let ids = |known: Vec<KnownPdu>| known.into_iter().map(|it| it.pdu.event_id.clone()).collect();
    Reply::from(&State { pdu_ids: ids(state), auth_chain_ids: ids(chain) })
}

pub(super) async fn backfill(
    State(home): State<Arc<Home>>,
    Path(room): Path<OwnedRoomId>,
    RawQuery(query): RawQuery,
    request: Authenticated,
) -> Answer {
    let query = Query::of(query.as_deref());
    let from: Vec<_> =
        query.all("v").take(20).filter_map(|id| OwnedEventId::try_from(id).ok()).collect();
    if from.is_empty() {
        return Err(Refusal::bad("M_MISSING_PARAM", "the parameter `v` names no event"));
    }
    let version = admitted(&home, &request, &room).await?;
    let walked = home.events().before(&room, &from, true, query.limit(PAGE_MAX), |_| false).await;
    let walked = walked.map_err(|error| Refusal::fault(&error))?;
    let pdus = shown(&home, &request, (&room, &version), &walked).await?;
    page(&home, pdus)
}

#[derive(Deserialize)]
struct Missing {
    earliest_events: Vec<OwnedEventId>,
    latest_events: Vec<OwnedEventId>,
    #[serde(default)]
    limit: Option<u64>,
    #[serde(default)]
    min_depth: u64,
}

pub(super) async fn missing_events(
    State(home): State<Arc<Home>>,
    Path(room): Path<OwnedRoomId>,
    request: Authenticated,
) -> Answer {
    #[derive(Serialize)]
    struct Events {
        events: Vec<Box<RawValue>>,
    }
    let mut asked: Missing = request.json()?;
    let limit = usize::try_from(asked.limit.unwrap_or(10)).unwrap_or(PAGE_MAX).min(PAGE_MAX);
    asked.latest_events.truncate(20);
    let version = admitted(&home, &request, &room).await?;
    let is_end = |event: &KnownPdu| {
        asked.earliest_events.contains(&event.pdu.event_id) || event.pdu.depth < asked.min_depth
    };
    let walked = home.events().before(&room, &asked.latest_events, false, limit, is_end).await;
    let mut walked = walked.map_err(|error| Refusal::fault(&error))?;
    // Oldest first, so that the other side can take them in this order.
    walked.reverse();
    let events = shown(&home, &request, (&room, &version), &walked).await?;
    Reply::from(&Events { events })
}
