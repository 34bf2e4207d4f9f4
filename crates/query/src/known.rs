//! Events as a decision about another one has to know them.

use std::sync::Arc;

use rookery_domain::{Erased, KnownEvent, OwnedEventId};

use crate::{ReadModels, TimelineError, Viewer};

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
            let visible = {
                let view = self.view();
                view.room(&place.room_id)
                    .is_some_and(|room| room.sight(viewer).sees(place.sequence))
            };
            known.push(KnownEvent {
                pdu: Arc::clone(&found.event().pdu),
                visible,
                redacted: false,
                erases: vec![Erased::new(
                    &found.event().pdu,
                    place.position.0,
                    found.row.key.index,
                )],
                own_reactions: Vec::new(),
                thread_end: None,
            });
        }
        Ok(known)
    }
}
