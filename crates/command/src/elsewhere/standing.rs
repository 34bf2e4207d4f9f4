//! Invites to rooms that are not here, and their ends.

use futures_util::future::BoxFuture;
use rookery_domain::{
    Account, AccountEvent, Elsewhere, ElsewhereEnd, Fact, Membership, OwnedRoomId, OwnedUserId,
    UserId,
};
use rookery_log::{CommandId, Millis};

use crate::{Actor, Commands, HandleError, Retry};

impl Commands {
    /// Records that a user is invited to a room that is not here, or has asked to join one. The same
    /// event changes nothing when it comes again, and an invite of an ignored user changes nothing.
    ///
    /// # Errors
    /// [`HandleError::Rejected`] if the user has too many; otherwise the log cannot be written.
    pub fn set_elsewhere<'a>(
        &'a self,
        user: &'a UserId,
        standing: Elsewhere,
        now: Millis,
    ) -> BoxFuture<'a, Result<(), HandleError>> {
        Box::pin(async move {
            let id = standing.event_id.clone();
            let command = CommandId::derive(&[b"elsewhere", user.as_bytes(), id.as_bytes()]);
            let changed = AccountEvent::ElsewhereChanged { standing: Box::new(standing.clone()) };
            let decide = |account: Option<&Account>| {
                let fresh = Account::default();
                let account = account.unwrap_or(&fresh);
                let rooms = account.elsewhere();
                let inviter = &standing.preview.inviter;
                if standing.membership == Membership::Invite && account.ignored().contains(inviter)
                {
                    // The other server does not learn of it.
                    return Ok(Vec::new());
                }
                if rooms.get(&standing.preview.room_id).is_none() {
                    rooms.admit(standing.membership)?;
                }
                Ok(vec![Fact::Account(changed.clone())])
            };
            self.write_elsewhere(user, command, now, decide).await
        })
    }

    /// Records that another user has ended an invite to a room that is not here, or a request to
    /// join one, by an event. Nothing if the user has neither.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be written.
    pub fn end_elsewhere<'a>(
        &'a self,
        user: &'a UserId,
        room_id: OwnedRoomId,
        (how, by): (ElsewhereEnd, OwnedUserId),
        event_id: &'a str,
        now: Millis,
    ) -> BoxFuture<'a, Result<(), HandleError>> {
        Box::pin(async move {
            let command = CommandId::derive(&[
                b"elsewhere end",
                user.as_bytes(),
                room_id.as_bytes(),
                event_id.as_bytes(),
            ]);
            let decide = |account: Option<&Account>| {
                let has = account.is_some_and(|it| it.elsewhere().get(&room_id).is_some());
                let (room_id, by) = (room_id.clone(), by.clone());
                let ended = AccountEvent::ElsewhereEnded { room_id, how, by };
                Ok(has.then_some(Fact::Account(ended)).into_iter().collect())
            };
            self.write_elsewhere(user, command, now, decide).await
        })
    }

    async fn write_elsewhere(
        &self,
        user: &UserId,
        command: CommandId,
        now: Millis,
        decide: impl Fn(Option<&Account>) -> Result<Vec<Fact>, HandleError> + Send,
    ) -> Result<(), HandleError> {
        let actor = Actor::for_server(user.to_owned(), now);
        let request = actor.request(Retry::Named(command));
        let stream_state = self.accounts.state_of(user.as_str());
        self.core.handle(&self.accounts, &stream_state, &request, decide).await.map(drop)
    }
}
