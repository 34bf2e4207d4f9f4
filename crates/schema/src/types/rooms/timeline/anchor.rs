//! Where a page of a timeline begins, in which direction it goes, and how long it is.

use async_graphql::{Context, Result};
use rookery_view::{Anchor, Moments};

use super::{PAGE_DEFAULT, TimelineArguments};
use crate::{
    context::{app, page_size},
    reads::reads,
    types::{
        errors::fault::Fault,
        rooms::room::Room,
        values::scalars::{CursorScalar, DateTime},
    },
};

/// The begin of the page for `arguments`, which are not around an event, and the greatest number of its events.
pub(super) async fn anchor(
    context: &Context<'_>,
    room: &Room,
    arguments: &TimelineArguments,
) -> Result<(Anchor, usize)> {
    let TimelineArguments { first, after, last, before, at, .. } = arguments;
    let default = room.timeline_limit().unwrap_or(PAGE_DEFAULT);
    let forward = || page_size("first", *first, default);
    let backward = || page_size("last", *last, default);
    if let Some(at) = at {
        if after.is_some() || before.is_some() {
            return refused(
                "do not combine `at` with `after` or `before`: continue with the cursors of the page",
            );
        }
        if first.is_some() && last.is_some() {
            return refused(
                "give `first` for the events from `at` on, or `last` for those before it, not both",
            );
        }
        let moments = moments(context, room, *at).await?;
        return Ok(match last {
            None => (moments.from, forward()?),
            Some(_) => (moments.until, backward()?),
        });
    }
    let key = |cursor: &CursorScalar| {
        let app = app(context);
        let key = cursor.0.at(&app.token_key, app.log.epoch(), room.matrix_id());
        key.map_err(|error| Fault::bad_input(error.to_string()))
    };
    match (first, after, last, before) {
        (None, None, _, Some(before)) => Ok((Anchor::Before(key(before)?), backward()?)),
        (None, None, _, None) => Ok((Anchor::End, backward()?)),
        (_, Some(after), None, None) => Ok((Anchor::After(key(after)?), forward()?)),
        (_, None, None, None) => Ok((Anchor::Start, forward()?)),
        _ => refused(
            "give `last` and `before` to scroll back, or `first` and `after` to scroll forward, \
             not both",
        ),
    }
}

fn refused<T>(message: &str) -> Result<T> {
    Err(Fault::bad_input(message).into())
}

/// The two sides of a moment. A room that the viewer may not see has no events on either.
async fn moments(context: &Context<'_>, room: &Room, at: DateTime) -> Result<Moments> {
    let reads = reads(context);
    let (meter, _) = reads.within();
    let found = app(context).models.moment(room.matrix_id(), at.0, meter).await;
    let nothing = Moments { from: Anchor::Start, until: Anchor::End };
    Ok(reads.found(found)?.unwrap_or(nothing))
}
