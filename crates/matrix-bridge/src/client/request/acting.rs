//! The service of a request, and the user as whom it acts.
//!
//! Source: Matrix application service specification, "Client-Server API Extensions".

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
};
use form_urlencoded::parse;
use rookery_command::{Actor, Retry};
use rookery_domain::{OwnedUserId, UserId};
use rookery_log::{CommandId, Millis};

use crate::{
    ActingSession, Service,
    client::{api::Api, refusal::MatrixError},
};

/// The longest transaction ID, in bytes.
const TRANSACTION_BYTES_MAX: usize = 255;

/// A service that calls.
pub(crate) struct Calling {
    pub(crate) service: Arc<dyn Service>,
    /// The `user_id` of the query.
    user: Option<String>,
    pub(crate) now: Millis,
}

/// A service that acts as one of its users, by default as its bot.
pub(crate) struct Acting {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) user: OwnedUserId,
    /// The device of the user on which it acts.
    pub(crate) device: String,
    pub(crate) now: Millis,
}

impl Acting {
    pub(crate) fn actor(&self) -> Actor {
        self.service.actor(self.user.clone(), self.device.clone(), self.now)
    }

    /// Names a command by a transaction ID: for the same service, user and ID it is the same command for ever.
    pub(crate) fn named(&self, transaction: &str) -> Result<Retry, MatrixError> {
        if transaction.len() > TRANSACTION_BYTES_MAX {
            return Err(MatrixError::invalid("the transaction ID is longer than 255 bytes"));
        }
        let parts: [&[u8]; 4] = [
            b"matrix-transaction",
            self.service.id().as_bytes(),
            self.user.as_bytes(),
            transaction.as_bytes(),
        ];
        Ok(Retry::Named(CommandId::derive(&parts)))
    }

    /// Checks that the user of the path is the acting one.
    pub(crate) fn own(&self, user_id: &str) -> Result<(), MatrixError> {
        if self.user == user_id {
            return Ok(());
        }
        let message =
            format!("{} cannot do this for {user_id}; name that user in `user_id`", self.user);
        Err(MatrixError::forbidden(message))
    }
}

impl FromRequestParts<Arc<Api>> for Calling {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, MatrixError> {
        let now = (api.clock)();
        let query = |name: &str| {
            let mut fields = parse(parts.uri.query().unwrap_or_default().as_bytes());
            fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let token = bearer(parts)?.or_else(|| query("access_token"));
        let token = token.ok_or_else(|| {
            let message = "send the `as_token` of the service in `Authorization: Bearer`";
            MatrixError::new(StatusCode::UNAUTHORIZED, "M_MISSING_TOKEN", message)
        })?;
        let user = query("user_id");
        let service = api.services.authenticate(&token, now)?.ok_or_else(unknown_token)?;
        (api.known)(&parts.extensions);
        if let Some(wait) = service.charge(now) {
            return Err(MatrixError::limited(wait));
        }
        Ok(Self { service, user, now })
    }
}

impl FromRequestParts<Arc<Api>> for Acting {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, MatrixError> {
        let Calling { service, user, now } = Calling::from_request_parts(parts, api).await?;
        let user = match user {
            None => service.bot().to_owned(),
            Some(user) => UserId::parse(&*user).map_err(|_| {
                MatrixError::invalid(format!("`user_id` is {user:?}, which is no user ID"))
            })?,
        };
        match service.act_as(&user, now).await? {
            ActingSession::On { device } => Ok(Self { service, user, device, now }),
            ActingSession::Refused(reason) => Err(MatrixError::forbidden(reason)),
            ActingSession::Ended => Err(unknown_token()),
        }
    }
}

fn unknown_token() -> MatrixError {
    let message = "no service has this token; users log in at /graphql";
    MatrixError::new(StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN", message)
}

/// The token of the `Authorization` header.
fn bearer(parts: &Parts) -> Result<Option<String>, MatrixError> {
    let Some(value) = parts.headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    token.filter(|token| !token.is_empty()).map(Some).ok_or_else(unknown_token)
}
