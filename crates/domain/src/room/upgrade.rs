//! Upgrading a room: another room replaces it, and it closes.
//!
//! **Invariant:** the new room starts with the old rules: power levels, bans and join rule. No
//! member gets more power over its moderators than in the old room.
//! **Invariant:** where creators stand above all levels, only they replace the room by default: the
//! level for that is above the default ones. This also holds for a room whose predecessor had no
//! such creators.
//! **Invariant:** a room that was replaced accepts no more messages. Users still join to read it,
//! leave, and redact their events.
//! **Invariant:** one commit closes the old room and names the new one; nothing in the old room
//! changes earlier.
//!
//! Source: Matrix client-server specification, "Room upgrades".

use std::{borrow::Cow, sync::Arc};

use rookery_pdu::supported_rules;
use ruma_common::{OwnedRoomId, OwnedUserId, RoomId, RoomVersionId, UserId};
use serde_json::{Value, json};

use super::{
    Context, CreateRoom, DIRECTORY_TYPE, Invitee, Room, RoomCommand, authorise::Draft, create,
};
use crate::{JsonObject, Membership, Pdu, Power, Profile, Rejection, limits::BANS_TAKEN_OVER_MAX};

const POWER_LEVELS: &str = "m.room.power_levels";
const ALIASES: &str = "m.room.canonical_alias";
const TOMBSTONE: &str = "m.room.tombstone";
const REDACTION: &str = "m.room.redaction";

/// The state that the new room copies unchanged.
const TAKEN_OVER: [&str; 8] = [
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.guest_access",
    "m.room.server_acl",
    "m.room.encryption",
    "m.room.name",
    "m.room.topic",
    "m.room.avatar",
];

/// Types other than state whose own level, if they have one, is raised when a room closes.
const SAID: [&str; 3] = ["m.room.message", "m.room.encrypted", "m.reaction"];

impl Room {
    /// The room that replaced this one.
    #[must_use]
    pub fn replaced_by(&self) -> Option<OwnedRoomId> {
        self.field(TOMBSTONE, "replacement_room")
    }

    /// Refuses commands that a replaced room does not accept.
    pub(super) fn check_replaced(
        &self,
        command: &RoomCommand,
        cx: &Context,
    ) -> Result<(), Rejection> {
        // Other rooms pay only for this look-up.
        let Some(replacement) = self.replaced_by() else { return Ok(()) };
        let is_done = match command {
            RoomCommand::Join { .. }
            | RoomCommand::Leave { .. }
            | RoomCommand::Kick { .. }
            | RoomCommand::Ban { .. }
            | RoomCommand::Unban { .. }
            | RoomCommand::Redact { .. }
            | RoomCommand::SetJoinRule { .. }
            | RoomCommand::SetMemberProfile { .. }
            | RoomCommand::RejectCall { .. }
            | RoomCommand::HangUpCall { .. }
            | RoomCommand::EndCall { .. }
            | RoomCommand::Close { .. } => true,
            RoomCommand::SetListed { listed } => !listed,
            RoomCommand::SetAliases { canonical, alternative } => {
                canonical.is_none() && alternative.is_empty()
            }
            _ => false,
        };
        let may_know = match self.membership(cx.sender) {
            Membership::Join => true,
            Membership::Ban => false,
            _ => matches!(command, RoomCommand::Knock { .. }),
        };
        if is_done || !may_know { Ok(()) } else { Err(Rejection::RoomReplaced(replacement)) }
    }

    /// Refuses a user who may not replace this room.
    ///
    /// # Errors
    /// [`Rejection`], naming the rule that forbids it.
    pub fn check_upgrade(&self, cx: &Context) -> Result<(), Rejection> {
        self.rules()?;
        self.require_member(cx.sender)?;
        if let Some(room) = self.replaced_by() {
            return Err(Rejection::RoomReplaced(room));
        }
        let needed = self.levels().event(TOMBSTONE, true);
        self.require_power(cx.sender, needed, || "to upgrade the room".to_owned())
    }

    /// Decides how the replacement room starts. `nonce` is as for [`Room::create`].
    ///
    /// # Errors
    /// [`Rejection`], naming the rule that forbids it.
    pub fn replacement(
        &self,
        version: &RoomVersionId,
        profile: &Profile,
        invite: &[Invitee],
        nonce: &str,
        cx: &Context,
    ) -> Result<(Self, Vec<Arc<Pdu>>), Rejection> {
        self.check_upgrade(cx)?;
        let rules = supported_rules(version)
            .ok_or_else(|| Rejection::UnknownRoomVersion(version.to_string()))?;
        let more = rules.authorization.additional_room_creators;
        let others = if more { self.other_creators(cx.sender) } else { Vec::new() };
        let command = CreateRoom {
            version: Some(version.clone()),
            room_type: self.room_type(),
            ..CreateRoom::default()
        };
        let mut extra = JsonObject::new();
        let last = self.extremities.last();
        extra.insert("predecessor".into(), json!({ "room_id": self.id, "event_id": last }));
        if !others.is_empty() {
            let creators = others.iter().map(|user| user.as_str());
            extra.insert("additional_creators".into(), creators.collect());
        }
        if self.version.as_ref().is_some_and(|version| !version.is_federated) {
            extra.insert("m.federate".into(), false.into());
        }
        create::check(&command, profile, nonce)?;
        let create = create::create_event(&command, version, &rules, extra, nonce, cx)?;
        let mut room = Self::new(create.room_id.clone());
        room.accept(&create);
        let mut events = vec![create];
        // The levels come last, because until then the creator may do all of this.
        let privileged = rules.authorization.explicitly_privilege_room_creators;
        let drafts = self.taken_over(profile, cx).into_iter();
        let levels = self.levels_for(privileged, &others, cx);
        let levels = levels.map(|content| Draft::state(POWER_LEVELS, content));
        let levels = levels.unwrap_or_else(|| create::usual_levels(&command, &rules, cx));
        for draft in drafts {
            events.push(room.next(&draft, cx)?);
        }
        for invitee in invite {
            if let Some(draft) = room.invite(invitee, None, false, cx)? {
                events.push(room.next(&draft, cx)?);
            }
        }
        events.push(room.next(&levels, cx)?);
        Ok((room, events))
    }

    /// Closes the room: it names its replacement and raises the levels for sending, as far as the
    /// sender may.
    pub(super) fn close_for(
        &self,
        replacement: &RoomId,
        cx: &Context,
    ) -> Result<Vec<Arc<Pdu>>, Rejection> {
        if self.replaced_by().as_deref() == Some(replacement) {
            self.require_member(cx.sender)?;
            return Ok(Vec::new());
        }
        self.check_upgrade(cx)?;
        let mut room = self.clone();
        let mut events = Vec::new();
        for draft in self.last_settings() {
            // Settings that the sender may not change stay.
            events.extend(room.next(&draft, cx).ok());
        }
        let content = json!({
            "body": "This room has been replaced",
            "replacement_room": replacement,
        });
        let Value::Object(content) = content else { return Ok(Vec::new()) };
        events.push(room.next(&Draft::state(TOMBSTONE, content), cx)?);
        Ok(events)
    }

    fn next(&mut self, draft: &Draft, cx: &Context) -> Result<Arc<Pdu>, Rejection> {
        let event = self.issue(draft, cx)?;
        self.accept(&event);
        Ok(event)
    }

    /// The settings that a closing room makes.
    fn last_settings(&self) -> Vec<Draft<'static>> {
        let mut drafts = Vec::new();
        if self.canonical_alias().is_some() || !self.alternative_aliases().is_empty() {
            drafts.push(Draft::state(ALIASES, JsonObject::new()));
        }
        if self.is_listed() {
            let content = json!({ "listed": false });
            drafts.extend(content.as_object().cloned().map(|it| Draft::state(DIRECTORY_TYPE, it)));
        }
        let levels = self.state(POWER_LEVELS, "").and_then(|event| event.content_as());
        drafts.extend(levels.map(|mut content: JsonObject| {
            let least = self.levels().users_default.saturating_add(1).max(50);
            let raise = |content: &mut JsonObject, key: &str, current: i64| {
                content.insert(key.to_owned(), current.max(least).into());
            };
            raise(&mut content, "events_default", self.levels().events_default);
            raise(&mut content, "invite", self.levels().invite);
            // Users may still redact their own events.
            let redactions = self.levels().event(REDACTION, false);
            let events = content.entry("events").or_insert_with(|| JsonObject::new().into());
            if let Value::Object(events) = events {
                events.insert(REDACTION.to_owned(), redactions.into());
                for kind in SAID.into_iter().filter(|kind| self.levels().events.contains_key(*kind))
                {
                    raise(events, kind, self.levels().event(kind, false));
                }
            }
            Draft::state(POWER_LEVELS, content)
        }));
        drafts
    }

    /// The first events of the new room: its creator, the settings of this one and the bans.
    fn taken_over<'a>(&'a self, profile: &Profile, cx: &Context<'a>) -> Vec<Draft<'a>> {
        let mut member = JsonObject::new();
        member.insert("membership".into(), Membership::Join.as_str().into());
        profile.write_to(&mut member);
        let mut drafts = vec![Draft::member(cx.sender, member)];
        // A user who may not set the aliases may not copy them either.
        let own = [ALIASES, DIRECTORY_TYPE];
        let own = own.into_iter().filter(|kind| self.may_send(cx.sender, kind, true));
        for kind in TAKEN_OVER.into_iter().chain(own) {
            let content = self.state(kind, "").and_then(|event| event.content_as());
            drafts.extend(content.map(|content: JsonObject| Draft::state(kind, content)));
        }
        let bans = self.banned().take(BANS_TAKEN_OVER_MAX);
        drafts.extend(bans.map(|(user, reason)| {
            let mut content = JsonObject::new();
            content.insert("membership".into(), Membership::Ban.as_str().into());
            content.extend(reason.map(|reason| ("reason".to_owned(), reason.into())));
            Draft {
                kind: Cow::Borrowed("m.room.member"),
                state_key: Some(Cow::Borrowed(user)),
                content: Cow::Owned(content),
            }
        }));
        drafts
    }

    /// The banned users, with the reasons.
    pub fn banned(&self) -> impl Iterator<Item = (&str, Option<String>)> {
        let banned = self.members().filter(|(_, membership, _)| *membership == Membership::Ban);
        banned.map(|(user, _, event)| (user, super::reading::field(event, "reason")))
    }

    /// The creators of this room who are joined, other than `user`.
    fn other_creators(&self, user: &UserId) -> Vec<OwnedUserId> {
        let creators = self.version.iter().flat_map(|version| version.creators.users());
        let others = creators.filter(|id| *id != user && self.power_of(id) == Power::Infinite);
        others.filter(|id| self.membership(id) == Membership::Join).cloned().collect()
    }

    /// The power levels of this room for a replacement in which creators stand above all levels, or
    /// do not.
    fn levels_for(
        &self,
        privileged: bool,
        others: &[OwnedUserId],
        cx: &Context,
    ) -> Option<JsonObject> {
        let mut content: JsonObject = self.state(POWER_LEVELS, "")?.content_as()?;
        let highest = self.highest_level();
        if privileged {
            let least = self.levels().event(TOMBSTONE, true).max(create::FOUNDERS_LEVEL);
            let events = content.entry("events").or_insert_with(|| JsonObject::new().into());
            events.as_object_mut()?.insert(TOMBSTONE.to_owned(), least.into());
        }
        let users = content.entry("users").or_insert_with(|| Value::Object(JsonObject::new()));
        let Value::Object(users) = users else { return None };
        if privileged {
            users.remove(cx.sender.as_str());
            users.retain(|user, _| !others.iter().any(|other| other.as_str() == user));
        } else {
            // A creator above all levels gets the highest level of the room.
            let creators = self.version.iter().flat_map(|version| version.creators.users());
            for user in creators.filter(|user| self.power_of(user) == Power::Infinite) {
                users.insert(user.to_string(), highest.into());
            }
        }
        Some(content)
    }

    /// The highest level that an action needs or a user has; at least 100.
    pub(super) fn highest_level(&self) -> i64 {
        let levels = self.levels();
        let named = levels.users.values().chain(levels.events.values()).copied();
        let settings = [levels.state_default, levels.events_default, levels.invite, levels.kick];
        named.chain(settings).chain([levels.ban, levels.redact, 100]).max().unwrap_or(100)
    }
}
