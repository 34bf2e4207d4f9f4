//! Executes the commands of operators.

use std::time::Duration;

use rookery_accounts::{Millis, Password, Session};
use rookery_command::{Actor, Departure, DepartureError};
use rookery_domain::OwnedUserId;
use rookery_log::{EventLog, PAGE_MAX, Position, Scope};
use rookery_projection::Parked;
use serde_json::value::RawValue;

use super::{Order, Output, receive::receive, status::status};
use crate::{
    cli::UserCommand,
    data_directory::{contents::Contents, reconcile},
    failure::Failure,
    import,
    node::{Node, clock},
    terminal::counted::{counted, counted_len},
};

/// Number of commits that `log tail` shows by default.
const TAIL_DEFAULT: u64 = 10;

/// Number of accounts that `user list` shows by default.
const USERS_DEFAULT: usize = 100;

/// Executes `order` on an open data directory.
///
/// # Errors
/// [`Failure`], which says what to do.
pub async fn execute(node: &Node, order: Order, output: &Output) -> Result<(), Failure> {
    match order {
        Order::Rebuild => rebuild(node, output).await,
        Order::Retry => retry(node, output).await,
        Order::Verify => verify(node, output).await,
        Order::Export => export(node, output).await,
        Order::Status => status(node, output).await,
        Order::Tail { after, follow } => tail(node, after, follow, output).await,
        Order::Receive { keys, sent } => receive(node, &keys, &sent, output).await,
        Order::Import { part } => import::carry_out(node, part, output).await,
        Order::Service { order } => super::services::execute(node, order, output).await,
        Order::Federation { command } => super::federation::execute(node, command, output).await,
        Order::User { command, password } => user(node, command, password, output).await,
    }
}

async fn rebuild(node: &Node, output: &Output) -> Result<(), Failure> {
    let tell = |report: rookery_projection::Progress| {
        output.progress("rebuilding", report.done, report.total);
    };
    let rebuilt = node.models.rebuild(tell).await?;
    let seconds = rebuilt.duration.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = rebuilt.events as f64 / seconds.max(0.001);
    let (events, position) = (counted(rebuilt.events, "event"), rebuilt.position);
    output
        .note(format!(
            "rebuilt all read models from {events} in {seconds:.2} s \
             ({rate:.0} events/s); they serve from position {position}"
        ))
        .await;
    Ok(())
}

async fn retry(node: &Node, output: &Output) -> Result<(), Failure> {
    let retried = node.models.retry_parked().await?;
    output.note(format!("{} applied now", counted_len(retried.mended, "parked stream"))).await;
    if retried.parked.is_empty() {
        return Ok(());
    }
    list_parked(&retried.parked, output).await;
    Err(Failure::new(format!(
        "{} cannot be applied: this version of the program cannot read the events that the lines \
         above name",
        counted_len(retried.parked.len(), "stream")
    )))
}

/// Prints a line about each parked stream.
pub(super) async fn list_parked(parked: &[Parked], output: &Output) {
    for Parked { model, stream, position, event_id, reason } in parked {
        let event = event_id.as_ref().map(|id| format!(", event {id}")).unwrap_or_default();
        let line = format!("parked: {stream} in {model} at position {position}{event}: {reason}\n");
        output.text(line).await;
    }
}

async fn verify(node: &Node, output: &Output) -> Result<(), Failure> {
    let log = node.log.clone();
    let told = output.clone();
    let checked = tokio::task::spawn_blocking(move || {
        log.verify(|done, last| told.progress("checking the log", done.0, last.0))
    });
    let checked = checked.await.map_err(|error| Failure::new(error.to_string()))??;
    output
        .text(format!(
            "log: {} with {} in {}: intact\n",
            counted(checked.commits, "commit"),
            counted(checked.events, "event"),
            counted(checked.streams, "stream"),
        ))
        .await;
    check_contents(node, output).await?;
    let tell = |report: rookery_projection::Progress| {
        output.progress("checking the read models", report.done, report.total);
    };
    let differences = node.models.verify(tell).await?;
    let parked = node.reader.view().parked();
    list_parked(&parked, output).await;
    if differences.is_empty() {
        output.text("read models: equal to a rebuild\n".into()).await;
        return Ok(());
    }
    let names: Vec<_> = differences.iter().map(|difference| difference.model).collect();
    Err(Failure::new(format!(
        "the read models differ from the log in: {}. Run `rookery rebuild`",
        names.join(", ")
    )))
}

async fn check_contents(node: &Node, output: &Output) -> Result<(), Failure> {
    let end = *node.log.tail().borrow();
    let (mut contents, mut after) = (Contents::default(), Position::ORIGIN);
    while after < end {
        let mut page = node.log.read(&Scope::All, after, 256).await?;
        page.retain(|record| record.position <= end);
        after = page.last().map_or(end, |last| last.position);
        contents = contents.check_page(page).await?;
        output.progress("checking the events", after.0, end.0);
    }
    output.text("events: match their IDs\n".into()).await;
    Ok(())
}

async fn export(node: &Node, output: &Output) -> Result<(), Failure> {
    // Redacted content that a crash has left must not get out.
    node.commands.resume_erasures().await?;
    let mut export = rookery_ndjson::Export::begin(Vec::new(), node.log.epoch())?;
    let end = *node.log.tail().borrow();
    let mut after = Position::ORIGIN;
    while after < end {
        let page = node.log.read(&Scope::All, after, 256).await?;
        for record in page.iter().filter(|record| record.position <= end) {
            export.write(record)?;
        }
        after = page.last().map_or(end, |last| last.position);
        if !output.text(text(export.take())).await {
            return Ok(());
        }
        output.progress("exporting", after.0, end.0);
    }
    output.text(text(export.finish()?)).await;
    Ok(())
}

/// An export is JSON, so it is text.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

async fn tail(
    node: &Node,
    after: Option<u64>,
    follow: bool,
    output: &Output,
) -> Result<(), Failure> {
    let mut end = node.log.tail();
    let last = *end.borrow();
    let mut after = Position(after.unwrap_or(last.0.saturating_sub(TAIL_DEFAULT)));
    if after > last && !follow {
        return Err(Failure::new(format!(
            "the log ends at position {last}: give --after a smaller number, or --follow to wait"
        )));
    }
    loop {
        let page = node.log.read(&Scope::All, after, PAGE_MAX.min(256)).await?;
        for record in &page {
            after = record.position;
            if !output.text(describe(record)).await {
                return Ok(());
            }
        }
        if page.is_empty() {
            if !follow {
                return Ok(());
            }
            tokio::select! {
                () = output.closed() => return Ok(()),
                grown = end.wait_for(|tail| *tail > after) => if grown.is_err() {
                    return Ok(());
                },
            }
        }
    }
}

/// One commit on one line, for people and for `jq`.
fn describe(record: &rookery_log::Record) -> String {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        position: Position,
        received: rookery_log::Millis,
        stream: &'a str,
        revision: rookery_log::Revision,
        events: Vec<Event<'a>>,
    }
    #[derive(serde::Serialize)]
    struct Event<'a> {
        id: &'a str,
        envelope: Option<&'a RawValue>,
        content: Option<&'a RawValue>,
    }
    fn event(event: &rookery_log::LoggedEvent) -> Event<'_> {
        Event {
            id: &event.id,
            envelope: serde_json::from_slice(&event.envelope).ok(),
            content: serde_json::from_slice(&event.content).ok(),
        }
    }
    let line = Line {
        position: record.position,
        received: record.commit.received,
        stream: record.commit.stream.as_str(),
        revision: record.revision,
        events: record.commit.events.iter().map(event).collect(),
    };
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

async fn user(
    node: &Node,
    command: UserCommand,
    password: Option<String>,
    output: &Output,
) -> Result<(), Failure> {
    let accounts = &node.accounts;
    let now = Millis(clock::now().0);
    let password = password.map(Password::new);
    if let UserCommand::SetPassword { name, .. }
    | UserCommand::Token { name, .. }
    | UserCommand::Admin { name, .. }
    | UserCommand::Deactivate { name, .. } = &command
        && reconcile::adopt_named(node, name).await?
    {
        output.note(format!("the log knows {name}, who had no account: created one")).await;
    }
    match command {
        UserCommand::Create { name, admin, .. } => {
            refuse_reserved(node, &name)?;
            if reconcile::knows_without_account(node, &name)? {
                reconcile::leave_first_place_to_operators(node).await?;
                output
                    .note(format!(
                        "the log knows {name}: the new account takes over the rooms of that user"
                    ))
                    .await;
            }
            accounts.create_user(&name, password, admin, now).await?;
            output.note(format!("created the user {name}")).await;
        }
        UserCommand::List { after, limit } => {
            let users = accounts.users(after.as_deref(), limit.unwrap_or(USERS_DEFAULT))?;
            for user in users {
                let mut notes = Vec::new();
                notes.extend(user.admin.then_some("administrator"));
                notes.extend(user.imported.then_some("imported"));
                notes.extend((!user.has_password).then_some("no password"));
                notes.extend(user.deactivated.map(|_| "deactivated"));
                output.text(format!("{}\t{}\n", user.user_id, notes.join(", "))).await;
            }
        }
        UserCommand::SetPassword { name, keep_devices } => {
            let password = password.ok_or_else(|| Failure::new("there is no password"))?;
            let gone = accounts.set_password(&name, password, !keep_devices).await?;
            tell_removed(node, &name, gone, output).await;
            output.note(format!("{name} has a new password")).await;
        }
        UserCommand::Token { name, device_name, lifetime } => {
            let lifetime: Option<Duration> = lifetime;
            let session = accounts.mint_token(&name, Some(&device_name), lifetime, now).await?;
            tell_added(node, &session, &device_name, output).await;
            output.text(format!("{}\n", session.token.expose())).await;
        }
        UserCommand::Admin { name, revoke } => {
            accounts.set_admin(&name, !revoke).await?;
            let what = if revoke { "no longer an administrator" } else { "an administrator" };
            output.note(format!("{name} is {what}")).await;
        }
        UserCommand::Deactivate { name, successor, leave_headless, .. } => {
            deactivate(node, &name, successor.as_deref(), leave_headless, output).await?;
        }
    }
    Ok(())
}

/// Refuses the name of a new user if a service claims it exclusively.
fn refuse_reserved(node: &Node, name: &str) -> Result<(), Failure> {
    let user = node.accounts.user_id(name).and_then(|user| OwnedUserId::try_from(user).ok());
    let services = node.services.current();
    match user.and_then(|user| services.reserving_user(&user, None)) {
        None => Ok(()),
        Some(service) => Err(Failure::new(format!(
            "the name {name} is reserved for the service {}; choose another one",
            service.name
        ))),
    }
}

/// Closes an account, and takes its user out of all rooms.
async fn deactivate(
    node: &Node,
    name: &str,
    successor: Option<&str>,
    leave_headless: bool,
    output: &Output,
) -> Result<(), Failure> {
    let actor = nobodys_device(node, name);
    let departure = match &actor {
        Some(actor) => Some(departure_of(node, actor, successor, leave_headless).await?),
        None => None,
    };
    let gone = node.accounts.deactivate(name, Millis(clock::now().0)).await?;
    tell_removed(node, name, gone, output).await;
    if let (Some(actor), Some(departure)) = (actor, departure) {
        // The account is closed already, so the user enters no other room meanwhile.
        node.commands.depart(&actor, &departure).await.map_err(|error| {
            Failure::new(format!(
                "{name} is deactivated and still in some rooms: {error}. Ask again to go on"
            ))
        })?;
        for room in &departure.handed_over {
            output.note(format!("{} leads {room} now", successor.unwrap_or_default())).await;
        }
        for room in &departure.headless {
            output.note(format!("nobody can change the power levels of {room} any more")).await;
        }
    }
    output.note(format!("{name} is deactivated")).await;
    Ok(())
}

/// Finds out which rooms the user leaves, and to whom.
async fn departure_of(
    node: &Node,
    actor: &Actor,
    successor: Option<&str>,
    leave_headless: bool,
) -> Result<Departure, Failure> {
    let next = successor.map(|name| successor_of(node, name)).transpose()?;
    let plan = node.commands.plan_departure(actor, next.as_deref(), leave_headless).await;
    plan.map_err(|error| {
        let advice = match &error {
            DepartureError::NoSuccessor { .. } => {
                ". Name a member of these rooms with --successor USER, or say --leave-headless"
            }
            DepartureError::NotAMember { .. } | DepartureError::Handle(_) => "",
        };
        Failure::new(format!("{error}{advice}. Nothing was changed"))
    })
}

/// The ID of a successor who can log in.
fn successor_of(node: &Node, name: &str) -> Result<OwnedUserId, Failure> {
    let user = node.accounts.user(name)?.filter(|user| user.deactivated.is_none());
    let user = user.and_then(|user| OwnedUserId::try_from(user.user_id).ok());
    user.ok_or_else(|| {
        Failure::new(format!(
            "the successor {name:?} has no account, or a closed one. Nothing was changed"
        ))
    })
}

/// Informs the user's devices about a new one. If that fails, they see it in the list.
async fn tell_added(node: &Node, session: &Session, device_name: &str, output: &Output) {
    let Some(actor) = nobodys_device(node, &session.user_id) else { return };
    let told = node.commands.device_added(&actor, &session.device_id, Some(device_name)).await;
    if let Err(error) = told {
        output.note(format!("cannot inform the user's devices about the new one: {error}")).await;
    }
}

/// Informs the user's devices about removed ones.
pub(super) async fn tell_removed(node: &Node, name: &str, gone: Vec<String>, output: &Output) {
    let Some(actor) = nobodys_device(node, name) else { return };
    if gone.is_empty() {
        return;
    }
    if let Err(error) = node.commands.devices_removed(&actor, gone).await {
        output
            .note(format!("cannot inform the user's devices about the removed ones: {error}"))
            .await;
    }
}

/// The user, on no device.
fn nobodys_device(node: &Node, name: &str) -> Option<Actor> {
    let user = OwnedUserId::try_from(node.accounts.user_id(name)?).ok()?;
    Some(Actor::for_server(user, clock::now()))
}
