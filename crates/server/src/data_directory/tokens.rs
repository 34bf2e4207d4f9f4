//! The key that seals positions and cursors of clients.
//!
//! A server derives it from its signing key. `rotate-key` writes it into `tokens.key` before it replaces the signing
//! key, so that clients can go on from their positions. The first line of the file is the secret in base64, the
//! second one is `check` and the CRC-32 of the first.
//!
//! **Invariant:** a server that has the file never derives another key.

use std::{fs, io, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use rookery_domain::SigningKey;
use rookery_gateway::schema::token_secret;
use rookery_log::TokenKey;

use super::signing::{check, write};
use crate::failure::Failure;

/// The name of the file.
pub(crate) const NAME: &str = "tokens.key";

/// The key of the server in the folder `data`, whose signing key is this one.
///
/// # Errors
/// [`Failure`] if the file cannot be read, or is damaged.
pub(crate) fn key(data: &Path, signing_key: &SigningKey) -> Result<TokenKey, Failure> {
    let secret = read(data)?.unwrap_or_else(|| token_secret(signing_key));
    Ok(TokenKey::derive(&secret))
}

/// Keeps the key when the signing key, which is this one now, is about to be replaced.
///
/// # Errors
/// [`Failure`] if the file cannot be read or written, or is damaged.
pub(super) fn keep(data: &Path, signing_key: &SigningKey) -> Result<(), Failure> {
    if read(data)?.is_some() {
        return Ok(());
    }
    let path = data.join(NAME);
    let line = STANDARD_NO_PAD.encode(token_secret(signing_key));
    write(&path, &line).map_err(|error| Failure::file("cannot write", &path, error))
}

fn read(data: &Path) -> Result<Option<[u8; 32]>, Failure> {
    let path = data.join(NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file("cannot read", &path, error)),
    };
    let damaged = || {
        let path = path.display();
        Failure::new(format!(
            "{path} is damaged: restore it from a backup, or remove it; without it, clients start again from initialSync"
        ))
    };
    let mut lines = text.lines();
    let (Some(line), Some(sum), None) = (lines.next(), lines.next(), lines.next()) else {
        return Err(damaged());
    };
    let secret = STANDARD_NO_PAD.decode(line).ok().filter(|_| sum == check(line));
    let secret = secret.and_then(|secret| secret.try_into().ok()).ok_or_else(damaged)?;
    Ok(Some(secret))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn signing_key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32], "1").unwrap()
    }

    fn sealed(key: &TokenKey) -> String {
        let (kind, epoch) = (rookery_log::TokenKind::Position, rookery_log::Epoch(1));
        key.seal(kind, epoch, [1; 8]).to_string()
    }

    #[test]
    fn positions_of_clients_outlive_the_signing_key() {
        let data = tempfile::tempdir().unwrap();
        let before = sealed(&key(data.path(), &signing_key(1)).unwrap());
        keep(data.path(), &signing_key(1)).unwrap();
        assert_eq!(sealed(&key(data.path(), &signing_key(2)).unwrap()), before);
        // The next replacement changes nothing.
        keep(data.path(), &signing_key(2)).unwrap();
        assert_eq!(sealed(&key(data.path(), &signing_key(3)).unwrap()), before);
        fs::remove_file(data.path().join(NAME)).unwrap();
        assert_ne!(sealed(&key(data.path(), &signing_key(2)).unwrap()), before);
    }

    #[test]
    fn a_damaged_key_is_refused_by_name() {
        let data = tempfile::tempdir().unwrap();
        keep(data.path(), &signing_key(1)).unwrap();
        let path = data.path().join(NAME);
        let text = fs::read_to_string(&path).unwrap();
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1;
            fs::write(&path, &bytes).unwrap();
            let refused = key(data.path(), &signing_key(1)).unwrap_err().to_string();
            assert!(refused.contains(NAME), "{place}: {refused}");
            // The last line break does not matter.
            fs::write(&path, &text.as_bytes()[..place]).unwrap();
            let is_cut = place + 1 < text.len();
            assert_eq!(key(data.path(), &signing_key(1)).is_err(), is_cut, "{place}");
        }
    }
}
