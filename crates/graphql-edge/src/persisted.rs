//! Documents that clients name instead of sending them: automatic persisted queries, and the list
//! of allowed documents.
//!
//! **Invariant:** a document is found by the hash of its own text, or by an ID in the operator's
//! list, so nobody can replace it by another document.
//! **Invariant:** memory is bounded: [`USERS_MAX`] and [`STRANGERS_MAX`] persisted documents are
//! kept, each within the gate's limit and valid.
//! **Invariant:** documents of strangers take no place of users' documents, and each caller has a
//! share of the places.
//!
//! Source: Apollo's automatic persisted queries (`extensions.persistedQuery`), GraphQL over HTTP
//! (draft), appendix "Persisted Documents" (`documentId`).

mod manifest;
mod shelf;

use std::sync::Arc;

use rookery_graphql_documents::{Params, Refusal, code};
use sha2::{Digest as _, Sha256};

use self::shelf::Shelf;
use crate::limits::callers::CallerKey;
pub use manifest::{AllowList, ManifestError};

/// How many documents are kept for users.
const USERS_MAX: usize = 1_000;

/// How many of them one user may have.
const USER_MAX: usize = 100;

/// How many documents are kept for callers without a login.
const STRANGERS_MAX: usize = 250;

/// How many of them one address may have.
const STRANGER_MAX: usize = 50;

/// SHA-256 of a document's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DocumentHash([u8; 32]);

impl DocumentHash {
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Reads 64 hexadecimal digits, with or without a leading `sha256:`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(Self(hash))
    }
}

/// The documents of clients, by hash.
#[derive(Debug)]
pub(crate) struct PersistedDocuments {
    users: Shelf,
    strangers: Shelf,
}

impl Default for PersistedDocuments {
    fn default() -> Self {
        let users = Shelf::new(USERS_MAX, USER_MAX);
        Self { users, strangers: Shelf::new(STRANGERS_MAX, STRANGER_MAX) }
    }
}

impl PersistedDocuments {
    pub(crate) fn find(&self, hash: DocumentHash) -> Option<Arc<str>> {
        self.users.find(hash).or_else(|| self.strangers.find(hash))
    }

    /// Keeps a valid document with a checked hash, for `key`.
    pub(crate) fn keep(&self, key: CallerKey, hash: DocumentHash, text: Arc<str>) {
        let place = if key.is_user { &self.users } else { &self.strangers };
        place.keep(key, hash, text);
    }
}

/// The result of looking for a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Whether the operator's list has it, or there is no list.
    pub(crate) is_allowed: bool,
    /// The hash to keep it under, once it is found valid.
    keep: Option<DocumentHash>,
}

impl Found {
    /// The document of `params` with its hash, if the client asked to keep it.
    pub(crate) fn keep(self, params: &Params) -> Option<(DocumentHash, Arc<str>)> {
        Some((self.keep?, params.query.as_deref()?.into()))
    }
}

/// All documents that can be named.
#[derive(Debug)]
pub(crate) struct NamedDocuments {
    allowed: Option<Arc<AllowList>>,
    persisted: PersistedDocuments,
}

impl NamedDocuments {
    pub(crate) fn new(allowed: Option<Arc<AllowList>>) -> Self {
        Self { allowed, persisted: PersistedDocuments::default() }
    }

    /// Puts the document that `params` name into `params`.
    pub(crate) fn resolve(&self, params: &mut Params) -> Result<Found, Refusal> {
        match &self.allowed {
            Some(list) => resolve_in(list, params),
            None => self.resolve_persisted(params),
        }
    }

    fn resolve_persisted(&self, params: &mut Params) -> Result<Found, Refusal> {
        let mut found = Found { is_allowed: true, keep: None };
        if let Some(query) = &params.query {
            let Some(hash) = params.persisted_hash()? else { return Ok(found) };
            let hash = DocumentHash::parse(hash);
            if hash != Some(DocumentHash::of(query)) {
                let message =
                    "`sha256Hash` is not the SHA-256 of `query`, in 64 hexadecimal digits.";
                return Err(Refusal::new(code::PERSISTED_QUERY_MISMATCH, message));
            }
            found.keep = hash;
        } else if let Some(name) = params.document_name()? {
            let hash = DocumentHash::parse(name);
            let text = hash.and_then(|hash| self.persisted.find(hash));
            // Apollo's clients recognise this message.
            let refusal =
                || Refusal::new(code::PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound");
            params.query = Some(text.ok_or_else(refusal)?.to_string());
        }
        Ok(found)
    }

    /// Keeps a document of `key`, which was found valid.
    pub(crate) fn keep(&self, key: CallerKey, hash: DocumentHash, text: Arc<str>) {
        self.persisted.keep(key, hash, text);
    }
}

/// With a list of allowed documents, the list's text counts, whatever else was sent.
fn resolve_in(list: &AllowList, params: &mut Params) -> Result<Found, Refusal> {
    let listed = params.document_name()?.and_then(|name| list.find(name));
    if let Some(text) = listed {
        params.query = Some(text.to_string());
        return Ok(Found { is_allowed: true, keep: None });
    }
    let query = params.query.as_deref().ok_or_else(not_allowed)?;
    Ok(Found { is_allowed: list.contains(query), keep: None })
}

pub(crate) fn not_allowed() -> Refusal {
    let message =
        "This server runs only the documents of its operator's list, and this one is not on it.";
    Refusal::new(code::DOCUMENT_NOT_ALLOWED, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_as_clients_write_them() {
        // printf '{hello}' | sha256sum
        let digits = "9dd7ff987fac8d0d1979084ebde5ce8bd855cd066d1a34e98432275cc6bc264c";
        let hash = Some(DocumentHash::of("{hello}"));
        assert_eq!(DocumentHash::parse(digits), hash);
        assert_eq!(DocumentHash::parse(&digits.to_uppercase()), hash);
        assert_eq!(DocumentHash::parse(&format!("sha256:{digits}")), hash);
        for bad in ["", "abc", &digits[1..], &format!("g{}", &digits[1..]), &"é".repeat(32)] {
            assert_eq!(DocumentHash::parse(bad), None, "{bad}");
        }
    }

    fn keep(documents: &PersistedDocuments, key: CallerKey, text: &str) {
        documents.keep(key, DocumentHash::of(text), text.into());
    }

    fn kept(documents: &PersistedDocuments, text: &str) -> bool {
        documents.find(DocumentHash::of(text)).is_some()
    }

    fn user(hash: u64) -> CallerKey {
        CallerKey { hash, is_user: true, is_program: false }
    }

    #[test]
    fn documents_beyond_the_bound_are_forgotten_and_those_in_use_are_not() {
        let documents = PersistedDocuments::default();
        keep(&documents, user(0), "used");
        for number in 0..USERS_MAX {
            let key = user(1 + (number % 20) as u64);
            keep(&documents, key, &number.to_string());
            assert!(kept(&documents, "used"));
        }
        assert!(!kept(&documents, "0") && kept(&documents, "1"));
    }

    #[test]
    fn strangers_push_out_nothing_of_users_and_a_caller_only_what_is_its_own() {
        let documents = PersistedDocuments::default();
        let stranger = CallerKey { hash: 9, is_user: false, is_program: false };
        keep(&documents, user(1), "ada's");
        keep(
            &documents,
            CallerKey { hash: 8, is_user: false, is_program: false },
            "another stranger's",
        );
        for number in 0..2 * USERS_MAX {
            keep(&documents, stranger, &format!("stranger {number}"));
            keep(&documents, user(2), &format!("bob {number}"));
        }
        assert!(kept(&documents, "ada's") && kept(&documents, "another stranger's"));
        let left = (0..2 * USERS_MAX).filter(|number| kept(&documents, &format!("bob {number}")));
        assert_eq!(left.count(), USER_MAX);
        // A user who needs a stranger's document keeps it for all.
        keep(&documents, user(1), "stranger 1999");
        for number in 0..STRANGER_MAX {
            keep(&documents, stranger, &format!("again {number}"));
        }
        assert!(kept(&documents, "stranger 1999"));
    }
}
