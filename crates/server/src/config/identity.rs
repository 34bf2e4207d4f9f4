//! The identity of the server that owns a data folder. The first start writes it, and nothing
//! changes it later.
//!
//! User IDs and room IDs end in the server's name, so data of one name is useless under another.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::config::values;

/// The server name without any configuration.
pub const DEFAULT_SERVER_NAME: &str = "localhost";

const FILE_NAME: &str = "identity.json";

/// The format version that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// The identity in a data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerIdentity {
    format: u32,
    /// The server name at the end of all IDs.
    pub server_name: String,
    /// The time of the first start, in milliseconds since 1970.
    pub created: u64,
    /// The public half of the signing key; `None` before the first start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<String>,
    /// The keys that signed in the past.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub old_signing_keys: Vec<OldSigningKey>,
}

/// A key that signed in the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldSigningKey {
    /// Its public half, in the form of `signing_key`.
    pub key: String,
    /// When it was replaced, in milliseconds since 1970.
    pub expired: u64,
}

/// Why a data folder cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Use the name that the data has, or another folder.
    #[error(
        "the data in {} is of server {stored:?}, not {asked:?}, and a server cannot be renamed: \
         leave server_name out, set it to {stored:?}, or choose another folder with --data",
        folder.display()
    )]
    OtherServer {
        /// The data folder.
        folder: PathBuf,
        /// Its name.
        stored: String,
        /// The configured name.
        asked: String,
    },
    /// Start a server on the folder first, or choose another folder.
    #[error(
        "there is no Rookery data in {}: name the folder with --data, or start `rookery serve` \
         on it once",
        folder.display()
    )]
    NoData {
        /// The folder.
        folder: PathBuf,
    },
    /// Restore the file from a backup.
    #[error("{} is damaged ({damage}): restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The error in the file.
        damage: String,
    },
    /// Run a later version.
    #[error(
        "{} has format {found}, and this version reads up to {FORMAT}: run the version of Rookery \
         that wrote it, or a later one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// Check the folder and its permissions.
    #[error("cannot use {}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the file system.
        reason: String,
    },
}

impl ServerIdentity {
    /// Opens the data folder for the server `asked`, and creates the folder and its identity if
    /// there is none. With `None`, the server is that of the folder, or else
    /// [`DEFAULT_SERVER_NAME`].
    ///
    /// # Errors
    /// [`IdentityError`], which says what to do. An existing folder stays unchanged.
    pub fn claim(folder: &Path, asked: Option<&str>, now: u64) -> Result<Self, IdentityError> {
        let (identity, new) = Self::find(folder, asked, now)?;
        if new {
            identity.save(folder)?;
        }
        Ok(identity)
    }

    /// Like [`Self::claim`], but writes nothing. Returns whether the identity is new.
    ///
    /// # Errors
    /// [`IdentityError`], which says what to do.
    pub fn find(
        folder: &Path,
        asked: Option<&str>,
        now: u64,
    ) -> Result<(Self, bool), IdentityError> {
        match Self::read(folder, asked) {
            Err(IdentityError::NoData { .. }) => {}
            other => return other.map(|identity| (identity, false)),
        }
        let server_name = asked.unwrap_or(DEFAULT_SERVER_NAME).to_owned();
        Ok((
            Self {
                format: FORMAT,
                server_name,
                created: now,
                signing_key: None,
                old_signing_keys: Vec::new(),
            },
            true,
        ))
    }

    /// The same server, with the public half of its signing key.
    #[must_use]
    pub fn with_signing_key(&self, public_half: String) -> Self {
        Self { signing_key: Some(public_half), ..self.clone() }
    }

    /// Writes the identity into its folder, and creates the folder if it is missing.
    ///
    /// # Errors
    /// [`IdentityError::Io`].
    pub fn save(&self, folder: &Path) -> Result<(), IdentityError> {
        self.write(folder).map_err(|error| io_error(folder, &error))
    }

    /// Reads the identity in the folder, and creates nothing.
    ///
    /// # Errors
    /// [`IdentityError`], which says what to do.
    pub fn read(folder: &Path, asked: Option<&str>) -> Result<Self, IdentityError> {
        let path = folder.join(FILE_NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(IdentityError::NoData { folder: folder.into() });
            }
            Err(error) => return Err(io_error(&path, &error)),
        };
        let identity = Self::parse(&path, &text)?;
        match asked {
            Some(asked) if asked != identity.server_name => Err(IdentityError::OtherServer {
                folder: folder.into(),
                stored: identity.server_name,
                asked: asked.into(),
            }),
            _ => Ok(identity),
        }
    }

    fn parse(path: &Path, text: &[u8]) -> Result<Self, IdentityError> {
        let damaged = |damage: String| IdentityError::Damaged { path: path.into(), damage };
        let value: serde_json::Value =
            serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(found) if found > u64::from(FORMAT) => {
                return Err(IdentityError::Newer { path: path.into(), found });
            }
            _ => {}
        }
        let identity: Self =
            serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        if values::server_name(&identity.server_name).is_none() {
            return Err(damaged(format!("{:?} is no server name", identity.server_name)));
        }
        Ok(identity)
    }

    /// Writes a temporary file and renames it, so that the file is complete or missing.
    fn write(&self, folder: &Path) -> io::Result<()> {
        make_private(folder)?;
        let path = folder.join(FILE_NAME);
        let beside = folder.join(format!("{FILE_NAME}.new"));
        let mut file = File::create(&beside)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        File::open(folder)?.sync_all()?;
        match fs::canonicalize(folder)?.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// Creates a folder that only its owner may enter, unless it exists.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn io_error(path: &Path, error: &io::Error) -> IdentityError {
    IdentityError::Io { path: path.into(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let outer = tempfile::tempdir().expect("a folder");
        let inner = outer.path().join("deep").join("data");
        (outer, inner)
    }

    #[test]
    fn the_first_start_names_the_server_and_later_ones_keep_the_name() {
        let (_outer, data) = folder();
        let first = ServerIdentity::claim(&data, Some("example.org"), 7).expect("claims");
        assert_eq!((first.server_name.as_str(), first.created), ("example.org", 7));
        for asked in [None, Some("example.org")] {
            assert_eq!(ServerIdentity::claim(&data, asked, 9), Ok(first.clone()));
            assert_eq!(ServerIdentity::read(&data, asked), Ok(first.clone()));
        }
        assert!(!data.join("identity.json.new").exists());
    }

    #[test]
    fn a_server_that_nobody_named_is_localhost() {
        let (_outer, data) = folder();
        let identity = ServerIdentity::claim(&data, None, 7).expect("claims");
        assert_eq!(identity.server_name, "localhost");
    }

    #[test]
    fn another_name_is_refused_with_what_to_do() {
        let (_outer, data) = folder();
        ServerIdentity::claim(&data, Some("example.org"), 7).expect("claims");
        let refused = ServerIdentity::claim(&data, Some("other.org"), 9).expect_err("refused");
        assert!(matches!(refused, IdentityError::OtherServer { .. }));
        let text = refused.to_string();
        assert!(text.contains("\"example.org\"") && text.contains("--data"), "{text}");
        assert!(ServerIdentity::read(&data, Some("example.org")).is_ok());
    }

    #[test]
    fn reading_makes_nothing() {
        let (_outer, data) = folder();
        let refused = ServerIdentity::read(&data, None);
        assert_eq!(refused, Err(IdentityError::NoData { folder: data.clone() }));
        assert!(!data.exists());
    }

    #[test]
    fn a_damaged_or_later_file_is_refused_and_left_alone() {
        let (_outer, data) = folder();
        fs::create_dir_all(&data).expect("makes");
        let path = data.join(FILE_NAME);
        for (text, newer) in [
            ("", false),
            ("{", false),
            ("{\"format\":1}", false),
            ("{\"format\":1,\"server_name\":\"No Name\",\"created\":1}", false),
            ("{\"format\":2,\"name\":\"x\"}", true),
        ] {
            fs::write(&path, text).expect("writes");
            let refused = ServerIdentity::claim(&data, None, 7).expect_err("refused");
            assert_eq!(matches!(refused, IdentityError::Newer { .. }), newer, "{refused}");
            assert_eq!(matches!(refused, IdentityError::Damaged { .. }), !newer, "{refused}");
            assert_eq!(fs::read_to_string(&path).expect("reads"), text);
        }
    }

    #[test]
    fn format_1_reads_as_it_always_did() {
        let (_outer, data) = folder();
        fs::create_dir_all(&data).expect("makes");
        let text = "{\"format\":1,\"server_name\":\"example.org:8448\",\"created\":1700000000000}";
        fs::write(data.join(FILE_NAME), text).expect("writes");
        let identity = ServerIdentity::read(&data, None).expect("reads");
        assert_eq!(identity.server_name, "example.org:8448");
        assert_eq!(identity.created, 1_700_000_000_000);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let outer = tempfile::tempdir().expect("a folder");
        let file = outer.path().join("file");
        fs::write(&file, "").expect("writes");
        let refused = ServerIdentity::claim(&file.join("data"), None, 7).expect_err("refused");
        assert!(matches!(refused, IdentityError::Io { .. }), "{refused}");
    }
}
