//! The schema as clients read it, and the examples for them.

use std::sync::Arc;

use async_graphql::{
    ServerError, ValidationResult, Value,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation},
};
use futures_util::StreamExt as _;
use rookery_graphql_documents::{GateLimits, admit};

use crate::schema::{GUARDED_FIELDS, builder};

/// The operations on the pages, separated by lines that start with `# ---`.
const EXAMPLES: &str = include_str!("../../../web/pages/examples.graphql");

/// Ends each request once it has passed validation, with this message as its only error.
const VALID: &str = "valid";

struct OnlyValidate;

impl ExtensionFactory for OnlyValidate {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for OnlyValidate {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(context).await?;
        Err(vec![ServerError::new(VALID, None)])
    }
}

async fn validate(document: &str) -> Vec<String> {
    let schema = builder().extension(OnlyValidate).finish();
    let mut responses = schema.execute_stream(document).boxed();
    let response = responses.next().await.expect("a request has a response");
    response.errors.into_iter().map(|error| error.message).collect()
}

#[tokio::test]
async fn every_example_fits_the_schema() {
    for example in EXAMPLES.split("\n# ---\n") {
        assert_eq!(validate(example).await, [VALID], "{example}");
    }
}

#[tokio::test]
async fn an_example_that_does_not_fit_is_noticed() {
    for example in ["{ nothing }", "mutation { sendMessage(input: {}) { refusal } }"] {
        assert_ne!(validate(example).await, [VALID], "{example}");
    }
}

const INTROSPECTION: &str = "{ __schema { types { name description
    enumValues { name description } inputFields { name description }
    fields { name description args { name description } } } } }";

/// The paths of all parts without a description.
fn undescribed(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| undescribed(path, item, found)),
        Value::Object(object) => {
            let Some(Value::String(name)) = object.get("name") else { return };
            let path = format!("{path}.{name}");
            if !matches!(object.get("description"), Some(Value::String(text)) if !text.is_empty()) {
                found.push(path.clone());
            }
            object.values().for_each(|value| undescribed(&path, value, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn everything_has_a_description() {
    let response = builder().finish().execute(INTROSPECTION).await;
    assert_eq!(response.errors, []);
    let Value::Object(data) = response.data else { panic!("introspection has data") };
    let Some(Value::Object(schema)) = data.get("__schema") else { panic!("a schema is there") };
    let mut found = Vec::new();
    undescribed("", &schema["types"], &mut found);
    // The specification describes these.
    found.retain(|path| !path.starts_with(".__") && path != ".ID");
    assert_eq!(found, [""; 0], "these lack a description");
}

#[test]
fn every_payload_is_an_action_payload() {
    let sdl = crate::schema::sdl();
    let payloads: Vec<_> = sdl
        .lines()
        .filter_map(|line| line.trim().rsplit_once("): ")?.1.strip_suffix("Payload!"))
        .collect();
    assert!(payloads.len() >= 35, "{payloads:?}");
    for payload in payloads {
        let implements = format!("type {payload}Payload implements ActionPayload {{");
        assert!(sdl.contains(&implements), "{implements}");
        let input = format!("input {payload}Input {{");
        assert!(sdl.contains(&input), "{payload} has no input of its own");
    }
}

#[test]
fn every_example_passes_the_gate() {
    let examples: Vec<_> = EXAMPLES.split("\n# ---\n").collect();
    assert_eq!(examples.len(), EXAMPLES.matches("# ---").count() + 1);
    let limits = GateLimits { guarded: GUARDED_FIELDS, ..GateLimits::default() };
    for example in examples {
        let admitted = admit(example, None, &limits);
        assert!(admitted.is_ok_and(|admitted| admitted.name.is_some()), "{example}");
    }
}
