//! Invites, as invited users see them.

use rookery_domain::{Membership, OwnedUserId, RoomId, UserId};

use crate::{Reader, RoomView, TimelineError, TimelineEvent};

impl RoomView<'_> {
    /// The user who invited `viewer`, while they are invited.
    #[must_use]
    pub fn inviter_of(&self, viewer: &UserId) -> Option<&OwnedUserId> {
        let member = self.member(viewer)?;
        (member.membership == Membership::Invite).then_some(&member.sender)
    }
}

impl Reader {
    /// The invite of `viewer` to the room, while they are invited.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn invite(
        &self,
        room: &RoomId,
        viewer: &UserId,
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        let key = {
            let view = self.view();
            let found = view.room(room);
            let member = found.as_ref().and_then(|found| found.member(viewer));
            member.filter(|it| it.membership == Membership::Invite).and_then(|it| it.event)
        };
        let Some(key) = key else { return Ok(None) };
        Ok(self.events_at(room, &[key]).await?.pop())
    }
}
