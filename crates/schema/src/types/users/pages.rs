//! Pages of users.

use async_graphql::Context;
use rookery_domain::OwnedUserId;

use super::user::User;
use crate::{
    context::{PAGE_MAX, app, page_size, session},
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

/// A page of the users whom the viewer ignores, by ID.
pub async fn ignored(
    context: &Context<'_>,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<UserConnection, Fault> {
    let limit = page_size("first", first, PAGE_MAX)?;
    let after = after.map(user_of).transpose()?;
    let viewer = session(context).viewer()?;
    reads(context).pause().await?;
    reads(context).look_at_rows(limit)?;
    let ignored = app(context).models.view().ignored_by(viewer);
    let users = ignored.after(after.as_deref()).take(limit + 1).map(ToOwned::to_owned);
    let page = Page::read(users.collect(), limit, after.is_some(), ToString::to_string);
    Ok(UserConnection(page.map(User::new)))
}

/// Accounts that are read at once.
const READ_MAX: usize = 200;

/// The users of this server whose name begins with `search`, as far as the viewer may know them,
/// without those whom the viewer ignores.
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
    let ignored = app.models.view().ignored_by(viewer);
    'pages: loop {
        reads.pause().await?;
        let users = app.accounts.users_from(search, after.as_deref(), READ_MAX);
        let users = users.map_err(|fault| Fault::accounts_unavailable(&fault))?;
        reads.look_at_rows(users.len())?;
        let is_last = users.len() < READ_MAX;
        for user in users {
            let Ok(id) = OwnedUserId::try_from(user.user_id.as_str()) else { continue };
            after = Some(id.localpart().to_owned());
            if user.deactivated.is_some() || ignored.contains(&id) {
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
