//! Where a document uses its variables, and whether values fit there.
//!
//! Of the rules of validation only one looks at values of variables: that arguments are of the right type. Here it is
//! asked again for a document that is known, without walking the document.
//!
//! **Invariant:** values that fit here are values that validation accepts. The other way round need not hold: what
//! does not surely fit is validated in full.
//!
//! Source: async-graphql 7.2.1, `validation/rules/arguments_of_correct_type.rs` and `validation/utils.rs`.

use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Positioned, SchemaEnv, Variables};
use async_graphql::{Value as ConstValue, indexmap::IndexMap};
use async_graphql_value::Value;

/// The memory of a field, a fragment or a definition, roughly: its own size and what the allocator adds.
const SELECTION_BYTES: usize = 320;

/// The memory of an argument or a directive, roughly.
const ARGUMENT_BYTES: usize = 192;

/// All places where a document uses variables.
pub(super) struct Uses {
    schema: SchemaEnv,
    places: Vec<Place>,
    /// A place was found whose type is not known.
    unknown: bool,
}

/// A value that holds variables, and the type that it has to be of.
struct Place {
    type_name: String,
    value: Value,
}

impl Uses {
    /// The uses of `document`, and how much memory both take, roughly.
    pub(super) fn of(document: &ExecutableDocument, schema: SchemaEnv) -> (Self, usize) {
        let mut walk =
            Walk { registry: &schema.registry, places: Vec::new(), unknown: false, bytes: 0 };
        for (_, operation) in document.operations.iter() {
            let operation = &operation.node;
            let root = match operation.ty {
                async_graphql::parser::types::OperationType::Query => {
                    Some(&walk.registry.query_type)
                }
                async_graphql::parser::types::OperationType::Mutation => {
                    walk.registry.mutation_type.as_ref()
                }
                async_graphql::parser::types::OperationType::Subscription => {
                    walk.registry.subscription_type.as_ref()
                }
            };
            let root = root.and_then(|root| walk.registry.types.get(root));
            walk.bytes += operation.variable_definitions.len() * ARGUMENT_BYTES;
            walk.directives(&operation.directives);
            walk.selections(root, &operation.selection_set.node);
        }
        for fragment in document.fragments.values() {
            let on = walk.registry.types.get(fragment.node.type_condition.node.on.node.as_str());
            walk.directives(&fragment.node.directives);
            walk.selections(on, &fragment.node.selection_set.node);
        }
        let Walk { places, unknown, bytes, .. } = walk;
        (Self { schema, places, unknown }, bytes)
    }

    /// Whether validation would surely find nothing wrong with `variables`.
    pub(super) fn surely_fit(&self, variables: &Variables) -> bool {
        let registry = &self.schema.registry;
        !self.unknown
            && self.places.iter().all(|Place { type_name, value }| match value {
                Value::Variable(name) => {
                    variables.get(name).is_none_or(|value| surely_fits(registry, type_name, value))
                }
                value => {
                    let given = |name: Name| variables.get(&name).cloned().ok_or(());
                    let value = value.clone().into_const_with(given);
                    // A variable that is missing keeps the library from looking.
                    value.is_ok_and(|value| surely_fits(registry, type_name, &value))
                }
            })
    }
}

struct Walk<'a> {
    registry: &'a Registry,
    places: Vec<Place>,
    unknown: bool,
    bytes: usize,
}

impl<'a> Walk<'a> {
    fn selections(&mut self, parent: Option<&'a MetaType>, set: &SelectionSet) {
        for selection in &set.items {
            self.bytes += SELECTION_BYTES;
            self.directives(selection.node.directives());
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let meta = parent.and_then(|parent| parent.field_by_name(&field.name.node));
                    self.arguments(meta.map(|meta| &meta.args), &field.arguments);
                    let of = meta.map(|meta| MetaTypeName::concrete_typename(&meta.ty));
                    let of = of.and_then(|of| self.registry.types.get(of));
                    self.selections(of, &field.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    let on = match &fragment.node.type_condition {
                        Some(on) => self.registry.types.get(on.node.on.node.as_str()),
                        None => parent,
                    };
                    self.selections(on, &fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        for directive in directives {
            self.bytes += ARGUMENT_BYTES;
            let meta = self.registry.directives.get(directive.node.name.node.as_str());
            self.arguments(meta.map(|meta| &meta.args), &directive.node.arguments);
        }
    }

    fn arguments(
        &mut self,
        meta: Option<&IndexMap<String, MetaInputValue>>,
        arguments: &[(Positioned<Name>, Positioned<Value>)],
    ) {
        for (name, value) in arguments {
            let mut variables = 0;
            self.bytes += weigh(&value.node, &mut variables);
            if variables == 0 {
                continue;
            }
            match meta.and_then(|meta| meta.get(name.node.as_str())) {
                Some(argument) => {
                    self.bytes += 2 * ARGUMENT_BYTES;
                    let (type_name, value) = (argument.ty.clone(), value.node.clone());
                    self.places.push(Place { type_name, value });
                }
                None => self.unknown = true,
            }
        }
    }
}

/// Adds up the memory of a value, roughly, and counts its variables. As deep as the gate lets documents be.
fn weigh(value: &Value, variables: &mut usize) -> usize {
    ARGUMENT_BYTES
        + match value {
            Value::Variable(_) => {
                *variables += 1;
                0
            }
            Value::List(items) => items.iter().map(|item| weigh(item, variables)).sum(),
            Value::Object(fields) => fields.values().map(|field| weigh(field, variables)).sum(),
            Value::String(text) => text.len(),
            _ => 0,
        }
}

fn surely_fits(registry: &Registry, type_name: &str, value: &ConstValue) -> bool {
    match MetaTypeName::create(type_name) {
        MetaTypeName::NonNull(of) => *value != ConstValue::Null && surely_fits(registry, of, value),
        MetaTypeName::List(of) => match value {
            ConstValue::List(items) => items.iter().all(|item| surely_fits(registry, of, item)),
            ConstValue::Null => true,
            value => surely_fits(registry, of, value),
        },
        MetaTypeName::Named(_) if *value == ConstValue::Null => true,
        MetaTypeName::Named(name) => match registry.types.get(name) {
            Some(MetaType::Scalar { is_valid, .. }) => {
                is_valid.as_ref().is_none_or(|is_valid| is_valid(value))
            }
            Some(MetaType::Enum { enum_values, .. }) => match value {
                ConstValue::Enum(name) => enum_values.contains_key(name.as_str()),
                ConstValue::String(name) => enum_values.contains_key(name.as_str()),
                _ => false,
            },
            Some(MetaType::InputObject { input_fields, oneof, .. }) => {
                let ConstValue::Object(given) = value else { return false };
                let one =
                    given.len() == 1 && given.values().all(|value| *value != ConstValue::Null);
                let known = given.keys().all(|name| input_fields.contains_key(name.as_str()));
                (one || !oneof)
                    && known
                    && input_fields.values().all(|field| match given.get(field.name.as_str()) {
                        Some(value) => surely_fits(registry, &field.ty, value),
                        None => {
                            field.default_value.is_some()
                                || !MetaTypeName::create(&field.ty).is_non_null()
                        }
                    })
            }
            _ => false,
        },
    }
}
