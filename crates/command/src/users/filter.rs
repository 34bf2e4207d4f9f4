//! Stored filters of a user.

use rookery_domain::{Account, AccountCommand, Fact, Filter};

use crate::{Actor, Commands, HandleError, Outcome, rooms::outcome, stream::handle::Request};

impl Commands {
    /// Stores a filter of the actor. A filter that is stored already keeps its ID.
    pub(crate) async fn create_filter_now(
        &self,
        actor: &Actor,
        filter: &Filter,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let command = AccountCommand::CreateFilter { filter: filter.clone() };
        self.change_account(actor, &command, request).await
    }

    /// Deletes a filter of the actor. An unknown ID changes nothing.
    pub(crate) async fn delete_filter_now(
        &self,
        actor: &Actor,
        filter_id: &str,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let command = AccountCommand::DeleteFilter { filter_id: filter_id.to_owned() };
        self.change_account(actor, &command, request).await
    }

    /// Carries out a command for the account of the actor.
    pub(super) async fn change_account(
        &self,
        actor: &Actor,
        command: &AccountCommand,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let stream_state = self.accounts.state_of(actor.user.as_str());
        let decide = |account: Option<&Account>| {
            let fresh = Account::default();
            let events = account.unwrap_or(&fresh).decide(command)?;
            Ok(request.noted(events.into_iter().map(Fact::Account).collect()))
        };
        let handled = self.core.handle(&self.accounts, &stream_state, request, decide).await?;
        Ok(outcome(request, None, handled))
    }
}
