//! The facts about existing events that a decision needs.
//!
//! **Invariant:** the cost of an edit, a reaction or an answer does not depend on the number of
//! others. Only a redaction reads all events that it erases.

use std::sync::Arc;

use rookery_domain::{Erased, EventId, IgnoredUsers, KnownEvent, OwnedEventId};
use rookery_projection::RowKey;

use crate::{EventPlace, Reader, Seen, TimelineError, TimelineEvent, Viewer};

/// The events that relate to an event, by their places.
struct Related {
    visible: bool,
    redacted: bool,
    own_reactions: Vec<String>,
    reactions: Vec<String>,
    thread_end: Option<RowKey>,
    edits: usize,
    /// For a redaction: the edits, which are erased with the event.
    erases: Vec<RowKey>,
}

impl Reader {
    /// The existing events among `events`, as `viewer` sees them. Events that a check on receipt
    /// refused are hidden from everybody and left out.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn known(
        &self,
        events: &[OwnedEventId],
        viewer: &Viewer,
    ) -> Result<Vec<KnownEvent>, TimelineError> {
        self.look_up(events, viewer, true).await
    }

    /// Like [`Self::known`], without the events that a redaction would erase.
    ///
    /// # Errors
    /// As [`Self::known`].
    pub async fn known_to_refer(
        &self,
        events: &[OwnedEventId],
        viewer: &Viewer,
    ) -> Result<Vec<KnownEvent>, TimelineError> {
        self.look_up(events, viewer, false).await
    }

    async fn look_up(
        &self,
        events: &[OwnedEventId],
        viewer: &Viewer,
        to_redact: bool,
    ) -> Result<Vec<KnownEvent>, TimelineError> {
        let mut known = Vec::with_capacity(events.len());
        for event in events {
            let Some((place, found)) = self.event(event, &Viewer::Server).await? else { continue };
            let related = self.related(event, &place, &found, (viewer, to_redact));
            if let Some(related) = related {
                known.push(self.known_at(&place, &found, related).await?);
            }
        }
        Ok(known)
    }

    async fn known_at(
        &self,
        place: &EventPlace,
        found: &TimelineEvent,
        related: Related,
    ) -> Result<KnownEvent, TimelineError> {
        let end = related.thread_end.as_slice();
        let end = self.events_at(&place.room_id, end).await?.pop();
        let edits = self.events_at(&place.room_id, &related.erases).await?;
        let erased = |event: &TimelineEvent| {
            Erased::new(&event.event().pdu, event.row.key.position.0, event.row.key.index)
        };
        Ok(KnownEvent {
            pdu: Arc::clone(&found.event().pdu),
            sequence: place.sequence,
            visible: related.visible,
            redacted: related.redacted,
            erases: [found].into_iter().chain(&edits).map(erased).collect(),
            own_reactions: related.own_reactions,
            reactions: related.reactions,
            thread_end: end.map(|end| end.event().pdu.event_id.clone()),
            edits: related.edits,
        })
    }

    fn related(
        &self,
        event: &EventId,
        place: &EventPlace,
        found: &TimelineEvent,
        (viewer, to_redact): (&Viewer, bool),
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
        // Ignoring hides nothing from decisions: all members count the same relations.
        let seen = Seen { sight, ignored: IgnoredUsers::default(), until: None };
        let thread_end = room.thread_end(event, &seen);
        let sender = &found.event().pdu.sender;
        let edits = room.edit_count(event, sender);
        let erases = if to_redact { room.edits(event, sender) } else { Vec::new() };
        let RowKey { position, index, .. } = found.row.key;
        let redacted = room.redaction(position, index).is_some();
        Some(Related { visible, redacted, own_reactions, reactions, thread_end, edits, erases })
    }
}
