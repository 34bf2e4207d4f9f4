//! The fields of a schema, as far as they matter for the cost.

use std::collections::HashMap;

use async_graphql::parser::types::{
    BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Positioned, parser};

use super::CostModel;

/// What the text of a schema does not tell. Fields are named as `Type.field`.
#[derive(Clone, Copy, Debug)]
pub struct CostRules {
    /// Arguments that say how long a list is at most.
    pub page_arguments: &'static [&'static str],
    /// The most that such an argument may say.
    pub page_max: usize,
    /// How long the list of a field is when its argument is left out.
    pub page_defaults: &'static [(&'static str, usize)],
    /// An argument that says it for the fields of [`inheritors`](Self::inheritors) anywhere below.
    pub inherited_argument: &'static str,
    /// The fields that it is for.
    pub inheritors: &'static [&'static str],
    /// An argument with which a page reaches to both sides.
    pub both_sides_argument: &'static str,
    /// How long a list is taken to be that no argument bounds.
    pub list_assumed: usize,
    /// What fields of a type cost by themselves, where that is not 1.
    pub type_weights: &'static [(&'static str, usize)],
    /// The same for single fields.
    pub field_weights: &'static [(&'static str, usize)],
}

/// What matters of a field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) weight: usize,
    /// The type of its values, or of their items.
    pub(super) of: String,
    pub(super) is_list: bool,
    /// Whether it has a page argument.
    pub(super) is_paged: bool,
    pub(super) page_default: Option<usize>,
    pub(super) inherits: bool,
}

impl CostModel {
    /// The costs of the schema that `sdl` defines.
    ///
    /// # Errors
    /// `sdl` is no schema.
    pub fn new(sdl: &str, rules: CostRules) -> Result<Self, parser::Error> {
        let mut types = HashMap::new();
        for definition in parser::parse_schema(sdl)?.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let fields = match &definition.node.kind {
                TypeKind::Object(object) => &object.fields,
                TypeKind::Interface(interface) => &interface.fields,
                _ => continue,
            };
            let name = definition.node.name.node.to_string();
            let read = |field: &Positioned<FieldDefinition>| {
                (field.node.name.node.to_string(), Field::new(&name, &field.node, &rules))
            };
            let fields = fields.iter().map(read).collect();
            types.insert(name, fields);
        }
        Ok(Self { types, rules })
    }

    pub(super) fn field(&self, of: Option<&str>, name: &str) -> Option<&Field> {
        self.types.get(of?)?.get(name)
    }

    pub(super) fn rules(&self) -> &CostRules {
        &self.rules
    }

    /// The fields, as `Type.field`, whose length has a default that [`CostRules::page_defaults`] lacks.
    #[cfg(test)]
    pub(crate) fn without_default(&self) -> Vec<String> {
        let lacks = |field: &Field| field.is_paged && field.page_default.is_none();
        let fields = self.types.iter().flat_map(|(of, fields)| {
            let lacking = fields.iter().filter(|(_, field)| lacks(field));
            lacking.map(move |(name, _)| format!("{of}.{name}"))
        });
        fields.collect()
    }
}

impl Field {
    fn new(of: &str, field: &FieldDefinition, rules: &CostRules) -> Self {
        let path = format!("{of}.{}", field.name.node);
        let find = |table: &[(&str, usize)], key: &str| {
            table.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
        };
        let is_page = |argument: &str| rules.page_arguments.contains(&argument);
        let weight = find(rules.field_weights, &path).or_else(|| find(rules.type_weights, of));
        let (named, is_list) = named(&field.ty.node);
        Self {
            weight: weight.unwrap_or(1),
            of: named.to_owned(),
            is_list,
            is_paged: field.arguments.iter().any(|argument| is_page(&argument.node.name.node)),
            page_default: find(rules.page_defaults, &path),
            inherits: rules.inheritors.contains(&path.as_str()),
        }
    }
}

/// The named type within `ty`, and whether it stands in a list.
fn named(ty: &Type) -> (&str, bool) {
    match &ty.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(inner) => (named(inner).0, true),
    }
}
