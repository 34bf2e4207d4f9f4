//! Finds logs: files, folders (with all their content) and archives (`.tar`, `.tar.gz`, `.gz`),
//! recognised by their content.
//!
//! **Invariant:** every line is returned whole, with any bytes except zero bytes. Only a line longer
//! than any line of IRC is cut, and the rest is long enough to be recognised as such.
//! **Invariant:** files come in the order of their dates, then of their names; rotated files come
//! before the newer ones.
//! **Invariant:** a file without a channel never goes into the room of another one.

mod channel;
mod gather;
mod lines;
mod spool;
mod survey;
mod utf16;

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::civil::Date;

use self::{
    channel::{Network, folder_name, is_network, network_name, of_path},
    spool::{Part, Spool},
    survey::survey,
};
use super::{
    dialect::{Dialect, likely},
    line::{date::in_path, encoding::Legacy},
    replay::HEAD_LINES,
};

pub use self::{channel::Channel, lines::Lines};

/// Digits of the number of a rotated file. A longer number is a date.
const ROTATION_DIGITS_MAX: usize = 3;

/// An unusable source. Nothing of it was imported.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file does not exist, or may not be read.
    #[error("cannot read {path}: {error}")]
    Unreachable {
        /// The requested path.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// An archive is damaged or cut short.
    #[error(
        "cannot unpack the archive {path}: {error}. Check it with `tar tf`, or unpack it and import the folder"
    )]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The damage.
        error: io::Error,
    },
    /// All files were left out.
    #[error("found no log: {}", left_out(.skipped))]
    Empty {
        /// The files, with the reasons.
        skipped: Vec<(Arc<str>, String)>,
    },
}

/// The reasons, as many as one message can hold.
fn left_out(skipped: &[(Arc<str>, String)]) -> String {
    const SHOWN_MAX: usize = 5;
    let mut shown: Vec<_> =
        skipped.iter().take(SHOWN_MAX).map(|(file, why)| format!("{file}: {why}")).collect();
    match skipped.len().saturating_sub(SHOWN_MAX) {
        0 if skipped.is_empty() => "there is no file".to_owned(),
        0 => shown.join("; "),
        more => {
            shown.push(format!("and {more} more files"));
            shown.join("; ")
        }
    }
}

/// The name of a log before it was rotated, and how often it was: `tea.log.2.gz` is older than
/// `tea.log.1` and `tea.log`.
fn rotated(name: &str) -> (&str, u32) {
    let packed = name.strip_suffix(".gz").unwrap_or(name);
    let number = packed
        .rsplit_once('.')
        .filter(|(_, number)| (1..=ROTATION_DIGITS_MAX).contains(&number.len()));
    let number = number.and_then(|(base, number)| Some((base, number.parse().ok()?)));
    number.unwrap_or((packed, 0))
}

/// The operator's options for the logs.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// The channel of all logs.
    pub channel: Option<String>,
    /// The network of all logs.
    pub network: Option<String>,
    /// The dialect of all logs.
    pub dialect: Option<Dialect>,
    /// The encoding of lines that are not UTF-8.
    pub legacy: Option<Legacy>,
}

/// One file of a log.
#[derive(Clone, Debug)]
pub struct LogFile {
    /// Its path; in an archive, the path of the archive, `!`, and the path inside.
    pub name: Arc<str>,
    /// The day of its first line, if the file or its name states it.
    pub date: Option<Date>,
    /// Its length.
    pub bytes: u64,
    /// Its channel.
    pub channel: Channel,
    /// Its dialect; `None` if none fits.
    pub dialect: Option<Dialect>,
    /// The encoding of lines that are not UTF-8.
    pub legacy: Legacy,
    /// A folder that may be named after the network, and whether it counts if nothing else decides.
    pub(crate) folder: Option<(String, bool)>,
    /// The index of the argument.
    argument: usize,
    place: Location,
}

#[derive(Clone, Debug)]
enum Location {
    File(PathBuf),
    Unpacked(Part),
}

/// A found file, before its content is read.
#[derive(Debug)]
struct Found {
    name: Arc<str>,
    /// The part of the path that describes the log.
    inside: String,
    bytes: u64,
    argument: usize,
    place: Location,
}

/// All files of one import.
#[derive(Debug, Default)]
pub struct Source {
    files: Vec<LogFile>,
    skipped: Vec<(Arc<str>, String)>,
    spool: Spool,
}

impl Source {
    /// Finds the logs in `paths`. The channel of a log is that of `options`, or the part of its path that starts
    /// with `#`, or the first channel that its lines name. If no path of an argument has such a part, it is the
    /// first channel of another file of the argument, or the name of the argument.
    ///
    /// # Errors
    /// [`SourceError`] if one of the paths cannot be used at all, or if there is no log in them.
    pub fn open(paths: &[PathBuf], options: &SourceOptions) -> Result<Self, SourceError> {
        let mut source = Self::default();
        let found = source.gather(paths)?;
        let mut unnamed = Vec::new();
        let mut has_named = vec![false; paths.len()];
        for found in found {
            match source.look_into(found, paths, options) {
                Ok(Some((file, None))) => unnamed.push(file),
                Ok(Some((file, Some(is_in_path)))) => {
                    has_named[file.argument] |= is_in_path;
                    source.files.push(file);
                }
                Ok(None) => {}
                Err((name, error)) => source.skip(&name, &format!("cannot be read: {error}")),
            }
        }
        source.name_channels(unnamed, paths, &has_named);
        if source.files.is_empty() {
            return Err(SourceError::Empty { skipped: source.skipped });
        }
        source.files.sort_by_cached_key(|file| {
            let (base, turn) = rotated(&file.name);
            (file.date, base.to_owned(), Reverse(turn), Arc::clone(&file.name))
        });
        Ok(source)
    }

    /// The files, in reading order.
    #[must_use]
    pub fn files(&self) -> &[LogFile] {
        &self.files
    }

    /// The files, to set their networks.
    pub(crate) fn files_mut(&mut self) -> &mut [LogFile] {
        &mut self.files
    }

    /// The sum of the lengths of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The skipped files, with the reasons.
    #[must_use]
    pub fn skipped(&self) -> &[(Arc<str>, String)] {
        &self.skipped
    }

    /// The lines of the file at `index`.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn lines(&mut self, index: usize) -> io::Result<Lines<'_>> {
        let place = self.files[index].place.clone();
        self.lines_at(&place)
    }

    /// The first lines of the file at `index`.
    pub(crate) fn head(&mut self, index: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut lines = self.lines(index)?;
        let mut head = Vec::new();
        while head.len() < HEAD_LINES
            && let Some((_, line)) = lines.read()?
        {
            head.push(line.to_vec());
        }
        Ok(head)
    }

    fn lines_at(&mut self, place: &Location) -> io::Result<Lines<'_>> {
        let reader: Box<dyn BufRead + '_> = match place {
            Location::File(path) => {
                Box::new(BufReader::with_capacity(64 * 1_024, File::open(path)?))
            }
            Location::Unpacked(part) => Box::new(self.spool.read(*part)?),
        };
        Ok(Lines::new(reader))
    }

    /// The channel of a file, and whether its path names it. `None` if the file is left out.
    #[expect(clippy::type_complexity, reason = "the two answers are taken apart at once")]
    fn look_into(
        &mut self,
        found: Found,
        paths: &[PathBuf],
        options: &SourceOptions,
    ) -> Result<Option<(LogFile, Option<bool>)>, (Arc<str>, io::Error)> {
        let Found { name, inside, bytes, argument, place } = found;
        let lines = self.lines_at(&place);
        let survey = lines.and_then(|lines| survey(lines, options.dialect, options.legacy.clone()));
        let survey = survey.map_err(|error| (name.clone(), error))?;
        let date = in_path(&inside).or(survey.day);
        if date.is_none() {
            let reason = match survey.dialect {
                Some(_) => {
                    "states no day, and its name contains no date like 2004-11-15: rename it"
                        .to_owned()
                }
                None => {
                    format!("no log: nothing in it can be read; {}", likely(&inside, &survey.start))
                }
            };
            self.skip(&name, &reason);
            return Ok(None);
        }
        let (named, network) = of_path(&inside);
        let is_in_path = named.is_some();
        let given = options.channel.as_deref().map(channel_name);
        let channel = given.or(named).or(survey.channel);
        let is_named = channel.is_some().then_some(is_in_path);
        let given = options.network.as_deref().map(|name| {
            network_name(name).unwrap_or_else(|| name.to_lowercase().replace([' ', '/'], "-"))
        });
        let (network, folder) = match (given, network) {
            (Some(network), _) | (None, Some(Network::Sure(network))) => (Some(network), None),
            (None, Some(Network::Folder(folder))) => (None, Some((folder, true))),
            (None, None) => {
                let folder = folder_name(&paths[argument]).filter(|_| is_in_path);
                (None, folder.map(|name| (name.clone(), is_network(&name))))
            }
        };
        let channel = Channel { name: channel.unwrap_or_default(), network };
        let (dialect, legacy) = (survey.dialect, survey.legacy);
        let file = LogFile { name, date, bytes, channel, dialect, legacy, folder, argument, place };
        Ok(Some((file, is_named)))
    }

    /// Names the channels of files that name none.
    fn name_channels(&mut self, unnamed: Vec<LogFile>, paths: &[PathBuf], has_named: &[bool]) {
        for mut file in unnamed {
            if has_named[file.argument] {
                let reason = "names no channel, as a private conversation does: import it alone, with --channel";
                self.skip(&file.name, reason);
                continue;
            }
            let others = self.files.iter().filter(|other| other.argument == file.argument);
            let first = others.min_by_key(|other| (other.date, other.name.clone()));
            file.channel.name = match first {
                Some(other) => other.channel.name.clone(),
                None => named_after(&paths[file.argument]),
            };
            self.files.push(file);
        }
    }

    fn skip(&mut self, name: &str, reason: &str) {
        self.skipped.push((name.into(), reason.to_owned()));
    }
}

/// A channel in an operator's notation, with or without its mark.
fn channel_name(text: &str) -> String {
    let text = text.trim().to_lowercase();
    if text.starts_with(['#', '&', '!', '+']) { text } else { format!("#{text}") }
}

/// `#NAME` for a file or folder `NAME`, up to its extension.
fn named_after(path: &Path) -> String {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let clean = |c: char| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let stem: String = name.split('.').next().unwrap_or_default().chars().map(clean).collect();
    format!("#{}", if stem.is_empty() { "irc" } else { &stem })
}
