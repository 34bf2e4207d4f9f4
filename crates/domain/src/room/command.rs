//! What users ask of rooms.

use ruma_common::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedUserId,
    RoomVersionId, ServerName, UserId,
};
use serde::Serialize;

use crate::{
    Erased, HistoryVisibility, JoinRule, JsonObject, KnownEvent, PowerLevelsChange, Profile,
    Relation, RelationKind,
};

/// What a decision knows beside the state: who asks, when, and whose server this is.
///
/// The clock is read once, where the command is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who asks.
    pub sender: &'a UserId,
    /// When, in milliseconds since 1970.
    pub now: MilliSecondsSinceUnixEpoch,
    /// This server.
    pub server_name: &'a ServerName,
    /// The events that the command refers to ([`RoomCommand::refers_to`]), as far as the caller
    /// has found them.
    pub events: &'a [KnownEvent],
}

impl<'a> Context<'a> {
    /// What the events of a command erase: see [`Envelope::erases`](crate::Envelope::erases).
    #[must_use]
    pub fn erased_by(&self, command: &RoomCommand) -> Vec<Erased> {
        let RoomCommand::Redact { event_id, .. } = command else { return Vec::new() };
        self.known(event_id).map(|known| known.erases.clone()).unwrap_or_default()
    }

    /// The number of the message that a command replaces: see [`Envelope::edits`](crate::Envelope::edits).
    #[must_use]
    pub fn edited_by(&self, command: &RoomCommand) -> Option<u64> {
        Some(self.known(&command.edits()?)?.sequence)
    }

    /// An event that the command refers to, if it was found.
    pub(crate) fn known(&self, event: &EventId) -> Option<&'a KnownEvent> {
        self.events.iter().find(|known| known.pdu.event_id == event)
    }
}

/// What to ask of a room that exists.
///
/// How it serialises goes into the fingerprints of actions ([`crate::Fingerprint`]) and must not
/// change. What the server fills in later is left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum RoomCommand {
    /// Become a member.
    Join {
        /// Shown to the others.
        reason: Option<String>,
        /// For restricted rooms: one of [`crate::Room::join_rule`]'s rooms that the sender is
        /// joined to, which the caller has checked.
        #[serde(skip)]
        member_of: Option<OwnedRoomId>,
    },
    /// Leave, decline an invite, or take back a knock.
    Leave {
        /// Shown to the others.
        reason: Option<String>,
        /// A member who can change the power levels from now on: needed where nobody else can.
        #[serde(skip_serializing_if = "Option::is_none")]
        successor: Option<OwnedUserId>,
    },
    /// Decline an invite.
    Reject {
        /// Shown to the others.
        reason: Option<String>,
    },
    /// Ask to be let in.
    Knock {
        /// Shown to the members.
        reason: Option<String>,
    },
    /// Let a user join.
    Invite {
        /// Who is invited.
        invitee: Invitee,
        /// Shown to the invitee.
        reason: Option<String>,
    },
    /// Remove a member, take back an invite, or refuse a knock.
    Kick {
        /// Who goes.
        user: OwnedUserId,
        /// Shown to all.
        reason: Option<String>,
    },
    /// Remove a user and keep her out.
    Ban {
        /// Who goes.
        user: OwnedUserId,
        /// Shown to all.
        reason: Option<String>,
    },
    /// Lift a ban.
    Unban {
        /// Who may come back.
        user: OwnedUserId,
        /// Shown to all.
        reason: Option<String>,
    },
    /// Say something.
    SendMessage {
        /// In which manner.
        kind: MessageKind,
        /// The text.
        body: String,
        /// The same as HTML (`org.matrix.custom.html`).
        formatted_body: Option<String>,
        /// Which event it answers or replaces.
        relation: Option<MessageRelation>,
        /// Whom it mentions (`m.mentions`); none to say nothing about that.
        mentions: Option<Mentions>,
    },
    /// React to an event.
    React {
        /// The event.
        event_id: OwnedEventId,
        /// With what: an emoji, mostly.
        key: String,
    },
    /// Send an event that is no state. Types of `m.room.` other than `m.room.message` and
    /// `m.room.encrypted`, and those of `org.rookery.`, are refused.
    SendEvent {
        /// The type.
        event_type: String,
        /// The content.
        content: JsonObject,
    },
    /// Take back what an event said: its content goes, for everybody and for good.
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
    /// Name the room.
    SetName {
        /// The name; empty to take it away.
        name: String,
    },
    /// Say what the room is about.
    SetTopic {
        /// The topic; empty to take it away.
        topic: String,
    },
    /// Give the room a picture.
    SetAvatar {
        /// Its `mxc:` address; none to take it away.
        url: Option<String>,
    },
    /// Say which aliases the room goes by. That they point to this room, the caller has checked.
    SetAliases {
        /// The one to show.
        canonical: Option<OwnedRoomAliasId>,
        /// Others.
        alternative: Vec<OwnedRoomAliasId>,
    },
    /// Say how users get in.
    SetJoinRule {
        /// The rule.
        rule: JoinRule,
    },
    /// Say who may read what was sent from now on.
    SetHistoryVisibility {
        /// The setting.
        visibility: HistoryVisibility,
    },
    /// Change what users may do.
    SetPowerLevels {
        /// What changes.
        change: PowerLevelsChange,
    },
    /// Say whether the room stands in the public directory.
    SetListed {
        /// Whether it does.
        listed: bool,
    },
    /// Close the room, as another one takes its place ([`Room::replacement`](crate::Room)).
    Close {
        /// The other room.
        replacement: OwnedRoomId,
    },
    /// Bring the sender's member event up to her profile.
    SetMemberProfile {
        /// The profile.
        profile: Profile,
    },
}

/// Which event a message answers or replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageRelation {
    /// It answers this one.
    Reply(OwnedEventId),
    /// It belongs to a thread.
    Thread {
        /// The event that began the thread.
        root: OwnedEventId,
        /// The event of the thread that it answers; none if it is just the next one.
        reply_to: Option<OwnedEventId>,
    },
    /// It replaces this one, which the sender has sent.
    Edit(OwnedEventId),
}

/// Whom a message mentions.
///
/// Source: Matrix client-server specification, "User and room mentions".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mentions {
    /// These users.
    pub users: Vec<OwnedUserId>,
    /// The whole room.
    pub room: bool,
}

impl RoomCommand {
    /// The events that a decision about this command has to know ([`Context::events`]).
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

/// The manner of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Somebody says something (`m.text`).
    #[default]
    Text,
    /// Somebody does something (`m.emote`).
    Emote,
    /// A program says something (`m.notice`).
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

/// A user to invite, with the profile that the others see until she joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invitee {
    /// Who.
    pub user: OwnedUserId,
    /// Her profile, as far as it is known.
    #[serde(skip)]
    pub profile: Profile,
}

impl From<OwnedUserId> for Invitee {
    fn from(user: OwnedUserId) -> Self {
        Self { user, profile: Profile::default() }
    }
}

/// How a new room starts, where [`CreateRoom`] says nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// By invitation; every member may invite; members see what was sent before they came.
    #[default]
    Private,
    /// Open to all; moderators invite; members see what was sent before they came.
    Public,
}

/// How to make a room. It serialises for the fingerprints of actions, as [`RoomCommand`] does.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CreateRoom {
    /// The room version; 12 if none is named.
    pub version: Option<RoomVersionId>,
    /// What holds where the other fields say nothing.
    pub preset: Preset,
    /// The name.
    pub name: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// The `mxc:` address of its picture.
    pub avatar_url: Option<String>,
    /// Its canonical alias. Claiming it is up to the caller.
    pub alias: Option<OwnedRoomAliasId>,
    /// Whom to invite.
    pub invite: Vec<Invitee>,
    /// How users get in.
    pub join_rule: Option<JoinRule>,
    /// Who may read what.
    pub history_visibility: Option<HistoryVisibility>,
    /// Whether the room stands in the public directory.
    pub listed: bool,
    /// What differs from the usual power levels.
    pub power_levels: PowerLevelsChange,
    /// The invites are to a conversation of two.
    pub is_direct: bool,
    /// The type of the room, such as `m.space`; none for a conversation.
    pub room_type: Option<String>,
}
