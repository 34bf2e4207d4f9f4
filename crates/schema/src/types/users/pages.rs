//! Pages of users.

use async_graphql::Context;
use rookery_domain::OwnedUserId;

use super::user::User;
use crate::{
    context::{app, session},
    reads::reads,
    types::{
        errors::fault::Fault,
        values::connection::{Page, connection, key, not_of_this_list},
    },
};

connection!(UserConnection, UserEdge, User, "A page of users.");

/// The user that a cursor names.
///
/// # Errors
/// [`Fault`] with code `BAD_USER_INPUT` if it names none.
pub fn user_of(after: &str) -> Result<OwnedUserId, Fault> {
    key(after)?.try_into().map_err(|_| not_of_this_list())
}

/// Accounts that are read at once.
const READ_MAX: usize = 200;

/// The users of this server whose name begins with `search`, as far as the viewer may know them.
pub async fn search(
    context: &Context<'_>,
    search: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<UserConnection, Fault> {
    let (app, viewer) = (app(context), session(context).viewer()?);
    let has_previous = after.is_some();
    let mut after = after.map(key).transpose()?;
    let (mut found, reads) = (Vec::new(), reads(context));
    'pages: loop {
        reads.pause().await?;
        let users = app.accounts.users_from(search, after.as_deref(), READ_MAX);
        let users = users.map_err(|fault| Fault::accounts_unavailable(&fault))?;
        reads.look_at_rows(users.len())?;
        let is_last = users.len() < READ_MAX;
        for user in users {
            let Ok(id) = OwnedUserId::try_from(user.user_id.as_str()) else { continue };
            after = Some(id.localpart().to_owned());
            if user.deactivated.is_some() {
                continue;
            }
            let is_seen = app.models.view().sees_profile(&id, (viewer, app.profiles), &reads);
            if reads.found(is_seen)? != Some(true) {
                continue;
            }
            found.push(id);
            if found.len() > limit {
                break 'pages;
            }
        }
        if is_last {
            break;
        }
    }
    let page = Page::read(found, limit, has_previous, |id| id.localpart().to_owned());
    Ok(UserConnection(page.map(User::new)))
}
