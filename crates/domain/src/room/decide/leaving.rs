//! Leaving a room, and the successor of its last head.
//!
//! **Invariant:** while others are in a room, a member can change its power levels. A room that was
//! replaced needs no such member.

use std::sync::Arc;

use ruma_common::UserId;

use crate::{
    Membership, Pdu, Power, PowerLevelsChange, Rejection,
    room::{Context, Room, authorise::Draft},
};

impl Room {
    /// Decides how the sender leaves, withdraws a knock or declines an invite. A successor without
    /// the power to change the power levels gets it first, in the same commit.
    pub(super) fn leave_to(
        &self,
        successor: Option<&UserId>,
        reason: Option<&str>,
        cx: &Context,
    ) -> Result<Vec<Arc<Pdu>>, Rejection> {
        let Some(draft) = self.leave(reason, cx)? else { return Ok(Vec::new()) };
        let promotion = match successor {
            Some(successor) => self.promotion(successor, cx)?,
            None => None,
        };
        let Some(promotion) = promotion else {
            self.require_other_head(successor, cx.sender)?;
            return Ok(vec![self.issue(&draft, cx)?]);
        };
        let mut room = self.clone();
        let promoted = room.issue(&promotion, cx)?;
        room.accept(&promoted);
        let left = room.issue(&draft, cx)?;
        Ok(vec![promoted, left])
    }

    /// The power levels by which a member can change them; `None` if the member can already.
    fn promotion(
        &self,
        successor: &UserId,
        cx: &Context,
    ) -> Result<Option<Draft<'static>>, Rejection> {
        if successor == cx.sender || self.membership(successor) != Membership::Join {
            return Err(Rejection::TargetNotInRoom(successor.to_owned()));
        }
        if self.is_head(self.levels(), successor) {
            return Ok(None);
        }
        let level = match self.power_of(cx.sender) {
            Power::Level(level) => level,
            Power::Infinite => self.highest_level(),
        };
        let users = [(successor.to_owned(), Some(level))].into();
        self.change_power_levels(&PowerLevelsChange { users, ..Default::default() }, cx)
    }

    /// Whether only `user` can change the power levels while other members are in the room.
    #[must_use]
    pub fn depends_on(&self, user: &UserId) -> bool {
        self.require_other_head(None, user).is_err()
    }

    /// Refuses the last head if other members would remain.
    pub(super) fn require_other_head(
        &self,
        successor: Option<&UserId>,
        user: &UserId,
    ) -> Result<(), Rejection> {
        let levels = self.levels();
        let leaves_others = self.membership(user) == Membership::Join && self.joined_count() > 1;
        let is_safe = !leaves_others
            || successor.is_some_and(|successor| self.is_head(levels, successor))
            || !self.is_head(levels, user)
            || self.replaced_by().is_some()
            || self.has_head_beside(levels, user);
        if is_safe { Ok(()) } else { Err(Rejection::LastHead) }
    }
}
