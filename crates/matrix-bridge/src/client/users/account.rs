//! The identity of the caller, and new users.

use std::sync::Arc;

use axum::extract::State;
use rookery_domain::UserId;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Ensured,
    client::{
        api::Api,
        refusal::{Answer, MatrixError, Reply},
        request::{
            acting::{Acting, Calling},
            body::Content,
        },
    },
};

/// The body of `register`.
#[derive(Deserialize)]
pub(crate) struct NewUser {
    #[serde(rename = "type")]
    kind: Option<String>,
    username: Option<String>,
}

pub(crate) async fn whoami(acting: Acting) -> Answer {
    Ok(Reply(json!({ "user_id": acting.user, "is_guest": false })))
}

/// Makes a user of the service's namespaces. The user gets no token: the service acts as its users with its own.
pub(crate) async fn register(
    State(api): State<Arc<Api>>,
    calling: Calling,
    Content(body): Content<NewUser>,
) -> Answer {
    const KIND: &str = "m.login.application_service";
    if body.kind.as_deref() != Some(KIND) {
        let message = format!("`type` has to be `{KIND}`; users register at /graphql");
        return Err(MatrixError::invalid(message));
    }
    let name = body.username.ok_or_else(|| {
        MatrixError::bad("M_MISSING_PARAM", "`username` is missing; name the user to make")
    })?;
    let server = api.commands.server_name();
    let user = UserId::parse(format!("@{name}:{server}")).map_err(|_| invalid_name(&name))?;
    match calling.service.ensure_user(&user, calling.now).await? {
        Ensured::Created => Ok(Reply(json!({ "user_id": user }))),
        Ensured::Existed => {
            Err(MatrixError::bad("M_USER_IN_USE", format!("{user} is registered already")))
        }
        Ensured::InvalidName(reason) => Err(MatrixError::bad("M_INVALID_USERNAME", reason)),
        Ensured::Reserved(reason) => Err(MatrixError::bad("M_EXCLUSIVE", reason)),
    }
}

fn invalid_name(name: &str) -> MatrixError {
    MatrixError::bad("M_INVALID_USERNAME", format!("{name:?} cannot be the name of a user"))
}
