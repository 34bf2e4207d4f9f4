//! The note in a data directory about an import that has begun and not ended.
//!
//! **Invariant:** the note is durable before the import writes anything else. The import removes it
//! after its last write is durable. So half an import never passes for a whole one.
//! **Invariant:** an import continues only with the source it began with.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const FILE_NAME: &str = "import.json";

/// The format version that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// The source of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// An exported log.
    Ndjson,
    /// IRC logs.
    Irc,
}

/// An import that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    format: u32,
    kind: Kind,
    /// The path as it was given on the command line.
    sources: Vec<String>,
    /// The same value for the same content, under any name.
    identity: String,
}

impl Unfinished {
    /// An import of the sources that the user calls `sources`.
    pub(crate) fn new(
        kind: Kind,
        sources: impl IntoIterator<Item = impl AsRef<Path>>,
        identity: String,
    ) -> Self {
        let text = |source: &Path| source.display().to_string();
        let sources = sources.into_iter().map(|source| text(source.as_ref())).collect();
        Self { format: FORMAT, kind, sources, identity }
    }

    /// Notes in `data` that the import begins. Returns `true` if it has begun before and continues.
    ///
    /// # Errors
    /// [`Failure`] if another import has to finish first, or if the note cannot be
    /// written.
    pub(crate) fn begin(&self, data: &Path) -> Result<bool, Failure> {
        match Self::read(data)? {
            None => {
                self.write(data).map_err(|error| Failure::file("cannot write", data, error))?;
                Ok(false)
            }
            Some(begun) if begun.kind == self.kind && begun.identity == self.identity => Ok(true),
            Some(begun) => Err(begun.other(data, &self.sources.join(" "))),
        }
    }

    /// Notes that the import has ended.
    ///
    /// # Errors
    /// [`Failure`] if the note cannot be removed.
    pub(crate) fn end(data: &Path) -> Result<(), Failure> {
        let path = path(data);
        let removed = fs::remove_file(&path).and_then(|()| File::open(data)?.sync_all());
        removed.map_err(|error| Failure::file("cannot remove", &path, error))
    }

    /// The unfinished import into `data`, if there is one.
    ///
    /// # Errors
    /// [`Failure`] if the note cannot be read.
    pub(crate) fn read(data: &Path) -> Result<Option<Self>, Failure> {
        let path = path(data);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file("cannot read", &path, error)),
        };
        let begun: Result<Self, _> = serde_json::from_slice(&text);
        match begun {
            Ok(begun) if begun.format == FORMAT => Ok(Some(begun)),
            read => {
                let reason = match read {
                    Ok(begun) => format!("it has format {}, not {FORMAT}", begun.format),
                    Err(error) => error.to_string(),
                };
                let path = path.display();
                Err(Failure::new(format!(
                    "{path} marks an unfinished import and cannot be read ({reason}): delete the \
                     folder and import again"
                )))
            }
        }
    }

    /// Refuses to use `data` while an import into it is unfinished.
    ///
    /// # Errors
    /// [`Failure`], which names the import.
    pub(crate) fn refuse(data: &Path) -> Result<(), Failure> {
        Self::read(data)?.map_or(Ok(()), |begun| Err(begun.failure(data)))
    }

    /// Refuses to continue with an import of another kind.
    ///
    /// # Errors
    /// [`Failure`], which names the import.
    pub(crate) fn refuse_unless(kind: Kind, data: &Path) -> Result<(), Failure> {
        match Self::read(data)? {
            Some(begun) if begun.kind != kind => Err(begun.failure(data)),
            _ => Ok(()),
        }
    }

    /// Why `given` cannot be imported now.
    pub(crate) fn other(&self, data: &Path, given: &str) -> Failure {
        let failure = self.failure(data);
        Failure::new(format!("{given} is not the source of that import: {failure}"))
    }

    fn failure(&self, data: &Path) -> Failure {
        let (sources, data_shown) = (self.sources.join(" "), data.display());
        let give_up = match self.kind {
            Kind::Ndjson => "delete the folder".to_owned(),
            // The folder may have other data, and each imported line is complete.
            Kind::Irc => {
                format!("delete {} to keep the lines read so far", path(data).display())
            }
        };
        Failure::new(format!(
            "the import of {sources} into {data_shown} did not finish: unless it still runs, run \
             the same import again to continue, or {give_up}"
        ))
    }

    /// Writes a temporary file and renames it, so that the note is complete or missing.
    fn write(&self, data: &Path) -> io::Result<()> {
        let path = path(data);
        let beside = path.with_extension("json.new");
        let mut file = File::create(&beside)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        File::open(data)?.sync_all()
    }
}

fn path(data: &Path) -> PathBuf {
    data.join(FILE_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(source: &str, identity: &str) -> Unfinished {
        Unfinished::new(Kind::Ndjson, [source], identity.to_owned())
    }

    #[test]
    fn an_import_that_has_begun_goes_on_with_the_same_content_under_any_name() {
        let data = tempfile::tempdir().expect("a folder");
        let data = data.path();
        assert!(!import("a.ndjson", "1").begin(data).expect("begins"));
        assert!(import("./copy-of-a.ndjson", "1").begin(data).expect("goes on"));
        let said = import("b.ndjson", "2").begin(data).expect_err("another").to_string();
        assert!(said.contains("a.ndjson") && said.contains("b.ndjson"), "{said}");
        assert!(said.contains("did not finish") && said.contains("delete the folder"), "{said}");
        assert!(Unfinished::refuse_unless(Kind::Irc, data).is_err());
        assert!(Unfinished::refuse_unless(Kind::Ndjson, data).is_ok());
        Unfinished::end(data).expect("ends");
        assert!(Unfinished::refuse(data).is_ok());
        assert_eq!(fs::read_dir(data).expect("reads").count(), 0);
    }

    #[test]
    fn a_note_that_cannot_be_read_is_refused_by_name() {
        let data = tempfile::tempdir().expect("a folder");
        for text in ["", "{", "{\"format\":2,\"kind\":\"irc\",\"sources\":[],\"identity\":\"\"}"] {
            fs::write(path(data.path()), text).expect("writes");
            let said = Unfinished::refuse(data.path()).expect_err("refused").to_string();
            assert!(said.contains(FILE_NAME) && said.contains("unfinished import"), "{said}");
        }
    }

    #[test]
    fn format_1_reads_as_it_always_did() {
        let data = tempfile::tempdir().expect("a folder");
        let text = "{\"format\":1,\"kind\":\"irc\",\"sources\":[\"logs\"],\"identity\":\"x\"}";
        fs::write(path(data.path()), text).expect("writes");
        let begun = Unfinished::read(data.path()).expect("reads").expect("is there");
        assert_eq!(begun, Unfinished::new(Kind::Irc, ["logs"], "x".to_owned()));
    }
}
