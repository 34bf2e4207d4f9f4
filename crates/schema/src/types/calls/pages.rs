//! Pages of past calls.

use async_graphql::{Context, Result};
use rookery_view::TimelineCursor;

use super::call::Call;
use crate::{
    context::{app, page_size, session},
    reads::reads,
    types::{
        rooms::room::Room,
        values::connection::{Page, connection, not_of_this_list},
    },
};

connection!(CallConnection, CallEdge, Call, "A page of calls.");

/// Calls on a page, by default.
pub const PAGE_DEFAULT: usize = 20;

/// The past calls of a room, newest first.
pub(crate) async fn past(
    context: &Context<'_>,
    room: &Room,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<CallConnection> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let (app, viewer, reads) = (app(context), session(context).viewer()?, reads(context));
    let before = after.map(|after| {
        let cursor: TimelineCursor = after.parse().map_err(|_| not_of_this_list())?;
        let key = cursor.at(&app.token_key, app.log.epoch(), room.matrix_id());
        key.map_err(|_| not_of_this_list())
    });
    let before = before.transpose()?;
    let page = app.models.past_calls(room.matrix_id(), viewer, (before, limit), &reads).await;
    let page = reads.found(page)?.unwrap_or_default();
    let cursor = |key| app.cursor(room.matrix_id(), key).0.to_string();
    let next = page.calls.last().filter(|_| page.has_more).map(|last| cursor(last.invite));
    let calls = page.calls.into_iter().map(|call| (cursor(call.invite), Call::from(call)));
    Ok(CallConnection(Page::with_cursors(calls.collect(), before.is_some(), next)))
}
