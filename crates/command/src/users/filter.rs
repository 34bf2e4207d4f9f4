//! Stored filters of a user.

use rookery_domain::{Account, AccountCommand, AccountEvent, Fact, Filter, OwnedRoomId};
use rookery_log::Position;

use crate::{
    Actor, Commands, HandleError, Retry,
    actions::{Asked, Concluded, Entry},
};

/// A stored filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFilter {
    /// The commit, or a position at which it was stored already.
    pub position: Position,
    /// Its ID, a hash of its content.
    pub filter_id: String,
    /// Whether it is new.
    pub created: bool,
}

impl Concluded for StoredFilter {
    fn held(&self) -> bool {
        !self.created
    }

    fn room(&self) -> Option<OwnedRoomId> {
        None
    }

    fn at(self, position: Position) -> Self {
        Self { position, ..self }
    }
}

/// The result of deleting a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeletedFilter {
    /// The commit, or a position at which there was no such filter.
    pub position: Position,
    /// Whether it was stored before.
    pub deleted: bool,
}

impl Concluded for DeletedFilter {
    fn held(&self) -> bool {
        !self.deleted
    }

    fn room(&self) -> Option<OwnedRoomId> {
        None
    }

    fn at(self, position: Position) -> Self {
        Self { position, ..self }
    }
}

impl Commands {
    /// Deletes a filter of the actor. A missing filter is not an error.
    ///
    /// # Errors
    /// [`HandleError`], which says whether to retry.
    pub async fn delete_filter(
        &self,
        actor: &Actor,
        filter_id: &str,
        retry: Retry,
    ) -> Result<DeletedFilter, HandleError> {
        let request = match self.enter(actor, retry, &Asked::DeleteFilter { filter_id }).await? {
            Entry::Now(request) => request,
            Entry::Again(first) => {
                let made = |fact: &Fact| {
                    matches!(fact, Fact::Account(AccountEvent::FilterDeleted { filter_id: id })
                        if id == filter_id)
                };
                let first = first.unless(|first| first.handled.facts.iter().all(made))?.handled;
                let (position, deleted) = (first.position, !first.facts.is_empty());
                return Ok(DeletedFilter { position, deleted });
            }
        };
        let cell = self.accounts.cell(actor.user.as_str());
        let decide = |account: Option<&Account>| {
            let fresh = Account::default();
            let command = AccountCommand::DeleteFilter { filter_id: filter_id.to_owned() };
            let events = account.unwrap_or(&fresh).decide(&command)?;
            Ok(request.noted(events.into_iter().map(Fact::Account).collect()))
        };
        let handled = self.core.handle(&self.accounts, &cell, &request, decide).await;
        let deleted = handled.map(|handled| DeletedFilter {
            position: handled.position,
            deleted: !handled.facts.is_empty(),
        });
        self.conclude(actor, &request, deleted).await
    }

    /// Stores a filter of the actor. A filter that is stored already keeps its ID.
    ///
    /// # Errors
    /// [`HandleError`], which says whether to retry.
    pub async fn create_filter(
        &self,
        actor: &Actor,
        filter: &Filter,
        retry: Retry,
    ) -> Result<StoredFilter, HandleError> {
        let filter_id = filter.id();
        let request = match self.enter(actor, retry, &Asked::Filter { filter }).await? {
            Entry::Now(request) => request,
            Entry::Again(first) => {
                let made = |fact: &Fact| {
                    matches!(fact, Fact::Account(AccountEvent::FilterCreated { filter_id: id, .. })
                        if *id == filter_id)
                };
                let first = first.unless(|first| first.handled.facts.iter().all(made))?.handled;
                let (position, created) = (first.position, !first.facts.is_empty());
                return Ok(StoredFilter { position, filter_id, created });
            }
        };
        let cell = self.accounts.cell(actor.user.as_str());
        let decide = |account: Option<&Account>| {
            let fresh = Account::default();
            let command = AccountCommand::CreateFilter { filter: filter.clone() };
            let events = account.unwrap_or(&fresh).decide(&command)?;
            Ok(request.noted(events.into_iter().map(Fact::Account).collect()))
        };
        let handled = self.core.handle(&self.accounts, &cell, &request, decide).await;
        let stored = handled.map(|handled| StoredFilter {
            position: handled.position,
            filter_id,
            created: !handled.facts.is_empty(),
        });
        self.conclude(actor, &request, stored).await
    }
}
