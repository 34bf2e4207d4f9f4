//! The messages of graphql-transport-ws, and the reasons for closing a socket.

use std::borrow::Cow;

use rookery_graphql_documents::{Errors, Outcome, Params};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::operation::operations::Wording;
use crate::port::auth::{Credentials, bearer_of};
use crate::port::bookmark::ResumePoint;

/// The reason for closing a socket. The first word of its text is stable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The peer is no longer there.
    Gone,
    /// The peer closed, and gets an answer.
    ByPeer,
    /// The server stops; the client should reconnect.
    Restart,
    /// The message is not one of the protocol.
    Invalid(&'static str),
    TextNotUtf8,
    NotWebSocket,
    TooLong,
    InitTimeout,
    Unauthorized,
    Forbidden,
    Revoked,
    AuthUnavailable,
    SubprotocolUnacceptable,
    /// The client uses the older protocol.
    SubprotocolLegacy,
    DuplicateId(String),
    TooManyInits,
    /// The client takes no data. The place is where it can resume all of its subscriptions, if that
    /// is known.
    SlowConsumer(Option<ResumePoint>),
    PingFlood,
    /// No user logged in on the socket in time.
    LoginTimeout,
    /// The user has as many sockets as they may have, or the address has, without a login.
    TooManySockets(bool),
}

impl Close {
    /// The close code and the reason; `None` if the peer is gone. `resume_text` names a place for
    /// clients.
    pub(super) fn frame(
        &self,
        resume_text: impl Fn(ResumePoint) -> String,
    ) -> Option<(u16, Cow<'static, str>)> {
        let (code, reason) = match self {
            Self::Gone | Self::ByPeer => return None,
            Self::Restart => (1012, "Service restart".into()),
            Self::NotWebSocket => (1002, "Protocol error".into()),
            Self::TextNotUtf8 => (1007, "Text is not UTF-8".into()),
            Self::PingFlood => (1008, "Too many pings".into()),
            Self::TooLong => (1009, "Message too big".into()),
            Self::AuthUnavailable => (1013, "Try again later".into()),
            Self::Invalid(what) => (4400, format!("Invalid message: {what}").into()),
            Self::Unauthorized => (4401, "Unauthorized".into()),
            Self::Forbidden => (4403, "Forbidden".into()),
            Self::Revoked => (4403, "Forbidden: access token revoked".into()),
            Self::SubprotocolUnacceptable => (4406, "Subprotocol not acceptable".into()),
            Self::SubprotocolLegacy => {
                (4406, "Subprotocol not acceptable: use graphql-transport-ws".into())
            }
            Self::InitTimeout => (4408, "Connection initialisation timeout".into()),
            Self::SlowConsumer(from) => (4008, slow_consumer(from.map(resume_text))),
            Self::DuplicateId(id) => (4409, duplicate(id)),
            Self::LoginTimeout => {
                (4401, "LOGIN_TIMEOUT: log in, then connect with the token".into())
            }
            Self::TooManySockets(true) => {
                (1013, "TOO_MANY_SOCKETS: close one of yours first".into())
            }
            Self::TooManySockets(false) => {
                (1013, "TOO_MANY_SOCKETS: too many of this address without a login".into())
            }
            Self::TooManyInits => (4429, "Too many initialisation requests".into()),
        };
        Some((code, reason))
    }
}

impl Close {
    /// The message before the closing frame.
    pub(super) fn last_message(&self) -> Option<&'static str> {
        (*self == Self::SubprotocolLegacy).then_some(LEGACY_REFUSAL)
    }
}

/// `connection_error` of subscriptions-transport-ws: its clients show this, and often not the
/// reason of a closing.
const LEGACY_REFUSAL: &str = r#"{"type":"connection_error","payload":{"message":"This server does not speak the subprotocol graphql-ws of subscriptions-transport-ws. Use a client that speaks graphql-transport-ws, such as the package graphql-ws."}}"#;

/// The text after `SLOW_CONSUMER: resume from ` is a position, or words.
fn slow_consumer(from: Option<String>) -> Cow<'static, str> {
    match from {
        Some(position) => format!("SLOW_CONSUMER: resume from {position}").into(),
        None => "SLOW_CONSUMER: resume from your last position".into(),
    }
}

/// A reason has at most 123 bytes (RFC 6455, section 5.5).
fn duplicate(id: &str) -> Cow<'static, str> {
    let id: String = id.chars().filter(|char| !char.is_control()).take(20).collect();
    format!("Subscriber for {id} already exists").into()
}

/// Length of an operation's ID, in bytes; clients use UUIDs or numbers.
const ID_BYTES_MAX: usize = 128;

/// The credentials that a client has sent on a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) bearer: Option<String>,
    pub(super) act_as: Option<String>,
}

impl Told {
    /// These credentials, with those of `earlier` in place of missing ones.
    pub(super) fn or(self, earlier: Self) -> Self {
        Self { bearer: self.bearer.or(earlier.bearer), act_as: self.act_as.or(earlier.act_as) }
    }

    pub(super) fn credentials(&self) -> Credentials<'_> {
        Credentials { bearer: self.bearer.as_deref(), act_as: self.act_as.as_deref() }
    }
}

impl From<Credentials<'_>> for Told {
    fn from(credentials: Credentials<'_>) -> Self {
        let Credentials { bearer, act_as } = credentials;
        Self { bearer: bearer.map(str::to_owned), act_as: act_as.map(str::to_owned) }
    }
}

/// A message of a client.
#[derive(Debug)]
pub(super) enum ClientMessage {
    /// `connection_init`, with the credentials from its payload.
    Init(Told),
    /// `ping`
    Ping,
    /// `pong`
    Pong,
    /// `subscribe`
    Subscribe { id: String, params: Box<Params> },
    /// `complete`
    Complete { id: String },
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    payload: Option<&'a RawValue>,
}

impl ClientMessage {
    /// Reads a message; `Err` has the fault.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let frame: Frame<'_> =
            serde_json::from_str(text).map_err(|_| "expected a JSON object with a type")?;
        let id = || match &frame.id {
            Some(id) if !id.is_empty() && id.len() <= ID_BYTES_MAX => Ok(id.clone().into_owned()),
            _ => Err("expected an id of 1 to 128 bytes"),
        };
        match &*frame.kind {
            "connection_init" => Ok(Self::Init(told(frame.payload)?)),
            "ping" => Ok(Self::Ping),
            "pong" => Ok(Self::Pong),
            "complete" => Ok(Self::Complete { id: id()? }),
            "subscribe" => {
                let payload = frame.payload.ok_or("expected a payload")?;
                let params: Box<Params> = serde_json::from_str(payload.get())
                    .map_err(|_| "expected a payload with a query")?;
                if !params.names_document() {
                    return Err("expected a payload with a query");
                }
                Ok(Self::Subscribe { id: id()?, params })
            }
            _ => Err("unknown type"),
        }
    }
}

#[derive(Default, Deserialize)]
struct InitPayload {
    #[serde(default, rename = "Authorization", alias = "authorization")]
    authorization: Option<String>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default, rename = "actAs")]
    act_as: Option<String>,
}

fn told(payload: Option<&RawValue>) -> Result<Told, &'static str> {
    let Some(payload) = payload else { return Ok(Told::default()) };
    let payload: Option<InitPayload> = serde_json::from_str(payload.get())
        .map_err(|_| "expected a payload with Authorization, token or actAs")?;
    let payload = payload.unwrap_or_default();
    let bearer = match payload.authorization.as_deref() {
        Some(value) if !value.is_empty() => {
            let token = bearer_of(value).ok_or("expected Authorization to be Bearer TOKEN")?;
            Some(token.to_owned())
        }
        _ => payload.token.filter(|token| !token.is_empty()),
    };
    Ok(Told { bearer, act_as: payload.act_as })
}

/// `connection_ack`
pub(super) const ACK: &str = r#"{"type":"connection_ack"}"#;
/// `pong`
pub(super) const PONG: &str = r#"{"type":"pong"}"#;

/// The messages of operations on a socket.
pub(super) static WORDING: Wording = Wording { next, next_shared, error, complete };

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerMessage<'a> {
    Error { id: &'a str, payload: Errors<'a> },
    Complete { id: &'a str },
}

impl ServerMessage<'_> {
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| {
            tracing::error!(%error, "failed to serialise a message");
            String::new()
        })
    }
}

/// `next`
fn next(id: &str, outcome: &Outcome) -> String {
    next_shared(id, &outcome.text())
}

/// `next`, around a payload that is JSON already.
fn next_shared(id: &str, payload: &str) -> String {
    let id = serde_json::Value::from(id).to_string();
    ["{\"type\":\"next\",\"id\":", &id, ",\"payload\":", payload, "}"].concat()
}

/// `error`, which ends the operation.
pub(super) fn error(id: &str, outcome: &Outcome) -> String {
    ServerMessage::Error { id, payload: outcome.errors() }.text()
}

/// `complete`
fn complete(id: &str) -> String {
    ServerMessage::Complete { id }.text()
}

#[cfg(test)]
mod tests {
    use async_graphql::{Response, Value};

    use super::*;

    #[test]
    fn a_shared_payload_makes_the_same_message_as_an_own_one() {
        let response = Response::new(
            Value::from_json(serde_json::json!({ "a": [1, "\"ü\n"] })).expect("JSON is a value"),
        );
        let payload = serde_json::to_string(&response).expect("a response is JSON");
        let outcome = Outcome::of_step(response);
        for id in ["1", "a-b", "\"\\", "ü\u{1}\u{7f}\u{2028}", "{},:"] {
            assert_eq!(next_shared(id, &payload), next(id, &outcome));
        }
    }
}
