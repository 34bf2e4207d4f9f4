//! The first result of an action, read from the log.

use rookery_domain::{
    AccountEvent, ActionOutcome, Fact, Fingerprint, Origin, OwnedRoomId, Subject,
};
use rookery_log::{Position, StreamId, StreamKind};

use super::Action;
use crate::{
    HandleError,
    stream::handle::{Core, Handled},
};

/// The result of an action when it was first carried out.
pub(crate) struct First {
    /// The stream of its commit.
    pub(crate) stream: StreamId,
    /// The result; without facts if the action changed nothing.
    pub(crate) handled: Handled,
    /// The room of an action that changed nothing.
    pub(crate) held_in: Option<OwnedRoomId>,
}

impl Core {
    /// The first result of `action`, whose commit is at `position`.
    ///
    /// # Errors
    /// The refusal, if the action was refused; [`HandleError::ActionIdReused`] if another action
    /// has the number.
    pub(super) async fn first(
        &self,
        action: &Action,
        position: Position,
    ) -> Result<First, HandleError> {
        let records = self.log.get(&[position]).await?;
        let record = records.first().ok_or(HandleError::ActionIdReused)?;
        let stream = record.commit.stream.clone();
        let subject = match stream.split() {
            Some((StreamKind::Room, _)) => Subject::Room,
            Some((StreamKind::User, _)) => Subject::Account,
            Some((StreamKind::Alias, _)) | None => return Err(HandleError::ActionIdReused),
        };
        let events = record.commit.events.iter();
        let facts = events
            .map(|event| Fact::read(subject, &event.id, &event.envelope, &event.content))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| HandleError::unreadable(position, &error))?;
        let marked = facts.iter().find_map(fingerprint);
        if marked != Some(action.fingerprint) {
            return Err(HandleError::ActionIdReused);
        }
        let mut held_in = None;
        let mut made = Vec::with_capacity(facts.len());
        for fact in facts {
            match fact {
                Fact::Account(AccountEvent::ActionNoted { outcome, .. }) => match outcome {
                    ActionOutcome::Made => {}
                    ActionOutcome::Held { room_id } => held_in = room_id,
                    ActionOutcome::Refused { code, message } => {
                        return Err(HandleError::RefusedBefore { code, message });
                    }
                },
                fact => made.push(fact),
            }
        }
        let repeated = Some(record.commit.received);
        let first_sequence = record.sequence(0);
        let handled = Handled { position, facts: made, first_sequence, repeated };
        Ok(First { stream, handled, held_in })
    }
}

/// The fingerprint of the action that made a fact.
pub(crate) fn fingerprint(fact: &Fact) -> Option<Fingerprint> {
    match fact {
        Fact::Room(event) => match &event.envelope.origin {
            Origin::Local { fingerprint, .. } => *fingerprint,
            Origin::Server(_) => None,
        },
        Fact::Account(AccountEvent::ActionNoted { fingerprint, .. }) => Some(*fingerprint),
        Fact::Account(_) | Fact::Alias(_) => None,
    }
}
