//! The fields of a schema, with their costs.

use std::collections::{HashMap, HashSet};

use apollo_compiler::Name;
use apollo_compiler::schema::{Component, ExtendedType, FieldDefinition};

use super::CostModel;
use crate::documents::Types;

/// The facts that the text of a schema does not contain. Fields are named as `Type.field`. A fact
/// about a field of an interface holds for its objects too.
#[derive(Clone, Copy, Debug)]
pub struct CostRules {
    /// Arguments that set the greatest length of a list.
    pub page_arguments: &'static [&'static str],
    /// The greatest value of such an argument.
    pub page_max: usize,
    /// The length of a field's list when its argument is left out.
    pub page_defaults: &'static [(&'static str, usize)],
    /// An argument that sets the length for the [`inheritors`](Self::inheritors) anywhere below.
    pub inherited_argument: &'static str,
    /// The fields that inherit it.
    pub inheritors: &'static [&'static str],
    /// An argument that extends a page to both sides.
    pub both_sides_argument: &'static str,
    /// The lengths of lists without a bounding argument. A list that is not named here is as long
    /// as a page.
    pub list_lengths: &'static [(&'static str, usize)],
    /// The cost of the fields of a type, where it is not 1.
    pub type_weights: &'static [(&'static str, usize)],
    /// The same for single fields.
    pub field_weights: &'static [(&'static str, usize)],
}

/// The facts about a field that the cost needs.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are facts of the schema, each by itself")]
pub(super) struct Field {
    pub(super) weight: usize,
    /// The type of its values, or of their items.
    pub(super) of: String,
    pub(super) is_list: bool,
    /// Whether it has a page argument.
    pub(super) is_paged: bool,
    pub(super) page_default: Option<usize>,
    pub(super) inherits: bool,
    /// Its length, whatever the request is.
    pub(super) length: Option<usize>,
    /// Whether its values have no fields.
    pub(super) is_leaf: bool,
}

impl CostModel {
    /// The costs of a schema.
    #[must_use]
    pub fn new(types: &Types, rules: CostRules) -> Self {
        let definitions = &types.schema().types;
        let has_fields = |of: &str| {
            !matches!(
                definitions.get(of),
                None | Some(
                    ExtendedType::Scalar(_) | ExtendedType::Enum(_) | ExtendedType::InputObject(_)
                )
            )
        };
        let mut costs = HashMap::new();
        for (name, definition) in definitions {
            let (fields, interfaces) = match definition {
                ExtendedType::Object(object) => {
                    (&object.fields, Some(&object.implements_interfaces))
                }
                ExtendedType::Interface(interface) => (&interface.fields, None),
                _ => continue,
            };
            // The types of introspection are no part of the text, and their fields cost 1.
            if definition.is_built_in() {
                continue;
            }
            let interfaces = interfaces.into_iter().flatten().map(|it| it.name.as_str());
            let owners: Vec<_> = [name.as_str()].into_iter().chain(interfaces).collect();
            let read = |(name, field): (&Name, &Component<FieldDefinition>)| {
                let is_leaf = !has_fields(field.ty.inner_named_type());
                (name.to_string(), Field::new(&owners, field, is_leaf, &rules))
            };
            costs.insert(name.to_string(), fields.iter().map(read).collect());
        }
        Self { types: costs, rules }
    }

    pub(super) fn field(&self, of: Option<&str>, name: &str) -> Option<&Field> {
        self.types.get(of?)?.get(name)
    }

    pub(super) fn rules(&self) -> &CostRules {
        &self.rules
    }

    /// The lists, as `Type.field`, with no length from an argument, from
    /// [`CostRules::list_lengths`] or from a page.
    #[must_use]
    pub fn without_length(&self) -> Vec<String> {
        let fields = self.types.values().flat_map(HashMap::values);
        let pages: HashSet<_> =
            fields.filter(|field| field.is_paged).map(|field| &field.of).collect();
        let lacks = |field: &Field| field.is_list && !field.is_paged && field.length.is_none();
        let fields = self.types.iter().filter(|(of, _)| !pages.contains(of));
        let fields = fields.flat_map(|(of, fields)| {
            let lacking = fields.iter().filter(|(_, field)| lacks(field));
            lacking.map(move |(name, _)| format!("{of}.{name}"))
        });
        fields.collect()
    }

    /// The fields, as `Type.field`, whose length has a default that [`CostRules::page_defaults`] lacks.
    #[must_use]
    pub fn without_default(&self) -> Vec<String> {
        let lacks = |field: &Field| field.is_paged && field.page_default.is_none();
        let fields = self.types.iter().flat_map(|(of, fields)| {
            let lacking = fields.iter().filter(|(_, field)| lacks(field));
            lacking.map(move |(name, _)| format!("{of}.{name}"))
        });
        fields.collect()
    }
}

impl Field {
    /// A field of a type and of its interfaces.
    fn new(owners: &[&str], field: &FieldDefinition, is_leaf: bool, rules: &CostRules) -> Self {
        let paths: Vec<_> = owners.iter().map(|of| format!("{of}.{}", field.name)).collect();
        let find = |table: &[(&str, usize)], keys: &[String]| {
            let value = |key: &String| table.iter().find(|(name, _)| name == key);
            keys.iter().find_map(value).map(|(_, value)| *value)
        };
        let own = owners.first().map(|&name| [name.to_owned()]).unwrap_or_default();
        let is_page = |argument: &str| rules.page_arguments.contains(&argument);
        let weight = find(rules.field_weights, &paths).or_else(|| find(rules.type_weights, &own));
        Self {
            weight: weight.unwrap_or(1),
            of: field.ty.inner_named_type().to_string(),
            is_list: field.ty.is_list(),
            is_paged: field.arguments.iter().any(|argument| is_page(&argument.name)),
            page_default: find(rules.page_defaults, &paths),
            inherits: paths.iter().any(|path| rules.inheritors.contains(&path.as_str())),
            length: find(rules.list_lengths, &paths),
            is_leaf,
        }
    }
}
