//! Turns a draft into an authorised event: hashes, auth events, and the authorisation rules.
//!
//! **Invariant:** this module returns no event that ruma's authorisation rules of the room's
//! version would reject.

use std::{borrow::Cow, sync::Arc};

use rookery_pdu::{Unsealed, canonical};
use ruma_common::{EventId, OwnedEventId, UserId};
use ruma_events::TimelineEventType;
use ruma_state_res::{
    auth_types_for_event, check_state_dependent_auth_rules, check_state_independent_auth_rules,
};
use serde_json::value::RawValue;

use super::{Context, Room};
use crate::{
    JsonObject, Membership, Pdu, Power, Rejection,
    limits::{DEPTH_MAX, PREV_EVENTS_MAX},
};

/// An event that a command makes, before it is hashed and authorised.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) kind: Cow<'a, str>,
    pub(super) state_key: Option<Cow<'a, str>>,
    pub(super) content: Cow<'a, JsonObject>,
}

impl<'a> Draft<'a> {
    pub(super) fn state(kind: impl Into<Cow<'a, str>>, content: JsonObject) -> Self {
        let (kind, content) = (kind.into(), Cow::Owned(content));
        Self { kind, state_key: Some(Cow::Borrowed("")), content }
    }

    pub(super) fn member(user: &'a UserId, content: JsonObject) -> Self {
        Self {
            kind: Cow::Borrowed("m.room.member"),
            state_key: Some(Cow::Borrowed(user.as_str())),
            content: Cow::Owned(content),
        }
    }
}

impl Room {
    /// Makes and authorises the event of a draft.
    pub(super) fn issue(&self, draft: &Draft, cx: &Context) -> Result<Arc<Pdu>, Rejection> {
        let content = canonical(&draft.content)?;
        self.issue_canonical(&draft.kind, draft.state_key.as_deref(), content, cx)
    }

    pub(super) fn issue_canonical(
        &self,
        kind: &str,
        state_key: Option<&str>,
        content: String,
        cx: &Context,
    ) -> Result<Arc<Pdu>, Rejection> {
        self.issue_redacting(kind, state_key, None, content, cx)
    }

    /// Like [`Self::issue`], for a redaction that names its target beside the content.
    pub(super) fn issue_redacting(
        &self,
        kind: &str,
        state_key: Option<&str>,
        redacts: Option<&EventId>,
        content: String,
        cx: &Context,
    ) -> Result<Arc<Pdu>, Rejection> {
        let auth_events = self.auth_events(kind, state_key, &content, cx.sender)?;
        // The first end continues the room's oldest line; the others have waited longest.
        let first = self.extremities.len().min(PREV_EVENTS_MAX);
        let event = Unsealed {
            room_id: Some(&self.id),
            sender: cx.sender,
            kind,
            state_key,
            redacts,
            content,
            prev_events: self.extremities[..first].to_vec(),
            auth_events,
            depth: (self.depth + 1).min(DEPTH_MAX),
            origin_server_ts: cx.now,
        }
        .seal(self.rules()?)?;
        if state_key.is_none() {
            self.authorise_message(kind, &event)?;
        } else {
            self.authorise(&event)?;
        }
        Ok(Arc::new(event))
    }

    /// The state events that authorise an event.
    ///
    /// Source: Matrix server-server specification, "Auth events selection".
    fn auth_events(
        &self,
        kind: &str,
        state_key: Option<&str>,
        content: &str,
        sender: &UserId,
    ) -> Result<Vec<OwnedEventId>, Rejection> {
        let rules = &self.rules()?.authorization;
        let id = |kind: &str, key: &str| self.state(kind, key).map(|event| event.event_id.clone());
        if state_key.is_none() {
            let create = (!rules.room_create_event_id_as_room_id).then_some(("m.room.create", ""));
            let slots = [("m.room.power_levels", ""), ("m.room.member", sender.as_str())];
            return Ok(slots
                .into_iter()
                .chain(create)
                .filter_map(|(kind, key)| id(kind, key))
                .collect());
        }
        let content: &RawValue = serde_json::from_str(content)
            .map_err(|error| Rejection::InvalidContent(error.to_string()))?;
        let types =
            auth_types_for_event(&TimelineEventType::from(kind), sender, state_key, content, rules)
                .map_err(Rejection::InvalidContent)?;
        Ok(types.iter().filter_map(|(kind, key)| id(&kind.to_string(), key)).collect())
    }

    /// The authorisation rules for events other than state, with the parsed power levels: ruma
    /// parses the levels for every event.
    fn authorise_message(&self, kind: &str, event: &Pdu) -> Result<(), Rejection> {
        self.require_member(&event.sender)?;
        let needed = self.levels().event(kind, false);
        self.require_power(&event.sender, needed, || format!("to send events of type {kind}"))?;
        self.require_federation(&event.sender)?;
        debug_assert_eq!(self.authorise(event), Ok(()), "ruma agrees");
        Ok(())
    }

    /// Checks the authorisation rules of the room's version.
    pub(super) fn authorise(&self, event: &Pdu) -> Result<(), Rejection> {
        let rules = &self.rules()?.authorization;
        let forbidden = |rule| Rejection::Forbidden { rule };
        let create = self.state("m.room.create", "");
        let known: Vec<_> = self.auth_candidates(event).chain(create).collect();
        check_state_independent_auth_rules(rules, event, |id| {
            known.iter().find(|candidate| candidate.event_id == id).copied().cloned()
        })
        .map_err(forbidden)?;
        check_state_dependent_auth_rules(rules, event, |kind, state_key| {
            self.state(&kind.to_string(), state_key).cloned()
        })
        .map_err(forbidden)
    }

    /// The state events that may be auth events of an event.
    fn auth_candidates<'a>(&'a self, event: &'a Pdu) -> impl Iterator<Item = &'a Arc<Pdu>> {
        let rules = self.version.as_ref().map(|version| &version.rules.authorization);
        let types = rules.and_then(|rules| {
            let state_key = event.state_key.as_deref();
            auth_types_for_event(&event.kind, &event.sender, state_key, &event.content, rules).ok()
        });
        let types = types.unwrap_or_default().into_iter();
        types.filter_map(|(kind, key)| self.state(&kind.to_string(), &key))
    }

    /// Refuses a user who is not joined.
    pub(super) fn require_member(&self, user: &UserId) -> Result<(), Rejection> {
        match self.membership(user) {
            Membership::Join => Ok(()),
            Membership::Ban => Err(Rejection::Banned),
            _ => Err(Rejection::NotAMember),
        }
    }

    /// Refuses a user whose power is below `needed`.
    pub(super) fn require_power(
        &self,
        user: &UserId,
        needed: i64,
        action: impl FnOnce() -> String,
    ) -> Result<(), Rejection> {
        match self.power_of(user) {
            Power::Level(have) if have < needed => {
                Err(Rejection::InsufficientPower { needed, have, action: action() })
            }
            _ => Ok(()),
        }
    }

    /// Refuses users of other servers if the room is closed to them.
    fn require_federation(&self, user: &UserId) -> Result<(), Rejection> {
        let closed = self.version.as_ref().is_some_and(|version| !version.is_federated);
        let home = self.state("m.room.create", "").map(|create| create.sender.server_name());
        if closed && home != Some(user.server_name()) {
            let rule = "the room is closed to users of other servers".to_owned();
            return Err(Rejection::Forbidden { rule });
        }
        Ok(())
    }
}
