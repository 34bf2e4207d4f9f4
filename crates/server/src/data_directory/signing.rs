//! The key that signs events for other servers, and its file.
//!
//! The first line of `signing.key` is the key in Synapse's format; the second one is `check` and
//! the CRC-32 of the first. `identity.json` names the public half, so that the server notices a
//! missing or foreign key. It also reads files of one line, and adds their second line.
//!
//! **Invariant:** a server that has had a key never gets another one unless an operator says so.
//! **Invariant:** nothing is written before [`FoundKey::settle`].

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use rookery_domain::SigningKey;

use super::tokens;
use crate::{
    config::{OldSigningKey, ServerIdentity},
    failure::Failure,
};

/// The value in `identity.json` with which an operator accepts a new key.
pub(crate) const ACCEPT_NEW: &str = "new";

const NAME: &str = "signing.key";

/// The key of a server, before any write.
pub(crate) struct FoundKey {
    path: PathBuf,
    key: SigningKey,
    /// Whether the file has to be written, and a damaged one moved away first.
    file: FileState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FileState {
    Right,
    /// It is missing, or lacks its checksum.
    Write,
    /// It is damaged, and an operator accepts a new key.
    SetAside,
}

/// The state of the file.
enum Read {
    Absent,
    /// A key, and whether its checksum exists and is right.
    Key(Box<SigningKey>, Option<bool>),
    Damaged,
}

impl FoundKey {
    /// Reads the key of the server in the folder `data`, or creates one for a new server.
    ///
    /// # Errors
    /// [`Failure`] if an existing key is missing, damaged or foreign.
    pub(crate) fn of(data: &Path, identity: &ServerIdentity) -> Result<Self, Failure> {
        let path = data.join(NAME);
        let known = identity.signing_key.as_deref();
        let accepts_new = known == Some(ACCEPT_NEW);
        let known = known.filter(|_| !accepts_new);
        let refuse = |what: &str| {
            let identity = data.join("identity.json");
            let had = known.map(|key| format!(" (its public half is {key})")).unwrap_or_default();
            Failure::new(format!(
                "{} {what}: restore the key of this server{had} from a backup. Other servers \
                 refuse the signatures of another key. To continue with a new key, write \
                 \"signing_key\": \"{ACCEPT_NEW}\" into {}",
                path.display(),
                identity.display()
            ))
        };
        let (key, file) = match read(&path)? {
            Read::Absent if known.is_some() => return Err(refuse("is missing")),
            Read::Absent => (draw()?, FileState::Write),
            Read::Damaged if accepts_new => (draw()?, FileState::SetAside),
            Read::Damaged => return Err(refuse("is damaged")),
            Read::Key(key, checked) => match (known, checked) {
                (Some(known), _) if known != public_half(&key) => {
                    return Err(refuse(if checked == Some(true) {
                        "is the key of another server"
                    } else {
                        "is damaged"
                    }));
                }
                // The public half proves the key, so the checksum can be written again.
                (Some(_), Some(false) | None) | (None, None) => (*key, FileState::Write),
                (None, Some(false)) if !accepts_new => return Err(refuse("is damaged")),
                (None, Some(false)) => (draw()?, FileState::SetAside),
                (_, Some(true)) => (*key, FileState::Right),
            },
        };
        Ok(Self { path, key, file })
    }

    /// The public half, as `identity.json` names it.
    pub(crate) fn public_half(&self) -> String {
        public_half(&self.key)
    }

    /// The key, for a use that writes nothing.
    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Writes the file if it is not right, and returns the key.
    ///
    /// # Errors
    /// [`Failure`] if the file cannot be written.
    pub(crate) fn settle(self) -> Result<SigningKey, Failure> {
        let Self { path, key, file } = self;
        if file == FileState::SetAside {
            let aside = path.with_extension("key.damaged");
            fs::rename(&path, &aside)
                .map_err(|error| Failure::file("cannot rename the signing key", &path, error))?;
            let aside = aside.display();
            tracing::warn!(%aside, "moved the damaged signing key away and created a new one");
        }
        if file != FileState::Right {
            write(&path, &key.to_line())
                .map_err(|error| Failure::file("cannot write the signing key", &path, error))?;
        }
        Ok(key)
    }
}

/// Gives a stopped server another key. Returns the public halves of the old and the new one.
///
/// A crash in between leaves a server that starts with the old key or with the new one.
///
/// # Errors
/// [`Failure`] if the present key cannot be used, or a file cannot be written.
pub(crate) fn rotate(
    data: &Path,
    identity: &ServerIdentity,
    now: u64,
) -> Result<(String, String), Failure> {
    let old = FoundKey::of(data, identity)?.settle()?;
    let (old_half, seed) = (public_half(&old), draw_seed()?);
    let is_used = |name: &str| {
        let id = format!("ed25519:{name} ");
        let halves = identity.old_signing_keys.iter().map(|old| &old.key);
        halves.chain([&old_half]).any(|half| half.starts_with(&id))
    };
    let most = identity.old_signing_keys.len() + 2;
    let number = (1..=most).find(|number| !is_used(&number.to_string())).unwrap_or(most);
    let new = SigningKey::from_seed(seed, &number.to_string())
        .map_err(|error| Failure::new(format!("cannot make a signing key: {error}")))?;
    let new_half = public_half(&new);
    tokens::keep(data, &old)?;
    let mut next = identity.with_signing_key(ACCEPT_NEW.to_owned());
    next.old_signing_keys.push(OldSigningKey { key: old_half.clone(), expired: now });
    next.save(data)?;
    let path = data.join(NAME);
    write(&path, &new.to_line())
        .map_err(|error| Failure::file("cannot write the signing key", &path, error))?;
    next.with_signing_key(new_half.clone()).save(data)?;
    Ok((old_half, new_half))
}

fn public_half(key: &SigningKey) -> String {
    format!("ed25519:{} {}", key.name(), STANDARD_NO_PAD.encode(key.public_key()))
}

fn draw_seed() -> Result<[u8; 32], Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| Failure::new(format!("the system gives no randomness: {error}")))?;
    Ok(seed)
}

fn draw() -> Result<SigningKey, Failure> {
    SigningKey::from_seed(draw_seed()?, "1")
        .map_err(|error| Failure::new(format!("cannot make a signing key: {error}")))
}

fn read(path: &Path) -> Result<Read, Failure> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Read::Absent),
        Err(error) => return Err(Failure::file("cannot read the signing key", path, error)),
    };
    let Ok(text) = String::from_utf8(bytes) else { return Ok(Read::Damaged) };
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.next().unwrap_or_default();
    let Ok(key) = SigningKey::from_line(line) else { return Ok(Read::Damaged) };
    let checked = lines.next().map(|last| last == check(line));
    Ok(if lines.next().is_some() { Read::Damaged } else { Read::Key(Box::new(key), checked) })
}

pub(super) fn check(line: &str) -> String {
    format!("check {:08x}", crc32fast::hash(line.as_bytes()))
}

/// Replaces a file completely or not at all; only its owner can read it.
pub(super) fn write(path: &Path, line: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let beside = path.with_extension("key.new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&beside)?;
    write!(file, "{line}\n{}\n", check(line))?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn given() -> (tempfile::TempDir, ServerIdentity) {
        let data = tempfile::tempdir().unwrap();
        let identity = ServerIdentity::claim(data.path(), None, 7).unwrap();
        (data, identity)
    }

    fn settle(data: &Path, identity: &mut ServerIdentity) -> Result<String, String> {
        let found = FoundKey::of(data, identity).map_err(|failure| failure.to_string())?;
        identity.signing_key = Some(found.public_half());
        Ok(found.settle().unwrap().to_line())
    }

    #[test]
    fn key_is_drawn_once_and_kept() {
        let (data, mut identity) = given();
        let key = settle(data.path(), &mut identity).unwrap();
        assert_eq!(settle(data.path(), &mut identity).unwrap(), key);
    }

    #[test]
    fn file_of_one_line_is_read_and_gets_a_checksum() {
        let (data, mut identity) = given();
        let key = SigningKey::from_seed([7; 32], "1").unwrap().to_line();
        fs::write(data.path().join(NAME), format!("{key}\n")).unwrap();
        assert_eq!(settle(data.path(), &mut identity).unwrap(), key);
        let text = fs::read_to_string(data.path().join(NAME)).unwrap();
        assert_eq!(text, format!("{key}\n{}\n", check(&key)));
    }

    #[test]
    fn missing_damaged_or_other_key_of_a_server_is_refused_by_name() {
        let (data, mut identity) = given();
        settle(data.path(), &mut identity).unwrap();
        let path = data.path().join(NAME);
        let whole = fs::read(&path).unwrap();
        let refused = |text: &str, identity: &mut ServerIdentity| {
            let refusal = settle(data.path(), identity).unwrap_err();
            assert!(refusal.contains(text) && refusal.contains("backup"), "{refusal}");
        };
        let seed_ends = whole.iter().position(|byte| *byte == b'\n').unwrap();
        for at in 0..seed_ends {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            refused("is damaged", &mut identity);
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        fs::remove_file(&path).unwrap();
        refused("is missing", &mut identity);
        assert!(!path.exists());
        let other = SigningKey::from_seed([9; 32], "1").unwrap().to_line();
        fs::write(&path, format!("{other}\n{}\n", check(&other))).unwrap();
        refused("is the key of another server", &mut identity);
        identity.signing_key = Some(ACCEPT_NEW.to_owned());
        assert_eq!(settle(data.path(), &mut identity).unwrap(), other);
    }

    #[test]
    fn rotated_key_is_followed_by_another_and_kept_as_old() {
        let (data, mut identity) = given();
        let first = settle(data.path(), &mut identity).unwrap();
        identity.save(data.path()).unwrap();
        let (old, new) = rotate(data.path(), &identity, 5).unwrap();
        assert!(old.starts_with("ed25519:1 ") && new.starts_with("ed25519:2 "), "{old} {new}");
        let mut rotated = ServerIdentity::read(data.path(), None).unwrap();
        let kept = OldSigningKey { key: old, expired: 5 };
        assert_eq!(rotated.old_signing_keys, std::slice::from_ref(&kept));
        let second = settle(data.path(), &mut rotated).unwrap();
        assert!(second != first && second.starts_with("ed25519 2 "));
        let (_, new) = rotate(data.path(), &rotated, 9).unwrap();
        assert!(new.starts_with("ed25519:3 "), "{new}");
        let last = ServerIdentity::read(data.path(), None).unwrap();
        assert_eq!((last.old_signing_keys.len(), &last.old_signing_keys[0]), (2, &kept));
    }

    #[test]
    fn damaged_checksum_is_written_again() {
        let (data, mut identity) = given();
        let key = settle(data.path(), &mut identity).unwrap();
        let path = data.path().join(NAME);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(settle(data.path(), &mut identity).unwrap(), key);
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}
