//! Mutations about accounts and devices.

pub(super) mod account_data;
pub(super) mod consumers;
pub(super) mod filters;
pub(super) mod of_services;
pub(super) mod operating;
pub(super) mod own;
pub(super) mod preferences;
pub(super) mod profile;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rookery_accounts::{
    DeviceError, Login, MaybeUnavailable, Password, Registration, Session as NewSession,
};
use rookery_command::Actor;
use rookery_domain::OwnedUserId;
use rookery_graphql_edge::Refused;
use rookery_schema::{
    context::{STALE_AFTER, app, millis, session},
    types::{
        errors::{
            fault::Fault,
            refusal::{AccountRefusal, Refusal, RefusalCode},
        },
        users::user::{Device, User},
    },
};

/// The account to register.
#[derive(InputObject)]
pub(crate) struct RegisterInput {
    /// The user name: `a-z`, `0-9` and `. _ = - / +`. It cannot be changed later.
    username: String,
    /// The password, at least 8 characters.
    password: String,
    /// Your name for this device, such as `laptop`.
    device_name: Option<String>,
}

/// The user to log in.
#[derive(InputObject)]
pub(crate) struct LogInInput {
    /// The user name or the whole user ID.
    username: String,
    /// The password.
    password: String,
    /// A device of yours to log in again; leave it out to get a new one.
    device_id: Option<ID>,
    /// Your name for this device.
    device_name: Option<String>,
}

/// The devices to log out.
#[derive(InputObject)]
pub(crate) struct LogOutInput {
    /// Log out all of your devices, not only this one.
    #[graphql(default)]
    everywhere: bool,
}

/// A new name for a device.
#[derive(InputObject)]
pub(crate) struct RenameDeviceInput {
    /// The device.
    device_id: ID,
    /// Its new name; null for none.
    name: Option<String>,
}

/// A device to remove.
#[derive(InputObject)]
pub(crate) struct RemoveDeviceInput {
    /// The device. It is logged out at once.
    device_id: ID,
}

/// The result of `register`.
#[derive(SimpleObject)]
pub(crate) struct RegisterPayload {
    /// Send it as `Authorization: Bearer <token>`. It is shown only once.
    token: Option<String>,
    /// The device that is now logged in.
    device_id: Option<ID>,
    /// You.
    user: Option<User>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The result of `logIn`.
#[derive(SimpleObject)]
pub(crate) struct LogInPayload {
    /// Send it as `Authorization: Bearer <token>`. It is shown only once.
    token: Option<String>,
    /// The device that is now logged in.
    device_id: Option<ID>,
    /// You.
    user: Option<User>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The result of `logOut`.
#[derive(SimpleObject)]
pub(crate) struct LogOutPayload {
    /// How many devices were logged out.
    devices: i32,
    /// Why it was refused. Always null: a user may always log out.
    refusal: Option<Refusal>,
}

/// The result of `renameDevice`.
#[derive(SimpleObject)]
pub(crate) struct RenameDevicePayload {
    /// The device.
    device: Option<Device>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The result of `removeDevice`.
#[derive(SimpleObject)]
pub(crate) struct RemoveDevicePayload {
    /// The ID of the removed device.
    device_id: Option<ID>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations about accounts and devices.
#[derive(Default)]
pub(crate) struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Creates an account and logs in. The first account of a server is its administrator.
    async fn register(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account to register.")] input: RegisterInput,
    ) -> Result<RegisterPayload> {
        let RegisterInput { username, password, device_name } = input;
        let session = session(context);
        let entrances = &app(context).entrances;
        if let Some(refusal) = entrances.register(session.peer, session.received) {
            tell_refused(context, "a registration", &username, &refusal);
            let refusal = Some(refusal);
            return Ok(RegisterPayload { token: None, device_id: None, user: None, refusal });
        }
        if let Some(refusal) = reserved(context, &username) {
            let refusal = Some(refusal.in_input_of(context));
            return Ok(RegisterPayload { token: None, device_id: None, user: None, refusal });
        }
        let registration = Registration {
            localpart: username,
            password: Password::new(password),
            device_name,
            from: session.peer,
        };
        let (name, device_name) =
            (registration.localpart.clone(), registration.device_name.clone());
        // The accounts ask the models whether the log knows the name.
        let tail = *app(context).log.tail().borrow();
        let fresh = app(context).models.wait_for(tail, STALE_AFTER).await;
        fresh.map_err(|_| Fault::stale())?;
        let result = app(context).accounts.register(registration, millis(session.received)).await;
        if let Ok(new) = &result {
            tell_added(context, new, device_name.as_deref()).await;
        }
        let LogInPayload { token, device_id, user, refusal } =
            logged_in(refused(context, result)?.inspect_err(|refusal| {
                if refusal.code == RefusalCode::RegistrationClosed {
                    tell_refused(context, "a registration", &name, refusal);
                }
            }));
        Ok(RegisterPayload { token, device_id, user, refusal })
    }

    /// Logs in on a new device, or again on one of yours.
    async fn log_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user to log in.")] input: LogInInput,
    ) -> Result<LogInPayload> {
        let LogInInput { username, password, device_id, device_name } = input;
        let session = session(context);
        let entrances = &app(context).entrances;
        if let Some(refusal) = entrances.log_in(&username, session.peer, session.received) {
            tell_refused(context, "a login", &username, &refusal);
            let refusal = Some(refusal);
            return Ok(LogInPayload { token: None, device_id: None, user: None, refusal });
        }
        let login = Login {
            user: username,
            password: Password::new(password),
            device_id: device_id.map(|id| id.to_string()),
            device_name,
            from: session.peer,
        };
        let user = login.user.clone();
        let new_name = login.device_id.is_none().then(|| login.device_name.clone());
        let result = app(context).accounts.login(login, millis(session.received)).await;
        if let (Ok(new), Some(name)) = (&result, new_name) {
            tell_added(context, new, name.as_deref()).await;
        }
        Ok(logged_in(refused(context, result)?.inspect_err(|refusal| {
            tell_refused(context, "a login", &user, refusal);
        })))
    }

    /// Logs out this device, or all of yours. Their subscriptions end at once.
    async fn log_out(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The devices to log out.")] input: LogOutInput,
    ) -> Result<LogOutPayload> {
        let session = session(context);
        let user = session.viewer()?;
        let accounts = &app(context).accounts;
        let devices = if input.everywhere {
            let gone = accounts.logout_all(user.as_str()).await;
            let gone = gone.map_err(|fault| Fault::accounts_unavailable(&fault))?;
            let count = gone.len();
            tell_removed(context, gone).await;
            count
        } else {
            let device = session.device_id()?;
            match accounts.remove_device(user.as_str(), device).await {
                Ok(()) => {
                    tell_removed(context, [device.to_owned()]).await;
                    1
                }
                Err(DeviceError::Unavailable(fault)) => {
                    return Err(Fault::accounts_unavailable(&fault).into());
                }
                Err(_) => 0,
            }
        };
        Ok(LogOutPayload { devices: i32::try_from(devices).unwrap_or(i32::MAX), refusal: None })
    }

    /// Gives one of your devices a name.
    async fn rename_device(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A new name for a device.")] input: RenameDeviceInput,
    ) -> Result<RenameDevicePayload> {
        let user = session(context).viewer()?;
        let accounts = &app(context).accounts;
        let renamed =
            accounts.rename_device(user.as_str(), &input.device_id, input.name.as_deref()).await;
        Ok(match refused(context, renamed)? {
            Ok(()) => {
                let devices = accounts.devices(user.as_str());
                let devices = devices.map_err(|fault| Fault::accounts_unavailable(&fault))?;
                let device =
                    devices.into_iter().find(|device| device.device_id == *input.device_id);
                RenameDevicePayload { device: device.map(Device), refusal: None }
            }
            Err(refusal) => RenameDevicePayload { device: None, refusal: Some(refusal) },
        })
    }

    /// Removes one of your devices. It is logged out, and its subscriptions end at once.
    async fn remove_device(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A device to remove.")] input: RemoveDeviceInput,
    ) -> Result<RemoveDevicePayload> {
        let user = session(context).viewer()?;
        let accounts = &app(context).accounts;
        let removed = accounts.remove_device(user.as_str(), &input.device_id).await;
        Ok(match refused(context, removed)? {
            Ok(()) => {
                tell_removed(context, [input.device_id.to_string()]).await;
                RemoveDevicePayload { device_id: Some(input.device_id), refusal: None }
            }
            Err(refusal) => RemoveDevicePayload { device_id: None, refusal: Some(refusal) },
        })
    }
}

/// Records in the security log that a login or registration was refused.
pub(super) fn tell_refused(
    context: &Context<'_>,
    what: &'static str,
    user: &str,
    refusal: &Refusal,
) {
    app(context).security.refused(&Refused {
        what,
        reason: refusal.code.name(),
        user: Some(user),
        named: None,
        address: session(context).peer,
    });
}

/// The refusal of a user name that a service claims exclusively. It does not name the service: a
/// stranger asks.
fn reserved(context: &Context<'_>, username: &str) -> Option<Refusal> {
    let user = app(context).accounts.check_name(username).ok()?;
    let user = OwnedUserId::try_from(user).ok()?;
    app(context).services.current().reserving_user(&user, None)?;
    let message = "the user name is reserved for a service; choose another one";
    Some(Refusal::of(RefusalCode::NameReserved, message.into()))
}

/// Tells the user's other devices of a new one. If that fails, they learn of it from the list.
async fn tell_added(context: &Context<'_>, new: &NewSession, name: Option<&str>) {
    let Ok(user) = OwnedUserId::try_from(new.user_id.as_str()) else { return };
    let actor = Actor {
        user,
        device: None,
        now: session(context).received,
        deliver: None,
        received: None,
        service: None,
    };
    if let Err(error) = app(context).commands.device_added(&actor, &new.device_id, name).await {
        tracing::warn!(
            "the other devices of a user did not get the event of a new device: {error}"
        );
    }
}

/// Tells the user's other devices that some were removed.
pub(super) async fn tell_removed(
    context: &Context<'_>,
    device_ids: impl IntoIterator<Item = String>,
) {
    let Ok(actor) = session(context).actor_of_the_end() else { return };
    match app(context).commands.devices_removed(&actor, device_ids).await {
        Ok(position) => app(context).wrote(session(context), position),
        Err(error) => tracing::warn!(
            "the other devices of a user did not get the event of removed devices: {error}"
        ),
    }
}

/// A refusal of the accounts if the error has a code, otherwise a fault.
pub(crate) fn refused<T, E: MaybeUnavailable + AccountRefusal + std::fmt::Display>(
    context: &Context<'_>,
    result: Result<T, E>,
) -> Result<Result<T, Refusal>, Fault> {
    let error = match result {
        Ok(done) => return Ok(Ok(done)),
        Err(error) => error,
    };
    match (error.unavailable(), error.code_for_clients()) {
        (Some(fault), _) => Err(Fault::accounts_unavailable(fault)),
        (None, Some(code)) => {
            let refusal = Refusal::of(code, error.to_string());
            let refusal = match error.retry_after() {
                Some(wait) => Refusal::until(code, refusal.message, wait),
                None => refusal,
            };
            Ok(Err(refusal.in_input_of(context)))
        }
        (None, None) => Err(Fault::internal(&error.to_string())),
    }
}

fn logged_in(result: Result<NewSession, Refusal>) -> LogInPayload {
    match result {
        Ok(session) => LogInPayload {
            token: Some(session.token.expose().to_owned()),
            device_id: Some(session.device_id.into()),
            user: User::logging_in(&session.user_id),
            refusal: None,
        },
        Err(refusal) => {
            LogInPayload { token: None, device_id: None, user: None, refusal: Some(refusal) }
        }
    }
}
