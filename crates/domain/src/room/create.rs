//! Creating a room: one decision, all or nothing.

use std::sync::Arc;

use rookery_pdu::{Unsealed, canonical, supported_rules};
use ruma_common::{OwnedRoomId, RoomId, RoomVersionId, room_version_rules::RoomVersionRules};
use serde_json::json;

use super::{
    Context, CreateRoom, DIRECTORY_TYPE, Preset, Room, authorise::Draft, decide::settings,
};
use crate::{
    HistoryVisibility, JoinRule, JsonObject, Membership, Pdu, Profile, Rejection,
    limits::{ID_BYTES_MAX, INVITES_MAX, NONCE_BYTES_MAX},
};

/// A level above the default ones. In versions that put creators above all levels, only creators
/// reach it.
///
/// Source: Matrix specification, room version 12.
pub(super) const FOUNDERS_LEVEL: i64 = 150;

impl Room {
    /// Decides how a room starts: its create event, its creator's membership, power levels, rules,
    /// name and invites. Each is authorised against the events before it.
    ///
    /// `nonce` makes the room unique. It is part of the create event, whose hash is the room ID; in
    /// versions 10 and 11 it is part of the room ID itself. The caller draws at least 16 letters,
    /// digits, `-` or `_` at random.
    ///
    /// # Errors
    /// [`Rejection`], naming the rule that forbids it.
    pub fn create(
        command: &CreateRoom,
        profile: &Profile,
        nonce: &str,
        cx: &Context,
    ) -> Result<(Self, Vec<Arc<Pdu>>), Rejection> {
        let version = command.version.clone().unwrap_or(RoomVersionId::V12);
        let rules = supported_rules(&version)
            .ok_or_else(|| Rejection::UnknownRoomVersion(version.to_string()))?;
        check(command, profile, nonce)?;
        let privileged = rules.authorization.explicitly_privilege_room_creators;
        if privileged && command.power_levels.users.contains_key(cx.sender) {
            return Err(Rejection::CreatorHasNoLevel(cx.sender.to_owned()));
        }
        let create = create_event(command, &version, &rules, JsonObject::new(), nonce, cx)?;
        let mut room = Self::new(create.room_id.clone());
        let mut events = vec![create];
        room.accept(&events[0]);
        for draft in opening(command, profile, &rules, cx)? {
            let event = room.issue(&draft, cx)?;
            room.accept(&event);
            events.push(event);
            let headless = room.power_levels().is_some_and(|it| !room.has_head(it, cx.sender));
            if headless {
                return Err(Rejection::WouldLockOut);
            }
        }
        for invitee in &command.invite {
            // `None` if the user is invited already, or is the creator.
            if let Some(draft) = room.invite(invitee, None, command.is_direct, cx)? {
                let event = room.issue(&draft, cx)?;
                room.accept(&event);
                events.push(event);
            }
        }
        Ok((room, events))
    }
}

pub(super) fn check(command: &CreateRoom, profile: &Profile, nonce: &str) -> Result<(), Rejection> {
    let (count, max) = (command.invite.len(), INVITES_MAX);
    if count > max {
        return Err(Rejection::TooMany { what: "invites", count, max });
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if nonce.is_empty() || nonce.len() > NONCE_BYTES_MAX || !nonce.bytes().all(is_plain) {
        let rule = "a nonce is 1 to 64 letters, digits, - or _";
        return Err(Rejection::InvalidContent(rule.to_owned()));
    }
    let room_type = command.room_type.as_deref().unwrap_or("");
    Rejection::if_longer("the room type", room_type, ID_BYTES_MAX)?;
    profile.check()
}

/// The create event, with additional content.
pub(super) fn create_event(
    command: &CreateRoom,
    version: &RoomVersionId,
    rules: &RoomVersionRules,
    mut content: JsonObject,
    nonce: &str,
    cx: &Context,
) -> Result<Arc<Pdu>, Rejection> {
    content.insert("room_version".into(), version.as_str().into());
    if let Some(room_type) = &command.room_type {
        content.insert("type".into(), room_type.as_str().into());
    }
    if !rules.authorization.use_room_create_sender {
        content.insert("creator".into(), cx.sender.as_str().into());
    }
    let room_id = if rules.authorization.room_create_event_id_as_room_id {
        content.insert("org.rookery.nonce".into(), nonce.into());
        None
    } else {
        Some(named_room(nonce, cx)?)
    };
    let event = Unsealed {
        room_id: room_id.as_deref(),
        sender: cx.sender,
        kind: "m.room.create",
        state_key: Some(""),
        redacts: None,
        content: canonical(&content)?,
        prev_events: Vec::new(),
        auth_events: Vec::new(),
        depth: 1,
        origin_server_ts: cx.now,
    }
    .seal(rules)?;
    let mut room = Room::new(event.room_id.clone());
    let event = Arc::new(event);
    // The event itself names the room version and its rules.
    room.accept(&event);
    room.authorise(&event)?;
    Ok(event)
}

fn named_room(localpart: &str, cx: &Context) -> Result<OwnedRoomId, Rejection> {
    RoomId::parse(format!("!{localpart}:{}", cx.sender.server_name()))
        .map_err(|error| Rejection::InvalidContent(error.to_string()))
}

/// The events between the create event and the invites.
fn opening<'a>(
    command: &CreateRoom,
    profile: &Profile,
    rules: &RoomVersionRules,
    cx: &Context<'a>,
) -> Result<Vec<Draft<'a>>, Rejection> {
    let mut member = JsonObject::new();
    member.insert("membership".into(), Membership::Join.as_str().into());
    profile.write_to(&mut member);

    let is_public = command.preset == Preset::Public;
    let preset_rule = if is_public { JoinRule::Public } else { JoinRule::Invite };
    let join_rule = command.join_rule.as_ref().unwrap_or(&preset_rule);
    let visibility = command.history_visibility.unwrap_or(HistoryVisibility::Shared);

    let mut drafts = vec![Draft::member(cx.sender, member), usual_levels(command, rules, cx)];
    if let Some(alias) = &command.alias {
        drafts.push(settings::aliases(Some(alias), &[], cx)?);
    }
    drafts.push(settings::join_rule(join_rule)?);
    drafts.push(settings::history_visibility(visibility));
    if let Some(name) = command.name.as_deref().filter(|name| !name.is_empty()) {
        drafts.push(settings::name(name)?);
    }
    if let Some(topic) = command.topic.as_deref().filter(|topic| !topic.is_empty()) {
        drafts.push(settings::topic(topic)?);
    }
    if let Some(url) = &command.avatar_url {
        drafts.push(settings::avatar(Some(url))?);
    }
    if command.listed {
        drafts.push(settings::listed(true));
    }
    Ok(drafts)
}

/// The draft of the default power levels of a new room, with the changes of the command.
pub(super) fn usual_levels(
    command: &CreateRoom,
    rules: &RoomVersionRules,
    cx: &Context,
) -> Draft<'static> {
    Draft::state("m.room.power_levels", first_power_levels(command, rules, cx))
}

fn first_power_levels(command: &CreateRoom, rules: &RoomVersionRules, cx: &Context) -> JsonObject {
    let is_private = command.preset == Preset::Private;
    let privileged = rules.authorization.explicitly_privilege_room_creators;
    // In versions that put creators above all levels, only creators replace a room.
    let tombstone = if privileged { FOUNDERS_LEVEL } else { 100 };
    let content = json!({
        "users": {},
        "users_default": 0,
        "events": {
            "m.room.avatar": 50,
            "m.room.canonical_alias": 50,
            "m.room.encryption": 100,
            "m.room.history_visibility": 100,
            "m.room.name": 50,
            "m.room.power_levels": 100,
            "m.room.server_acl": 100,
            "m.room.tombstone": tombstone,
            DIRECTORY_TYPE: 50,
        },
        "events_default": 0,
        "state_default": 50,
        "invite": if is_private { 0 } else { 50 },
        "kick": 50,
        "ban": 50,
        "redact": 50,
    });
    let serde_json::Value::Object(mut content) = content else { return JsonObject::new() };
    if !privileged {
        content["users"][cx.sender.as_str()] = 100.into();
    }
    command.power_levels.write_to(&mut content);
    content
}
