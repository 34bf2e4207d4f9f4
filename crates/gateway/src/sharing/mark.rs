//! The marks of the schema: which fields are the same for whom.
//!
//! **Invariant:** the table is read from the text of the very schema that is executed, so there is no
//! second list to keep. A field that is not marked is not in it.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Enum, TypeDirective, Value,
    parser::{
        parse_schema,
        types::{BaseType, ConstDirective, FieldDefinition, TypeKind, TypeSystemDefinition},
    },
};

/// For whom the value of a field is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum SharedBy {
    /// It follows from the event, or from what the field was reached by: the same for everyone, and
    /// at any time.
    Everyone,
    /// It is read from the room now: the same for all who are joined to it now.
    Members,
    /// It is null for all but the device that sent the event.
    Others,
}

/// On the event stream this field is the same for many subscribers: if a subscription asks for no
/// other fields of the events that it is told, the server computes its answers once for all who ask
/// in the same words. You may ask for any field; this only says what costs the server less.
#[TypeDirective(location = "FieldDefinition")]
pub(crate) fn shared(#[graphql(desc = "For whom the value is the same.")] by: SharedBy) {}

/// A field, as far as sharing is concerned.
#[derive(Debug)]
pub(super) struct MarkedField {
    pub(super) by: SharedBy,
    /// The type that it gives, lists and nulls aside.
    pub(super) gives: String,
}

/// The marks of a schema.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    fields: HashMap<String, HashMap<String, MarkedField>>,
    objects: HashSet<String>,
    /// For each interface and union the objects that it may be.
    possible: HashMap<String, HashSet<String>>,
}

impl Marks {
    /// The marks of a schema in the schema definition language. Nothing is marked in what cannot be read.
    pub(super) fn of_sdl(sdl: &str) -> Self {
        let document = parse_schema(sdl).inspect_err(|error| {
            tracing::error!(%error, "the schema cannot be read: nothing is shared");
        });
        let mut marks = Self::default();
        for definition in document.map(|document| document.definitions).unwrap_or_default() {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            match definition.node.kind {
                TypeKind::Object(object) => {
                    for interface in object.implements {
                        let possible = marks.possible.entry(interface.node.to_string());
                        possible.or_default().insert(name.clone());
                    }
                    let fields = object.fields.iter().filter_map(|field| marked(&field.node));
                    marks.fields.insert(name.clone(), fields.collect());
                    marks.objects.insert(name);
                }
                TypeKind::Union(union) => {
                    let members = union.members.into_iter().map(|member| member.node.to_string());
                    marks.possible.entry(name).or_default().extend(members);
                }
                TypeKind::Interface(_) => {
                    marks.possible.entry(name).or_default();
                }
                TypeKind::Scalar | TypeKind::Enum(_) | TypeKind::InputObject(_) => {}
            }
        }
        marks
    }

    pub(super) fn field(&self, object: &str, field: &str) -> Option<&MarkedField> {
        self.fields.get(object)?.get(field)
    }

    /// Whether a selection on `condition` is made on an `object`; none if there is no such type.
    pub(super) fn applies(&self, condition: &str, object: &str) -> Option<bool> {
        if self.objects.contains(condition) {
            return Some(condition == object);
        }
        Some(self.possible.get(condition)?.contains(object))
    }

    /// All marked fields, as `Type.field BY`.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<String> {
        let mut all: Vec<_> = self
            .fields
            .iter()
            .flat_map(|(name, fields)| fields.iter().map(move |field| (name, field)))
            .map(|(name, (field, mark))| format!("{name}.{field} {:?}", mark.by))
            .collect();
        all.sort();
        all
    }
}

fn marked(field: &FieldDefinition) -> Option<(String, MarkedField)> {
    let by = field.directives.iter().find_map(|directive| shared_by(&directive.node))?;
    let mut base = &field.ty.node.base;
    while let BaseType::List(inner) = base {
        base = &inner.base;
    }
    let BaseType::Named(gives) = base else { return None };
    Some((field.name.node.to_string(), MarkedField { by, gives: gives.to_string() }))
}

fn shared_by(directive: &ConstDirective) -> Option<SharedBy> {
    if directive.name.node != "shared" {
        return None;
    }
    let Value::Enum(by) = &directive.get_argument("by")?.node else { return None };
    match by.as_str() {
        "EVERYONE" => Some(SharedBy::Everyone),
        "MEMBERS" => Some(SharedBy::Members),
        "OTHERS" => Some(SharedBy::Others),
        _ => None,
    }
}
