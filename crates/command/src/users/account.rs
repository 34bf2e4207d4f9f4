//! A user's own data: read receipts and devices.

use futures_util::future::BoxFuture;
use rookery_domain::{
    Account, AccountCommand, AccountEvent, Fact, KnownEvent, Membership, OwnedEventId, OwnedRoomId,
    Rejection, Room,
};
use rookery_log::Position;
use serde::Serialize;

use crate::{
    Actor, Commands, HandleError, Outcome, Retry,
    rooms::outcome,
    stream::{handle::Request, state::Loaded},
};

/// A read receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadMark {
    /// The room.
    #[serde(rename = "room")]
    pub room_id: OwnedRoomId,
    /// The last event that the user read.
    #[serde(rename = "event")]
    pub event_id: OwnedEventId,
    /// Do not show the receipt to others.
    pub private: bool,
}

impl ReadMark {
    fn decide(&self, sequence: u64, account: Option<&Account>) -> Result<Vec<Fact>, HandleError> {
        let fresh = Account::default();
        let ReadMark { room_id, event_id, private } = self.clone();
        let command = AccountCommand::MarkRead { room_id, event_id, sequence, private };
        let events = account.unwrap_or(&fresh).decide(&command)?;
        Ok(events.into_iter().map(Fact::Account).collect())
    }
}

impl Commands {
    /// Moves the actor's read receipt in a room of which they are a member, if they may see the
    /// event. An earlier event than before changes nothing.
    pub(crate) async fn mark_read_now(
        &self,
        actor: &Actor,
        mark: &ReadMark,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let sequence = self.readable(actor, mark).await?;
        let stream_state = self.accounts.state_of(actor.user.as_str());
        let decide = |account: Option<&Account>| Ok(request.noted(mark.decide(sequence, account)?));
        let handled = self.core.handle(&self.accounts, &stream_state, request, decide).await?;
        Ok(outcome(request, None, handled))
    }

    /// Moves the read receipt of a user of another server, as that server says. The caller has checked that the user is in
    /// the room, and knows the sequence of the event there. An earlier event than before changes nothing.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be written.
    pub async fn note_receipt(
        &self,
        actor: &Actor,
        mark: &ReadMark,
        sequence: u64,
    ) -> Result<Position, HandleError> {
        let stream_state = self.accounts.state_of(actor.user.as_str());
        let decide = |account: Option<&Account>| mark.decide(sequence, account);
        let request = actor.request(Retry::Unnamed);
        Ok(self.core.handle(&self.accounts, &stream_state, &request, decide).await?.position)
    }

    /// The sequence of the event, if the actor is a member of the room and may see it.
    async fn readable(&self, actor: &Actor, mark: &ReadMark) -> Result<u64, HandleError> {
        let stream_state = self.rooms.state_of(mark.room_id.as_str());
        let standing = |room: Option<&Room>| match room {
            Some(room) if room.membership(&actor.user) == Membership::Join => Ok(()),
            Some(room) if room.exists_for(&actor.user) => Err(Rejection::NotAMember.into()),
            _ => Err(HandleError::NoSuchRoom),
        };
        self.core.read_state(&self.rooms, &stream_state, standing).await??;
        if let Some(sequence) = self.seen(actor, mark, Position::ORIGIN).await? {
            return Ok(sequence);
        }
        // An earlier action, such as the join, may still be in flight.
        let under_way = stream_state.loaded.lock().await.as_mut().and_then(Loaded::last_under_way);
        if let Some(append) = under_way {
            append.await.ok();
        }
        let tail = *self.core.log.tail().borrow();
        let seen = self.seen(actor, mark, tail).await?;
        seen.ok_or_else(|| Rejection::NoSuchEvent(mark.event_id.clone()).into())
    }

    /// The sequence of the event, if it is in the room and the actor may see it, as of `at_least`.
    async fn seen(
        &self,
        actor: &Actor,
        mark: &ReadMark,
        at_least: Position,
    ) -> Result<Option<u64>, HandleError> {
        let event = std::slice::from_ref(&mark.event_id);
        let known = self.events.known(event, &actor.user, at_least).await?;
        let here = |event: &&KnownEvent| event.visible && event.pdu.room_id == mark.room_id;
        Ok(known.iter().find(here).map(|event| event.sequence))
    }

    /// Tells the user's devices of a new one.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be written; the device exists nevertheless.
    pub fn device_added<'a>(
        &'a self,
        actor: &'a Actor,
        device_id: &'a str,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Position, HandleError>> {
        Box::pin(async move {
            let (device_id, name) = (device_id.to_owned(), name.map(ToOwned::to_owned));
            self.note(actor, vec![AccountEvent::DeviceAdded { device_id, name }]).await
        })
    }

    /// Tells the user's devices that some of them were removed, and ends the calls of these.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be written; the devices are removed nevertheless.
    pub async fn devices_removed(
        &self,
        actor: &Actor,
        device_ids: impl IntoIterator<Item = String>,
    ) -> Result<Position, HandleError> {
        self.remove_devices(actor, device_ids.into_iter().collect()).await
    }

    fn remove_devices<'a>(
        &'a self,
        actor: &'a Actor,
        devices: Vec<String>,
    ) -> BoxFuture<'a, Result<Position, HandleError>> {
        Box::pin(async move {
            let removed = |device_id| AccountEvent::DeviceRemoved { device_id };
            let position = self.note(actor, devices.iter().cloned().map(removed).collect()).await?;
            if !devices.is_empty() {
                let ended = self.end_calls_of_devices(&actor.user, &devices, position, actor.now);
                match Box::pin(ended).await {
                    Ok(_) => self.call_ends.done(position),
                    Err(error) => tracing::warn!("calls of removed devices end later: {error}"),
                }
            }
            Ok(position)
        })
    }

    async fn note(
        &self,
        actor: &Actor,
        events: Vec<AccountEvent>,
    ) -> Result<Position, HandleError> {
        let stream_state = self.accounts.state_of(actor.user.as_str());
        let decide = |_: Option<&Account>| Ok(events.iter().cloned().map(Fact::Account).collect());
        let request = actor.request(Retry::Unnamed);
        Ok(self.core.handle(&self.accounts, &stream_state, &request, decide).await?.position)
    }
}
