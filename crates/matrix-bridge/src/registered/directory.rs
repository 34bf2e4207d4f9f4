//! The services for the edge of Matrix.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rookery_accounts::Accounts;
use rookery_command::Actor;
use rookery_domain::{OwnedUserId, UserId};
use rookery_log::{Millis, Unavailable};
use rookery_services::{Registered, ServiceDirectory, SessionError, UserRefusal};

use crate::{ActingSession, Endpoint, Ensured, Service, Services};

/// The services of `directory` that are bridges.
#[must_use]
pub fn bridges(directory: ServiceDirectory, accounts: Accounts) -> Arc<dyn Services> {
    Arc::new(Bridges { directory, accounts })
}

#[derive(Clone)]
struct Bridges {
    directory: ServiceDirectory,
    accounts: Accounts,
}

struct Bridge {
    all: Bridges,
    registered: Arc<Registered>,
}

/// Whether a service is a bridge: one with the token for its requests, which only registrations of Matrix have.
fn is_bridge(registered: &Registered) -> bool {
    registered.hs_token().is_some()
}

/// Where a bridge takes requests.
pub(super) fn endpoint(registered: &Registered) -> Option<Endpoint> {
    let url = registered.registration.url.as_deref()?.trim_end_matches('/');
    let token = registered.hs_token()?.to_owned();
    (!url.is_empty()).then(|| Endpoint { url: url.to_owned(), token })
}

impl Services for Bridges {
    fn has_bridges(&self) -> bool {
        self.directory.list().iter().any(|registered| is_bridge(registered))
    }

    fn authenticate(
        &self,
        token: &str,
        _: Millis,
    ) -> Result<Option<Arc<dyn Service>>, Unavailable> {
        let registered = self.directory.with_token(token).filter(|it| is_bridge(it));
        let bridge = |registered| Arc::new(Bridge { all: self.clone(), registered }) as Arc<_>;
        Ok(registered.map(bridge))
    }
}

#[async_trait]
impl Service for Bridge {
    fn id(&self) -> &str {
        &self.registered.service.name
    }

    fn bot(&self) -> &UserId {
        &self.registered.service.bot
    }

    fn endpoint(&self) -> Option<Endpoint> {
        endpoint(&self.registered)
    }

    async fn act_as(&self, user: &UserId, now: Millis) -> Result<ActingSession, Unavailable> {
        let now = rookery_accounts::Millis(now.0);
        match self.all.directory.act_as(&self.registered, user, now).await {
            Ok(session) => {
                Ok(ActingSession::On { device: session.identity.device_id().to_owned() })
            }
            Err(SessionError::Forbidden(reason)) => Ok(ActingSession::Refused(reason)),
            Err(SessionError::Ended) => Ok(ActingSession::Ended),
            Err(SessionError::Unavailable(error)) => Err(unavailable(&error)),
        }
    }

    async fn ensure_user(&self, user: &UserId, now: Millis) -> Result<Ensured, Unavailable> {
        let existed = self
            .all
            .accounts
            .user(user.as_str())
            .map_err(|error| Unavailable { reason: error.to_string().into() })?;
        let now = rookery_accounts::Millis(now.0);
        match self.all.directory.ensure_user(&self.registered, user.localpart(), now).await {
            Ok(_) if existed.is_some() => Ok(Ensured::Existed),
            Ok(_) => Ok(Ensured::Created),
            Err(UserRefusal::Unavailable(error)) => Err(unavailable(&error)),
            Err(refusal @ (UserRefusal::Outside { .. } | UserRefusal::Reserved { .. })) => {
                Ok(Ensured::Reserved(refusal.to_string()))
            }
            Err(refusal @ (UserRefusal::Name(_) | UserRefusal::Deactivated { .. })) => {
                Ok(Ensured::InvalidName(refusal.to_string()))
            }
        }
    }

    fn actor(&self, user: OwnedUserId, device: String, now: Millis) -> Actor {
        let service = Some(Arc::clone(&self.registered.service));
        Actor { user, device: Some(device), now, deliver: None, received: None, service }
    }

    fn charge(&self, _: Millis) -> Option<Duration> {
        // Actions have the rate of the service, which the write side charges.
        None
    }
}

fn unavailable(error: &rookery_accounts::Unavailable) -> Unavailable {
    Unavailable { reason: error.to_string().into() }
}
