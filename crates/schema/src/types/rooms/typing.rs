//! The typing users of a room.

use async_graphql::Context;
use rookery_domain::{OwnedUserId, RoomId, UserId};
use rookery_view::View;

use crate::{
    context::{App, app, page_size, session},
    types::{
        errors::fault::Fault,
        users::{
            pages::{UserConnection, user_of},
            user::User,
        },
        values::connection::Page,
    },
};

/// How many typing users are shown by default.
pub const TYPING_DEFAULT: usize = 20;

/// How many typing users of a room are checked, at most.
pub const TYPISTS_MAX: usize = 1_000;

/// The typing users of a room, if the viewer is a member.
pub fn typists(
    app: &App,
    view: &View<'_>,
    (room, viewer): (&RoomId, &UserId),
    (after, limit): (Option<&UserId>, usize),
) -> Vec<OwnedUserId> {
    let users = app.ephemeral.typing_after(room, after, TYPISTS_MAX);
    view.joined_among(room, viewer, users).take(limit).collect()
}

/// Up to `limit` users who are typing in a room, ordered by user ID, after `after`. Empty unless the viewer is a member.
pub fn typing_in(
    app: &App,
    room: &RoomId,
    viewer: &UserId,
    page: (Option<&UserId>, usize),
) -> Vec<OwnedUserId> {
    typists(app, &app.models.view(), (room, viewer), page)
}

/// A page of the users who are typing in a room.
pub(super) fn page(
    context: &Context<'_>,
    room: &RoomId,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<UserConnection, Fault> {
    let limit = page_size("first", first, TYPING_DEFAULT)?;
    let viewer = session(context).viewer()?;
    let after = after.map(user_of).transpose()?;
    let typists = typing_in(app(context), room, viewer, (after.as_deref(), limit + 1));
    let page = Page::read(typists, limit, after.is_some(), ToString::to_string);
    Ok(UserConnection(page.map(|user| User::in_room(user, room.to_owned()))))
}

/// Whether a user is typing in a room, for one of its members.
pub fn types_in(app: &App, room: &RoomId, user: &UserId, viewer: &UserId) -> bool {
    let types = app.ephemeral.types_in(room, user).then(|| user.to_owned());
    app.models.view().joined_among(room, viewer, types).next().is_some()
}
