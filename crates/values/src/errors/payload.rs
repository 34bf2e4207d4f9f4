//! `ActionPayload`: the interface of the results of all mutations.
//!
//! **Invariant:** every object whose name ends in `Payload` implements it. There is no list of them.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    indexmap::{IndexMap, IndexSet},
    parser::types::Field,
    registry::{MetaType, MetaTypeId, Registry},
};

use crate::interface;

const NAME: &str = "ActionPayload";

/// The interface. No field returns it, so it has no values.
pub enum ActionPayload {}

impl OutputType for ActionPayload {
    fn type_name() -> Cow<'static, str> {
        NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Interface, |registry| {
            let (mut fields, mut payloads) = (IndexMap::new(), IndexSet::new());
            for (name, object) in &registry.types {
                let MetaType::Object { fields: own, .. } = object else { continue };
                if let Some(refusal) = own.get("refusal").filter(|_| name.ends_with("Payload")) {
                    fields.insert("refusal".to_owned(), refusal.clone());
                    payloads.insert(name.clone());
                }
            }
            for payload in &payloads {
                registry.add_implements(payload, NAME);
            }
            interface::<Self>("The result of a mutation.", fields, payloads)
        })
    }

    async fn resolve(
        &self,
        _context: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match *self {}
    }
}
