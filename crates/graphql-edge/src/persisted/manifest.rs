//! The list of allowed documents, as code generators write it.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::DocumentHash;

/// The allowed documents.
#[derive(Debug)]
pub struct AllowList {
    by_id: HashMap<String, Arc<str>>,
    by_hash: HashMap<DocumentHash, Arc<str>>,
}

/// A file is not a list of documents.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It has none of the known forms.
    #[error(
        "expected a JSON object of documents by ID (graphql-code-generator, Relay), or Apollo's \
         manifest with `format` and `operations`: {0}"
    )]
    Shape(#[from] serde_json::Error),
    /// It is Apollo's, of an unknown version.
    #[error(
        "expected `apollo-persisted-query-manifest` of version 1, found {format:?} of version {version}"
    )]
    Version {
        /// The format in the file.
        format: String,
        /// The version in the file.
        version: u64,
    },
    /// The list is empty, so nothing could run.
    #[error("the list has no documents")]
    Empty,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo { format: String, version: u64, operations: Vec<ApolloOperation> },
    ById(HashMap<String, String>),
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    body: String,
}

impl AllowList {
    /// Reads a manifest: `persisted-documents.json` of graphql-code-generator's client preset, the file that Relay's
    /// compiler writes, or Apollo's.
    ///
    /// # Errors
    /// [`ManifestError`]
    pub fn read(manifest: &str) -> Result<Self, ManifestError> {
        let documents: Vec<(String, String)> = match serde_json::from_str(manifest)? {
            Manifest::ById(documents) => documents.into_iter().collect(),
            Manifest::Apollo { format, version, .. }
                if (&*format, version) != ("apollo-persisted-query-manifest", 1) =>
            {
                return Err(ManifestError::Version { format, version });
            }
            Manifest::Apollo { operations, .. } => {
                operations.into_iter().map(|operation| (operation.id, operation.body)).collect()
            }
        };
        if documents.is_empty() {
            return Err(ManifestError::Empty);
        }
        let mut list = Self { by_id: HashMap::new(), by_hash: HashMap::new() };
        for (id, text) in documents {
            let text: Arc<str> = text.into();
            list.by_hash.insert(DocumentHash::of(&text), Arc::clone(&text));
            list.by_id.insert(id, text);
        }
        Ok(list)
    }

    /// How many documents are allowed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// The document with this ID or this hash.
    pub(crate) fn find(&self, id: &str) -> Option<&Arc<str>> {
        self.by_id.get(id).or_else(|| self.by_hash.get(&DocumentHash::parse(id)?))
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.by_hash.contains_key(&DocumentHash::of(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_manifest_is_read() {
        let codegen = r#"{ "9f3a": "query A { me }", "0c": "query B { you }" }"#;
        let apollo = r#"{ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            { "id": "9f3a", "name": "A", "type": "query", "body": "query A { me }" } ] }"#;
        for manifest in [codegen, apollo] {
            let list = AllowList::read(manifest).expect("a list");
            assert_eq!(list.find("9f3a").map(|text| &**text), Some("query A { me }"));
            assert!(list.contains("query A { me }"));
            assert!(!list.contains("query A { me you }"));
            assert!(list.find("9f3b").is_none());
        }
        assert_eq!(AllowList::read(codegen).map(|list| list.len()).ok(), Some(2));
    }

    #[test]
    fn what_is_no_list_is_refused_with_what_was_expected() {
        for (manifest, expected) in [
            ("[]", "expected a JSON object"),
            ("{", "expected a JSON object"),
            ("{}", "no documents"),
            (r#"{ "a": 1 }"#, "expected a JSON object"),
            (r#"{ "format": "apollo", "version": 2, "operations": [] }"#, "version 2"),
        ] {
            let refused = AllowList::read(manifest).expect_err("no list").to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
