//! Filters that a user keeps on the server.

use rookery_domain::{Account, AccountCommand, AccountEvent, Fact, Filter};
use rookery_log::Position;

use crate::{Actor, Commands, HandleError, Retry};

/// A filter that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFilter {
    /// The commit, or one at which it was stored already.
    pub position: Position,
    /// Its ID, which follows from what it says.
    pub filter_id: String,
}

impl Commands {
    /// Stores a filter of the actor's. One that is stored already keeps its ID.
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
        let cell = self.accounts.cell(actor.user.as_str());
        let decide = |account: Option<&Account>| {
            let fresh = Account::default();
            let command = AccountCommand::CreateFilter { filter: filter.clone() };
            let events = account.unwrap_or(&fresh).decide(&command)?;
            Ok(events.into_iter().map(Fact::Account).collect())
        };
        let handled =
            self.core.handle(&self.accounts, &cell, &actor.request(retry), decide).await?;
        let made = |fact: &Fact| {
            matches!(fact, Fact::Account(AccountEvent::FilterCreated { filter_id: id, .. })
                if *id == filter_id)
        };
        if handled.repeated.is_some() && !handled.facts.iter().all(made) {
            return Err(HandleError::ActionIdReused);
        }
        Ok(StoredFilter { position: handled.position, filter_id })
    }
}
