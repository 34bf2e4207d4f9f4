//! Access tokens: the gateway's port to the accounts.

use std::sync::Arc;

use futures_util::{FutureExt, future::BoxFuture};
use rookery_accounts::{Accounts, Identity, Millis};
use rookery_domain::{OwnedUserId, UserId};
use rookery_ephemeral::Ephemeral;
use rookery_graphql_edge::{AuthFailure, Authenticator, Caller, Peer, SessionEnd};
use rookery_log::Millis as Time;

use crate::schema::Session;

/// Looks tokens up in the accounts.
pub struct Tokens {
    accounts: Accounts,
    clock: fn() -> Time,
    ephemeral: Ephemeral,
}

impl Tokens {
    /// Tokens of these accounts. `clock` is read once for each request. `ephemeral` learns of open
    /// sockets.
    #[must_use]
    pub fn new(accounts: Accounts, clock: fn() -> Time, ephemeral: Ephemeral) -> Self {
        Self { accounts, clock, ephemeral }
    }
}

impl Authenticator for Tokens {
    type Session = Session;

    async fn authenticate(
        &self,
        bearer: Option<&str>,
        peer: &Peer,
    ) -> Result<Session, AuthFailure> {
        let received = (self.clock)();
        let identity = match bearer {
            None => None,
            Some(token) => match self.accounts.authenticate(token, Millis(received.0)) {
                Ok(Some(identity)) => Some(identity),
                Ok(None) => return Err(AuthFailure::Invalid),
                Err(error) => {
                    tracing::error!(%error, "cannot check access tokens");
                    return Err(AuthFailure::Unavailable);
                }
            },
        };
        let user = identity.as_ref().map(|identity| OwnedUserId::try_from(identity.user_id()));
        let user = user.transpose().map_err(|_| AuthFailure::Invalid)?;
        Ok(Session { identity, user, peer: peer.address.ip(), received })
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
        Caller {
            user: session.user.as_deref().map(UserId::as_str),
            is_admin: session.identity.as_ref().is_some_and(Identity::is_admin),
        }
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
