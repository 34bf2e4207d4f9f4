//! Mutations of services about their users.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use rookery_command::{Actor, Command, HandleError, ProfileChange, Retry};
use rookery_domain::{OwnedUserId, UserId};
use rookery_log::Position;
use rookery_schema::{
    context::{app, millis, session},
    types::{
        errors::{
            fault::Fault,
            refusal::{self, Refusal},
        },
        users::user::User,
    },
};
use rookery_services::{ServiceSession, SessionError};

use super::refused;
use crate::acted::shows;

/// A user of your service.
#[derive(InputObject)]
pub(crate) struct EnsureUserInput {
    /// The part of the user ID between `@` and `:`. The user ID has to be in a namespace of your
    /// service.
    localpart: String,
    /// The name that others see. Leave it out to keep the present one.
    display_name: Option<String>,
}

/// The result of `ensureUser`.
#[derive(SimpleObject)]
pub(crate) struct EnsureUserPayload {
    /// The user. Null if it was refused.
    user: Option<User>,
    /// Why it was refused. Null if it was not. If the display name was refused, the user exists.
    refusal: Option<Refusal>,
}

/// Mutations of services.
#[derive(Default)]
pub(crate) struct ServiceMutation;

#[Object]
impl ServiceMutation {
    /// Creates a user of your service, unless it exists, and sets its display name. Only services
    /// may do this. The user has no password. Repeating it changes nothing.
    async fn ensure_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A user of your service.")] input: EnsureUserInput,
    ) -> Result<EnsureUserPayload> {
        let EnsureUserInput { localpart, display_name } = input;
        let acting = session(context).acting_service()?;
        let actor = session(context).actor()?;
        let admitted = app(context).commands.admit_user_of(&acting.service.service, &actor);
        if let Err(refusal) = refusal::refused(context, admitted)? {
            return Ok(EnsureUserPayload { user: None, refusal: Some(refusal) });
        }
        let services = &app(context).services;
        let now = millis(session(context).received);
        let ensured = services.ensure_user(&acting.service, &localpart, now).await;
        let user = match refused(context, ensured)? {
            Ok(user) => user,
            Err(refusal) => return Ok(EnsureUserPayload { user: None, refusal: Some(refusal) }),
        };
        if let Some(name) = display_name {
            let named = set_name(context, acting, &user, name).await?;
            match refusal::refused(context, named)? {
                Ok(position) => {
                    app(context).wrote(session(context), position);
                    shows(context, "user", position).await;
                }
                Err(refusal) => {
                    let user = Some(User::new(user));
                    return Ok(EnsureUserPayload { user, refusal: Some(refusal) });
                }
            }
        }
        Ok(EnsureUserPayload { user: Some(User::new(user)), refusal: None })
    }
}

/// Sets the display name of a user of a service, on the service's device of that user.
async fn set_name(
    context: &Context<'_>,
    acting: &ServiceSession,
    user: &UserId,
    name: String,
) -> Result<Result<Position, HandleError>, Fault> {
    let received = session(context).received;
    let services = &app(context).services;
    let as_user = services.act_as(&acting.service, user, millis(received)).await;
    let as_user = as_user.map_err(|error| match &error {
        SessionError::Ended => Fault::unauthenticated(),
        SessionError::Forbidden(reason) => Fault::bad_input(reason.clone()),
        SessionError::Unavailable(fault) => Fault::accounts_unavailable(fault),
    })?;
    let actor = Actor {
        user: OwnedUserId::from(user),
        device: Some(as_user.identity.device_id().to_owned()),
        now: received,
        deliver: None,
        received: None,
        service: Some(acting.service.service.clone()),
    };
    let change = ProfileChange { displayname: Some(Some(name)), avatar_url: None };
    let command = Command::SetProfile { change: &change };
    let outcome = app(context).commands.execute(&actor, command, Retry::Unnamed).await;
    Ok(outcome.map(|outcome| outcome.position))
}
