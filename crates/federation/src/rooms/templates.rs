//! Membership events of users of other servers, for their servers to complete and sign.
//!
//! **Invariant:** a template is made only for an event that the rules of the room allow now. They are checked again when
//! the signed event comes.

use rookery_domain::{
    JoinRule, Membership, OwnedEventId, OwnedUserId, Room, RoomVersionId, UserId,
};
use ruma_common::room_version_rules::AuthorizationRules;
use ruma_state_res::auth_types_for_event;
use serde_json::{Value, json, value::RawValue};

/// Most events that a new one follows.
const PREV_EVENTS_MAX: usize = 20;

/// The wish of a user of another server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) membership: Membership,
    pub(crate) now: u64,
    /// Whether the user is in a room that the join rule names.
    pub(crate) is_in_allowed_room: bool,
    pub(crate) server_name: &'a rookery_domain::ServerName,
}

/// There is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TemplateError {
    /// The rules of the room forbid it.
    Forbidden(String),
    /// Nobody of this server may let the user in; another server may be able to.
    CannotAuthorise,
    /// A defect.
    Broken(String),
}

impl Template<'_> {
    /// The version of the room, and the event without hashes and signatures.
    pub(crate) fn of(&self, room: &Room) -> Result<(RoomVersionId, Value), TemplateError> {
        let version = room.version().ok_or_else(|| broken(&"it has no version"))?;
        let rules = version.rules().ok_or_else(|| broken(&"its version is not known"))?;
        let mut content = json!({ "membership": self.membership.as_str() });
        if let Some(authoriser) = self.authorise(room)? {
            content["join_authorised_via_users_server"] = json!(authoriser);
        }
        let auth_events = self.auth_events(room, &content, &rules.authorization)?;
        let prev_events = room.forward_extremities();
        let newest = prev_events.len().saturating_sub(PREV_EVENTS_MAX);
        let event = json!({
            "type": "m.room.member",
            "room_id": room.id(),
            "sender": self.user,
            "state_key": self.user,
            "content": content,
            "depth": room.depth().saturating_add(1).min((1 << 53) - 1),
            "origin": self.user.server_name(),
            "origin_server_ts": self.now,
            "prev_events": &prev_events[newest..],
            "auth_events": auth_events,
        });
        Ok((version.clone(), event))
    }

    /// Checks the rules, and names the user of this server who lets the user in, if the room needs one.
    fn authorise(&self, room: &Room) -> Result<Option<OwnedUserId>, TemplateError> {
        let forbidden = |why: &str| Err(TemplateError::Forbidden(why.to_owned()));
        let now = room.membership(self.user);
        if now == Membership::Ban {
            return forbidden("the user is banned from the room");
        }
        let rule = room.join_rule();
        match self.membership {
            Membership::Join if matches!(now, Membership::Join | Membership::Invite) => Ok(None),
            Membership::Join => match rule {
                JoinRule::Public => Ok(None),
                JoinRule::Restricted(_) | JoinRule::KnockRestricted(_) => {
                    if !self.is_in_allowed_room {
                        return forbidden("the user is in none of the rooms that allow to join");
                    }
                    let authoriser = self.authoriser(room);
                    authoriser.ok_or(TemplateError::CannotAuthorise).map(Some)
                }
                _ => forbidden("the user is not invited to the room"),
            },
            Membership::Knock if rule.is_knockable() => Ok(None),
            Membership::Knock => forbidden("the room takes no knocks"),
            Membership::Leave
                if matches!(now, Membership::Join | Membership::Invite | Membership::Knock) =>
            {
                Ok(None)
            }
            Membership::Leave => forbidden("the user is not in the room"),
            _ => forbidden("no template is made for this membership"),
        }
    }

    /// A user of this server who may invite.
    fn authoriser(&self, room: &Room) -> Option<OwnedUserId> {
        let mut own =
            super::members::joined(room).filter(|it| it.server_name() == self.server_name);
        own.find(|user| room.permissions(user).invite).map(ToOwned::to_owned)
    }

    fn auth_events(
        &self,
        room: &Room,
        content: &Value,
        rules: &AuthorizationRules,
    ) -> Result<Vec<OwnedEventId>, TemplateError> {
        let content = RawValue::from_string(content.to_string()).map_err(|it| broken(&it))?;
        let kind = "m.room.member".into();
        let types =
            auth_types_for_event(&kind, self.user, Some(self.user.as_str()), &content, rules);
        let types = types.map_err(|error| broken(&error))?;
        let held = types.iter().filter_map(|(kind, key)| room.state(&kind.to_string(), key));
        Ok(held.map(|event| event.event_id.clone()).collect())
    }
}

fn broken(reason: &dyn ToString) -> TemplateError {
    TemplateError::Broken(reason.to_string())
}
