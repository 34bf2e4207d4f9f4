//! Finds the network of a channel if only a folder may name it.
//!
//! A folder may be named after a network, or after anything else, and the same logs may be in another folder next
//! time. Earlier imports decide: if the log knows the first lines of a file under the name of the folder, or without a
//! network, the file is that log.
//!
//! **Invariant:** all files of a folder are on one network.

use std::collections::{BTreeMap, HashSet};

use jiff::tz::TimeZone;
use rookery_log::CommandId;

use super::{clock::Clock, identity::plain};
use crate::irc::{
    line::{Line, formatting::without_formatting},
    source::{Channel, LogFile, Source},
};

/// Number of messages at the start of a file that identify it.
const TELLING_MESSAGES: usize = 3;

/// Number of files of a folder that are compared with earlier imports.
const FILES_MAX: usize = 16;

/// Finds the network of each file's channel in `source`. `known` returns the names of lines that earlier imports
/// added.
///
/// # Errors
/// The error of `known`.
pub fn settle_networks<E>(
    source: &mut Source,
    zone: &TimeZone,
    mut known: impl FnMut(Vec<CommandId>) -> Result<Vec<bool>, E>,
) -> Result<(), E> {
    let mut folders: BTreeMap<String, (bool, Vec<usize>)> = BTreeMap::new();
    for (index, file) in source.files().iter().enumerate() {
        if let Some((folder, believed)) = &file.folder {
            folders.entry(folder.clone()).or_insert((*believed, Vec::new())).1.push(index);
        }
    }
    let mut networks = HashSet::new();
    for (folder, (believed, files)) in folders {
        let named = |file: &LogFile, network: Option<&str>| Channel {
            name: file.channel.name.clone(),
            network: network.map(ToOwned::to_owned),
        };
        let mut is_known = |source: &mut Source, network: Option<&str>| -> Result<bool, E> {
            for index in files.iter().take(FILES_MAX) {
                let key = named(&source.files()[*index], network).key();
                let lines = first_messages(source, *index, zone, &key);
                if !lines.is_empty() && known(lines)?.into_iter().all(|known| known) {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let is_network = if is_known(source, Some(&folder))? {
            true
        } else if is_known(source, None)? {
            false
        } else {
            believed
        };
        if is_network {
            networks.insert(folder);
        }
    }
    for file in source.files_mut() {
        let folder = file.folder.take().map(|(folder, _)| folder);
        file.channel.network =
            file.channel.network.take().or(folder.filter(|name| networks.contains(name)));
    }
    Ok(())
}

/// The names of the first messages of a file in the channel `key`.
fn first_messages(source: &mut Source, index: usize, zone: &TimeZone, key: &str) -> Vec<CommandId> {
    let file = source.files()[index].clone();
    let mut clock = Clock::new(file.date, zone.clone());
    let mut names = Vec::new();
    let (Ok(head), Some(dialect)) = (source.head(index), file.dialect) else { return names };
    for bytes in head {
        let text = file.legacy.decode(&bytes);
        let text = without_formatting(&text);
        let parsed = dialect.read(&text);
        if let Line::Day { date, time } = parsed.what {
            clock.set_day(date, time.filter(|_| parsed.stamp.is_none()));
        }
        if let Some(stamp) = &parsed.stamp {
            clock.set(stamp);
        }
        let says =
            matches!(parsed.what, Line::Message { .. } | Line::Emote { .. } | Line::Notice { .. });
        if says && parsed.stamp.is_some() && names.len() < TELLING_MESSAGES {
            names.push(plain(key, clock.stated(), &bytes));
        }
    }
    names
}
