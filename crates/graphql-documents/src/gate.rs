//! The gate in front of the GraphQL parser.
//!
//! async-graphql 7.2.1 spends seconds on documents of a few hundred bytes and overflows its stack on nested
//! literals, before any of its own limits apply. So every document passes here first: a lexer and a
//! recogniser that only count.
//!
//! **Invariant:** one pass over the bytes; the work after it is bounded by the limits, not by the input.
//! **Invariant:** a document that passes is one that the library reads in the same way or refuses.
//!
//! Source: GraphQL specification (September 2025), section 2.

mod document;
mod expand;
mod json;
mod lexer;
#[cfg(test)]
mod tests;

pub use json::{ESCAPED_MAX, json_nested_within, unescaped_len};
pub use lexer::significant;

use document::{Definition, Recogniser};
use expand::Expansion;

use crate::answer::refusal::{Refusal, code};

/// The limits of the gate.
#[derive(Clone, Debug)]
pub struct GateLimits {
    /// Length of a document, in bytes. An escape counts as two.
    pub query_bytes_max: usize,
    /// Open brackets of any kind, and nested selection sets after fragments are expanded.
    pub nesting_max: usize,
    /// Fragment definitions.
    pub fragments_max: usize,
    /// Fields, with `__typename` and aliases, in all operations, after fragments are expanded.
    pub fields_max: usize,
    /// The same for an introspection document, whose fields are answered once for each type. The
    /// standard introspection query has about 200.
    pub introspection_fields_max: usize,
    /// Nested lists of introspection that lead from types to types: each multiplies the answer.
    pub introspection_lists_max: usize,
    /// Fields at the root of one operation.
    pub root_fields_max: usize,
    /// Directives in the whole document.
    pub directives_max: usize,
    /// Directives at one place.
    pub directives_per_place_max: usize,
    /// Root fields of which an operation may have few.
    pub guarded: GuardedFields,
    /// Brackets of the JSON around and in variables.
    pub json_nesting_max: usize,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            query_bytes_max: 16 * 1024,
            nesting_max: 32,
            fragments_max: 16,
            fields_max: 1_000,
            introspection_fields_max: 400,
            introspection_lists_max: 1,
            root_fields_max: 10,
            directives_max: 64,
            directives_per_place_max: 8,
            guarded: GuardedFields::NONE,
            json_nesting_max: 32,
        }
    }
}

impl GateLimits {
    fn is_guarded(&self, field: &str) -> bool {
        self.guarded.names.contains(&field)
    }
}

/// Root fields that are too costly to be many in one operation, and the refusal of more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardedFields {
    /// The names of the fields.
    pub names: &'static [&'static str],
    /// How many of them, in all, an operation may have.
    pub max: usize,
    /// The code of the refusal.
    pub code: &'static str,
    /// The message of the refusal.
    pub message: &'static str,
}

impl GuardedFields {
    /// No field is guarded.
    pub const NONE: Self = Self {
        names: &[],
        max: usize::MAX,
        code: code::TOO_MANY_ROOT_FIELDS,
        message: "The operation has too many root fields of this kind; send several requests.",
    };
}

/// The kind of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// It reads.
    Query,
    /// It writes.
    Mutation,
    /// It follows events.
    Subscription,
}

impl OperationKind {
    /// The keyword.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// The operation that a document and an operation name choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Its kind.
    pub kind: OperationKind,
    /// Its name, if it has one. It is a GraphQL name, so it is safe to log.
    pub name: Option<String>,
    /// Whether the document asks for the schema.
    pub introspects: bool,
    /// Whether it asks for nothing else.
    pub only_introspects: bool,
}

/// Passes `query` to the parser, and returns which operation would run.
///
/// # Errors
/// A [`Refusal`] that names the limit, or the place that is not GraphQL.
pub fn admit(
    query: &str,
    operation_name: Option<&str>,
    limits: &GateLimits,
) -> Result<Admitted, Refusal> {
    Ok(choose(&operations(query.as_bytes(), limits)?, operation_name)?.clone())
}

#[cfg(test)]
fn admit_bytes(
    query: &[u8],
    operation_name: Option<&str>,
    limits: &GateLimits,
) -> Result<Admitted, Refusal> {
    Ok(choose(&operations(query, limits)?, operation_name)?.clone())
}

/// One operation of a document.
pub(crate) struct Operation {
    admitted: Admitted,
}

/// The operations of a document within the limits.
pub(crate) fn operations(query: &[u8], limits: &GateLimits) -> Result<Vec<Operation>, Refusal> {
    let max = limits.query_bytes_max;
    if query.len() > max && (query.len() > ESCAPED_MAX * max || unescaped_len(query) > max) {
        let message = format!("The document is longer than {max} bytes.");
        return Err(Refusal::new(code::QUERY_TOO_LARGE, message));
    }
    let definitions = Recogniser::definitions(query, limits)?;
    let data_fields = Expansion::check(&definitions, limits)?;
    let introspects = definitions.iter().any(|definition| definition.introspects);
    let operation = |definition: &Definition<'_>| {
        let admitted = Admitted {
            kind: definition.kind?,
            name: definition.name.map(str::to_owned),
            introspects,
            only_introspects: data_fields == 0,
        };
        Some(Operation { admitted })
    };
    Ok(definitions.iter().filter_map(operation).collect())
}

/// The operation that runs.
///
/// Source: GraphQL specification, section 6.1, `GetOperation`.
pub(crate) fn choose<'a>(
    operations: &'a [Operation],
    operation_name: Option<&str>,
) -> Result<&'a Admitted, Refusal> {
    if operation_name.is_some() {
        let named = |operation: &&Operation| operation.admitted.name.as_deref() == operation_name;
        let found = operations.iter().find(named).map(|operation| &operation.admitted);
        return found.ok_or_else(|| {
            Refusal::new(
                code::OPERATION_UNKNOWN,
                "The document has no operation with the name given as operationName.",
            )
        });
    }
    match operations {
        [only] => Ok(&only.admitted),
        [] => {
            let message = "The document contains no operation.";
            Err(Refusal::new(code::GRAPHQL_PARSE_FAILED, message))
        }
        _ => Err(Refusal::new(
            code::OPERATION_NAME_REQUIRED,
            "The document contains several operations; choose one with operationName.",
        )),
    }
}
