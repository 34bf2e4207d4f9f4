//! Events as a decision about another one has to know them.

use std::sync::Arc;

use rookery_domain::{Erased, EventId, KnownEvent, OwnedEventId};

use crate::{EventPlace, ReadModels, RowKey, Seen, TimelineError, TimelineEvent, Viewer};

/// What relates to an event, by the places of the events that say so.
struct Related {
    visible: bool,
    redacted: bool,
    own_reactions: Vec<String>,
    reactions: Vec<String>,
    thread_end: Option<RowKey>,
    edits: Vec<RowKey>,
}

impl ReadModels {
    /// Those of `events` that there are, as `viewer` sees them. What is hidden from everybody, as
    /// a check on receipt refused it, is left out.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn known(
        &self,
        events: &[OwnedEventId],
        viewer: &Viewer,
    ) -> Result<Vec<KnownEvent>, TimelineError> {
        let mut known = Vec::with_capacity(events.len());
        for event in events {
            let Some((place, found)) = self.event(event, &Viewer::Server).await? else { continue };
            known.extend(self.known_at(event, &place, &found, viewer).await?);
        }
        Ok(known)
    }

    async fn known_at(
        &self,
        event: &EventId,
        place: &EventPlace,
        found: &TimelineEvent,
        viewer: &Viewer,
    ) -> Result<Option<KnownEvent>, TimelineError> {
        let Some(related) = self.related(event, place, found, viewer) else { return Ok(None) };
        let end = related.thread_end.as_slice();
        let end = self.events_at(&place.room_id, end).await?.pop();
        let edits = self.events_at(&place.room_id, &related.edits).await?;
        let erased = |event: &TimelineEvent| {
            Erased::new(&event.event().pdu, event.row.key.position.0, event.row.key.index)
        };
        Ok(Some(KnownEvent {
            pdu: Arc::clone(&found.event().pdu),
            sequence: place.sequence,
            visible: related.visible,
            redacted: related.redacted,
            erases: [found].into_iter().chain(&edits).map(erased).collect(),
            own_reactions: related.own_reactions,
            reactions: related.reactions,
            thread_end: end.map(|end| end.event().pdu.event_id.clone()),
        }))
    }

    fn related(
        &self,
        event: &EventId,
        place: &EventPlace,
        found: &TimelineEvent,
        viewer: &Viewer,
    ) -> Option<Related> {
        let view = self.view();
        let room = view.room(&place.room_id)?;
        let sight = room.sight(viewer);
        let visible = sight.sees(place.sequence);
        let own_reactions = match viewer {
            Viewer::User(user) => room.reactions_of(event, user).map(ToOwned::to_owned).collect(),
            Viewer::Server => Vec::new(),
        };
        let reactions = room.reaction_keys(event).into_iter().map(ToOwned::to_owned).collect();
        let seen = Seen { sight, until: None };
        let thread_end = room.thread(event, viewer, &seen).map(|thread| thread.last);
        let edits = room.edits(event, &found.event().pdu.sender);
        let RowKey { position, index, .. } = found.row.key;
        let redacted = room.redaction(position, index).is_some();
        Some(Related { visible, redacted, own_reactions, reactions, thread_end, edits })
    }
}
