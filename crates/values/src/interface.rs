//! Interfaces whose fields and objects follow from other types.

use async_graphql::{
    OutputType,
    indexmap::{IndexMap, IndexSet},
    registry::{MetaField, MetaType},
};

/// The description of the interface `T`, with these fields and objects.
pub fn interface<T: OutputType>(
    description: &str,
    fields: IndexMap<String, MetaField>,
    objects: IndexSet<String>,
) -> MetaType {
    MetaType::Interface {
        name: T::type_name().into_owned(),
        description: Some(description.to_owned()),
        fields,
        possible_types: objects,
        extends: false,
        keys: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: Some(std::any::type_name::<T>()),
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}
