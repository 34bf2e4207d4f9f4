//! Compares the accounts with the log of the same folder: the two are backed up, lost and restored separately.
//!
//! **Invariant:** if the log knows users without an account, the server serves nobody until an operator decides about
//! them. Otherwise the first user to register would become the administrator of somebody else's server.
//! **Invariant:** accounts that are older than the log are refused before anything in the directory changes.
//! **Invariant:** accounts may differ from the log for a moment: a device enters the accounts before its event enters
//! the log, and leaves them before its removal enters the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use rookery_accounts::{Accounts, History, LogMark, Millis};
use rookery_domain::{AccountEvent, Fact, Subject, UserId};
use rookery_log::{
    EventLog, LoggedEvent, PAGE_MAX, Position, Scope, StreamId, StreamKind, is_last_page,
};
use rookery_view::Reader;

use crate::{
    failure::Failure,
    node::{Node, clock},
    terminal::counted::counted_len,
};

/// Most users that a message names.
const NAMES_SHOWN: usize = 3;

/// Answers questions of the accounts from the log and the read models.
pub(crate) struct FromLog {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) reader: Reader,
}

impl History for FromLog {
    fn knows(&self, user_id: &str) -> bool {
        <&UserId>::try_from(user_id).is_ok_and(|user| self.reader.view().is_known(user))
    }

    fn mark(&self) -> LogMark {
        LogMark { epoch: self.log.epoch().0, position: self.log.tail().borrow().0 }
    }
}

/// Data of the log that the accounts lack.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lack {
    /// Local parts of users without an account.
    users: Vec<String>,
    /// Devices that the log removed and the accounts still accept: local part and device ID.
    devices: Vec<(String, String)>,
    /// The last change of the accounts was beside another log.
    foreign: bool,
}

impl Lack {
    fn is_none(&self) -> bool {
        self.users.is_empty() && self.devices.is_empty() && !self.foreign
    }

    fn describe(&self) -> String {
        let mut parts = Vec::new();
        if !self.users.is_empty() {
            let mut names =
                self.users.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let count = self.users.len();
            if count > NAMES_SHOWN {
                names = format!("{names} and {} more", count - NAMES_SHOWN);
            }
            let users = counted_len(count, "user");
            parts.push(format!("the log has {users} without an account ({names})"));
        }
        if !self.devices.is_empty() {
            let devices = counted_len(self.devices.len(), "device");
            parts.push(format!(
                "devices that are logged in although the log removed them: {devices}"
            ));
        }
        if self.foreign {
            parts.push("their last change was beside another log".to_owned());
        }
        parts.join("; ")
    }
}

impl Lack {
    fn refusal(&self) -> Failure {
        let found = self.describe();
        Failure::new(format!(
            "accounts.redb is missing, or older than the log: {found}. Restore the accounts.redb that \
             belongs to this log from a backup. If there is none, start once with \
             --accept-missing-accounts: the server then creates accounts without a password for \
             these users and logs out those devices; set passwords with `rookery user \
             set-password`, create tokens with `rookery user token`, and name the first \
             administrator with `rookery user admin`"
        ))
    }
}

/// Refuses a folder whose accounts are missing or older than its log, before anything in it changes.
/// `server_name` is that of the server.
///
/// Reads the log from the mark that the accounts last stored. Unreadable accounts pass: opening them reports the fault.
///
/// # Errors
/// [`Failure`], which names the missing accounts and says what to do; or the log is damaged.
pub(crate) fn refuse_before_opening(data: &Path, server_name: &str) -> Result<(), Failure> {
    let lack = find_lack(data, server_name)?;
    if lack.is_none() { Ok(()) } else { Err(lack.refusal()) }
}

/// The data of the log that the accounts lack, read without opening either.
fn find_lack(data: &Path, server_name: &str) -> Result<Lack, Failure> {
    let (log, file) = (data.join("log"), data.join("accounts.redb"));
    if !file.exists() {
        let users = LoggedUsers::after(Position::ORIGIN, &log, server_name)?.users;
        return Ok(Lack { users: users.into_iter().collect(), ..Lack::default() });
    }
    let Ok(accounts) = Accounts::look(&file, server_name) else { return Ok(Lack::default()) };
    let Ok(Some(mark)) = accounts.log_mark() else { return Ok(Lack::default()) };
    let Ok(Some((epoch, reached))) = rookery_log_sled::reached(&log) else {
        return Ok(Lack::default());
    };
    let foreign = mark.epoch != epoch.0 && mark.position > 0;
    if !foreign && mark.position >= reached.0 {
        return Ok(Lack::default());
    }
    let after = if foreign { Position::ORIGIN } else { Position(mark.position) };
    let LoggedUsers { users, removed } = LoggedUsers::after(after, &log, server_name)?;
    let lacking = accounts.without_account(users.iter().map(String::as_str))?;
    let users = lacking.into_iter().map(ToOwned::to_owned).collect();
    let mut devices = Vec::new();
    for (user, removed) in removed.into_iter().filter(|_| !foreign) {
        // A user without an account has no devices.
        let there = accounts.devices(&user).unwrap_or_default();
        let there = there.into_iter().map(|device| device.device_id);
        let there = there.filter(|device| removed.contains(device));
        devices.extend(there.map(|device| (user.clone(), device)));
    }
    Ok(Lack { users, devices, foreign })
}

/// Users of a server that a log names, by their local parts.
#[derive(Default)]
struct LoggedUsers {
    users: BTreeSet<String>,
    /// Removed devices of each user.
    removed: BTreeMap<String, BTreeSet<String>>,
}

impl LoggedUsers {
    /// Reads the log in the folder `log` after a position.
    fn after(after: Position, log: &Path, server_name: &str) -> Result<Self, Failure> {
        let mut logged = Self::default();
        let local = |user: &str| {
            let user = <&UserId>::try_from(user).ok();
            let user = user.filter(|user| user.server_name() == server_name);
            user.map(|user| user.localpart().to_owned())
        };
        rookery_log_sled::examine_after(log, after, |record| {
            let events = &record.commit.events;
            match record.commit.stream.split() {
                Some((StreamKind::User, user)) => {
                    let Some(user) = local(user) else { return };
                    let removed: Vec<_> = events.iter().filter_map(removed_device).collect();
                    if !removed.is_empty() {
                        logged.removed.entry(user.clone()).or_default().extend(removed);
                    }
                    logged.users.insert(user);
                }
                // Imported users have data in rooms only.
                Some((StreamKind::Room, _)) => {
                    logged
                        .users
                        .extend(events.iter().filter_map(sender).filter_map(|it| local(&it)));
                }
                _ => {}
            }
        })?;
        Ok(logged)
    }
}

/// The sender of a room's event, if the event is readable.
fn sender(event: &LoggedEvent) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Sent {
        sender: String,
    }
    serde_json::from_slice::<Sent>(&event.content).ok().map(|sent| sent.sender)
}

/// Compares the accounts of `node` with its log. If accounts are missing, creates them with `accept`, and otherwise
/// refuses to serve.
///
/// # Errors
/// [`Failure`], which names the missing accounts and says what to do.
pub(crate) async fn accounts_with_log(node: &Node, accept: bool) -> Result<(), Failure> {
    let lack = compare(node).await?;
    if lack.is_none() {
        return Ok(());
    }
    if !accept {
        return Err(lack.refusal());
    }
    let found = lack.describe();
    let made = counted_len(lack.users.len(), "account");
    let ended = counted_len(lack.devices.len(), "device");
    node.accounts.adopt(lack.users, lack.devices, Millis(clock::now().0)).await?;
    tracing::warn!(
        "accounts.redb was missing or older than the log, and the operator accepted that: \
         {found}. Created {made} without a password and logged out {ended}"
    );
    Ok(())
}

/// Creates an account for a user of the log without one, because an operator names the user. Returns whether it did.
///
/// # Errors
/// [`Failure`] if the accounts cannot be read or written.
pub(crate) async fn adopt_named(node: &Node, name: &str) -> Result<bool, Failure> {
    if !knows_without_account(node, name)? {
        return Ok(false);
    }
    let user_id = node.accounts.user_id(name).unwrap_or_default();
    let names = <&UserId>::try_from(user_id.as_str()).map(|user| vec![user.localpart().to_owned()]);
    node.accounts.adopt(names.unwrap_or_default(), Vec::new(), Millis(clock::now().0)).await?;
    Ok(true)
}

/// Whether the log knows this user, by ID or local part, and there is no account.
///
/// # Errors
/// [`Failure`] if the accounts cannot be read.
pub(crate) fn knows_without_account(node: &Node, name: &str) -> Result<bool, Failure> {
    let Some(user_id) = node.accounts.user_id(name) else { return Ok(false) };
    let user = <&UserId>::try_from(user_id.as_str());
    Ok(!node.accounts.exists(name)? && user.is_ok_and(|user| node.reader.view().is_known(user)))
}

/// From now on, registration makes nobody an administrator.
///
/// # Errors
/// [`Failure`] if the accounts cannot be written.
pub(crate) async fn leave_first_place_to_operators(node: &Node) -> Result<(), Failure> {
    Ok(node.accounts.adopt(Vec::new(), Vec::new(), Millis(clock::now().0)).await?)
}

async fn compare(node: &Node) -> Result<Lack, Failure> {
    let mark = node.accounts.log_mark()?;
    let epoch = node.log.epoch().0;
    let foreign = mark.is_some_and(|mark| mark.epoch != epoch && mark.position > 0);
    let since = mark.filter(|mark| mark.epoch == epoch).map(|mark| Position(mark.position));
    let devices = match since {
        Some(since) => revived(node, since).await?,
        None => Vec::new(),
    };
    Ok(Lack { users: missing(node)?, devices, foreign })
}

/// Local parts of users of this server with data in the log and without an account.
fn missing(node: &Node) -> Result<Vec<String>, Failure> {
    let view = node.reader.view();
    let server = node.commands.server_name();
    let named = view.users_named(server).map(UserId::localpart);
    let mut lacking = node.accounts.without_account(named)?;
    lacking.sort_unstable();
    lacking.dedup();
    let is_known = |name: &&str| {
        let user = UserId::parse(format!("@{name}:{server}"));
        user.is_ok_and(|user| view.is_known(&user))
    };
    Ok(lacking.into_iter().filter(is_known).map(ToOwned::to_owned).collect())
}

/// Devices that the log removed after `since` and the accounts still have.
async fn revived(node: &Node, since: Position) -> Result<Vec<(String, String)>, Failure> {
    let moved: Vec<StreamId> = node.reader.view().accounts_after(since).cloned().collect();
    let mut revived = Vec::new();
    for stream in moved {
        let Some((StreamKind::User, user)) = stream.split() else { continue };
        let Ok(user) = <&UserId>::try_from(user) else { continue };
        if user.server_name() != node.commands.server_name() {
            continue;
        }
        let removed = removed_devices(&*node.log, &stream, since).await?;
        if removed.is_empty() {
            continue;
        }
        let name = user.localpart();
        let there = node.accounts.devices(name)?.into_iter().map(|device| device.device_id);
        let there = there.filter(|device| removed.contains(device));
        revived.extend(there.map(|device| (name.to_owned(), device)));
    }
    Ok(revived)
}

/// The device that an event of a user's stream removes.
fn removed_device(event: &LoggedEvent) -> Option<String> {
    match Fact::read(Subject::Account, &event.id, &event.envelope, &event.content) {
        Ok(Fact::Account(AccountEvent::DeviceRemoved { device_id })) => Some(device_id),
        _ => None,
    }
}

async fn removed_devices(
    log: &dyn EventLog,
    stream: &StreamId,
    since: Position,
) -> Result<BTreeSet<String>, Failure> {
    let (mut removed, mut after) = (BTreeSet::new(), since);
    let scope = Scope::Stream(stream.clone());
    loop {
        let page = log.read(&scope, after, PAGE_MAX).await?;
        let events = page.iter().flat_map(|record| &record.commit.events);
        removed.extend(events.filter_map(removed_device));
        match page.last() {
            Some(last) if !is_last_page(&page, PAGE_MAX) => after = last.position,
            _ => return Ok(removed),
        }
    }
}

/// Lets the accounts ask the log before they assign a name.
pub(crate) fn follow(accounts: &Accounts, log: Arc<dyn EventLog>, reader: Reader) {
    accounts.follow(Arc::new(FromLog { log, reader }));
}
