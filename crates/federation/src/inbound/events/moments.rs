//! `GET /_matrix/federation/v1/timestamp_to_event/{roomId}`: the event closest to a moment.
//!
//! **Invariant:** the answer names only an event that the asking server may see, or one that it has to know anyway.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use rookery_domain::{OwnedRoomId, RoomId};
use rookery_log::Millis;
use rookery_view::{Anchor, TimelineEvent, Unmetered, Viewer, Wanted};
use serde::Serialize;

use super::{
    super::{
        authenticated::Authenticated,
        refusal::{Answer, Refusal, Reply},
    },
    Query, admitted,
};
use crate::{
    home::Home,
    rooms::{KnownPdu, visible},
};

/// How many events are looked at for one that the server may see.
const LOOKED_MAX: usize = 50;

#[derive(Serialize)]
struct Closest {
    event_id: String,
    origin_server_ts: u64,
}

pub(in crate::inbound) async fn timestamp_to_event(
    State(home): State<Arc<Home>>,
    Path(room): Path<OwnedRoomId>,
    RawQuery(query): RawQuery,
    request: Authenticated,
) -> Answer {
    let query = Query::of(query.as_deref());
    let at = query.one("ts").ok_or_else(|| missing("ts"))?;
    let at: u64 = at.parse().map_err(|_| Refusal::invalid("`ts` is not a time in milliseconds"))?;
    let forward = match query.one("dir").ok_or_else(|| missing("dir"))? {
        "f" => true,
        "b" => false,
        _ => return Err(Refusal::invalid("`dir` is neither `f` nor `b`")),
    };
    admitted(&home, &request, &room).await?;
    // The search reads for a while, so the other side cannot drive it.
    let work = tokio::spawn(async move { closest(&home, &request, &room, (at, forward)).await });
    let found = work.await.map_err(|error| Refusal::fault(&error))??;
    let found = found.ok_or_else(|| Refusal::not_found("no event is closest to this moment"))?;
    Reply::from(&found)
}

fn missing(name: &str) -> Refusal {
    Refusal::bad("M_MISSING_PARAM", format!("the parameter `{name}` is missing"))
}

/// The first event at the moment or after it, or the last one at it or before it, that the asking server may see.
async fn closest(
    home: &Home,
    request: &Authenticated,
    room: &RoomId,
    (at, forward): (u64, bool),
) -> Result<Option<Closest>, Refusal> {
    let reader = &home.reader;
    let fault = |error: rookery_view::TimelineError| Refusal::fault(&error);
    let begin = Millis(if forward { at } else { at.saturating_add(1) });
    let found = reader.moment(room, begin, &Unmetered).await.map_err(fault)?;
    let anchor: Anchor = if forward { found.from } else { found.until };
    let wanted = Wanted { anchor, limit: LOOKED_MAX, filter: None, until: None };
    let page = reader.timeline(room, &Viewer::Server, wanted).await.map_err(fault)?;
    let mut events = page.events;
    if !forward {
        events.reverse();
    }
    let sent = |event: &TimelineEvent| u64::from(event.event().pdu.origin_server_ts.0);
    events.retain(|event| if forward { sent(event) >= at } else { sent(event) <= at });
    let known = |event: &TimelineEvent| KnownPdu {
        pdu: Arc::clone(&event.event().pdu),
        status: event.event().envelope.status,
        position: event.row.key.position,
        sequence: event.row.sequence,
    };
    let known: Vec<_> = events.iter().map(known).collect();
    let seen = visible((reader, &home.commands), room, &request.origin, &known).await?;
    let first = events.iter().zip(seen).find(|(_, is_seen)| *is_seen).map(|(event, _)| event);
    Ok(first.map(|event| Closest {
        event_id: event.event().pdu.event_id.to_string(),
        origin_server_ts: sent(event),
    }))
}
