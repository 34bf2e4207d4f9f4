//! The memory in which passwords are hashed.
//!
//! Each hash passes its memory on to the next waiting one. Freeing and allocating 19 MiB for each
//! hash fragmented the heap: a hundred logins at once left hundreds of MiB of holes.

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version, password_hash};
use parking_lot::Mutex;
use password_hash::{Error, Output, Salt, SaltString};

/// Memory that no hash uses now.
#[derive(Default)]
pub(crate) struct Workspaces(Mutex<Vec<Vec<Block>>>);

impl Workspaces {
    /// The hash of `password` as a PHC string.
    pub(crate) fn hash(
        &self,
        params: &Params,
        password: &[u8],
        salt: &SaltString,
    ) -> Result<String, Error> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let output = self.digest(&argon2, password, salt.as_salt(), Params::DEFAULT_OUTPUT_LEN)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: params.try_into()?,
            salt: Some(salt.as_salt()),
            hash: Some(output),
        };
        Ok(hash.to_string())
    }

    /// Whether `password` fits `hash`, which may have been made with other parameters.
    pub(crate) fn fits(&self, password: &[u8], hash: &PasswordHash<'_>) -> Result<bool, Error> {
        let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else {
            return Err(Error::PhcStringField);
        };
        let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
        let params = Params::try_from(hash)?;
        let argon2 = Argon2::new(Algorithm::try_from(hash.algorithm)?, version, params);
        // `Output` compares in constant time.
        Ok(self.digest(&argon2, password, salt, expected.len())? == expected)
    }

    /// Frees all unused memory.
    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }

    fn digest(
        &self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: Salt<'_>,
        len: usize,
    ) -> Result<Output, Error> {
        let mut bytes = [0; Salt::MAX_LENGTH];
        let salt = salt.decode_b64(&mut bytes)?;
        let mut blocks = self.0.lock().pop().unwrap_or_default();
        blocks.resize(argon2.params().block_count(), Block::default());
        let digest = Output::init_with(len, |output| {
            Ok(argon2.hash_password_into_with_memory(password, salt, output, &mut blocks)?)
        });
        // The hashed data does not stay in memory.
        blocks.fill(Block::default());
        self.0.lock().push(blocks);
        digest
    }
}
