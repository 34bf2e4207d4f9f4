//! Finds the files in folders and archives.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

use super::{Found, Location, Source, SourceError, spool::Spool, utf16};

/// Bytes at the start of a file that identify its format.
const SNIFFED_BYTES: u64 = 1_024;

/// How often a file may be packed with gzip.
const GZIP_LAYERS_MAX: usize = 4;

/// Formats that the import does not unpack, by their first bytes.
const OTHER_ARCHIVES: &[(&[u8], &str)] = &[
    (b"\xfd7zXZ\0", "it is compressed with xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd: unpack it first"),
    (b"BZh", "it is compressed with bzip2: unpack it first"),
    (b"PK\x03\x04", "it is a ZIP archive: unpack it first"),
    (b"7z\xbc\xaf", "it is a 7-Zip archive: unpack it first"),
    (b"SQLite format 3\0", "it is a database: export the logs as text first"),
];

impl Source {
    /// All files in `paths`.
    pub(super) fn gather(&mut self, paths: &[PathBuf]) -> Result<Vec<Found>, SourceError> {
        let mut found = Vec::new();
        let common = common_folder(paths);
        for (argument, path) in paths.iter().enumerate() {
            let unreachable = |error| SourceError::Unreachable { path: path.clone(), error };
            let is_folder = fs::metadata(path).map_err(unreachable)?.is_dir();
            let root = match &common {
                Some(common) => common.clone(),
                None if is_folder => path.clone(),
                None => path.parent().unwrap_or(Path::new("")).to_owned(),
            };
            let mut gathering = Gathering { source: self, found: &mut found, argument, root };
            if is_folder {
                gathering.folder(path).map_err(unreachable)?;
            } else {
                gathering.file(path)?;
            }
        }
        Ok(found)
    }
}

/// The common folder of several arguments. Their paths below it describe their content.
fn common_folder(paths: &[PathBuf]) -> Option<PathBuf> {
    let [first, others @ ..] = paths else { return None };
    if others.is_empty() {
        return None;
    }
    let whole = |path: &PathBuf| fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let mut common = whole(first).parent()?.to_owned();
    for other in others {
        let other = whole(other);
        while !other.starts_with(&common) || other == common {
            common = common.parent()?.to_owned();
        }
    }
    Some(common)
}

struct Gathering<'a> {
    source: &'a mut Source,
    found: &'a mut Vec<Found>,
    argument: usize,
    root: PathBuf,
}

impl Gathering<'_> {
    /// Links to folders are not followed, so circles end.
    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::path);
        for entry in entries {
            let path = entry.path();
            let added = match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(&path).map_err(|error| error.to_string()),
                Ok(_) if path.is_dir() => {
                    Err("a link to a folder, which is not followed".to_owned())
                }
                Ok(_) if !path.is_file() => Err("neither a file nor a folder".to_owned()),
                Ok(_) => self.file(&path).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(reason) = added {
                self.source.skip(&path.to_string_lossy(), &reason);
            }
        }
        Ok(())
    }

    /// Adds a log, or the logs of an archive.
    fn file(&mut self, path: &Path) -> Result<(), SourceError> {
        let unreachable = |error| SourceError::Unreachable { path: path.to_owned(), error };
        let damaged = |error| SourceError::Archive { path: path.to_owned(), error };
        let file = File::open(path).map_err(unreachable)?;
        let bytes = file.metadata().map_err(unreachable)?.len();
        let (start, mut file) = sniff(file).map_err(unreachable)?;
        let name = path.to_string_lossy().into_owned();
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let inside = path.strip_prefix(&self.root).or(whole.strip_prefix(&self.root));
        let inside = inside.unwrap_or(path).to_string_lossy().into_owned();
        if !is_gzip(&start) && !is_tar(&start) {
            if utf16::detect(&start).is_some() {
                return self.unpacked(&name, inside, &start, file).map_err(unreachable);
            }
            let place = Location::File(path.to_owned());
            self.add(&name, inside, &start, |_| Ok((place, bytes))).map_err(unreachable)
        } else if is_tar(&start) {
            self.tar(&name, file).map_err(damaged)
        } else {
            let (start, content) = unzip(start, &mut file).map_err(damaged)?;
            if is_tar(&start) {
                self.tar(&name, content).map_err(damaged)
            } else {
                self.unpacked(&name, inside, &start, content).map_err(damaged)
            }
        }
    }

    fn tar(&mut self, archive: &str, tar: impl Read) -> io::Result<()> {
        for entry in tar::Archive::new(tar).entries()? {
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let inside = entry.path()?.to_string_lossy().into_owned();
            let name = format!("{archive}!{inside}");
            let (start, mut content) = sniff(entry)?;
            let (start, content) = unzip(start, &mut content)?;
            self.unpacked(&name, inside, &start, content)?;
        }
        Ok(())
    }

    fn unpacked(
        &mut self,
        name: &str,
        inside: String,
        start: &[u8],
        content: impl Read,
    ) -> io::Result<()> {
        let encoding = utf16::detect(start);
        self.add(name, inside, start, |spool| {
            let part = match encoding {
                Some(encoding) => spool.add(utf16::AsUtf8::new(content, encoding))?,
                None => spool.add(content)?,
            };
            Ok((Location::Unpacked(part), part.len()))
        })
    }

    fn add(
        &mut self,
        name: &str,
        inside: String,
        start: &[u8],
        place: impl FnOnce(&mut Spool) -> io::Result<(Location, u64)>,
    ) -> io::Result<()> {
        if let Some((_, reason)) = OTHER_ARCHIVES.iter().find(|(mark, _)| start.starts_with(mark)) {
            self.source.skip(name, &format!("no log: {reason}"));
            return Ok(());
        }
        if start.contains(&0) && utf16::detect(start).is_none() && !is_text(start) {
            self.source.skip(name, "no log: it is not text");
            return Ok(());
        }
        let (place, bytes) = place(&mut self.source.spool)?;
        let argument = self.argument;
        self.found.push(Found { name: name.into(), inside, bytes, argument, place });
        Ok(())
    }
}

/// The first bytes of `reader`, and a reader of all of them.
fn sniff<R: Read>(mut reader: R) -> io::Result<(Vec<u8>, impl Read)> {
    let mut start = Vec::new();
    (&mut reader).take(SNIFFED_BYTES).read_to_end(&mut start)?;
    Ok((start.clone(), io::Cursor::new(start).chain(reader)))
}

/// Unpacks `content`, which begins with `start`, as often as it was packed.
fn unzip<'a>(
    mut start: Vec<u8>,
    content: &'a mut dyn Read,
) -> io::Result<(Vec<u8>, Box<dyn Read + 'a>)> {
    let mut content: Box<dyn Read + 'a> = Box::new(content);
    for _ in 0..GZIP_LAYERS_MAX {
        if !is_gzip(&start) {
            break;
        }
        let (inner, reader) = sniff(MultiGzDecoder::new(content))?;
        (start, content) = (inner, Box::new(reader));
    }
    Ok((start, content))
}

/// Whether the bytes are text, formatting of IRC, and zero bytes, which a power cut leaves in a log.
fn is_text(start: &[u8]) -> bool {
    let formatting = |byte: &u8| matches!(*byte, 1..=4 | 0x0f | 0x11 | 0x16 | 0x1b | 0x1d..=0x1f);
    let text = |byte: &u8| matches!(*byte, 0 | b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..);
    start.iter().all(|byte| text(byte) || formatting(byte))
}

/// Source: RFC 1952, section 2.3.1.
fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b])
}

/// Source: POSIX.1-2017, pax, "ustar Interchange Format".
fn is_tar(start: &[u8]) -> bool {
    start.get(257..262) == Some(b"ustar")
}
