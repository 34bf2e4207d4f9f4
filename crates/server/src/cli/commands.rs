//! The commands.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Arg, ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, error::ErrorKind,
};

use crate::{
    cli::{FederationCommand, Flags, IrcArguments, ServerCommand, flags},
    config::Scope,
};

const CHECK_CONFIG: &str = "check-config";
const ACCEPT_MISSING_ACCOUNTS: &str = "accept-missing-accounts";

/// A parsed command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The command to run.
    pub command: Command,
    /// The settings given as flags.
    pub flags: Flags,
    /// Show the configuration and do nothing.
    pub check_config: bool,
    /// Serve even if users of the log have no account
    pub accept_missing_accounts: bool,
}

/// An instant-messaging home server on an append-only event log.
///
/// Without a command it serves, like `rookery serve`.
#[derive(Debug, Parser)]
#[command(
    name = "rookery",
    version,
    after_help = "\
Examples:
  rookery                                    serve on 127.0.0.1:8008, data in ./rookery-data
  rookery --data /srv/chat --listen 0.0.0.0:8008 --server-name chat.example.org
  rookery --check-config                     show the configuration and its sources"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// The commands of the program.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve clients (the default)
    #[command(after_help = "\
Example:
  rookery serve --data /srv/chat --listen 127.0.0.1:0")]
    Serve,
    /// Build all read models from the log again, with or without a running server
    #[command(after_help = "\
Example:
  rookery rebuild --data /srv/chat")]
    Rebuild,
    /// Apply again what the read models could not, with or without a running server
    #[command(after_help = "\
Example:
  rookery retry --data /srv/chat

A read model that cannot apply the events of a room or of an account parks it: `rookery status` and
`rookery verify` name it. A server tries again at each start. This command also does it while the
server runs.")]
    Retry,
    /// Rewrite the files, so that they no longer hold redacted content
    #[command(after_help = "\
Example:
  rookery compact --data /srv/chat

The server has to be stopped. It needs as much free space as the log is large. A server does this by
itself when it starts, once redacted content has been in its files for --compact-after (7 days).")]
    Compact,
    /// Check the log, and compare the read models with a rebuild
    #[command(after_help = "\
Example:
  rookery verify --data /srv/chat")]
    Verify,
    /// Write the whole log as NDJSON, one commit a line
    #[command(after_help = "\
Examples:
  rookery export backup.ndjson
  rookery export - | zstd > backup.ndjson.zst")]
    Export {
        /// The file to create; - for the standard output
        file: PathBuf,
    },
    /// Read conversations or a whole log from files
    #[command(
        subcommand_negates_reqs = true,
        subcommand_value_name = "KIND",
        override_usage = "rookery import FILE\n       rookery import ndjson FILE\n       rookery import irc PATH...",
        after_help = "\
Examples:
  rookery import backup.ndjson             a file of `rookery export`
  zstd -dc backup.ndjson.zst | rookery import -
  rookery import irc ubuntu-irc.tar.gz     IRC logs: files, folders, archives
  rookery import ndjson ./irc              a file with the name of a format"
    )]
    Import {
        /// The format of the source.
        #[command(subcommand)]
        kind: Option<ImportKind>,
        /// A file that `rookery export` wrote; - for the standard input
        #[arg(required = true)]
        file: Option<PathBuf>,
    },
    /// Read the log directly
    #[command(subcommand)]
    Log(LogCommand),
    /// Print the GraphQL schema
    #[command(after_help = "\
Example:
  rookery schema > schema.graphql")]
    Schema {
        /// Mark the fields that cost the server less on the event stream: they are computed once for
        /// many subscribers
        #[arg(long)]
        shared: bool,
    },
    /// Give rooms the events of other servers
    #[command(subcommand)]
    Room(RoomCommand),
    /// Create and change accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Add and remove programs that take part: bots, bridges
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Show the state of each part of a running server; fails if one does not work
    #[command(after_help = "\
Example:
  rookery status --data /srv/chat")]
    Status,
    /// Look at the relay for calls
    #[command(subcommand)]
    Turn(TurnCommand),
    /// Look at the queues for other Matrix servers, and test the way to one
    #[command(subcommand)]
    Federation(FederationCommand),
    /// Change this server as others see it
    #[command(subcommand)]
    Server(ServerCommand),
    /// Ask a running server whether it is ready; for container health checks
    #[command(after_help = "\
Example:
  rookery health --url http://127.0.0.1:8008")]
    Health {
        /// The address of the server
        #[arg(long, default_value = "http://127.0.0.1:8008")]
        url: String,
    },
}

/// The formats that can be imported.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ImportKind {
    /// A log in the format of `rookery export`
    #[command(after_help = "\
Example:
  rookery import ndjson backup.ndjson")]
    Ndjson {
        /// The file; - for the standard input
        file: PathBuf,
    },
    /// Logs of IRC channels; each line goes through the rules of live messages
    #[command(after_help = "\
Examples:
  rookery import irc ubuntu-irc.tar.gz
  rookery import irc --timezone Europe/Berlin ~/.weechat/logs
  rookery import irc --channel tea --format mirc tea.20130303.log

A second import adds nothing. The import reports unreadable lines with file and line. A running server continues to serve.")]
    Irc(IrcArguments),
}

/// Operations on the log.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum LogCommand {
    /// Print the commits of the log, one JSON object a line
    #[command(after_help = "\
Examples:
  rookery log tail                     the last ones
  rookery log tail --after 0           all
  rookery log tail --follow            the last ones, and later ones")]
    Tail {
        /// Start after this position; by default, print the last ten commits
        #[arg(long, value_name = "N")]
        after: Option<u64>,
        /// Wait for further commits at the end
        #[arg(long)]
        follow: bool,
    },
    /// Save the intact part of a damaged log, and name the lost part
    #[command(after_help = "\
Examples:
  rookery log salvage --data /srv/chat --into /srv/chat-saved
  rookery log salvage --data /srv/chat saved.ndjson

The server has to be stopped. The damaged directory is only read. With --into, the new directory gets
the accounts and the signing key too, and can be served; a file can be read by `rookery import`.")]
    Salvage {
        /// The NDJSON file to create; - for the standard output
        #[arg(required_unless_present = "into")]
        file: Option<PathBuf>,
        /// The new data directory
        #[arg(long, value_name = "DIR", conflicts_with = "file")]
        into: Option<PathBuf>,
    },
}

/// Operations on rooms.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum RoomCommand {
    /// Receive events of other servers, with all checks of federation
    #[command(after_help = "\
Examples:
  rookery room receive events.ndjson --keys keys.json
  fetch-events | rookery room receive - --keys keys.json

Each line of the file is one event:
  {\"origin\": \"one.example\", \"pdu\": {\"type\": \"m.room.message\", ...}}
The keys are the public keys of the servers of the events' senders:
  {\"one.example\": {\"ed25519:a_1\": \"base64 of 32 bytes\"}}
Prints one line of JSON for each event, in their order, that states its outcome.")]
    Receive {
        /// The events; - for the standard input
        file: PathBuf,
        /// The public keys of their servers
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
    },
}

/// Operations on the relay for calls.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum TurnCommand {
    /// Do what a client of the relay does, and report each step; fails if calls do not work
    #[command(after_help = "\
Examples:
  rookery turn check --data /srv/chat --config /etc/rookery.toml
  rookery turn check --uri turn:turn.example.org:3478?transport=tcp

It takes the settings of the server from the configuration file and the environment, and makes
credentials as the server does. Run it on the machine of the server, and also on one that is far
away: only there it sees whether firewalls let the ports of the relay through.")]
    Check {
        /// The relay to check; by default, each one that the server tells its users
        #[arg(long, value_name = "URI")]
        uri: Vec<rookery_turn::Target>,
    },
}

/// Operations on services, with or without a running server.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ServiceCommand {
    /// Add a service; it may connect as soon as this command ends
    #[command(after_help = "\
Examples:
  rookery service add echo.toml
  rookery service add heisenbridge.yaml

A file that ends with .toml is our own: it has name, bot, rate_limited and the lists users, aliases and
rooms, each with regex and exclusive. The command prints the token of the service, once. A file that ends
with .yaml is the registration of a Matrix application service, as it is; its as_token is the token.")]
    Add {
        /// The registration
        file: PathBuf,
    },
    /// List services: name, bot, address, claims
    #[command(after_help = "\
Example:
  rookery service list")]
    List,
    /// Give a service another token, which is printed, and end its sessions
    #[command(after_help = "\
Example:
  rookery service rotate echo")]
    Rotate {
        /// The name of the service
        name: String,
    },
    /// Remove a service and end its sessions; its users stay
    #[command(after_help = "\
Example:
  rookery service remove echo")]
    Remove {
        /// The name of the service
        name: String,
    },
}

/// Operations on accounts.
///
/// Passwords come from the standard input: on a command line, other users of the machine could see
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, serde::Serialize, serde::Deserialize)]
pub enum UserCommand {
    /// Create an account; its password is one line of the standard input
    #[command(after_help = "\
Examples:
  rookery user create ada --admin
  rookery user create bot --no-password")]
    Create {
        /// The user name
        name: String,
        /// Make the user an administrator
        #[arg(long)]
        admin: bool,
        /// Set no password: nobody can log in until an operator sets one
        #[arg(long)]
        no_password: bool,
    },
    /// List accounts
    #[command(after_help = "\
Example:
  rookery user list --after ada --limit 20")]
    List {
        /// Start after this user name
        #[arg(long, value_name = "NAME")]
        after: Option<String>,
        /// Number of users to list
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Set a password, which is one line of the standard input, and log out all devices
    #[command(after_help = "\
Example:
  rookery user set-password ada < password.txt")]
    SetPassword {
        /// A user name or ID
        name: String,
        /// Keep the devices logged in
        #[arg(long)]
        keep_devices: bool,
    },
    /// Log a new device in and print its access token
    #[command(after_help = "\
Example:
  rookery user token ada --device-name script --lifetime 12h")]
    Token {
        /// A user name or ID
        name: String,
        /// The name of the device
        #[arg(long, value_name = "NAME", default_value = "command line")]
        device_name: String,
        /// Lifetime of the token, such as 12h or 30d; without it the token is valid until logout
        #[arg(long, value_name = "TIME", value_parser = crate::config::parse_duration)]
        lifetime: Option<std::time::Duration>,
    },
    /// Make a user an administrator
    #[command(after_help = "\
Examples:
  rookery user admin ada
  rookery user admin ada --revoke")]
    Admin {
        /// A user name or ID
        name: String,
        /// Take the rights away
        #[arg(long)]
        revoke: bool,
    },
    /// Close an account for good: nobody can log in again, and the name stays taken
    ///
    /// The user leaves all rooms. A room that nobody else could lead needs a successor.
    #[command(after_help = "\
Examples:
  rookery user deactivate ada --yes
  rookery user deactivate ada --yes --successor grace
  rookery user deactivate ada --yes --leave-headless")]
    Deactivate {
        /// A user name or ID
        name: String,
        /// A member who takes over the rooms that nobody else could lead
        #[arg(long, value_name = "USER")]
        successor: Option<String>,
        /// Leave rooms behind whose power levels nobody can change
        #[arg(long, conflicts_with = "successor")]
        leave_headless: bool,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// Reads a command line, with the name of the program first.
///
/// # Errors
/// The error of clap, which includes the answers to `--help` and `--version`: call
/// [`clap::Error::exit`].
pub fn parse(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Invocation, clap::Error> {
    let mut shape = shape();
    let matches = shape.try_get_matches_from_mut(arguments)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut shape))?;
    if let Some(Command::Import { kind: Some(_), file: Some(file) }) = &cli.command {
        let message =
            format!("{} comes before the format of the import: put it behind\n", file.display());
        return Err(shape.error(ErrorKind::ArgumentConflict, message));
    }
    let mut flags = Flags::default();
    flags.take(&matches, Scope::Global);
    flags.take(&matches, Scope::Serve);
    let mut check_config = matches.get_flag(CHECK_CONFIG);
    let mut accept_missing_accounts = matches.get_flag(ACCEPT_MISSING_ACCOUNTS);
    let command = cli.command.unwrap_or(Command::Serve);
    if let Some(("serve", below)) = matches.subcommand() {
        flags.take(below, Scope::Serve);
        check_config |= below.get_flag(CHECK_CONFIG);
        accept_missing_accounts |= below.get_flag(ACCEPT_MISSING_ACCOUNTS);
    } else if command != Command::Serve {
        let given = flags
            .any(Scope::Serve)
            .or(check_config.then(|| CHECK_CONFIG.to_owned()))
            .or(accept_missing_accounts.then(|| ACCEPT_MISSING_ACCOUNTS.to_owned()));
        if let Some(flag) = given {
            let message =
                format!("--{flag} is an option of `rookery serve`, not of this command\n");
            return Err(shape.error(ErrorKind::ArgumentConflict, message));
        }
    }
    Ok(Invocation { command, flags, check_config, accept_missing_accounts })
}

/// The whole command line: the derived commands, and a flag for each setting.
fn shape() -> clap::Command {
    let check = || {
        Arg::new(CHECK_CONFIG)
            .long(CHECK_CONFIG)
            .action(ArgAction::SetTrue)
            .help("Show the configuration with the source of each value, and exit")
            .help_heading("Options of serve")
    };
    let accept = || {
        Arg::new(ACCEPT_MISSING_ACCOUNTS)
            .long(ACCEPT_MISSING_ACCOUNTS)
            .action(ArgAction::SetTrue)
            .help("Serve even if accounts.redb lacks users of the log: they get accounts without a password")
            .help_heading("Options of serve")
    };
    let serve = |command| flags::add_serve(command).arg(check()).arg(accept());
    serve(flags::add_global(Cli::command())).mut_subcommand("serve", serve)
}

#[cfg(test)]
mod tests;
