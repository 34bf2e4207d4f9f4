//! The types of a schema, for validation of documents and completion of answers.
//!
//! **Invariant:** the text of the schema is parsed and validated once, when the server starts.

use std::collections::HashMap;

use apollo_compiler::ast::{
    Directive, DirectiveList, FieldDefinition as AstFieldDefinition, InputValueDefinition, Type,
};
use apollo_compiler::schema::{Component, ExtendedType, FieldDefinition, InputObjectType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema, name, ty};

/// A schema that documents are validated against.
#[derive(Debug)]
pub struct Types {
    schema: Valid<Schema>,
    /// The objects that a value of a type can be.
    possible: HashMap<Name, Vec<Name>>,
}

/// The text is not a valid schema.
#[derive(Debug, thiserror::Error)]
#[error("the schema is not valid: {0}")]
pub struct TypesError(String);

/// The fields of objects to which the schema applies one directive, with the value of its argument.
#[derive(Debug, Default)]
pub struct FieldMarks(HashMap<Name, HashMap<Name, String>>);

impl FieldMarks {
    /// The marked fields of each object, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().flat_map(|(object, fields)| {
            let fields = fields.iter();
            fields.map(|(field, value)| (object.as_str(), field.as_str(), value.as_str()))
        })
    }
}

impl Types {
    /// The types of the schema that `sdl` defines.
    ///
    /// # Errors
    /// `sdl` is not a valid schema.
    pub fn new(sdl: &str) -> Result<Self, TypesError> {
        let schema = Schema::parse(sdl, "schema.graphql");
        Self::of(schema.map_err(|errors| TypesError(errors.to_string()))?)
    }

    /// The types of a schema whose fields are marked with a directive that is no part of the
    /// schema, and its marks.
    ///
    /// # Errors
    /// `sdl` without the marks is not a valid schema.
    pub fn marked(sdl: &str, directive: &str) -> Result<(Self, FieldMarks), TypesError> {
        let schema = Schema::parse(sdl, "schema.graphql");
        let mut schema = schema.map_err(|errors| TypesError(errors.to_string()))?;
        let marks = take_marks(&mut schema, directive);
        Ok((Self::of(schema)?, marks))
    }

    fn of(mut schema: Schema) -> Result<Self, TypesError> {
        add_one_of(&mut schema);
        let schema = schema.validate().map_err(|errors| TypesError(errors.to_string()))?;
        let mut possible = HashMap::new();
        let implementers = schema.implementers_map();
        for (name, definition) in &schema.types {
            let mut objects: Vec<Name> = match definition {
                ExtendedType::Object(_) => vec![name.clone()],
                ExtendedType::Interface(_) => implementers
                    .get(name)
                    .map(|found| found.objects.iter().cloned().collect())
                    .unwrap_or_default(),
                ExtendedType::Union(union) => {
                    union.members.iter().map(|member| member.name.clone()).collect()
                }
                _ => continue,
            };
            objects.sort();
            possible.insert(name.clone(), objects);
        }
        Ok(Self { schema, possible })
    }

    pub(crate) fn schema(&self) -> &Valid<Schema> {
        &self.schema
    }

    /// The names of the objects that a value of the type `of` can be, sorted. Empty if there is no such type of
    /// objects.
    pub fn objects_of(&self, of: &str) -> impl Iterator<Item = &str> {
        self.possible(of).iter().map(Name::as_str)
    }

    /// Whether a selection on `condition` applies to an `object`; `None` if there is no such type of
    /// objects.
    #[must_use]
    pub fn applies_to(&self, condition: &str, object: &str) -> Option<bool> {
        self.possible.contains_key(condition).then(|| self.applies(condition, object))
    }

    /// The named type of a field, without lists and nulls.
    #[must_use]
    pub fn named_type(&self, of: &str, field: &str) -> Option<&str> {
        self.field(of, field).map(|ty| ty.inner_named_type().as_str())
    }

    /// The objects that a value of this type can be, sorted.
    pub(super) fn possible(&self, of: &str) -> &[Name] {
        self.possible.get(of).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a value of the type `object` is one of the type `condition`.
    pub(super) fn applies(&self, condition: &str, object: &str) -> bool {
        condition == object || self.schema.is_subtype(condition, object)
    }

    /// Whether values of this type are objects of one type.
    pub(super) fn is_object(&self, of: &str) -> bool {
        matches!(self.schema.types.get(of), Some(ExtendedType::Object(_)))
    }

    /// The interfaces that an object implements.
    pub(super) fn interfaces(&self, object: &str) -> impl Iterator<Item = &Name> {
        let found = match self.schema.types.get(object) {
            Some(ExtendedType::Object(object)) => Some(&object.implements_interfaces),
            _ => None,
        };
        found.into_iter().flatten().map(|interface| &interface.name)
    }

    /// The type of a field.
    pub(super) fn field(&self, of: &str, name: &str) -> Option<&Type> {
        self.schema.type_field(of, name).ok().map(|field| &field.ty)
    }

    /// The definition of an input object.
    pub(super) fn input(&self, of: &str) -> Option<&Node<InputObjectType>> {
        match self.schema.types.get(of) {
            Some(ExtendedType::InputObject(input)) => Some(input),
            _ => None,
        }
    }
}

/// Whether exactly one field of the input object is given.
pub(super) fn is_one_of(input: &InputObjectType) -> bool {
    input.directives.iter().any(|directive| directive.name == "oneOf")
}

/// Whether a value has to be given.
pub(super) fn is_required(definition: &InputValueDefinition) -> bool {
    definition.ty.is_non_null() && definition.default_value.is_none()
}

/// Takes the applications of a directive to fields of objects out of a schema.
fn take_marks(schema: &mut Schema, directive: &str) -> FieldMarks {
    let mut marks = FieldMarks::default();
    for (name, definition) in &mut schema.types {
        let ExtendedType::Object(object) = definition else { continue };
        let is_mark = |found: &Node<Directive>| found.name == directive;
        let is_marked = |field: &Component<FieldDefinition>| field.directives.iter().any(is_mark);
        if !object.fields.values().any(is_marked) {
            continue;
        }
        let fields = marks.0.entry(name.clone()).or_default();
        for (field, definition) in &mut object.make_mut().fields {
            let definition = definition.make_mut();
            let mark = definition.directives.iter().find(|found| is_mark(found));
            let value = mark.and_then(|mark| mark.arguments.first());
            let value = value.and_then(|argument| argument.value.as_enum());
            fields.extend(value.map(|value| (field.clone(), value.to_string())));
            definition.directives.0.retain(|found| !is_mark(found));
        }
    }
    marks
}

/// The library is older than input objects with exactly one given field: it lacks their
/// introspection field.
fn add_one_of(schema: &mut Schema) {
    let Some(ExtendedType::Object(of_types)) = schema.types.get_mut("__Type") else { return };
    let definition = AstFieldDefinition {
        description: None,
        name: name!("isOneOf"),
        arguments: Vec::new(),
        ty: ty!(Boolean),
        directives: DirectiveList::default(),
    };
    let field: Component<FieldDefinition> = Component::new(definition);
    of_types.make_mut().fields.entry(name!("isOneOf")).or_insert(field);
}
