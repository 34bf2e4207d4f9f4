//! The calls of the server-server API, with typed answers.
//!
//! Events in answers stay the bytes that came. Nothing in them is checked here.
//!
//! Requests that begin an action of a user are sent also if the server did not answer a moment ago.

use std::time::Duration;

use rookery_domain::{
    EventId, OwnedEventId, OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, RoomVersionId,
    ServerName, UserId,
};
use ruma_common::CanonicalJsonValue;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{json, value::RawValue};

use super::{Call, Transport, TransportError};
use crate::paths::{percent, query};

/// Most bytes of the answer to a join, and of a state.
const STATE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Most bytes of the IDs of a state: those of 200,000 events, twice.
const IDS_BYTES_MAX: usize = 24 * 1024 * 1024;

/// How long a join, or a request for a state, takes at most.
const LONG_TIME_MAX: Duration = Duration::from_mins(2);

/// Most bytes of a page of events.
const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Calls to other servers. Cheap to clone.
#[derive(Clone)]
pub struct Remote {
    transport: Transport,
}

/// A call has no usable answer. The reason is for operators and users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {reason}")]
pub struct CallError {
    /// The server that was asked.
    pub server: OwnedServerName,
    /// Why there is no answer.
    pub reason: String,
    /// `errcode` of its answer, if it answered with an error.
    pub code: Option<String>,
}

/// Where an alias points.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AliasTarget {
    /// The room.
    pub room_id: OwnedRoomId,
    /// Servers that are in it.
    #[serde(default)]
    pub servers: Vec<OwnedServerName>,
}

/// A membership event for the asking server to complete and sign.
#[derive(Clone, Debug, Deserialize)]
pub struct MembershipTemplate {
    /// The version of the room; `None` means version 1.
    pub room_version: Option<RoomVersionId>,
    /// The event without hashes and signatures.
    pub event: Box<RawValue>,
}

/// The state of a room before a join, and what authorises it.
#[derive(Clone, Debug, Deserialize)]
pub struct JoinedState {
    /// The state before the join.
    pub state: Vec<Box<RawValue>>,
    /// The auth chains of the state and of the join.
    pub auth_chain: Vec<Box<RawValue>>,
    /// The join, with the signature of the answering server if the room needs it.
    pub event: Option<Box<RawValue>>,
}

/// The IDs of a state.
#[derive(Clone, Debug, Deserialize)]
pub struct StateIds {
    /// The state.
    pub pdu_ids: Vec<OwnedEventId>,
    /// Its auth chain.
    pub auth_chain_ids: Vec<OwnedEventId>,
}

#[derive(Deserialize)]
struct Pdus {
    #[serde(default)]
    pdus: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    pdus: Vec<Box<RawValue>>,
    #[serde(default)]
    auth_chain: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Knocked {
    #[serde(default)]
    knock_room_state: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Signed {
    event: Box<RawValue>,
}

#[derive(Deserialize)]
struct Closest {
    event_id: OwnedEventId,
}

#[derive(Deserialize)]
struct MissingEvents {
    #[serde(default)]
    events: Vec<Box<RawValue>>,
}

impl Remote {
    /// Calls by this transport.
    #[must_use]
    pub fn new(transport: Transport) -> Self {
        Self { transport }
    }

    /// Where an alias of `server` points.
    ///
    /// # Errors
    /// [`CallError`], also if there is no such alias.
    pub async fn alias(
        &self,
        server: &ServerName,
        alias: &RoomAliasId,
    ) -> Result<AliasTarget, CallError> {
        let path =
            query("/_matrix/federation/v1/query/directory", &[("room_alias", alias.as_str())]);
        self.ask(server, Call::get(path).in_any_case()).await
    }

    /// The profile of a user of `server`, as JSON.
    ///
    /// # Errors
    /// [`CallError`], also if there is no such user.
    pub async fn profile(
        &self,
        server: &ServerName,
        user: &UserId,
    ) -> Result<serde_json::Value, CallError> {
        let path = query("/_matrix/federation/v1/query/profile", &[("user_id", user.as_str())]);
        self.ask(server, Call::get(path)).await
    }

    /// A join for `user` to complete and sign.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn make_join(
        &self,
        server: &ServerName,
        room: &RoomId,
        user: &UserId,
        versions: &[RoomVersionId],
    ) -> Result<MembershipTemplate, CallError> {
        self.template(server, "make_join", (room, user), versions).await
    }

    /// A request to join for `user` to complete and sign.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn make_knock(
        &self,
        server: &ServerName,
        room: &RoomId,
        user: &UserId,
        versions: &[RoomVersionId],
    ) -> Result<MembershipTemplate, CallError> {
        self.template(server, "make_knock", (room, user), versions).await
    }

    async fn template(
        &self,
        server: &ServerName,
        request: &str,
        (room, user): (&RoomId, &UserId),
        versions: &[RoomVersionId],
    ) -> Result<MembershipTemplate, CallError> {
        let versions: Vec<_> = versions.iter().map(|version| ("ver", version.as_str())).collect();
        let (room, user) = (percent(room.as_str()), percent(user.as_str()));
        let path = query(&format!("/_matrix/federation/v1/{request}/{room}/{user}"), &versions);
        self.ask(server, Call::get(path).in_any_case()).await
    }

    /// Hands in a signed request to join. The answer is the stripped state of the room.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn send_knock(
        &self,
        server: &ServerName,
        room: &RoomId,
        event_id: &EventId,
        event: &RawValue,
    ) -> Result<Vec<Box<RawValue>>, CallError> {
        let (room, event_id) = (percent(room.as_str()), percent(event_id.as_str()));
        let path = format!("/_matrix/federation/v1/send_knock/{room}/{event_id}");
        let knocked: Knocked = self.ask(server, Call::put(path, canonical(server, event)?)).await?;
        Ok(knocked.knock_room_state)
    }

    /// A leave for `user` to complete and sign.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn make_leave(
        &self,
        server: &ServerName,
        room: &RoomId,
        user: &UserId,
    ) -> Result<MembershipTemplate, CallError> {
        let (room, user) = (percent(room.as_str()), percent(user.as_str()));
        let path = format!("/_matrix/federation/v1/make_leave/{room}/{user}");
        self.ask(server, Call::get(path)).await
    }

    /// Hands in a signed leave.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn send_leave(
        &self,
        server: &ServerName,
        room: &RoomId,
        event_id: &EventId,
        event: &RawValue,
    ) -> Result<(), CallError> {
        let (room, event_id) = (percent(room.as_str()), percent(event_id.as_str()));
        let path = format!("/_matrix/federation/v2/send_leave/{room}/{event_id}");
        let _: serde_json::Value =
            self.ask(server, Call::put(path, canonical(server, event)?)).await?;
        Ok(())
    }

    /// Hands in a signed invite of a user of `server`, which answers with its signature.
    ///
    /// # Errors
    /// [`CallError`], also if the server does not let the user be invited.
    pub async fn invite(
        &self,
        server: &ServerName,
        room: &RoomId,
        event_id: &EventId,
        (version, event): (&RoomVersionId, &RawValue),
        state: &[serde_json::Value],
    ) -> Result<Box<RawValue>, CallError> {
        let (room, event_id) = (percent(room.as_str()), percent(event_id.as_str()));
        let path = format!("/_matrix/federation/v2/invite/{room}/{event_id}");
        let body = json!({ "room_version": version, "event": event, "invite_room_state": state });
        let body = RawValue::from_string(body.to_string());
        let body = body.map_err(|error| CallError {
            server: server.to_owned(),
            reason: error.to_string(),
            code: None,
        })?;
        let call = Call::put(path, canonical(server, &body)?).in_any_case();
        let signed: Signed = self.ask(server, call).await?;
        Ok(signed.event)
    }

    /// Hands in a signed join.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn send_join(
        &self,
        server: &ServerName,
        room: &RoomId,
        event_id: &EventId,
        event: &RawValue,
    ) -> Result<JoinedState, CallError> {
        let (room, event_id) = (percent(room.as_str()), percent(event_id.as_str()));
        let path = format!("/_matrix/federation/v2/send_join/{room}/{event_id}?omit_members=false");
        let content = canonical(server, event)?;
        let call = Call::put(path, content).answer_bytes_max(STATE_BYTES_MAX);
        self.ask(server, call.time_max(LONG_TIME_MAX)).await
    }

    /// One event.
    ///
    /// # Errors
    /// [`CallError`], also if the server does not show it.
    pub async fn event(
        &self,
        server: &ServerName,
        event_id: &EventId,
    ) -> Result<Option<Box<RawValue>>, CallError> {
        let path = format!("/_matrix/federation/v1/event/{}", percent(event_id.as_str()));
        let answer: Pdus = self.ask(server, Call::get(path)).await?;
        Ok(answer.pdus.into_iter().next())
    }

    /// The state before an event, as IDs.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn state_ids(
        &self,
        server: &ServerName,
        room: &RoomId,
        event_id: &EventId,
    ) -> Result<StateIds, CallError> {
        let path = format!("/_matrix/federation/v1/state_ids/{}", percent(room.as_str()));
        let path = query(&path, &[("event_id", event_id.as_str())]);
        let call = Call::get(path).answer_bytes_max(IDS_BYTES_MAX).time_max(LONG_TIME_MAX);
        self.ask(server, call).await
    }

    /// The state before an event, and its auth chain.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn state(
        &self,
        server: &ServerName,
        room: &RoomId,
        event_id: &EventId,
    ) -> Result<Vec<Box<RawValue>>, CallError> {
        let path = format!("/_matrix/federation/v1/state/{}", percent(room.as_str()));
        let path = query(&path, &[("event_id", event_id.as_str())]);
        let call = Call::get(path).answer_bytes_max(STATE_BYTES_MAX).time_max(LONG_TIME_MAX);
        let answer: State = self.ask(server, call).await?;
        Ok(answer.pdus.into_iter().chain(answer.auth_chain).collect())
    }

    /// Events between known ones and new ones, at most `limit`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn missing_events(
        &self,
        server: &ServerName,
        room: &RoomId,
        earliest: &[OwnedEventId],
        latest: &[OwnedEventId],
        limit: usize,
    ) -> Result<Vec<Box<RawValue>>, CallError> {
        let path = format!("/_matrix/federation/v1/get_missing_events/{}", percent(room.as_str()));
        let body = json!({
            "earliest_events": earliest, "latest_events": latest, "limit": limit, "min_depth": 0,
        });
        let call = Call::get(path).posting(&body).answer_bytes_max(PAGE_BYTES_MAX);
        let answer: MissingEvents = self.ask(server, call).await?;
        Ok(answer.events)
    }

    /// Events before these ones, at most `limit`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn backfill(
        &self,
        server: &ServerName,
        room: &RoomId,
        before: &[OwnedEventId],
        limit: usize,
    ) -> Result<Vec<Box<RawValue>>, CallError> {
        let limit = limit.to_string();
        let parameters: Vec<_> = before
            .iter()
            .map(|event| ("v", event.as_str()))
            .chain([("limit", limit.as_str())])
            .collect();
        let path = format!("/_matrix/federation/v1/backfill/{}", percent(room.as_str()));
        let call = Call::get(query(&path, &parameters)).answer_bytes_max(PAGE_BYTES_MAX);
        let answer: Pdus = self.ask(server, call).await?;
        Ok(answer.pdus)
    }

    /// The first event of a room at a moment or after it, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`CallError`], also if there is none.
    pub async fn event_from(
        &self,
        server: &ServerName,
        room: &RoomId,
        at: u64,
    ) -> Result<OwnedEventId, CallError> {
        let path = format!("/_matrix/federation/v1/timestamp_to_event/{}", percent(room.as_str()));
        let path = query(&path, &[("ts", &at.to_string()), ("dir", "f")]);
        let closest: Closest = self.ask(server, Call::get(path)).await?;
        Ok(closest.event_id)
    }

    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        server: &ServerName,
        call: Call,
    ) -> Result<T, CallError> {
        let failed = |reason: String, code| CallError { server: server.to_owned(), reason, code };
        let body = self.transport.send(server, call).await.map_err(|error| {
            let code = match &error {
                TransportError::Status { code, .. } => Some(code.clone()),
                _ => None,
            };
            failed(error.to_string(), code)
        })?;
        serde_json::from_slice(&body).map_err(|error| failed(error.to_string(), None))
    }
}

fn canonical(server: &ServerName, event: &RawValue) -> Result<CanonicalJsonValue, CallError> {
    serde_json::from_str(event.get()).map_err(|error| CallError {
        server: server.to_owned(),
        reason: format!("the event is not canonical JSON: {error}"),
        code: None,
    })
}
