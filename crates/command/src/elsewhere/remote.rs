//! The beginning, the end and the outcome of actions that other servers have to answer.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use rookery_domain::{
    Account, AccountEvent, Fact, OwnedRoomId, OwnedUserId, Rejection, RemoteAction, RemoteAsk,
    RemoteOutcome, RoomsElsewhere, Subject, UserId,
};
use rookery_log::{CommandId, Millis, Position, Record, StreamKind};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{
    Actor, Commands, HandleError, Outcome, Retry,
    rooms::{outcome, room_of},
    stream::{
        handle::{Handled, Request, random},
        state::read_facts,
    },
};

/// How long a waiting client relies on being told of the end. Another gateway may record it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Carries out actions that other servers have to answer.
pub trait RemoteActions: Send + Sync + 'static {
    /// Carries out an action whose beginning is in the log, and records its end with
    /// [`Commands::end_remote`]. It returns at once. An action that is being carried out is not
    /// begun again.
    fn carry_out(&self, begun: BegunAction);
}

/// An action whose beginning is in the log.
#[derive(Clone, Debug)]
pub struct BegunAction {
    /// The user.
    pub user: OwnedUserId,
    /// The commit of its beginning.
    pub position: Position,
    /// The action.
    pub action: RemoteAction,
}

/// The state of these actions in memory.
#[derive(Default)]
pub(crate) struct Remote {
    port: RwLock<Option<Arc<dyn RemoteActions>>>,
    /// Signals that an action has ended.
    ended: Notify,
}

impl BegunAction {
    /// The server, acting for the user.
    #[must_use]
    pub fn actor(&self, now: u64) -> Actor {
        Actor::for_server(self.user.clone(), Millis(now))
    }

    /// The actions that began in a commit. Cheap for most commits.
    #[must_use]
    pub fn of(record: &Record) -> Vec<Self> {
        let Some((StreamKind::User, user)) = record.commit.stream.split() else {
            return Vec::new();
        };
        let Ok(user) = UserId::parse(user) else { return Vec::new() };
        let begun = record.commit.events.iter().filter_map(|event| {
            memchr::memmem::find(&event.content, b"\"remote_begun\"")?;
            let fact = Fact::read(Subject::Account, &event.id, &event.envelope, &event.content);
            let Ok(Fact::Account(AccountEvent::RemoteBegun { action })) = fact else { return None };
            Some(Self { user: user.clone(), position: record.position, action: *action })
        });
        begun.collect()
    }
}

impl Commands {
    /// Lets users act in rooms of other servers: `port` carries these actions out.
    pub fn connect(&self, port: Arc<dyn RemoteActions>) {
        *self.remote.port.write() = Some(port);
    }

    pub(super) fn talks_with_servers(&self) -> bool {
        self.remote.port.read().is_some()
    }

    /// Records that an action has begun, in the stream of its user, and begins it. `also` are
    /// effects in that stream.
    pub(super) async fn begin_remote(
        &self,
        actor: &Actor,
        ask: RemoteAsk,
        room_id: Option<OwnedRoomId>,
        also: Vec<AccountEvent>,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let port = self.remote.port.read().clone().ok_or(Rejection::FederationOff)?;
        let number = request.turn.as_ref().map(|turn| turn.action.number);
        let id = URL_SAFE_NO_PAD.encode(random()?);
        let action = RemoteAction { id, device: actor.device.clone(), action: number, ask };
        let begun = AccountEvent::RemoteBegun { action: Box::new(action) };
        let facts: Vec<_> = [begun].into_iter().chain(also).map(Fact::Account).collect();
        let decide = |account: Option<&Account>| {
            account.map_or(Ok(()), |account| account.elsewhere().may_begin())?;
            Ok(request.noted(facts.clone()))
        };
        let stream_state = self.accounts.state_of(actor.user.as_str());
        let handled = self.core.handle(&self.accounts, &stream_state, request, decide).await?;
        let (user, position) = (&actor.user, handled.position);
        for fact in &handled.facts {
            if let Fact::Account(AccountEvent::RemoteBegun { action }) = fact {
                let action = RemoteAction::clone(action);
                port.carry_out(BegunAction { user: user.clone(), position, action });
            }
        }
        Ok(outcome(request, room_id, handled))
    }

    /// Whether an action has ended.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    pub fn is_ended<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, HandleError>> {
        Box::pin(async move { Ok(self.core.log.find(end_of(id)).await?.is_some()) })
    }

    /// Whether an action still counts: the device that numbered it is logged in. Check it before the
    /// action has an effect here.
    ///
    /// # Errors
    /// [`HandleError`] if that cannot be read.
    pub fn is_still_wanted(&self, begun: &BegunAction) -> Result<bool, HandleError> {
        match (&begun.action.device, begun.action.action) {
            (Some(device), Some(_)) => self.actions.is_logged_in(&begun.user, device),
            _ => Ok(true),
        }
    }

    /// Records the end of an action. Only the first end of an action counts.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be written: call this again.
    pub fn end_remote<'a>(
        &'a self,
        begun: &'a BegunAction,
        outcome: RemoteOutcome,
        now: Millis,
    ) -> BoxFuture<'a, Result<(), HandleError>> {
        Box::pin(async move {
            let BegunAction { user, action, .. } = begun;
            let actor = Actor::for_server(user.clone(), now);
            let action = Box::new(action.clone());
            let ended = vec![Fact::Account(AccountEvent::RemoteEnded { action, outcome })];
            let request = actor.request(Retry::Named(end_of(&begun.action.id)));
            let stream_state = self.accounts.state_of(user.as_str());
            let decide = |_: Option<&Account>| Ok(ended.clone());
            let handled = self.core.handle(&self.accounts, &stream_state, &request, decide).await;
            self.remote.ended.notify_waiters();
            handled.map(drop)
        })
    }

    /// Waits up to `wait` for the end of an action that other servers have to answer, and returns its
    /// outcome; the same outcome with [`Outcome::remote`] if it has not ended by then. Other outcomes
    /// are returned at once.
    ///
    /// # Errors
    /// The refusal, if it was refused; [`HandleError`] if the log cannot be read.
    pub fn settled(
        &self,
        outcome: Outcome,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Outcome, HandleError>> {
        Box::pin(async move {
            let Some(id) = outcome.remote.clone() else { return Ok(outcome) };
            let until = Instant::now() + wait;
            loop {
                let ended = self.remote.ended.notified();
                tokio::pin!(ended);
                ended.as_mut().enable();
                if let Some(handled) = self.end(&id).await? {
                    return self.done(outcome, handled).await;
                }
                let now = Instant::now();
                if now >= until {
                    return Ok(outcome);
                }
                timeout_at(until.min(now + LOOK_AGAIN), ended).await.ok();
            }
        })
    }

    /// The end of an action, if it has ended.
    async fn end(&self, id: &str) -> Result<Option<Handled>, HandleError> {
        let Some(position) = self.core.log.find(end_of(id)).await? else { return Ok(None) };
        Ok(self.core.result_at::<Account>(position).await?.map(|(_, handled)| handled))
    }

    /// The outcome of an action that has ended, with the event that it made.
    async fn done(&self, first: Outcome, end: Handled) -> Result<Outcome, HandleError> {
        let ended = end.facts.into_iter().find_map(|fact| match fact {
            Fact::Account(AccountEvent::RemoteEnded { outcome, .. }) => Some(outcome),
            _ => None,
        });
        let (room_id, position) = match ended {
            Some(RemoteOutcome::Refused { code, message }) => {
                return Err(HandleError::RefusedBefore { code, message });
            }
            Some(RemoteOutcome::Done { room_id, event_id: Some(_), position }) => {
                (room_id, Position(position))
            }
            Some(RemoteOutcome::Done { room_id, event_id: None, .. }) => {
                let room_id = Some(room_id);
                return Ok(Outcome { remote: None, position: end.position, room_id, ..first });
            }
            None => return Err(HandleError::ActionIdReused),
        };
        let records = self.core.log.get(&[position]).await?;
        let Some(record) = records.first() else { return Err(HandleError::NoSuchRoom) };
        let mut events = Vec::new();
        if room_of(&record.commit.stream).as_ref() == Some(&room_id) {
            for fact in read_facts::<rookery_domain::Room>(record)? {
                if let Fact::Room(event) = fact {
                    events.push(event.pdu);
                }
            }
        }
        let first_sequence = record.sequence(0);
        let room_id = Some(room_id);
        Ok(Outcome { remote: None, position, room_id, events, first_sequence, ..first })
    }

    /// The rooms elsewhere that a user is invited to, or has asked to join.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    pub fn elsewhere<'a>(
        &'a self,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<RoomsElsewhere, HandleError>> {
        Box::pin(async move {
            let stream_state = self.accounts.state_of(user.as_str());
            let look = |account: Option<&Account>| {
                account.map(|account| account.elsewhere().clone()).unwrap_or_default()
            };
            self.core.read_state(&self.accounts, &stream_state, look).await
        })
    }
}

/// The command ID of the end of an action.
fn end_of(id: &str) -> CommandId {
    CommandId::derive(&[b"remote end", id.as_bytes()])
}

/// The ID of the action whose beginning a fact records.
pub(crate) fn begun_by(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Account(AccountEvent::RemoteBegun { action }) => Some(action.id.clone()),
        _ => None,
    }
}
