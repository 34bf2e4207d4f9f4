//! What a user notes about herself: how far she has read, which devices she has.

use rookery_domain::{Account, AccountCommand, AccountEvent, Fact, OwnedEventId, OwnedRoomId};
use rookery_log::Position;
use serde::Serialize;

use crate::{
    Actor, Commands, HandleError, Retry,
    actions::{Asked, Concluded, Entry},
};

/// How far a room was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadMark {
    /// The room.
    pub room_id: OwnedRoomId,
    /// The last event that was read. It is for the caller to see to it that it is one of the room,
    /// and one that the user may see.
    pub event_id: OwnedEventId,
    /// Its number in the room.
    pub sequence: u64,
    /// Tell nobody else.
    pub private: bool,
}

impl ReadMark {
    fn decide(&self, account: Option<&Account>) -> Result<Vec<Fact>, HandleError> {
        let fresh = Account::default();
        let ReadMark { room_id, event_id, sequence, private } = self.clone();
        let command = AccountCommand::MarkRead { room_id, event_id, sequence, private };
        let events = account.unwrap_or(&fresh).decide(&command)?;
        Ok(events.into_iter().map(Fact::Account).collect())
    }

    /// Whether a fact that bears the name of this mark can be the work of it.
    fn has_made(&self, fact: &Fact) -> bool {
        let Fact::Account(AccountEvent::ReceiptMoved { room_id, event_id, private, .. }) = fact
        else {
            return false;
        };
        (room_id, event_id, private) == (&self.room_id, &self.event_id, &self.private)
    }
}

/// Whether a mark was moved, and since when it is where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The commit, or one at which it was as far or further.
    pub position: Position,
    /// It was moved, now or at the first try.
    pub moved: bool,
}

impl Concluded for Marked {
    fn held(&self) -> bool {
        !self.moved
    }

    fn room(&self) -> Option<OwnedRoomId> {
        None
    }

    fn at(self, position: Position) -> Self {
        Self { position, ..self }
    }
}

impl Commands {
    /// Notes how far the actor has read a room. An older event than before changes nothing.
    ///
    /// # Errors
    /// [`HandleError`], which says whether to retry.
    pub async fn mark_read(
        &self,
        actor: &Actor,
        mark: &ReadMark,
        retry: Retry,
    ) -> Result<Marked, HandleError> {
        let request = match self.enter(actor, retry, &Asked::Read { mark }).await? {
            Entry::Now(request) => request,
            Entry::Again(first) => {
                let made = |fact: &Fact| mark.has_made(fact);
                let first = first.unless(|first| first.handled.facts.iter().all(made))?.handled;
                return Ok(Marked { position: first.position, moved: !first.facts.is_empty() });
            }
        };
        let cell = self.accounts.cell(actor.user.as_str());
        let decide = |account: Option<&Account>| Ok(request.noted(mark.decide(account)?));
        let handled = self.core.handle(&self.accounts, &cell, &request, decide).await;
        let marked = handled
            .map(|handled| Marked { position: handled.position, moved: !handled.facts.is_empty() });
        self.conclude(actor, &request, marked).await
    }

    /// Tells the user's devices of a new one.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be written; the device is there nevertheless.
    pub async fn device_added(
        &self,
        actor: &Actor,
        device_id: &str,
        name: Option<&str>,
    ) -> Result<Position, HandleError> {
        let (device_id, name) = (device_id.to_owned(), name.map(ToOwned::to_owned));
        self.note(actor, vec![AccountEvent::DeviceAdded { device_id, name }]).await
    }

    /// Tells the user's devices that some of them are gone.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be written; the devices are gone nevertheless.
    pub async fn devices_removed(
        &self,
        actor: &Actor,
        device_ids: impl IntoIterator<Item = String>,
    ) -> Result<Position, HandleError> {
        let removed = |device_id| AccountEvent::DeviceRemoved { device_id };
        self.note(actor, device_ids.into_iter().map(removed).collect()).await
    }

    async fn note(
        &self,
        actor: &Actor,
        events: Vec<AccountEvent>,
    ) -> Result<Position, HandleError> {
        let cell = self.accounts.cell(actor.user.as_str());
        let decide = |_: Option<&Account>| Ok(events.iter().cloned().map(Fact::Account).collect());
        let request = actor.request(Retry::Unnamed);
        Ok(self.core.handle(&self.accounts, &cell, &request, decide).await?.position)
    }
}
