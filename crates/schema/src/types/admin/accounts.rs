//! The accounts of the server, for its administrators.

use async_graphql::{Context, SimpleObject};
use rookery_accounts::User as Stored;
use rookery_domain::OwnedUserId;

use super::PAGE_DEFAULT;
use crate::{
    context::{app, page_size},
    reads::reads,
    types::{
        errors::fault::Fault,
        users::user::User,
        values::{
            connection::{Page, connection, key},
            scalars::DateTime,
        },
    },
};

connection!(AccountConnection, AccountEdge, Account, "A page of accounts.");

/// An account of this server.
#[derive(Clone, SimpleObject)]
pub struct Account {
    /// Its user.
    user: User,
    /// When it was made.
    created_at: DateTime,
    /// When it was deactivated. Null if it is in use.
    deactivated_at: Option<DateTime>,
    /// Whether the user administers the server.
    is_admin: bool,
    /// Whether an import made it, and nobody has taken it over since.
    is_imported: bool,
    /// Whether the user has a password. A user without one cannot log in.
    has_password: bool,
}

/// A page of the accounts whose user name begins with `search`.
pub(super) fn page(
    context: &Context<'_>,
    search: Option<&str>,
    (first, after): (Option<i32>, Option<String>),
) -> Result<AccountConnection, Fault> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let after = after.as_deref().map(key).transpose()?;
    reads(context).look_at_rows(limit)?;
    let found =
        app(context).accounts.users_from(search.unwrap_or_default(), after.as_deref(), limit + 1);
    let found = found.map_err(|fault| Fault::accounts_unavailable(&fault))?;
    let found = found.into_iter().filter_map(shown).collect();
    let page = Page::read(found, limit, after.is_some(), |(name, _): &(String, _)| name.clone());
    Ok(AccountConnection(page.map(|(_, account)| account)))
}

/// The account beside its key in the list.
fn shown(user: Stored) -> Option<(String, Account)> {
    let id = OwnedUserId::try_from(user.user_id).ok()?;
    let account = Account {
        user: User::new(id),
        created_at: DateTime(rookery_log::Millis(user.created.0)),
        deactivated_at: user.deactivated.map(|at| DateTime(rookery_log::Millis(at.0))),
        is_admin: user.admin,
        is_imported: user.imported,
        has_password: user.has_password,
    };
    Some((user.localpart, account))
}
