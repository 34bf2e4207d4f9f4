//! Drafts of the state events that commands set, and checks of their values.

use std::borrow::Cow;

use ruma_common::{OwnedRoomAliasId, RoomAliasId};

use crate::{
    HistoryVisibility, JoinRule, JsonObject, Rejection, check_alias,
    limits::{LISTED_MAX, NAME_BYTES_MAX, TOPIC_BYTES_MAX},
    normal_alias,
    room::{Context, DIRECTORY_TYPE, authorise::Draft},
    users::profile::check_mxc,
};

pub(crate) fn name(name: &str) -> Result<Draft<'static>, Rejection> {
    Rejection::if_longer("the room's name", name, NAME_BYTES_MAX)?;
    Rejection::unless_visible("the room's name", name)?;
    Ok(one("m.room.name", "name", name))
}

pub(crate) fn topic(topic: &str) -> Result<Draft<'static>, Rejection> {
    Rejection::if_longer("the topic", topic, TOPIC_BYTES_MAX)?;
    Ok(one("m.room.topic", "topic", topic))
}

pub(crate) fn avatar(url: Option<&str>) -> Result<Draft<'static>, Rejection> {
    let Some(url) = url else { return Ok(Draft::state("m.room.avatar", JsonObject::new())) };
    check_mxc(url)?;
    Ok(one("m.room.avatar", "url", url))
}

pub(crate) fn aliases(
    canonical: Option<&RoomAliasId>,
    alternative: &[OwnedRoomAliasId],
    cx: &Context,
) -> Result<Draft<'static>, Rejection> {
    let (what, count, max) = ("aliases", alternative.len(), LISTED_MAX);
    if count > max {
        return Err(Rejection::TooMany { what, count, max });
    }
    let mut content = JsonObject::new();
    if let Some(alias) = canonical.map(normal_alias) {
        check_alias(&alias, cx.server_name)?;
        content.insert("alias".into(), alias.as_str().into());
    }
    let mut others: Vec<String> = Vec::new();
    for alias in alternative.iter().map(|alias| normal_alias(alias)) {
        check_alias(&alias, cx.server_name)?;
        if !others.iter().any(|other| other == alias.as_str()) {
            others.push(alias.into());
        }
    }
    if !others.is_empty() {
        content.insert("alt_aliases".into(), others.into());
    }
    Ok(Draft::state("m.room.canonical_alias", content))
}

pub(crate) fn join_rule(rule: &JoinRule) -> Result<Draft<'static>, Rejection> {
    let (count, max) = (rule.allowed_rooms().len(), LISTED_MAX);
    if count > max {
        return Err(Rejection::TooMany { what: "rooms", count, max });
    }
    Ok(Draft::state("m.room.join_rules", rule.content()))
}

pub(crate) fn history_visibility(visibility: HistoryVisibility) -> Draft<'static> {
    one("m.room.history_visibility", "history_visibility", visibility.as_str())
}

pub(crate) fn listed(listed: bool) -> Draft<'static> {
    let mut content = JsonObject::new();
    content.insert("listed".into(), listed.into());
    Draft::state(DIRECTORY_TYPE, content)
}

/// The draft of state whose type the client chose.
pub(crate) fn custom<'a>(
    event_type: &'a str,
    state_key: &'a str,
    content: &'a JsonObject,
    cx: &Context,
) -> Result<Draft<'a>, Rejection> {
    super::message::check_call_type(event_type)?;
    let free =
        ["m.room.encryption", "m.room.guest_access", "m.room.pinned_events", SERVER_ACL_TYPE];
    let reserved = event_type.starts_with("m.room.") || event_type.starts_with("org.rookery.");
    if reserved && !free.contains(&event_type) {
        return Err(Rejection::ReservedType(event_type.to_owned()));
    }
    if event_type == SERVER_ACL_TYPE {
        check_server_acl(state_key, content)?;
    }
    if event_type.is_empty() {
        return Err(Rejection::InvalidContent("the event type is empty".to_owned()));
    }
    if state_key.starts_with('@') && state_key != cx.sender.as_str() {
        return Err(Rejection::StateKeyNotYours(state_key.to_owned()));
    }
    let (kind, content) = (Cow::Borrowed(event_type), Cow::Borrowed(content));
    Ok(Draft { kind, state_key: Some(Cow::Borrowed(state_key)), content })
}

/// The servers that may take part in the room.
const SERVER_ACL_TYPE: &str = "m.room.server_acl";

/// Refuses lists that servers would read differently, or not at all.
fn check_server_acl(state_key: &str, content: &JsonObject) -> Result<(), Rejection> {
    let invalid = |what: &str| Err(Rejection::InvalidContent(what.to_owned()));
    if !state_key.is_empty() {
        return invalid("the state key of m.room.server_acl is empty");
    }
    for list in ["allow", "deny"] {
        let Some(names) = content.get(list) else { continue };
        if !names.as_array().is_some_and(|names| names.iter().all(serde_json::Value::is_string)) {
            return invalid("`allow` and `deny` of m.room.server_acl are lists of texts");
        }
    }
    if content.get("allow_ip_literals").is_some_and(|it| !it.is_boolean()) {
        return invalid("`allow_ip_literals` of m.room.server_acl is true or false");
    }
    // Without an entry nobody could take part, and nobody could change that.
    if content.get("allow").and_then(|names| names.as_array()).is_none_or(Vec::is_empty) {
        return invalid("`allow` of m.room.server_acl names no server; [\"*\"] allows all");
    }
    Ok(())
}

/// Whether the content means the same as no state at all.
pub(super) fn says_nothing(kind: &str, content: &str) -> bool {
    match kind {
        "m.room.name" => content == r#"{"name":""}"#,
        "m.room.topic" => content == r#"{"topic":""}"#,
        "m.room.avatar" | "m.room.canonical_alias" => content == "{}",
        DIRECTORY_TYPE => content == r#"{"listed":false}"#,
        _ => false,
    }
}

fn one(kind: &'static str, key: &str, value: &str) -> Draft<'static> {
    let mut content = JsonObject::new();
    content.insert(key.into(), value.into());
    Draft::state(kind, content)
}
