//! The parameters of a request, from JSON or from a URL.
//!
//! Source: GraphQL over HTTP (draft), section "Request Parameters".

use async_graphql::{Request, Value, Variables};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

use crate::answer::refusal::{Refusal, code};
use crate::documents::{Documents, Reading};
use crate::gate::{Admitted, GateLimits, json_nested_within};

/// The request of an execution.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Params {
    /// The document, if the request has it.
    #[serde(default)]
    pub query: Option<String>,
    /// The ID of a document instead of `query`.
    #[serde(default)]
    document_id: Option<String>,
    /// The operation of the document that runs.
    #[serde(default)]
    pub operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Variables>,
    #[serde(default)]
    extensions: Option<HashMap<String, Value>>,
}

/// The extension in which Apollo's clients put the hash of a document.
const PERSISTED_QUERY: &str = "persistedQuery";

const SHAPE: &str = "Send a JSON object with `query` (a string) and, if needed, `operationName` (a string), \
                     `variables` (an object) and `extensions` (an object).";

impl Params {
    /// Reads the body of a POST.
    ///
    /// # Errors
    /// A [`Refusal`] that names the limit, or the place that has not the right form.
    pub fn from_json(body: &[u8], limits: &GateLimits) -> Result<Self, Refusal> {
        // One bracket of the JSON is the request itself.
        if !json_nested_within(body, limits.json_nesting_max + 1) {
            return Err(too_deep(limits));
        }
        if body.trim_ascii_start().starts_with(b"[") {
            let message = "This server takes one request at a time, not a JSON array of them.";
            return Err(Refusal::new(code::BATCH_UNSUPPORTED, message));
        }
        serde_json::from_slice(body).map_err(|error| explain(&error))
    }

    /// Reads the query string of a GET.
    ///
    /// # Errors
    /// A [`Refusal`] that names the limit, or the place that has not the right form.
    pub fn from_url(query: &str, limits: &GateLimits) -> Result<Self, Refusal> {
        let mut params = Self {
            query: None,
            document_id: None,
            operation_name: None,
            variables: None,
            extensions: None,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "query" => {
                    params.query = Some(value.into_owned());
                }
                "documentId" if !value.is_empty() => {
                    params.document_id = Some(value.into_owned());
                }
                "operationName" if !value.is_empty() => {
                    params.operation_name = Some(value.into_owned());
                }
                "variables" => params.variables = from_text(&value, limits)?,
                "extensions" => params.extensions = from_text(&value, limits)?,
                _ => {}
            }
        }
        if params.names_document() {
            return Ok(params);
        }
        let message = "The URL has no `query`; add ?query=... or send the request by POST.";
        Err(Refusal::new(code::BAD_REQUEST, message))
    }

    /// A value of `extensions`.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&Value> {
        self.extensions.as_ref()?.get(name)
    }

    /// Whether it names anything to execute.
    #[must_use]
    pub fn names_document(&self) -> bool {
        let persisted = || self.extensions.as_ref()?.get(PERSISTED_QUERY);
        let is_persisted = || persisted().is_some_and(|given| *given != Value::Null);
        self.query.is_some() || self.document_id.is_some() || is_persisted()
    }

    /// The document as the client names it: its ID, or the hash by which Apollo's clients persist
    /// it.
    ///
    /// # Errors
    /// A [`Refusal`] if `extensions.persistedQuery` has not the right form.
    pub fn document_name(&self) -> Result<Option<&str>, Refusal> {
        let hash = self.persisted_hash()?;
        Ok(self.document_id.as_deref().or(hash))
    }

    /// The hash in `extensions.persistedQuery`.
    ///
    /// # Errors
    /// A [`Refusal`] if `extensions.persistedQuery` has not the right form.
    pub fn persisted_hash(&self) -> Result<Option<&str>, Refusal> {
        let extensions = self.extensions.as_ref();
        let given = extensions.and_then(|extensions| extensions.get(PERSISTED_QUERY));
        // A null value counts as missing.
        let Some(given) = given.filter(|given| **given != Value::Null) else { return Ok(None) };
        if let Value::Object(given) = given
            && let Some(Value::String(hash)) = given.get("sha256Hash")
            && given.get("version") == Some(&Value::from(1))
        {
            return Ok(Some(hash));
        }
        let message =
            "`extensions.persistedQuery` has to have `version`: 1 and `sha256Hash`, a string.";
        Err(Refusal::new(code::BAD_REQUEST, message))
    }

    /// Passes the query through the gate.
    ///
    /// # Errors
    /// A [`Refusal`] that names the limit, or the place that is not GraphQL.
    pub fn admit(
        &self,
        documents: &Arc<Documents>,
        limits: &GateLimits,
    ) -> Result<(Admitted, Reading), Refusal> {
        let query = self.query.as_deref().ok_or_else(|| Refusal::new(code::BAD_REQUEST, SHAPE))?;
        documents.admit(query, self.operation_name.as_deref(), limits)
    }

    /// The request, for execution after the gate passed [`query`](Self::query).
    #[must_use]
    pub fn into_request(self) -> Request {
        let mut request = Request::new(self.query.unwrap_or_default())
            .variables(self.variables.unwrap_or_default());
        request.operation_name = self.operation_name;
        request.extensions.0 = self.extensions.unwrap_or_default();
        request
    }
}

fn from_text<T: for<'a> Deserialize<'a>>(
    text: &str,
    limits: &GateLimits,
) -> Result<Option<T>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    if !json_nested_within(text.as_bytes(), limits.json_nesting_max) {
        return Err(too_deep(limits));
    }
    serde_json::from_str(text).map_err(|error| explain(&error))
}

fn too_deep(limits: &GateLimits) -> Refusal {
    let max = limits.json_nesting_max;
    Refusal::new(
        code::JSON_TOO_DEEP,
        format!("The variables are nested deeper than {max} brackets."),
    )
}

/// The library's messages quote the input and name our types. A client needs only the position.
fn explain(error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    let message = if error.is_data() {
        format!("The request does not have the right form (line {line}, column {column}). {SHAPE}")
    } else {
        format!("The request is not valid JSON (line {line}, column {column}). {SHAPE}")
    };
    Refusal::new(code::BAD_REQUEST, message)
}
