//! Mutations about the user's own account: its password and its end.
//!
//! **Invariant:** each asks for the password, so a stolen token alone changes neither.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rookery_accounts::Password;
use rookery_command::DepartureError;
use rookery_schema::{
    context::{app, millis, session},
    types::{
        errors::{
            fault::Fault,
            refusal::{self, Refusal, RefusalCode},
        },
        values::scalars::{RoomIdScalar, UserIdScalar},
    },
};

use super::{refused, tell_refused, tell_removed};

/// Rooms that a refusal names, at most.
const ROOMS_MAX: usize = 100;

/// Your new password.
#[derive(InputObject)]
pub(crate) struct ChangePasswordInput {
    /// The password until now.
    password: String,
    /// The password from now on, at least 8 characters.
    new_password: String,
    /// Log out all of your other devices.
    #[graphql(default = true)]
    log_out_others: bool,
}

/// The result of `changePassword`.
#[derive(SimpleObject)]
pub(crate) struct ChangePasswordPayload {
    /// The IDs of the devices that were logged out.
    device_ids: Vec<ID>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The account to close: your own.
#[derive(InputObject)]
pub(crate) struct DeactivateAccountInput {
    /// Your password.
    password: String,
    /// A member who will be able to change the power levels of the rooms in which you are the last
    /// one who can: without it the server refuses with `WOULD_LOCK_OUT`.
    successor: Option<UserIdScalar>,
}

/// The result of `deactivateAccount`.
#[derive(SimpleObject)]
pub(crate) struct DeactivateAccountPayload {
    /// Whether the account is closed.
    is_deactivated: bool,
    /// For `WOULD_LOCK_OUT` and `TARGET_NOT_IN_ROOM`: the rooms that need a successor who is a
    /// member of them, at most 100 of them.
    rooms: Vec<RoomIdScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

impl DeactivateAccountPayload {
    fn refused(refusal: Refusal) -> Self {
        Self { is_deactivated: false, rooms: Vec::new(), refusal: Some(refusal) }
    }
}

/// Mutations about the user's own account.
#[derive(Default)]
pub(crate) struct OwnAccountMutation;

#[Object]
impl OwnAccountMutation {
    /// Changes your password. This device stays logged in.
    async fn change_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Your new password.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let refused_with =
            |refusal| ChangePasswordPayload { device_ids: Vec::new(), refusal: Some(refusal) };
        let (user, own) = (session(context).viewer()?.to_owned(), session(context).device_id()?);
        if let Err(refusal) = confirmed(context, input.password).await? {
            return Ok(refused_with(refusal));
        }
        let accounts = &app(context).accounts;
        let password = Password::new(input.new_password);
        let changed = accounts.set_password(user.as_str(), password, false).await;
        if let Err(refusal) = refused(context, changed)? {
            return Ok(refused_with(refusal));
        }
        let mut gone = Vec::new();
        if input.log_out_others {
            let devices = accounts.devices(user.as_str());
            let devices = devices.map_err(|fault| Fault::accounts_unavailable(&fault))?;
            for device in devices.into_iter().filter(|device| device.device_id != own) {
                // A device that has gone meanwhile is what the user wants.
                if accounts.remove_device(user.as_str(), &device.device_id).await.is_ok() {
                    gone.push(device.device_id);
                }
            }
            tell_removed(context, gone.clone()).await;
        }
        Ok(ChangePasswordPayload {
            device_ids: gone.into_iter().map(ID::from).collect(),
            refusal: None,
        })
    }

    /// Closes your account for good: you leave all rooms, all of your devices are logged out, and
    /// nobody can take your name. Your messages stay.
    async fn deactivate_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account to close: your own.")] input: DeactivateAccountInput,
    ) -> Result<DeactivateAccountPayload> {
        let (app, session) = (app(context), session(context));
        let actor = session.actor()?;
        if let Err(refusal) = confirmed(context, input.password).await? {
            return Ok(DeactivateAccountPayload::refused(refusal));
        }
        let successor = input.successor.map(|user| user.0);
        let planned = app.commands.plan_departure(&actor, successor.as_deref(), false).await;
        let departure = match planned {
            Ok(departure) => departure,
            Err(error) => return in_the_way(context, error),
        };
        let now = millis(session.received);
        let gone = app.accounts.deactivate(actor.user.as_str(), now).await;
        let gone = match refused(context, gone)? {
            Ok(gone) => gone,
            Err(refusal) => return Ok(DeactivateAccountPayload::refused(refusal)),
        };
        tell_removed(context, gone).await;
        // The account is closed already, so the user enters no other room meanwhile.
        let left = app.commands.depart(&actor, &departure).await;
        left.map_err(|error| Fault::unavailable(&error.to_string()))?;
        Ok(DeactivateAccountPayload { is_deactivated: true, rooms: Vec::new(), refusal: None })
    }
}

/// Checks the password of the viewer. A wrong one counts as a failed login.
async fn confirmed(context: &Context<'_>, password: String) -> Result<Result<(), Refusal>, Fault> {
    let session = session(context);
    let (user, now) = (session.viewer()?, session.received);
    if let Some(refusal) = app(context).entrances.log_in(user.as_str(), session.peer, now) {
        tell_refused(context, "a password", user.as_str(), &refusal);
        return Ok(Err(refusal));
    }
    let password = Password::new(password);
    let right = app(context).accounts.confirm(user.as_str(), password, session.peer, millis(now));
    let right = refused(context, right.await)?;
    Ok(right.map_err(|refusal| {
        tell_refused(context, "a password", user.as_str(), &refusal);
        if refusal.code == RefusalCode::WrongCredentials {
            return Refusal { field: Some("password".to_owned()), ..refusal };
        }
        refusal
    }))
}

/// The rooms that keep a user from going.
fn in_the_way(context: &Context<'_>, error: DepartureError) -> Result<DeactivateAccountPayload> {
    let message = error.to_string();
    let (code, rooms) = match error {
        DepartureError::NoSuccessor { rooms, .. } => (RefusalCode::WouldLockOut, rooms),
        DepartureError::NotAMember { rooms, .. } => (RefusalCode::TargetNotInRoom, rooms),
        DepartureError::Handle(error) => {
            let refused = refusal::refused::<()>(context, Err(error))?;
            return match refused {
                Err(refusal) => Ok(DeactivateAccountPayload::refused(refusal)),
                Ok(()) => Err(Fault::internal(&message).into()),
            };
        }
    };
    let refusal = Refusal { field: Some("successor".into()), ..Refusal::of(code, message) };
    let rooms = rooms.into_iter().take(ROOMS_MAX).map(RoomIdScalar).collect();
    Ok(DeactivateAccountPayload { rooms, ..DeactivateAccountPayload::refused(refusal) })
}
