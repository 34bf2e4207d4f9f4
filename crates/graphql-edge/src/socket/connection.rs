//! One socket from its upgrade to its end.
//!
//! **Invariant:** no operation starts before `connection_init` was accepted.
//! **Invariant:** a listener that learned of the connection learns of its end before the closing
//! frame.
//! **Invariant:** once a session is over, nothing more is read for it, and only the closing frame
//! is written. If there is pending data, not even that: the connection is reset then.

use std::pin::pin;
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, pending};
use rookery_graphql_documents::{
    Outcome, Params, Refusal, code, json_nested_within, unescaped_len,
};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::link::{Event, Link};
use super::protocol::{self, ClientMessage, Close, Told};
use super::subprotocol::Subprotocol;
use crate::connection::connections::Connection as Place;
use crate::connection::unsent::{Guard, Unsent};
use crate::http::endpoint::unauthenticated;
use crate::http::router::Transport;
use crate::limits::callers::Holding;
use crate::operation::operations::{Operations, Run};
use crate::port::auth::{AuthFailure, Authenticator, Caller, Peer, SessionEnd};
use crate::port::frame::Frames;

/// How many pings may stay without any sign of life.
const UNANSWERED_PINGS_MAX: u32 = 2;

/// The state of one socket.
pub(super) struct Connection<E, A: Authenticator> {
    transport: Arc<Transport<E, A>>,
    link: Option<Link>,
    operations: Operations,
    /// The connection of the socket in the table of all connections.
    place: Option<Arc<Place>>,
    peer: Peer,
    /// The credentials of the upgrade request; those of `connection_init` take precedence.
    told: Result<Told, AuthFailure>,
    session: Option<A::Session>,
    /// Dropped when the socket ends, also when its client gave no sign of life for too long.
    connected: Option<Box<dyn Send>>,
    /// Its place among the sockets of its caller.
    holding: Option<Holding>,
    end: Option<Arc<dyn SessionEnd>>,
    /// The end of the session, or of the time to log in.
    ends: BoxFuture<'static, ()>,
    unsent: Unsent,
    /// Makes the connection reset if there is pending data when the session ends.
    guard: Option<Guard>,
    unanswered_pings: u32,
    client_pings: u32,
}

impl<E: Frames, A: Authenticator> Connection<E, A> {
    pub(super) fn new(
        transport: Arc<Transport<E, A>>,
        link: Link,
        (place, unsent): (Option<Arc<Place>>, Unsent),
        (peer, told): (Peer, Result<Told, AuthFailure>),
    ) -> Self {
        let operations = Operations::new(&protocol::WORDING);
        operations.untaken().taker().is(place.as_ref());
        Self {
            transport,
            link: Some(link),
            operations,
            place,
            peer,
            told,
            session: None,
            connected: None,
            holding: None,
            end: None,
            ends: pending().boxed(),
            unsent,
            guard: None,
            unanswered_pings: 0,
            client_pings: 0,
        }
    }

    /// Serves the socket until one side ends it.
    pub(super) async fn serve(mut self) {
        let Some(mut link) = self.link.take() else { return };
        let why = self.run(&mut link).await;
        let options = &self.transport.options.socket;
        let deadline = match why {
            Close::SlowConsumer(_) => options.slow_close_deadline,
            _ => options.close_deadline,
        };
        let frame = why.frame(|point| self.transport.executor.resume_text(point));
        tracing::debug!(peer = %self.peer.address, ?why, "socket ends");
        // Subscriptions end here, so that a slow closing does not keep them.
        self.operations = Operations::new(&protocol::WORDING);
        self.connected = None;
        self.holding = None;
        // A slow client may read the reason late; a stopping server does not wait for that.
        let mut shutdown = self.transport.shutdown.clone();
        let stopping = async {
            shutdown.requested().await;
            sleep(self.transport.options.socket.close_deadline).await;
        };
        tokio::select! {
            () = link.close(&why, frame, deadline) => {}
            () = stopping => {}
        }
    }

    async fn run(&mut self, link: &mut Link) -> Close {
        match link.subprotocol() {
            Subprotocol::Ours => {}
            Subprotocol::Legacy => return Close::SubprotocolLegacy,
            Subprotocol::Unknown => return Close::SubprotocolUnacceptable,
        }
        let mut shutdown = self.transport.shutdown.clone();
        let place = self.place.clone();
        let mut evicted = pin!(async move {
            match place {
                Some(place) => place.evicted().await,
                None => pending().await,
            }
        });
        loop {
            let event = tokio::select! {
                biased;
                () = shutdown.requested() => return Close::Restart,
                () = evicted.as_mut() => return Close::SlowConsumer(self.operations.resume_from()),
                () = &mut self.ends => return self.ended(),
                event = link.event(&mut self.operations) => event,
            };
            let handled = match event {
                Event::Ended(why) => Err(why),
                Event::Timer => self.tick(link),
                Event::Message(message) => self.receive(link, message).await,
            };
            if let Err(why) = handled {
                return why;
            }
        }
    }

    fn ended(&self) -> Close {
        let caller = |session| self.transport.authenticator.caller(session);
        match self.session.as_ref().map_or(Caller::NOBODY, caller).user {
            Some(_) => Close::Revoked,
            None => Close::LoginTimeout,
        }
    }

    /// The time for `connection_init` is over, or a ping is due.
    fn tick(&mut self, link: &mut Link) -> Result<(), Close> {
        if self.session.is_none() {
            return Err(Close::InitTimeout);
        }
        if self.unanswered_pings == UNANSWERED_PINGS_MAX {
            return Err(Close::Gone);
        }
        if self.unanswered_pings == 0 {
            self.client_pings = 0;
        }
        self.unanswered_pings += 1;
        link.send(Message::Ping(Bytes::new()));
        let options = &self.transport.options.socket;
        link.set_timer(options.pong_deadline.min(options.ping_interval));
        Ok(())
    }

    async fn receive(&mut self, link: &mut Link, message: Message) -> Result<(), Close> {
        if self.unanswered_pings > 0 {
            self.unanswered_pings = 0;
            link.set_timer(self.transport.options.socket.ping_interval);
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Close::Invalid("expected text")),
            // The library has answered it already.
            Message::Ping(_) | Message::Pong(_) => return self.count_ping(),
            Message::Close(_) => return Err(Close::ByPeer),
            Message::Frame(_) => return Err(Close::Gone),
        };
        let (text_max, length) = (self.transport.options.socket.frame_bytes_max, text.len());
        if length > text_max && unescaped_len(text.as_bytes()) > text_max {
            return Err(Close::TooLong);
        }
        // Two brackets of the JSON are the message and its payload.
        let nesting_max = self.transport.options.gate.json_nesting_max + 2;
        if !json_nested_within(text.as_bytes(), nesting_max) {
            return Err(Close::Invalid("nested too deep"));
        }
        match ClientMessage::read(&text).map_err(Close::Invalid)? {
            ClientMessage::Init(told) => self.init(link, told).await,
            ClientMessage::Ping => {
                self.count_ping()?;
                link.send(protocol::PONG);
                Ok(())
            }
            ClientMessage::Pong => self.count_ping(),
            ClientMessage::Complete { id } => {
                self.operations.cut(&id);
                Ok(())
            }
            ClientMessage::Subscribe { id, params } => self.subscribe(link, id, *params).await,
        }
    }

    /// Counts pings, and pongs that answer none.
    fn count_ping(&mut self) -> Result<(), Close> {
        self.client_pings += 1;
        if self.client_pings > self.transport.options.socket.client_pings_max {
            return Err(Close::PingFlood);
        }
        Ok(())
    }

    async fn init(&mut self, link: &mut Link, told: Told) -> Result<(), Close> {
        if self.session.is_some() {
            return Err(Close::TooManyInits);
        }
        let authenticator = &self.transport.authenticator;
        let told = match &self.told {
            Err(failure) if told.bearer.is_none() => return Err(self.refuse(*failure)),
            Err(_) => told,
            Ok(earlier) => told.or(earlier.clone()),
        };
        let authenticate = authenticator.authenticate(told.credentials(), &self.peer);
        let session = timeout(self.transport.options.socket.init_deadline, authenticate)
            .await
            .unwrap_or(Err(AuthFailure::Unavailable))
            .map_err(|failure| self.refuse(failure))?;
        self.told = Ok(Told::default());
        let key = self.transport.key(&session, self.peer);
        self.holding = Some(self.transport.callers.socket(key).map_err(|refusal| {
            tracing::debug!(peer = %self.peer.address, code = refusal.code, "refused");
            Close::TooManySockets(key.is_user)
        })?);
        let end = authenticator.end(&session);
        self.ends = self.transport.ends(&session, &end);
        self.guard = Some(self.unsent.guard(Arc::clone(&end)));
        link.end_with(Arc::clone(&end));
        self.end = Some(end);
        self.connected = Some(authenticator.connected(&session));
        self.session = Some(session);
        link.send(protocol::ACK);
        link.set_timer(self.transport.options.socket.ping_interval);
        Ok(())
    }

    /// The closing of a socket whose token was not accepted.
    fn refuse(&self, failure: AuthFailure) -> Close {
        self.transport.tell_refused("a socket", (None, self.peer), &unauthenticated(failure));
        match failure {
            AuthFailure::Invalid | AuthFailure::Forbidden => Close::Forbidden,
            AuthFailure::Unavailable => Close::AuthUnavailable,
        }
    }

    async fn subscribe(
        &mut self,
        link: &mut Link,
        id: String,
        params: Params,
    ) -> Result<(), Close> {
        let Some(session) = self.session.clone() else { return Err(Close::Unauthorized) };
        if self.end.as_ref().is_some_and(|end| end.is_over()) {
            return Err(Close::Revoked);
        }
        if self.operations.contains(&id) {
            return Err(Close::DuplicateId(id));
        }
        if let Err(refusal) = self.start(&id, params, &session).await {
            let who = (Some(&session), self.peer);
            self.transport.tell_refused("an operation", who, &refusal);
            link.send(protocol::error(&id, &Outcome::Refused(refusal)));
        }
        Ok(())
    }

    async fn start(
        &mut self,
        id: &str,
        mut params: Params,
        session: &A::Session,
    ) -> Result<(), Refusal> {
        let options = &self.transport.options;
        let max = options.socket.operations_max;
        if self.operations.len() >= max {
            let message = format!("This socket runs {max} operations already; complete one first.");
            let refusal = Refusal::new(code::TOO_MANY_SUBSCRIPTIONS, message);
            return Err(self.transport.charged(self.transport.key(session, self.peer), refusal));
        }
        let admitted = self.transport.admit(&mut params, session, self.peer)?;
        let prepared = self.transport.prepare(params, admitted, session, self.peer).await?;
        let run = Run::new(&self.transport, prepared, self.operations.untaken());
        self.operations.start(id, run);
        Ok(())
    }
}
