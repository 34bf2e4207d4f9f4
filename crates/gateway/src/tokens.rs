//! Access tokens: the gateway's port to the accounts.

use std::sync::Arc;

use futures_util::{FutureExt, future::BoxFuture};
use rookery_accounts::{Accounts, Identity, Millis};
use rookery_domain::{OwnedUserId, UserId};
use rookery_ephemeral::Ephemeral;
use rookery_graphql_edge::{AuthFailure, Authenticator, Caller, Credentials, Peer, SessionEnd};
use rookery_log::Millis as Time;
use rookery_services::{ServiceDirectory, ServiceSession, SessionError};

use crate::schema::Session;

/// Looks tokens up in the accounts and in the list of services.
pub struct Tokens {
    accounts: Accounts,
    services: ServiceDirectory,
    clock: fn() -> Time,
    ephemeral: Ephemeral,
}

impl Tokens {
    /// Tokens of these accounts and services. `clock` is read once for each request. `ephemeral` learns of open
    /// sockets.
    #[must_use]
    pub fn new(
        accounts: Accounts,
        services: ServiceDirectory,
        clock: fn() -> Time,
        ephemeral: Ephemeral,
    ) -> Self {
        Self { accounts, services, clock, ephemeral }
    }

    /// The user and the device of a token, and the service that acts as the user.
    async fn owner(
        &self,
        token: &str,
        act_as: Option<&str>,
        received: Time,
    ) -> Result<(Identity, Option<ServiceSession>), AuthFailure> {
        match self.services.session(token, act_as, Millis(received.0)).await {
            Ok(Some(acting)) => return Ok((acting.identity.clone(), Some(acting))),
            Ok(None) => {}
            Err(SessionError::Ended) => return Err(AuthFailure::Invalid),
            Err(SessionError::Forbidden(reason)) => {
                tracing::debug!(reason, "a service may not act as a user");
                return Err(AuthFailure::Forbidden);
            }
            Err(SessionError::Unavailable(error)) => {
                tracing::error!(%error, "cannot check the tokens of services");
                return Err(AuthFailure::Unavailable);
            }
        }
        match self.accounts.authenticate(token, Millis(received.0)) {
            // Users act as nobody else.
            Ok(Some(_)) if act_as.is_some() => Err(AuthFailure::Forbidden),
            Ok(Some(identity)) => Ok((identity, None)),
            Ok(None) => Err(AuthFailure::Invalid),
            Err(error) => {
                tracing::error!(%error, "cannot check access tokens");
                Err(AuthFailure::Unavailable)
            }
        }
    }
}

impl Authenticator for Tokens {
    type Session = Session;

    async fn authenticate(
        &self,
        credentials: Credentials<'_>,
        peer: &Peer,
    ) -> Result<Session, AuthFailure> {
        let received = (self.clock)();
        let Credentials { bearer, act_as } = credentials;
        let (identity, service) = match bearer {
            None if act_as.is_some() => return Err(AuthFailure::Forbidden),
            None => (None, None),
            Some(token) => {
                let (identity, service) = self.owner(token, act_as, received).await?;
                (Some(identity), service)
            }
        };
        let user = identity.as_ref().map(|identity| OwnedUserId::try_from(identity.user_id()));
        let user = user.transpose().map_err(|_| AuthFailure::Invalid)?;
        Ok(Session { identity, user, service, peer: peer.address.ip(), received })
    }

    fn end(&self, session: &Session) -> Arc<dyn SessionEnd> {
        Arc::new(TokenEnd { identity: session.identity.clone(), clock: self.clock })
    }

    fn connected(&self, session: &Session) -> Box<dyn Send> {
        match (&session.user, &session.identity) {
            (Some(user), Some(identity)) => {
                Box::new(self.ephemeral.connected(user, identity.device_id()))
            }
            _ => Box::new(()),
        }
    }

    fn caller<'a>(&self, session: &'a Session) -> Caller<'a> {
        // All users of a service have its limits together.
        let user = match &session.service {
            Some(acting) => Some(acting.service.caller()),
            None => session.user.as_deref().map(UserId::as_str),
        };
        Caller { user, is_admin: session.is_admin(), is_program: session.service.is_some() }
    }

    fn prepare(
        &self,
        request: async_graphql::Request,
        session: &Session,
    ) -> async_graphql::Request {
        // A socket lives long; the time is that of each request.
        request.data(Session { received: (self.clock)(), ..session.clone() })
    }
}

/// The end of the session of a token. A session without a login has none.
struct TokenEnd {
    identity: Option<Identity>,
    clock: fn() -> Time,
}

impl SessionEnd for TokenEnd {
    fn is_over(&self) -> bool {
        // The clock matters only for tokens that expire.
        let now = |identity: &Identity| identity.expires().map(|_| Millis((self.clock)().0));
        self.identity.as_ref().is_some_and(|it| it.is_over(now(it).unwrap_or_default()))
    }

    fn over(&self) -> BoxFuture<'static, ()> {
        match &self.identity {
            Some(identity) => identity.revoked().map(drop).boxed(),
            None => std::future::pending().boxed(),
        }
    }
}
