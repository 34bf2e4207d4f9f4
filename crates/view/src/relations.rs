//! Relations of an event: edits, reactions, a thread, the event that it answers.
//!
//! **Invariant:** each counts only the events that the viewer may see.

use std::sync::Arc;

use rookery_domain::{Pdu, Relation, UserId};
use rookery_log::Position;
use rookery_projection::{Reactions, RowKey};

use crate::{Meter, Reader, RoomView, Seen, TimelineError, TimelineEvent, Viewer};

/// The users who reacted with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reacted {
    /// The reactions.
    pub reactions: Reactions,
    /// Whether the viewer is one of the users.
    pub is_mine: bool,
}

/// The visible part of the thread that an event began.
#[derive(Clone, Debug)]
pub struct ThreadSeen {
    /// How many events it has, beside its root.
    pub count: u64,
    /// The last of them.
    pub last_event: Option<TimelineEvent>,
    /// Whether the viewer has sent one of them.
    pub is_participant: bool,
}

/// An event, and the position as of which its relations are shown; `None` for now.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The event, which the viewer may see.
    pub event: &'a Pdu,
    /// Only relations that existed at this position.
    pub until: Option<Position>,
}

impl Reader {
    /// The last edit of the event by its sender.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read, or if the budget of the
    /// request is used up.
    pub async fn latest_edit(
        &self,
        subject: Subject<'_>,
        viewer: &UserId,
        meter: &dyn Meter,
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        meter.turn().await?;
        let event = subject.event;
        let edits = self.relations_of(subject, viewer, |room, _| room.edits_len(&event.event_id));
        meter.take_rows(edits)?;
        let key = self.relations_of(subject, viewer, |room, seen| {
            room.latest_edit(&event.event_id, &event.sender, seen)
        });
        self.related_event(event, key, meter).await
    }

    /// The reactions to the event, by key, in the order in which each key was first used.
    ///
    /// # Errors
    /// As [`Self::latest_edit`].
    pub async fn reactions(
        &self,
        subject: Subject<'_>,
        viewer: &UserId,
        meter: &dyn Meter,
    ) -> Result<Arc<[Reacted]>, TimelineError> {
        meter.turn().await?;
        let id = &subject.event.event_id;
        meter.take_rows(self.relations_of(subject, viewer, |room, _| room.related_count(id)))?;
        let found = self.relations_of(subject, viewer, |room, seen| room.reactions(id, seen));
        let reacted = |reactions: Reactions| {
            let is_mine = reactions.users.iter().any(|user| user == viewer);
            Reacted { reactions, is_mine }
        };
        Ok(found.into_iter().map(reacted).collect())
    }

    /// The thread that the event began; `None` if there is none with a visible event.
    ///
    /// # Errors
    /// As [`Self::latest_edit`].
    pub async fn thread(
        &self,
        subject: Subject<'_>,
        viewer: &UserId,
        meter: &dyn Meter,
    ) -> Result<Option<ThreadSeen>, TimelineError> {
        meter.turn().await?;
        let id = &subject.event.event_id;
        meter.take_rows(self.relations_of(subject, viewer, |room, _| room.related_count(id)))?;
        let of = Viewer::User(viewer.to_owned());
        let found = self.relations_of(subject, viewer, |room, seen| room.thread(id, &of, seen));
        let Some(found) = found else { return Ok(None) };
        Ok(Some(ThreadSeen {
            count: found.count,
            last_event: self.related_event(subject.event, Some(found.last), meter).await?,
            is_participant: found.participated,
        }))
    }

    /// The event of the same room that this one answers.
    ///
    /// # Errors
    /// As [`Self::latest_edit`].
    pub async fn answered_by(
        &self,
        event: &Pdu,
        viewer: &UserId,
        meter: &dyn Meter,
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        let Some(answered) = Relation::of(event).and_then(Relation::into_reply) else {
            return Ok(None);
        };
        meter.turn().await?;
        let found = self.event(&answered, &Viewer::User(viewer.to_owned())).await?;
        let found = found.filter(|(place, _)| place.room_id == event.room_id);
        let Some((_, found)) = found else { return Ok(None) };
        meter.show(std::slice::from_ref(&found)).await?;
        Ok(Some(found))
    }

    fn relations_of<T: Default>(
        &self,
        Subject { event, until }: Subject<'_>,
        viewer: &UserId,
        look: impl FnOnce(&RoomView<'_>, &Seen<'_>) -> T,
    ) -> T {
        let view = self.view();
        let Some(room) = view.room(&event.room_id) else { return T::default() };
        let sight = room.sight(&Viewer::User(viewer.to_owned()));
        let seen = Seen { sight, ignored: view.ignored_by(viewer), until };
        look(&room, &seen)
    }

    async fn related_event(
        &self,
        event: &Pdu,
        key: Option<RowKey>,
        meter: &dyn Meter,
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        let Some(key) = key else { return Ok(None) };
        meter.turn().await?;
        let found = self.events_at(&event.room_id, &[key]).await?;
        meter.show(&found).await?;
        Ok(found.into_iter().next())
    }
}
