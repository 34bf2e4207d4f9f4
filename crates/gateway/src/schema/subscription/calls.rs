//! Calls of the viewer on the stream.

use std::sync::Arc;

use rookery_delivery::FeedItem;
use rookery_domain::{Call, CallStep, UserId};
use rookery_projection::Committed;
use rookery_schema::{
    context::{App, unless_absent},
    types::{calls::call::Call as CallShown, errors::fault::Fault},
};

use super::{
    draft::Drafted,
    items::{CallChanged, StreamItem},
};

/// The event of a feed item, if it changes calls.
pub(super) fn at(item: &FeedItem) -> Option<(Arc<Committed>, usize)> {
    let FeedItem::Event { committed, index, .. } = item else { return None };
    let changes = !committed.room_event(*index)?.envelope.calls.is_empty();
    changes.then(|| (Arc::clone(committed), *index))
}

/// The calls of `viewer` that the event at `index` changed, as of now. A call that was answered and
/// has ended since comes with its end.
pub(super) async fn changed(
    app: &App,
    viewer: &UserId,
    committed: &Committed,
    index: usize,
) -> Result<Vec<Drafted>, Fault> {
    let Some(event) = committed.room_event(index) else { return Ok(Vec::new()) };
    let (models, room) = (&app.models, &event.pdu.room_id);
    let mut items = Vec::new();
    for change in &event.envelope.calls {
        let id = &change.call_id;
        let call = match &change.step {
            // Most members of the room have no part in the call: nothing is read for them.
            CallStep::Placed if !Call::placed(event).is_some_and(|call| call.is_of(viewer)) => {
                Ok(None)
            }
            CallStep::Placed => models.call_by_invite(&event.pdu.event_id, viewer).await,
            CallStep::Answered { .. } => Ok(models.view().call_for(room, id, viewer)),
            CallStep::Ended { .. } => {
                let end = (committed.position, index);
                models.call_ended_at(room, end, id, viewer).await
            }
        };
        let call = unless_absent(call)?.flatten().filter(|call| call.call.is_of(viewer));
        items.extend(call.map(|call| {
            Drafted::from(StreamItem::Call(CallChanged { call: CallShown::from(call) }))
        }));
    }
    Ok(items)
}
