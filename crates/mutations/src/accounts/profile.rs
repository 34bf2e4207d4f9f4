//! Mutations about the user's own profile.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use rookery_command::{Command, ProfileChange};
use rookery_schema::{
    context::{app, retry, session},
    types::{
        errors::refusal::{Refusal, refused},
        users::user::User,
        values::scalars::{PositionScalar, Uri},
    },
};

use crate::acted::shows;

/// A change of your profile. Fields that you leave out stay; null removes a value.
#[derive(InputObject)]
pub(crate) struct SetProfileInput {
    /// The name that others see.
    display_name: MaybeUndefined<String>,
    /// The `mxc:` address of your picture.
    avatar_url: MaybeUndefined<Uri>,
    /// Your number for this action: 1, 2, 3 ... on each device.
    action_id: Option<i32>,
}

/// The result of `setProfile`.
#[derive(SimpleObject)]
pub(crate) struct SetProfilePayload {
    /// You, with the change. Null if it was refused, or if the server takes longer than a second to
    /// show the change.
    user: Option<User>,
    /// Ask for this `minPosition` to see the change. Your rooms get it after that, each as a member
    /// event of yours. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations about the user's own profile.
#[derive(Default)]
pub(crate) struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Changes your profile. It is durable when this answers. All of your rooms get it soon after,
    /// even after a crash.
    async fn set_profile(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "A change of your profile. Fields that you leave out stay; null removes a value."
        )]
        input: SetProfileInput,
    ) -> Result<SetProfilePayload> {
        let actor = session(context).actor()?;
        let retry = retry(input.action_id)?;
        let change = ProfileChange {
            displayname: changed(input.display_name),
            avatar_url: changed(input.avatar_url.map_value(|url| url.0)),
        };
        let result = app(context)
            .commands
            .execute(&actor, Command::SetProfile { change: &change }, retry)
            .await;
        Ok(match refused(context, result)? {
            Ok(outcome) => {
                app(context).wrote(session(context), outcome.position);
                let shown = shows(context, "user", outcome.position).await;
                SetProfilePayload {
                    user: shown.then(|| User::new(actor.user)),
                    position: Some(app(context).token(outcome.position)),
                    refusal: None,
                }
            }
            Err(refusal) => {
                SetProfilePayload { user: None, position: None, refusal: Some(refusal) }
            }
        })
    }
}

/// The outer option says whether the field changes, the inner one is its new value.
#[expect(
    clippy::option_option,
    reason = "whether a field changes, and its new value, are two questions"
)]
fn changed(field: MaybeUndefined<String>) -> Option<Option<String>> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
