//! Where logs come from: files, folders (with all that is in them) and archives (`.tar`, `.tar.gz`,
//! `.gz`), told apart by what they contain.
//!
//! **Invariant:** a line is given whole, whatever its bytes; only one longer than any line of IRC is
//! cut, and then it is long enough to be recognised as such.
//! **Invariant:** files come in the order of their dates, then of their names.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::read::MultiGzDecoder;

use super::{
    clock::Date,
    line::{self, LINE_BYTES_MAX},
    spool::{Part, Spool},
    text::decode,
};

/// How much of a file is looked at to tell what it is, in bytes.
const SNIFFED_BYTES: u64 = 1_024;

/// A source that cannot be used at all. Nothing of it was imported.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such file, or it may not be read.
    #[error("cannot read {path}: {error}")]
    Unreachable {
        /// What was asked for.
        path: PathBuf,
        /// Why it cannot be read.
        error: io::Error,
    },
    /// An archive is damaged or cut short.
    #[error(
        "cannot unpack the archive {path}: {error}. Check it with `tar tf`, or unpack it and import the folder"
    )]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        error: io::Error,
    },
    /// There was nothing with a date in its name.
    #[error(
        "found no log: the name of a log contains its date, like 2004-11-15.txt ({skipped} files were left out)"
    )]
    Empty {
        /// How many files have no date in their names.
        skipped: usize,
    },
}

/// One file of a log.
#[derive(Clone, Debug)]
pub struct LogFile {
    /// Its path; in an archive, the path of the archive, `!`, and the path inside.
    pub name: Arc<str>,
    /// The day of its first line.
    pub date: Date,
    /// Its length.
    pub bytes: u64,
    /// The place in the list of what was asked for.
    argument: usize,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Unpacked(Part),
}

/// All files of one import.
#[derive(Debug)]
pub struct Source {
    files: Vec<LogFile>,
    channels: Vec<String>,
    skipped: Vec<(Arc<str>, String)>,
    spool: Spool,
}

impl Source {
    /// Finds the logs in `paths`. `channel` names the channel of all of them; without it, it is
    /// the part of the path that starts with `#`, or else the first channel that a line of the same
    /// argument names, or else the name of the argument.
    ///
    /// # Errors
    /// [`SourceError`] if one of the paths cannot be used at all, or if there is no log in them.
    pub fn open(paths: &[PathBuf], channel: Option<&str>) -> Result<Self, SourceError> {
        let mut source = Self {
            files: Vec::new(),
            channels: Vec::new(),
            skipped: Vec::new(),
            spool: Spool::new(),
        };
        for (argument, path) in paths.iter().enumerate() {
            let unreachable = |error| SourceError::Unreachable { path: path.clone(), error };
            if fs::metadata(path).map_err(unreachable)?.is_dir() {
                source.add_folder(argument, path, path).map_err(unreachable)?;
            } else {
                let name = path.file_name().unwrap_or(path.as_os_str());
                source.add_file(argument, path, &name.to_string_lossy())?;
            }
        }
        if source.files.is_empty() {
            return Err(SourceError::Empty { skipped: source.skipped.len() });
        }
        source.files.sort_by(|a, b| (a.date, &a.name).cmp(&(b.date, &b.name)));
        source.channels = source.find_channels(paths, channel);
        Ok(source)
    }

    /// The files, in the order in which they are to be read.
    #[must_use]
    pub fn files(&self) -> &[LogFile] {
        &self.files
    }

    /// The sum of the lengths of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// What was left out, and why.
    #[must_use]
    pub fn skipped(&self) -> &[(Arc<str>, String)] {
        &self.skipped
    }

    /// The channel that the file at `index` is about.
    #[must_use]
    pub fn channel(&self, index: usize) -> &str {
        &self.channels[index]
    }

    /// The lines of the file at `index`.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn lines(&mut self, index: usize) -> io::Result<Lines<'_>> {
        let reader: Box<dyn BufRead + '_> = match &self.files[index].place {
            Place::File(path) => Box::new(BufReader::with_capacity(64 * 1_024, File::open(path)?)),
            Place::Unpacked(part) => Box::new(self.spool.read(*part)?),
        };
        Ok(Lines { reader, number: 0, bytes: 0, line: Vec::new() })
    }

    /// Links to folders are not followed, so that a circle of them has an end.
    fn add_folder(&mut self, argument: usize, root: &Path, folder: &Path) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::path);
        for entry in entries {
            let path = entry.path();
            let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            let added = match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    self.add_folder(argument, root, &path).map_err(|error| error.to_string())
                }
                Ok(_) if path.is_dir() => {
                    Err("a link to a folder, which is not followed".to_owned())
                }
                Ok(_) if !path.is_file() => Err("neither a file nor a folder".to_owned()),
                Ok(_) => self.add_file(argument, &path, &inside).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(reason) = added {
                self.skip(&path.to_string_lossy(), &reason);
            }
        }
        Ok(())
    }

    /// Adds a log, or the logs of an archive. `dated` is the part of the path in which the date is looked for.
    fn add_file(&mut self, argument: usize, path: &Path, dated: &str) -> Result<(), SourceError> {
        let unreachable = |error| SourceError::Unreachable { path: path.to_owned(), error };
        let damaged = |error| SourceError::Archive { path: path.to_owned(), error };
        let file = File::open(path).map_err(unreachable)?;
        let bytes = file.metadata().map_err(unreachable)?.len();
        let (start, file) = sniff(file).map_err(unreachable)?;
        let name = path.to_string_lossy();
        if !is_gzip(&start) && !is_tar(&start) {
            let place = Place::File(path.to_owned());
            self.add(argument, &name, dated, &start, |_| Ok((place, bytes))).map_err(unreachable)
        } else if is_tar(&start) {
            self.add_tar(argument, &name, file).map_err(damaged)
        } else {
            let (start, content) = sniff(MultiGzDecoder::new(file)).map_err(damaged)?;
            if is_tar(&start) {
                self.add_tar(argument, &name, content).map_err(damaged)
            } else {
                self.add_unpacked(argument, &name, dated, &start, content).map_err(damaged)
            }
        }
    }

    fn add_tar(&mut self, argument: usize, archive: &str, tar: impl Read) -> io::Result<()> {
        for entry in tar::Archive::new(tar).entries()? {
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let inside = entry.path()?.to_string_lossy().into_owned();
            let name = format!("{archive}!{inside}");
            let (start, content) = sniff(entry)?;
            if is_gzip(&start) {
                let (start, content) = sniff(MultiGzDecoder::new(content))?;
                self.add_unpacked(argument, &name, &inside, &start, content)?;
            } else {
                self.add_unpacked(argument, &name, &inside, &start, content)?;
            }
        }
        Ok(())
    }

    fn add_unpacked(
        &mut self,
        argument: usize,
        name: &str,
        dated: &str,
        start: &[u8],
        content: impl Read,
    ) -> io::Result<()> {
        self.add(argument, name, dated, start, |spool| {
            let part = spool.add(content)?;
            Ok((Place::Unpacked(part), part.len()))
        })
    }

    fn add(
        &mut self,
        argument: usize,
        name: &str,
        dated: &str,
        start: &[u8],
        place: impl FnOnce(&mut Spool) -> io::Result<(Place, u64)>,
    ) -> io::Result<()> {
        let Some(date) = Date::find(dated) else {
            self.skip(name, "no log: its name contains no date like 2004-11-15");
            return Ok(());
        };
        if start.contains(&0) {
            self.skip(name, "no log: it is not text");
            return Ok(());
        }
        let (place, bytes) = place(&mut self.spool)?;
        self.files.push(LogFile { name: name.into(), date, bytes, argument, place });
        Ok(())
    }

    fn skip(&mut self, name: &str, reason: &str) {
        self.skipped.push((name.into(), reason.to_owned()));
    }

    fn find_channels(&mut self, paths: &[PathBuf], channel: Option<&str>) -> Vec<String> {
        let mut named = vec![None; paths.len()];
        let mut channels = Vec::with_capacity(self.files.len());
        for index in 0..self.files.len() {
            let LogFile { name, argument, .. } = self.files[index].clone();
            let found = channel.map(str::to_owned).or_else(|| channel_in_path(&name));
            channels.push(found.unwrap_or_else(|| {
                named[argument]
                    .get_or_insert_with(|| {
                        self.first_channel(argument)
                            .unwrap_or_else(|| named_after(&paths[argument]))
                    })
                    .clone()
            }));
        }
        channels
    }

    /// The first channel that a line of the files of `argument` names. Unreadable files name none.
    fn first_channel(&mut self, argument: usize) -> Option<String> {
        (0..self.files.len()).find_map(|index| {
            if self.files[index].argument != argument {
                return None;
            }
            let mut lines = self.lines(index).ok()?;
            while let Some((_, bytes)) = lines.read().ok()? {
                if let Some(channel) = line::parse(&decode(bytes)).channel {
                    return Some(channel.to_lowercase());
                }
            }
            None
        })
    }
}

/// The lines of one file.
pub struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    number: u64,
    bytes: u64,
    line: Vec<u8>,
}

impl Lines<'_> {
    /// The next line with its number from 1, without its end; `None` at the end of the file.
    ///
    /// # Errors
    /// If the file cannot be read on.
    pub fn read(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        self.line.clear();
        let most = LINE_BYTES_MAX as u64 + 2;
        let taken = (&mut self.reader).take(most).read_until(b'\n', &mut self.line)?;
        self.bytes += taken as u64;
        if taken == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            self.line.pop_if(|byte| *byte == b'\r');
        } else if taken as u64 == most {
            self.bytes += self.reader.skip_until(b'\n')? as u64;
        }
        Ok(Some((self.number, &self.line)))
    }

    /// How many bytes have been read.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The start of what `reader` gives, and all of it.
fn sniff<R: Read>(mut reader: R) -> io::Result<(Vec<u8>, impl Read)> {
    let mut start = Vec::new();
    (&mut reader).take(SNIFFED_BYTES).read_to_end(&mut start)?;
    Ok((start.clone(), io::Cursor::new(start).chain(reader)))
}

/// Source: RFC 1952, section 2.3.1.
fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b])
}

/// Source: POSIX.1-2017, pax, "ustar Interchange Format".
fn is_tar(start: &[u8]) -> bool {
    start.get(257..262) == Some(b"ustar")
}

/// The part of a path that starts with `#`, up to its extension or its date.
fn channel_in_path(path: &str) -> Option<String> {
    path.rsplit(['/', '!']).find_map(|part| {
        let part = part.replace("%23", "#");
        let hashes = part.len() - part.trim_start_matches('#').len();
        let end = part[hashes..].find(['.', ' ']).map_or(part.len(), |end| hashes + end);
        let undated =
            part[..end].trim_end_matches(|c: char| c.is_ascii_digit() || "-_".contains(c));
        let channel = if Date::find(&part[..end]).is_some() { undated } else { &part[..end] };
        (hashes > 0 && channel.len() > hashes).then(|| channel.to_lowercase())
    })
}

/// `#NAME` for a file or folder `NAME`, up to its extension.
fn named_after(path: &Path) -> String {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let clean = |c: char| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let stem: String = name.split('.').next().unwrap_or_default().chars().map(clean).collect();
    format!("#{}", if stem.is_empty() { "irc" } else { &stem })
}

#[cfg(test)]
mod tests;
