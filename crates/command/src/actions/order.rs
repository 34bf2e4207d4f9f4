//! The steps of a command through the order of actions: enter, carry out, conclude.

use rookery_domain::{AccountEvent, ActionOutcome, Fact, Origin};
use rookery_log::Position;

use super::{Action, ActionTurn, Entered, First, fingerprint};
use crate::{Actor, Command, Commands, HandleError, Outcome, Retry, stream::handle::Request};

/// Longest stored text of a refusal, in bytes. It may contain text of the user.
const MESSAGE_BYTES_MAX: usize = 512;

/// How to continue with a command.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and is mostly a request")]
pub(crate) enum Attempt {
    /// Carry it out now, then [`Commands::conclude`].
    Now(Request),
    /// It was carried out before: answer with that result.
    Again(First),
}

impl Commands {
    /// Waits for the turn of a command, if it is a numbered action.
    ///
    /// # Errors
    /// [`HandleError::ActionTooLate`], [`HandleError::ActionIdReused`], [`HandleError::RateLimited`], or the first refusal
    /// again.
    pub(crate) async fn enter(
        &self,
        actor: &Actor,
        retry: Retry,
        asked: &Command<'_>,
    ) -> Result<Attempt, HandleError> {
        let Some(action) = actor.action(retry, asked) else {
            self.rates.charge(actor, asked)?;
            return Ok(Attempt::Now(actor.request(retry)));
        };
        let command = action.command;
        let tail = || *self.core.log.tail().borrow();
        match self.actions.enter(action.clone(), tail).await? {
            Entered::ActionTurn(turn) => {
                if let Err(error) = self.rates.charge(actor, asked) {
                    if let HandleError::RateLimited { kind, wait } = error {
                        turn.put_off(kind, wait);
                    }
                    return Err(error);
                }
                let mut request = actor.request(retry);
                if let Origin::Local { fingerprint, .. } = &mut request.envelope.origin {
                    *fingerprint = Some(action.fingerprint);
                }
                Ok(Attempt::Now(Request { turn: Some(turn), ..request }))
            }
            Entered::Passed { last } => match self.core.log.find(command).await? {
                Some(position) => Ok(Attempt::Again(self.core.first(&action, position).await?)),
                None => Err(HandleError::ActionTooLate { last }),
            },
        }
    }

    /// Ends the turn of a command. A command without a commit leaves a note in the log.
    ///
    /// # Errors
    /// Those of `result`; [`HandleError::Unavailable`] if the note cannot be written.
    pub(crate) async fn conclude(
        &self,
        actor: &Actor,
        request: &Request,
        result: Result<Outcome, HandleError>,
    ) -> Result<Outcome, HandleError> {
        let Some(turn) = &request.turn else { return result };
        let placed = turn.is_placed();
        let makes_note = match &result {
            Ok(done) => !placed && !done.changed,
            Err(error) => !placed && error.kept_code().is_some(),
        };
        if makes_note && self.core.log.find(turn.action.command).await?.is_some() {
            return Err(turn.overtaken());
        }
        match result {
            Ok(done) if placed || done.changed => Ok(done),
            Ok(done) => {
                let outcome = ActionOutcome::Held { room_id: done.room_id.clone() };
                let noted = self.leave_note(actor, request, outcome).await;
                noted.map(|position| Outcome { position, ..done })
            }
            // Another gateway was faster, with this action or with another one of its number.
            Err(HandleError::ActionIdReused) if placed => Err(turn.overtaken()),
            Err(error) if placed => {
                turn.lose();
                Err(error)
            }
            Err(error) => {
                let Some(code) = error.kept_code() else { return Err(error) };
                let (code, text) = (code.to_owned(), error.to_string());
                let message = shortened(&text);
                let refused =
                    ActionOutcome::Refused { code: code.clone(), message: message.clone() };
                self.leave_note(actor, request, refused).await?;
                // The first answer is cut like all later ones.
                let whole = message == text;
                Err(if whole { error } else { HandleError::RefusedBefore { code, message } })
            }
        }
    }

    /// Appends the outcome of an action without events to the stream of its user.
    async fn leave_note(
        &self,
        actor: &Actor,
        request: &Request,
        outcome: ActionOutcome,
    ) -> Result<Position, HandleError> {
        let stream_state = self.accounts.state_of(actor.user.as_str());
        let note = request.note(outcome);
        let decide = |_: Option<&_>| Ok(note.iter().cloned().collect());
        let noted = self.core.handle(&self.accounts, &stream_state, request, decide).await;
        match (noted, &request.turn) {
            (Ok(noted), _) => Ok(noted.position),
            (Err(HandleError::ActionIdReused), Some(turn)) => Err(turn.overtaken()),
            (Err(error), turn) => {
                turn.iter().for_each(ActionTurn::lose);
                Err(error)
            }
        }
    }
}

impl Request {
    /// Whether this command made the facts of a commit with its ID. Only the ID of an action is
    /// checked: under a name that a client or a program has chosen, the first command holds.
    pub(crate) fn has_made(&self, facts: &[Fact]) -> bool {
        let Some(turn) = &self.turn else { return true };
        facts.iter().find_map(fingerprint) == Some(turn.action.fingerprint)
    }

    fn note(&self, outcome: ActionOutcome) -> Option<Fact> {
        let Action { device, number, fingerprint, .. } = self.turn.as_ref()?.action.clone();
        let noted = AccountEvent::ActionNoted { device, action: number, fingerprint, outcome };
        Some(Fact::Account(noted))
    }

    /// The facts that an action makes in the stream of its user, with the note of the action.
    pub(crate) fn noted(&self, mut facts: Vec<Fact>) -> Vec<Fact> {
        if !facts.is_empty() {
            facts.extend(self.note(ActionOutcome::Made));
        }
        facts
    }
}

/// The stored part of a text.
fn shortened(text: &str) -> String {
    if text.len() <= MESSAGE_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MESSAGE_BYTES_MAX);
    format!("{} ...", &text[..end])
}
