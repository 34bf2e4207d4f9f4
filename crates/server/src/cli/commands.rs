//! The commands.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Arg, ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, error::ErrorKind,
};

use crate::{
    cli::{Flags, IrcArguments, flags},
    config::Scope,
};

const CHECK_CONFIG: &str = "check-config";
const ACCEPT_MISSING_ACCOUNTS: &str = "accept-missing-accounts";

/// What was asked for on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// What to do.
    pub command: Command,
    /// With which settings.
    pub flags: Flags,
    /// Show the configuration and do nothing.
    pub check_config: bool,
    /// Serve although the log knows users that the accounts do not.
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
  rookery --check-config                     show the configuration and where it comes from"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the program can do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve clients (the default)
    #[command(after_help = "\
Example:
  rookery serve --data /srv/chat --listen 127.0.0.1:0")]
    Serve,
    /// Build all read models anew from the log, while the server serves or without it
    #[command(after_help = "\
Example:
  rookery rebuild --data /srv/chat")]
    Rebuild,
    /// Rewrite the files, so that nothing is left in them of what was redacted
    #[command(after_help = "\
Example:
  rookery compact --data /srv/chat

The server has to be stopped. It needs as much free space as the log is large. A server does this by
itself when it starts, once redacted content has been in its files for --compact-after (7 days).")]
    Compact,
    /// Check the log, and that the read models are what a rebuild would give
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
        /// The file, which must not be there yet; - for the standard output
        file: PathBuf,
    },
    /// Read conversations or a whole log from files
    #[command(
        subcommand_negates_reqs = true,
        subcommand_value_name = "KIND",
        override_usage = "rookery import FILE\n       rookery import ndjson FILE\n       rookery import irc PATH...",
        after_help = "\
Examples:
  rookery import backup.ndjson             what `rookery export` wrote
  zstd -dc backup.ndjson.zst | rookery import -
  rookery import irc ubuntu-irc.tar.gz     IRC logs: files, folders, archives
  rookery import ndjson ./irc              a file that has the name of a kind"
    )]
    Import {
        /// The kind of what is read.
        #[command(subcommand)]
        kind: Option<ImportKind>,
        /// A file that `rookery export` wrote; - for the standard input
        #[arg(required = true)]
        file: Option<PathBuf>,
    },
    /// Look into the log
    #[command(subcommand)]
    Log(LogCommand),
    /// Print the GraphQL schema
    #[command(after_help = "\
Example:
  rookery schema > schema.graphql")]
    Schema,
    /// Give rooms what other servers have sent
    #[command(subcommand)]
    Room(RoomCommand),
    /// Make and change accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Say whether each part of a running server works; fails if one does not
    #[command(after_help = "\
Example:
  rookery status --data /srv/chat")]
    Status,
    /// Ask a running server whether it is ready; for container health checks
    #[command(after_help = "\
Example:
  rookery health --url http://127.0.0.1:8008")]
    Health {
        /// Where it listens
        #[arg(long, default_value = "http://127.0.0.1:8008")]
        url: String,
    },
}

/// What can be imported.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ImportKind {
    /// A log, as `rookery export` wrote it
    #[command(after_help = "\
Example:
  rookery import ndjson backup.ndjson")]
    Ndjson {
        /// The file; - for the standard input
        file: PathBuf,
    },
    /// Logs of IRC channels, through the same rules as live messages
    #[command(after_help = "\
Examples:
  rookery import irc ubuntu-irc.tar.gz
  rookery import irc --timezone Europe/Berlin ~/.weechat/logs
  rookery import irc --channel tea --format mirc tea.20130303.log

Doing it again adds nothing. Lines that cannot be read are reported with file and line. A server that runs goes on
serving.")]
    Irc(IrcArguments),
}

/// What can be done with the log.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum LogCommand {
    /// Print the commits of the log, one JSON object a line
    #[command(after_help = "\
Examples:
  rookery log tail                     the last ones
  rookery log tail --after 0           all
  rookery log tail --follow            the last ones, and those to come")]
    Tail {
        /// Start after this position; otherwise with the last ten commits
        #[arg(long, value_name = "N")]
        after: Option<u64>,
        /// Wait for more at the end
        #[arg(long)]
        follow: bool,
    },
    /// Save what is whole of a damaged log, and name what is lost
    #[command(after_help = "\
Examples:
  rookery log salvage --data /srv/chat --into /srv/chat-saved
  rookery log salvage --data /srv/chat saved.ndjson

The server has to be stopped. The damaged directory is only read. With --into, the new directory gets
the accounts and the signing key too, and can be served; a file can be read by `rookery import`.")]
    Salvage {
        /// The NDJSON file, which must not be there yet; - for the standard output
        #[arg(required_unless_present = "into")]
        file: Option<PathBuf>,
        /// The new data directory
        #[arg(long, value_name = "DIR", conflicts_with = "file")]
        into: Option<PathBuf>,
    },
}

/// What can be done with rooms.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum RoomCommand {
    /// Take events that other servers have made, after all checks that federation asks for
    #[command(after_help = "\
Examples:
  rookery room receive events.ndjson --keys keys.json
  fetch-events | rookery room receive - --keys keys.json

Each line of the file is one event:
  {\"origin\": \"one.example\", \"pdu\": {\"type\": \"m.room.message\", ...}}
The keys are the public keys of the servers whose users made the events:
  {\"one.example\": {\"ed25519:a_1\": \"base64 of 32 bytes\"}}
Prints one line of JSON for each event, in their order, that says what became of it.")]
    Receive {
        /// The events; - for the standard input
        file: PathBuf,
        /// The public keys of their servers
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
    },
}

/// What can be done with accounts.
///
/// Passwords are read from the standard input: on a command line, other users of the machine could
/// see them.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, serde::Serialize, serde::Deserialize)]
pub enum UserCommand {
    /// Make an account; its password is one line of the standard input
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
        /// Read no password: nobody can log in until one is set
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
        /// List at most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Set a password, which is one line of the standard input, and log all devices out
    #[command(after_help = "\
Example:
  rookery user set-password ada < password.txt")]
    SetPassword {
        /// A user name or ID
        name: String,
        /// Leave the devices logged in
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
        /// What the device is called
        #[arg(long, value_name = "NAME", default_value = "command line")]
        device_name: String,
        /// How long the token is valid, such as 12h or 30d; otherwise until logout
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
        /// Take it back
        #[arg(long)]
        revoke: bool,
    },
    /// Close an account for good: nobody logs in again, and the name stays taken
    #[command(after_help = "\
Example:
  rookery user deactivate ada --yes")]
    Deactivate {
        /// A user name or ID
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Reads a command line, with the name of the program first.
///
/// # Errors
/// What clap has to say, which includes the answers to `--help` and `--version`: call
/// [`clap::Error::exit`].
pub fn parse(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Invocation, clap::Error> {
    let mut shape = shape();
    let matches = shape.try_get_matches_from_mut(arguments)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut shape))?;
    if let Some(Command::Import { kind: Some(_), file: Some(file) }) = &cli.command {
        let message =
            format!("{} stands before the kind of import: put it behind\n", file.display());
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
                format!("--{flag} is an option of `rookery serve`, not of the command given\n");
            return Err(shape.error(ErrorKind::ArgumentConflict, message));
        }
    }
    Ok(Invocation { command, flags, check_config, accept_missing_accounts })
}

/// The whole command line: what is derived above, and a flag for each setting.
fn shape() -> clap::Command {
    let check = || {
        Arg::new(CHECK_CONFIG)
            .long(CHECK_CONFIG)
            .action(ArgAction::SetTrue)
            .help("Show the configuration and where each value comes from, and exit")
            .help_heading("Options of serve")
    };
    let accept = || {
        Arg::new(ACCEPT_MISSING_ACCOUNTS)
            .long(ACCEPT_MISSING_ACCOUNTS)
            .action(ArgAction::SetTrue)
            .help("Serve although accounts.redb lacks users of the log: they get no password")
            .help_heading("Options of serve")
    };
    let serve = |command| flags::add_serve(command).arg(check()).arg(accept());
    serve(flags::add_global(Cli::command())).mut_subcommand("serve", serve)
}

#[cfg(test)]
mod tests;
