//! State events as commands: each setting of a room has a command of its own.
//!
//! **Invariant:** nothing here decides whether a user may change a setting.

use std::collections::BTreeMap;

use rookery_domain::{
    HistoryVisibility, Invitee, JoinRule, JsonObject, OwnedRoomAliasId, OwnedUserId, PowerLevels,
    PowerLevelsChange, RoomCommand, RoomId, UserId,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::client::{refusal::MatrixError, request::body::alias};

/// The command that sets state. `levels` are the present power levels of the room.
pub(super) fn command(
    sender: &UserId,
    (kind, key): (&str, &str),
    content: JsonObject,
    levels: &PowerLevels,
) -> Result<RoomCommand, MatrixError> {
    if kind == "m.room.member" {
        return membership(sender, key, &content);
    }
    if key.is_empty()
        && let Some(command) = setting(kind, &content, levels)?
    {
        return Ok(command);
    }
    let (event_type, state_key) = (kind.to_owned(), key.to_owned());
    Ok(RoomCommand::SetState { event_type, state_key, content })
}

fn setting(
    kind: &str,
    content: &JsonObject,
    levels: &PowerLevels,
) -> Result<Option<RoomCommand>, MatrixError> {
    Ok(Some(match kind {
        "m.room.name" => RoomCommand::SetName { name: text(content, "name")?.unwrap_or_default() },
        "m.room.topic" => {
            RoomCommand::SetTopic { topic: text(content, "topic")?.unwrap_or_default() }
        }
        "m.room.avatar" => {
            let url = text(content, "url")?.filter(|url| !url.is_empty());
            RoomCommand::SetAvatar { url }
        }
        "m.room.canonical_alias" => aliases(content)?,
        "m.room.join_rules" => RoomCommand::SetJoinRule { rule: join_rule(content)? },
        "m.room.history_visibility" => {
            RoomCommand::SetHistoryVisibility { visibility: history_visibility(content)? }
        }
        "m.room.power_levels" => {
            RoomCommand::SetPowerLevels { change: replaced(levels, &of_content(content)?) }
        }
        _ => return Ok(None),
    }))
}

fn membership(
    sender: &UserId,
    key: &str,
    content: &JsonObject,
) -> Result<RoomCommand, MatrixError> {
    let user = UserId::parse(key)
        .map_err(|_| MatrixError::invalid(format!("the state key {key:?} is no user ID")))?;
    let reason = text(content, "reason")?.filter(|reason| !reason.is_empty());
    let is_own = user == sender;
    Ok(match (text(content, "membership")?.as_deref(), is_own) {
        (Some("join"), true) => RoomCommand::Join { reason, member_of: None },
        (Some("knock"), true) => RoomCommand::Knock { reason },
        (Some("leave"), true) => RoomCommand::Leave { reason, successor: None },
        (Some("leave"), false) => RoomCommand::Kick { user, reason },
        (Some("invite"), false) => RoomCommand::Invite { invitee: Invitee::from(user), reason },
        (Some("ban"), false) => RoomCommand::Ban { user, reason },
        (Some("join" | "knock"), false) => {
            let message = format!("{sender} cannot join for {user}; name that user in `user_id`");
            return Err(MatrixError::forbidden(message));
        }
        _ => {
            let message = "`membership` is `join`, `leave`, `invite`, `knock` or `ban`";
            return Err(MatrixError::bad("M_BAD_JSON", message));
        }
    })
}

fn aliases(content: &JsonObject) -> Result<RoomCommand, MatrixError> {
    let canonical = text(content, "alias")?.filter(|alias| !alias.is_empty());
    let others: Option<Vec<String>> = content.get("alt_aliases").map(read).transpose()?;
    let others = others.unwrap_or_default().iter().map(|text| alias(text)).collect();
    let others: Result<Vec<OwnedRoomAliasId>, MatrixError> = others;
    Ok(RoomCommand::SetAliases {
        canonical: canonical.map(|text| alias(&text)).transpose()?,
        alternative: others?,
    })
}

/// The rule in the content of `m.room.join_rules`.
pub(super) fn join_rule(content: &JsonObject) -> Result<JoinRule, MatrixError> {
    let allowed = || -> Result<_, MatrixError> {
        let entries = content.get("allow").and_then(Value::as_array).map(Vec::as_slice);
        let of_rooms = entries
            .unwrap_or_default()
            .iter()
            .filter(|entry| entry.get("type").and_then(Value::as_str) == Some("m.room_membership"));
        let room = |entry: &Value| {
            let id = entry.get("room_id").and_then(Value::as_str).unwrap_or_default();
            RoomId::parse(id).map_err(|_| MatrixError::invalid(format!("{id:?} is no room ID")))
        };
        of_rooms.map(room).collect()
    };
    Ok(match text(content, "join_rule")?.as_deref() {
        Some("public") => JoinRule::Public,
        Some("invite") => JoinRule::Invite,
        Some("knock") => JoinRule::Knock,
        Some("restricted") => JoinRule::Restricted(allowed()?),
        Some("knock_restricted") => JoinRule::KnockRestricted(allowed()?),
        _ => {
            let message = "`join_rule` is no rule that this server knows";
            return Err(MatrixError::bad("M_BAD_JSON", message));
        }
    })
}

/// The setting in the content of `m.room.history_visibility`.
pub(super) fn history_visibility(content: &JsonObject) -> Result<HistoryVisibility, MatrixError> {
    read(content.get("history_visibility").unwrap_or(&Value::Null))
}

/// Levels as a content states them; what it leaves out has no value.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StatedLevels {
    users: BTreeMap<OwnedUserId, i64>,
    events: BTreeMap<String, i64>,
    users_default: Option<i64>,
    events_default: Option<i64>,
    state_default: Option<i64>,
    invite: Option<i64>,
    kick: Option<i64>,
    ban: Option<i64>,
    redact: Option<i64>,
}

impl StatedLevels {
    /// A change that sets what is stated, and leaves everything else.
    pub(super) fn added(self) -> PowerLevelsChange {
        PowerLevelsChange {
            users: self.users.into_iter().map(|(user, level)| (user, Some(level))).collect(),
            events: self.events.into_iter().map(|(kind, level)| (kind, Some(level))).collect(),
            users_default: self.users_default,
            events_default: self.events_default,
            state_default: self.state_default,
            invite: self.invite,
            kick: self.kick,
            ban: self.ban,
            redact: self.redact,
        }
    }
}

pub(super) fn of_content(content: &JsonObject) -> Result<StatedLevels, MatrixError> {
    read(&Value::Object(content.clone()))
}

/// A change that replaces the levels by the stated ones: as in the specification, a setting that is left out gets its
/// default.
fn replaced(levels: &PowerLevels, stated: &StatedLevels) -> PowerLevelsChange {
    let unset = PowerLevels::UNSET;
    let number = |stated: Option<i64>, default: i64, now: i64| {
        let wanted = stated.unwrap_or(default);
        (wanted != now).then_some(wanted)
    };
    PowerLevelsChange {
        users: difference(&levels.users, &stated.users),
        events: difference(&levels.events, &stated.events),
        users_default: number(stated.users_default, unset.users_default, levels.users_default),
        events_default: number(stated.events_default, unset.events_default, levels.events_default),
        state_default: number(stated.state_default, unset.state_default, levels.state_default),
        invite: number(stated.invite, unset.invite, levels.invite),
        kick: number(stated.kick, unset.kick, levels.kick),
        ban: number(stated.ban, unset.ban, levels.ban),
        redact: number(stated.redact, unset.redact, levels.redact),
    }
}

fn difference<K: Ord + Clone>(
    now: &BTreeMap<K, i64>,
    wanted: &BTreeMap<K, i64>,
) -> BTreeMap<K, Option<i64>> {
    let removed = now.keys().filter(|key| !wanted.contains_key(*key)).map(|key| (key, None));
    let set = wanted.iter().filter(|(key, level)| now.get(*key) != Some(*level));
    let set = set.map(|(key, level)| (key, Some(*level)));
    removed.chain(set).map(|(key, level)| (key.clone(), level)).collect()
}

fn text(content: &JsonObject, key: &str) -> Result<Option<String>, MatrixError> {
    match content.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(MatrixError::bad("M_BAD_JSON", format!("`{key}` is no text"))),
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, MatrixError> {
    T::deserialize(value).map_err(|error| MatrixError::bad("M_BAD_JSON", error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> JsonObject {
        match value {
            Value::Object(object) => object,
            _ => JsonObject::new(),
        }
    }

    #[test]
    fn levels_that_a_content_leaves_out_go_back_to_their_defaults() {
        let ann: OwnedUserId = "@ann:one.example".try_into().expect("a user ID");
        let now = PowerLevels {
            users: [(ann.clone(), 100)].into(),
            events: [("m.room.name".to_owned(), 0), ("m.room.topic".to_owned(), 10)].into(),
            kick: 100,
            invite: 100,
            ..PowerLevels::default()
        };
        let content = object(json!({ "users": {}, "events": { "m.room.topic": 20 }, "kick": 100 }));
        let change = replaced(&now, &of_content(&content).expect("levels"));
        let expected = PowerLevelsChange {
            users: [(ann, None)].into(),
            events: [("m.room.name".to_owned(), None), ("m.room.topic".to_owned(), Some(20))]
                .into(),
            invite: Some(0),
            ..PowerLevelsChange::default()
        };
        assert_eq!(change, expected);
    }

    #[test]
    fn a_member_event_about_another_user_is_an_act_of_the_sender() {
        let sender: OwnedUserId = "@bot:one.example".try_into().expect("a user ID");
        let about = |key: &str, membership: &str| {
            let content = object(json!({ "membership": membership, "reason": "rain" }));
            command(&sender, ("m.room.member", key), content, &PowerLevels::default())
        };
        let (own, other) = ("@bot:one.example", "@ann:one.example");
        let reason = Some("rain".to_owned());
        let leave = RoomCommand::Leave { reason: reason.clone(), successor: None };
        assert_eq!(about(own, "leave"), Ok(leave));
        let user = other.try_into().expect("a user ID");
        assert_eq!(about(other, "leave"), Ok(RoomCommand::Kick { user, reason }));
        assert_eq!(about(other, "join").map_err(|error| error.code), Err("M_FORBIDDEN"));
        assert_eq!(about(own, "merry").map_err(|error| error.code), Err("M_BAD_JSON"));
    }
}
