//! How users may join a room, and which users may read its events.

use async_graphql::{Enum, InputObject};
use rookery_domain::{HistoryVisibility, JoinRule};

use crate::types::{errors::fault::Fault, values::scalars::RoomIdScalar};

/// How users may join a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "JoinRule")]
pub enum JoinRuleKind {
    /// Everybody may join.
    Public,
    /// Invited users may join.
    Invite,
    /// Invited users may join; others may knock.
    Knock,
    /// Invited users and members of certain rooms may join.
    Restricted,
    /// Invited users and members of certain rooms may join; others may knock.
    KnockRestricted,
}

impl JoinRuleKind {
    /// The kind of a rule.
    pub fn of(rule: &JoinRule) -> Self {
        match rule {
            JoinRule::Public => Self::Public,
            JoinRule::Invite => Self::Invite,
            JoinRule::Knock => Self::Knock,
            JoinRule::Restricted(_) => Self::Restricted,
            JoinRule::KnockRestricted(_) => Self::KnockRestricted,
        }
    }
}

/// The users who may read the events of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "HistoryVisibility", remote = "HistoryVisibility")]
pub enum HistoryVisibilityEnum {
    /// Members, for events sent while they were joined.
    Joined,
    /// Members, for events sent since they were invited.
    Invited,
    /// Members, for all events sent before they left.
    Shared,
    /// Everybody.
    WorldReadable,
}

/// How users may join a room.
#[derive(InputObject)]
pub struct JoinRuleInput {
    /// The rule.
    kind: JoinRuleKind,
    /// For `RESTRICTED` and `KNOCK_RESTRICTED`: the rooms whose members may join.
    #[graphql(default)]
    allowed_rooms: Vec<RoomIdScalar>,
}

impl JoinRuleInput {
    /// The rule, in the form of the room.
    ///
    /// # Errors
    /// [`Fault`] if rooms are given for a rule without rooms.
    pub fn rule(self) -> Result<JoinRule, Fault> {
        let rooms: Vec<_> = self.allowed_rooms.into_iter().map(|room| room.0).collect();
        let plain = |rule| {
            let refusal = "`allowedRooms` goes with the kinds RESTRICTED and KNOCK_RESTRICTED only";
            if rooms.is_empty() { Ok(rule) } else { Err(Fault::bad_input(refusal)) }
        };
        match self.kind {
            JoinRuleKind::Public => plain(JoinRule::Public),
            JoinRuleKind::Invite => plain(JoinRule::Invite),
            JoinRuleKind::Knock => plain(JoinRule::Knock),
            JoinRuleKind::Restricted => Ok(JoinRule::Restricted(rooms)),
            JoinRuleKind::KnockRestricted => Ok(JoinRule::KnockRestricted(rooms)),
        }
    }
}
