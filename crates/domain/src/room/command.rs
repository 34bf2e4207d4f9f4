//! Commands for rooms.

use ruma_common::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedUserId,
    RoomVersionId, ServerName, UserId,
};
use serde::Serialize;

use crate::{
    CallId, CallMedia, EndReason, Erased, HangUpReason, HistoryVisibility, JoinRule, JsonObject,
    KnownEvent, PartyId, PowerLevelsChange, Profile, Relation, RelationKind,
};

/// The facts beside the state that a decision needs: the sender, the time and the server.
///
/// The clock is read once, where the command is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The sender of the command.
    pub sender: &'a UserId,
    /// The device of the sender; `None` for imports and the server's own tasks.
    pub device: Option<&'a str>,
    /// The time, in milliseconds since 1970.
    pub now: MilliSecondsSinceUnixEpoch,
    /// This server.
    pub server_name: &'a ServerName,
    /// The events that the command refers to ([`RoomCommand::refers_to`]), as far as the caller
    /// found them.
    pub events: &'a [KnownEvent],
}

impl<'a> Context<'a> {
    /// The events that a command erases: see [`Envelope::erases`](crate::Envelope::erases).
    #[must_use]
    pub fn erased_by(&self, command: &RoomCommand) -> Vec<Erased> {
        let RoomCommand::Redact { event_id, .. } = command else { return Vec::new() };
        self.known(event_id).map(|known| known.erases.clone()).unwrap_or_default()
    }

    /// The sequence of the message that a command replaces: see
    /// [`Envelope::edits`](crate::Envelope::edits).
    #[must_use]
    pub fn edited_by(&self, command: &RoomCommand) -> Option<u64> {
        Some(self.known(&command.edits()?)?.sequence)
    }

    /// An event that the command refers to, if it was found.
    pub(crate) fn known(&self, event: &EventId) -> Option<&'a KnownEvent> {
        self.events.iter().find(|known| known.pdu.event_id == event)
    }
}

/// A command for a room that exists.
///
/// Its serialised form goes into the fingerprints of actions ([`crate::Fingerprint`]) and must not
/// change. Fields that the server fills in later are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum RoomCommand {
    /// Become a member.
    Join {
        /// Shown to the others.
        reason: Option<String>,
        /// For restricted rooms: a room of [`crate::Room::join_rule`] that the sender has joined.
        /// The caller has checked this.
        #[serde(skip)]
        member_of: Option<OwnedRoomId>,
    },
    /// Leave, decline an invite, or withdraw a knock.
    Leave {
        /// Shown to the others.
        reason: Option<String>,
        /// A member who will be able to change the power levels: needed if no other member can.
        #[serde(skip_serializing_if = "Option::is_none")]
        successor: Option<OwnedUserId>,
    },
    /// Ask to join.
    Knock {
        /// Shown to the members.
        reason: Option<String>,
    },
    /// Invite a user.
    Invite {
        /// The invited user.
        invitee: Invitee,
        /// Shown to the invitee.
        reason: Option<String>,
    },
    /// Remove a member, withdraw an invite, or refuse a knock.
    Kick {
        /// The user to remove.
        user: OwnedUserId,
        /// Shown to all.
        reason: Option<String>,
    },
    /// Remove a user and refuse further joins.
    Ban {
        /// The user to ban.
        user: OwnedUserId,
        /// Shown to all.
        reason: Option<String>,
    },
    /// Lift a ban.
    Unban {
        /// The user whose ban ends.
        user: OwnedUserId,
        /// Shown to all.
        reason: Option<String>,
    },
    /// Send a message.
    SendMessage {
        /// The kind of the message.
        kind: MessageKind,
        /// The text.
        body: String,
        /// The text as HTML (`org.matrix.custom.html`).
        formatted_body: Option<String>,
        /// The event that it answers or replaces.
        relation: Option<MessageRelation>,
        /// The users that it mentions (`m.mentions`); `None` leaves `m.mentions` out.
        mentions: Option<Mentions>,
    },
    /// React to an event.
    React {
        /// The event.
        event_id: OwnedEventId,
        /// The key of the reaction, usually an emoji.
        key: String,
    },
    /// Send an event other than state. Types that begin with `m.room.` are refused, except
    /// `m.room.message` and `m.room.encrypted`; so are types that begin with `org.rookery.`.
    SendEvent {
        /// The type.
        event_type: String,
        /// The content.
        content: JsonObject,
    },
    /// Redact an event: its content is removed for everybody and permanently.
    Redact {
        /// The event.
        event_id: OwnedEventId,
        /// Shown to all.
        reason: Option<String>,
    },
    /// Set state that has no command of its own.
    SetState {
        /// The type.
        event_type: String,
        /// The state key; a user ID only if it is the sender's.
        state_key: String,
        /// The content.
        content: JsonObject,
    },
    /// Set the name of the room.
    SetName {
        /// The name; empty to remove it.
        name: String,
    },
    /// Set the topic of the room.
    SetTopic {
        /// The topic; empty to remove it.
        topic: String,
    },
    /// Set the avatar of the room.
    SetAvatar {
        /// Its `mxc:` address; `None` to remove it.
        url: Option<String>,
    },
    /// Set the aliases of the room. The caller has checked that they point to this room.
    SetAliases {
        /// The alias to show.
        canonical: Option<OwnedRoomAliasId>,
        /// The other aliases.
        alternative: Vec<OwnedRoomAliasId>,
    },
    /// Set how users may join.
    SetJoinRule {
        /// The rule.
        rule: JoinRule,
    },
    /// Set who may read events that are sent from now on.
    SetHistoryVisibility {
        /// The setting.
        visibility: HistoryVisibility,
    },
    /// Change the power levels.
    SetPowerLevels {
        /// The change.
        change: PowerLevelsChange,
    },
    /// Set whether the room is listed in the public directory.
    SetListed {
        /// Whether it is listed.
        listed: bool,
    },
    /// Close the room, because another one replaces it ([`Room::replacement`](crate::Room)).
    Close {
        /// The other room.
        replacement: OwnedRoomId,
    },
    /// Update the sender's member event to their profile.
    SetMemberProfile {
        /// The profile.
        profile: Profile,
    },
    /// Call another member.
    PlaceCall(PlaceCall),
    /// Answer a call. The first device of the callee that answers has the call.
    AnswerCall {
        /// The call.
        call_id: CallId,
        /// The ID of the answering device in the call. The caller of the decision draws it.
        #[serde(skip)]
        party_id: Option<PartyId>,
    },
    /// Reject a call that rings.
    RejectCall {
        /// The call.
        call_id: CallId,
        /// The ID of the rejecting device in the call. The caller of the decision draws it.
        #[serde(skip)]
        party_id: Option<PartyId>,
    },
    /// End a call of the sender's device. A callee rejects a call that rings.
    HangUpCall {
        /// The call.
        call_id: CallId,
        /// The reason.
        reason: HangUpReason,
        /// As for [`Self::RejectCall`].
        #[serde(skip)]
        party_id: Option<PartyId>,
    },
    /// End a call in the name of the sender, a party of it. Only the server itself does so. It
    /// changes nothing if the call has ended, or if the reason does not hold: a call of which the
    /// lifetime is not over does not time out.
    EndCall {
        /// The call.
        call_id: CallId,
        /// The reason.
        reason: EndReason,
    },
}

/// A call to place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlaceCall {
    /// The member to call.
    pub callee: OwnedUserId,
    /// Whether the call has a picture.
    pub media: CallMedia,
    /// How long it rings ([`CALL_LIFETIME_SECONDS`](crate::limits::CALL_LIFETIME_SECONDS)).
    pub lifetime_seconds: u32,
    /// The IDs of the call and of the caller's device in it. The caller of the decision makes them.
    #[serde(skip)]
    pub ids: Option<(CallId, PartyId)>,
    /// The callee ignores the caller: the call does not ring, and keeps the callee from no other
    /// call. The caller of the decision has checked this.
    #[serde(skip)]
    pub is_ignored: bool,
}

impl PlaceCall {
    /// A call as the caller asks for it.
    #[must_use]
    pub fn new(callee: OwnedUserId, media: CallMedia, lifetime_seconds: u32) -> Self {
        Self { callee, media, lifetime_seconds, ids: None, is_ignored: false }
    }
}

/// The event that a message answers or replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageRelation {
    /// A reply to this event.
    Reply(OwnedEventId),
    /// A message in a thread.
    Thread {
        /// The event that began the thread.
        root: OwnedEventId,
        /// The event of the thread that it answers; `None` if it is only the next message.
        reply_to: Option<OwnedEventId>,
    },
    /// An edit of this event, which the sender sent.
    Edit(OwnedEventId),
}

/// The mentions of a message.
///
/// Source: Matrix client-server specification, "User and room mentions".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mentions {
    /// The mentioned users.
    pub users: Vec<OwnedUserId>,
    /// Whether the whole room is mentioned.
    pub room: bool,
}

impl RoomCommand {
    /// The events that a decision about this command needs ([`Context::events`]).
    #[must_use]
    pub fn refers_to(&self) -> Vec<OwnedEventId> {
        match self {
            Self::SendMessage { relation: Some(relation), .. } => match relation {
                MessageRelation::Reply(event) | MessageRelation::Edit(event) => vec![event.clone()],
                MessageRelation::Thread { root, reply_to } => {
                    [root].into_iter().chain(reply_to).cloned().collect()
                }
            },
            Self::React { event_id, .. } | Self::Redact { event_id, .. } => vec![event_id.clone()],
            Self::SendEvent { content, .. } => {
                let relation = Relation::read(content).ok().flatten();
                let targets = relation.iter().flat_map(Relation::targets);
                targets.map(ToOwned::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The event whose content it replaces, if it is an edit.
    #[must_use]
    pub fn edits(&self) -> Option<OwnedEventId> {
        match self {
            Self::SendMessage { relation: Some(MessageRelation::Edit(event)), .. } => {
                Some(event.clone())
            }
            Self::SendEvent { content, .. } => match Relation::read(content).ok()??.to? {
                (event, RelationKind::Edit) => Some(event),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// A text (`m.text`).
    #[default]
    Text,
    /// An action (`m.emote`).
    Emote,
    /// A message of a program (`m.notice`).
    Notice,
}

impl MessageKind {
    /// The `msgtype` of the event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "m.text",
            Self::Emote => "m.emote",
            Self::Notice => "m.notice",
        }
    }
}

/// A user to invite, with the profile that the members see until the user joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invitee {
    /// The user.
    pub user: OwnedUserId,
    /// Their profile, as far as it is known.
    #[serde(skip)]
    pub profile: Profile,
    /// The invite is to a direct conversation. The server fills it in.
    #[serde(skip)]
    pub is_direct: bool,
}

impl From<OwnedUserId> for Invitee {
    fn from(user: OwnedUserId) -> Self {
        Self { user, profile: Profile::default(), is_direct: false }
    }
}

/// The defaults of a new room, for settings that [`CreateRoom`] leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Users join by invite; every member may invite; members see events sent before they joined.
    #[default]
    Private,
    /// Everybody may join; moderators may invite; members see events sent before they joined.
    Public,
}

/// How to create a room. Its serialised form goes into the fingerprints of actions, as for
/// [`RoomCommand`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CreateRoom {
    /// The room version; 12 by default.
    pub version: Option<RoomVersionId>,
    /// The defaults for the other fields.
    pub preset: Preset,
    /// The name.
    pub name: Option<String>,
    /// The topic.
    pub topic: Option<String>,
    /// The `mxc:` address of its picture.
    pub avatar_url: Option<String>,
    /// Its canonical alias. The caller claims it.
    pub alias: Option<OwnedRoomAliasId>,
    /// The users to invite.
    pub invite: Vec<Invitee>,
    /// How users may join.
    pub join_rule: Option<JoinRule>,
    /// The users who may read the history.
    pub history_visibility: Option<HistoryVisibility>,
    /// Whether the room is listed in the public directory.
    pub listed: bool,
    /// The changes of the default power levels.
    pub power_levels: PowerLevelsChange,
    /// The invites are to a direct conversation.
    pub is_direct: bool,
    /// The type of the room, such as `m.space`; `None` for a conversation.
    pub room_type: Option<String>,
}
