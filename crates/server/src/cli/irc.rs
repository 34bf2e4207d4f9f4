//! Options for imports of IRC logs.

use std::path::PathBuf;

use clap::Args;
use rookery_import::irc::{Dialect, Legacy, time_zone};

/// The sources of an import, and the facts that their lines do not state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct IrcArguments {
    /// Files, folders and archives (.tar, .tar.gz, .gz)
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The channel of all logs; by default, their names or lines state it
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// The network of all logs; by default, their names state it
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
    /// The dialect of all logs, such as irssi or weechat; by default, the import detects it
    #[arg(long, value_name = "DIALECT", value_parser = dialect)]
    pub format: Option<Dialect>,
    /// The time zone of times without an offset, such as Europe/Berlin or +02:00; by default UTC
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub timezone: Option<String>,
    /// The encoding of lines that are not UTF-8, such as windows-1251; by default, the import
    /// detects it
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<String>,
    /// Prefix for the name of each imported user
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true, value_parser = prefix)]
    pub user_prefix: String,
    /// A file of lines like `ada_ = ada`: the import may act for these users with accounts
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
}

fn dialect(text: &str) -> Result<Dialect, String> {
    Dialect::named(text).ok_or_else(|| {
        let names: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.name()).collect();
        format!("no such dialect: use one of {}", names.join(", "))
    })
}

fn zone(text: &str) -> Result<String, String> {
    match time_zone(text) {
        Some(_) => Ok(text.to_owned()),
        None => {
            Err("no such zone: use a name like Europe/Berlin, or an offset like +02:00".to_owned())
        }
    }
}

fn encoding(text: &str) -> Result<String, String> {
    match Legacy::named(text) {
        Some(_) => Ok(text.to_owned()),
        None => {
            Err("no such encoding: use a name like windows-1252, koi8-r or shift_jis".to_owned())
        }
    }
}

fn prefix(text: &str) -> Result<String, String> {
    let fits = text.len() <= 64
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c));
    let message = "a prefix has at most 64 of the characters a-z, 0-9, `.`, `_` and `-`";
    if fits { Ok(text.to_owned()) } else { Err(message.to_owned()) }
}
