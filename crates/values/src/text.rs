//! Texts of any length in answers.
//!
//! **Invariant:** a long text charges its bytes before the answer has a copy of it, each time that
//! it is requested.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, Error, Json, Name, OutputType, Positioned, ServerResult, Value,
    parser::types::Field,
    registry::{MetaType, Registry},
};
use async_graphql_value::RAW_VALUE_TOKEN;
use rookery_graphql_edge::Budget;
use serde_json::value::RawValue;

use super::scalars::Uri;

/// From this length on a text is long, and charges its bytes itself.
pub const LONG_BYTES: usize = 1024;

/// The specification of the scalar `JSON`.
const JSON_SPECIFICATION: &str = "https://www.rfc-editor.org/rfc/rfc8259";

/// Defines a text that may be long, with the GraphQL type of another one.
macro_rules! long_text {
    ($name:ident, $graphql:ty, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name(pub String);

        impl OutputType for $name {
            fn type_name() -> Cow<'static, str> {
                <$graphql as OutputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <$graphql as OutputType>::create_type_info(registry)
            }

            async fn resolve(
                &self,
                context: &ContextSelectionSet<'_>,
                field: &Positioned<Field>,
            ) -> ServerResult<Value> {
                take(self.0.len(), context, field).await?;
                Ok(Value::String(self.0.clone()))
            }
        }
    };
}

long_text!(Text, String, "A `String` that may be long.");
long_text!(UriText, Uri, "An address that may be long. It is sent as it was received.");

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// JSON that was written before. It is sent unchanged.
#[derive(Clone, Copy, Debug)]
pub struct JsonText<'a>(pub &'a RawValue);

/// The same, owned.
#[derive(Clone, Debug)]
pub struct OwnedJsonText(pub Box<RawValue>);

impl OutputType for JsonText<'_> {
    fn type_name() -> Cow<'static, str> {
        <Json<serde_json::Value> as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = <Json<serde_json::Value> as OutputType>::create_type_info(registry);
        // The library names no specification.
        if let Some(MetaType::Scalar { specified_by_url, .. }) = registry.types.get_mut("JSON") {
            *specified_by_url = Some(JSON_SPECIFICATION.to_owned());
        }
        name
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let text = self.0.get();
        take(text.len(), context, field).await?;
        let written = (Name::new(RAW_VALUE_TOKEN), Value::String(text.to_owned()));
        Ok(Value::Object([written].into_iter().collect()))
    }
}

impl OutputType for OwnedJsonText {
    fn type_name() -> Cow<'static, str> {
        JsonText::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        JsonText::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        JsonText(&self.0).resolve(context, field).await
    }
}

/// Charges the bytes of a text in the answer, if it is long.
async fn take(
    len: usize,
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<()> {
    match context.data_opt::<Budget>().filter(|_| len >= LONG_BYTES) {
        // Boxed, so that the future of a field with a text stays small.
        Some(budget) => Box::pin(take_from(budget, len, context, field)).await,
        None => Ok(()),
    }
}

async fn take_from(
    budget: &Budget,
    len: usize,
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<()> {
    let taken = match budget.pause().await {
        Ok(()) => budget.take(len).await,
        exhausted => exhausted,
    };
    taken.map_err(|error| context.set_error_path(Error::from(error).into_server_error(field.pos)))
}
