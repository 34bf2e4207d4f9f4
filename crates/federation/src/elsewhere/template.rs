//! Membership events of users of this server, made from the templates of other servers.
//!
//! **Invariant:** only the place of the event in its room comes from the template: the events that it
//! follows and that authorise it, and the user who lets a user in. All else is written here.

use rookery_domain::{
    MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, Pdu, Profile, RoomId,
    RoomVersionId, UserId, sign,
};
use rookery_pdu::{Unsealed, supported_rules};
use ruma_common::CanonicalJsonValue;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{client::MembershipTemplate, keys::OwnKeys};

/// Most events that an event follows, and most that authorise it.
const NAMED_MAX: (usize, usize) = (20, 10);

/// The greatest depth of an event.
const DEPTH_MAX: u64 = (1 << 53) - 1;

/// The versions of rooms that this server takes part in.
pub(super) const VERSIONS: [RoomVersionId; 3] =
    [RoomVersionId::V12, RoomVersionId::V11, RoomVersionId::V10];

/// The event that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    pub(super) room: &'a RoomId,
    pub(super) user: &'a UserId,
    /// `join`, `knock` or `leave`.
    pub(super) membership: &'a str,
    pub(super) profile: Option<&'a Profile>,
    pub(super) reason: Option<&'a str>,
    pub(super) now: u64,
}

/// The event, signed by this server.
#[derive(Debug)]
pub(super) struct Completed {
    pub(super) version: RoomVersionId,
    pub(super) pdu: Pdu,
    pub(super) signed: Box<RawValue>,
    /// The user who lets the user in. The server of that user has to sign too.
    pub(super) authoriser: Option<OwnedUserId>,
}

#[derive(Deserialize)]
struct Proposed {
    room_id: OwnedRoomId,
    sender: OwnedUserId,
    #[serde(rename = "type")]
    kind: String,
    state_key: String,
    content: Content,
    #[serde(default)]
    depth: u64,
    prev_events: Vec<OwnedEventId>,
    auth_events: Vec<OwnedEventId>,
}

#[derive(Deserialize)]
struct Content {
    membership: String,
    join_authorised_via_users_server: Option<OwnedUserId>,
}

impl Wish<'_> {
    /// Makes the event from a template.
    ///
    /// # Errors
    /// Why the template is not one for this event.
    pub(super) fn complete(
        &self,
        own: &OwnKeys,
        template: &MembershipTemplate,
    ) -> Result<Completed, String> {
        let version = template.room_version.clone().unwrap_or(RoomVersionId::V1);
        let rules = supported_rules(&version)
            .ok_or_else(|| format!("its template is for version {version} of rooms"))?;
        let proposed: Proposed = serde_json::from_str(template.event.get())
            .map_err(|error| format!("its template has another form: {error}"))?;
        let wrong = |what: &str| Err(format!("its template is for another {what}"));
        if proposed.room_id != self.room {
            return wrong("room");
        }
        if proposed.sender != self.user || proposed.state_key != self.user.as_str() {
            return wrong("user");
        }
        if proposed.kind != "m.room.member" || proposed.content.membership != self.membership {
            return wrong("event");
        }
        let (prev, auth) = (proposed.prev_events, proposed.auth_events);
        if prev.is_empty() || prev.len() > NAMED_MAX.0 || auth.len() > NAMED_MAX.1 {
            return Err("its template names no event, or too many".to_owned());
        }
        let authoriser = proposed.content.join_authorised_via_users_server;
        let authoriser = authoriser.filter(|_| self.membership == "join");
        if authoriser.as_ref().is_some_and(|user| user.server_name() == own.server_name) {
            return Err("its template lets a user of this server decide".to_owned());
        }
        let content = self.content(authoriser.as_deref())?;
        let sent = js_int_of(self.now);
        let pdu = Unsealed {
            room_id: Some(self.room),
            sender: self.user,
            kind: "m.room.member",
            state_key: Some(self.user.as_str()),
            redacts: None,
            content,
            prev_events: prev,
            auth_events: auth,
            depth: proposed.depth.clamp(1, DEPTH_MAX),
            origin_server_ts: sent,
        };
        let pdu = pdu.seal(&rules).map_err(|error| format!("it cannot be sealed: {error:?}"))?;
        let signed = sign(&pdu, &own.current, &own.server_name, &version);
        let signed = signed.map_err(|error| error.to_string())?;
        let signed = RawValue::from_string(signed).map_err(|error| error.to_string())?;
        Ok(Completed { version, pdu, signed, authoriser })
    }

    fn content(&self, authoriser: Option<&UserId>) -> Result<String, String> {
        let mut content = Map::new();
        let mut put = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                content.insert(name.to_owned(), Value::from(value));
            }
        };
        put("membership", Some(self.membership));
        put("displayname", self.profile.and_then(|it| it.displayname.as_deref()));
        put("avatar_url", self.profile.and_then(|it| it.avatar_url.as_deref()));
        put("reason", self.reason);
        put("join_authorised_via_users_server", authoriser.map(UserId::as_str));
        let content = CanonicalJsonValue::try_from(Value::Object(content));
        let content = content.map_err(|error| error.to_string())?;
        serde_json::to_string(&content).map_err(|error| error.to_string())
    }
}

fn js_int_of(millis: u64) -> MilliSecondsSinceUnixEpoch {
    MilliSecondsSinceUnixEpoch(millis.try_into().unwrap_or_default())
}
