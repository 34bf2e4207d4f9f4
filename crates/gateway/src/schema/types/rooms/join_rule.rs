//! How users get into a room.

use async_graphql::{Enum, InputObject};
use rookery_domain::JoinRule;

use crate::schema::types::{errors::fault::Fault, values::scalars::RoomIdScalar};

/// How users get into a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "JoinRule")]
pub(crate) enum JoinRuleKind {
    /// Everybody may join.
    Public,
    /// Who is invited may join.
    Invite,
    /// Who is invited may join; others may ask.
    Knock,
    /// Who is invited, or a member of one of some rooms, may join.
    Restricted,
    /// Who is invited, or a member of one of some rooms, may join; others may ask.
    KnockRestricted,
}

impl JoinRuleKind {
    /// The kind of a rule; by invitation where a room says nothing.
    pub(crate) fn of(rule: Option<&JoinRule>) -> Self {
        match rule {
            Some(JoinRule::Public) => Self::Public,
            Some(JoinRule::Knock) => Self::Knock,
            Some(JoinRule::Restricted(_)) => Self::Restricted,
            Some(JoinRule::KnockRestricted(_)) => Self::KnockRestricted,
            Some(JoinRule::Invite) | None => Self::Invite,
        }
    }
}

/// How users are to get into a room.
#[derive(InputObject)]
pub(crate) struct JoinRuleInput {
    /// The rule.
    kind: JoinRuleKind,
    /// For `RESTRICTED` and `KNOCK_RESTRICTED`: the rooms whose members may join.
    #[graphql(default)]
    allowed_rooms: Vec<RoomIdScalar>,
}

impl JoinRuleInput {
    /// The rule, as the room decides on it.
    ///
    /// # Errors
    /// [`Fault`] if rooms are named for a rule that has none.
    pub(crate) fn rule(self) -> Result<JoinRule, Fault> {
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
