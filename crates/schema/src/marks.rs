//! The marks of the schema: fields with equal values for many viewers.
//!
//! On the event stream a marked field is equal for many subscribers. If a subscription requests only
//! such fields of its events, the server computes its answers once for all subscribers with equal
//! requests.
//!
//! **Invariant:** the table is read from the text of the executed schema, so there is no second
//! list. A field without a mark is not in it.
//! **Invariant:** the marks are no part of the schema for clients.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use async_graphql::{
    Name, TypeDirective, Value,
    indexmap::IndexMap,
    parser::{
        parse_schema,
        types::{BaseType, ConstDirective, FieldDefinition, TypeKind, TypeSystemDefinition},
    },
    registry::{MetaDirectiveInvocation, Registry, location_traits::Directive_At_FIELD_DEFINITION},
};

/// The viewers for whom the value of a field is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedBy {
    /// Everyone, at any time: it follows from the event, or from the path to the field.
    Everyone,
    /// All members who are joined to the room now: it is read from the present room.
    Members,
    /// All but the device that sent the event: it is null for the others.
    Others,
}

impl SharedBy {
    const ALL: [Self; 3] = [Self::Everyone, Self::Members, Self::Others];

    fn name(self) -> &'static str {
        match self {
            Self::Everyone => "EVERYONE",
            Self::Members => "MEMBERS",
            Self::Others => "OTHERS",
        }
    }
}

/// The mark of a field.
#[expect(non_camel_case_types, reason = "async-graphql names directives like this")]
pub struct shared;

impl shared {
    /// The mark for these viewers.
    pub fn apply(by: SharedBy) -> MetaDirectiveInvocation {
        let args = IndexMap::from([("by".to_owned(), Value::Enum(Name::new(by.name())))]);
        MetaDirectiveInvocation { name: "shared".to_owned(), args }
    }
}

impl TypeDirective for shared {
    fn name(&self) -> Cow<'static, str> {
        "shared".into()
    }

    /// Clients learn nothing of it.
    fn register(&self, _registry: &mut Registry) {}
}

impl Directive_At_FIELD_DEFINITION for shared {}

/// In the data of an execution for all members of the rooms in it: then fields show the rooms as
/// members see them.
pub struct SeenByMembers;

/// A schema without its marks.
pub fn without_marks(sdl: &str) -> String {
    let marks = SharedBy::ALL.map(|by| format!(" {}", shared::apply(by).sdl()));
    marks.iter().fold(sdl.to_owned(), |sdl, mark| sdl.replace(mark, ""))
}

/// A field with its mark.
#[derive(Debug)]
pub struct MarkedField {
    /// The viewers for whom its value is equal.
    pub by: SharedBy,
    /// The type of its value, without lists and nulls.
    pub gives: String,
}

/// The marks of a schema.
#[derive(Debug, Default)]
pub struct Marks {
    fields: HashMap<String, HashMap<String, MarkedField>>,
    objects: HashSet<String>,
    /// For each interface and union, its possible objects.
    possible: HashMap<String, HashSet<String>>,
}

impl Marks {
    /// The marks of a schema in the schema definition language. A schema that cannot be read has
    /// none.
    pub fn of_sdl(sdl: &str) -> Self {
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

    /// The mark of a field; `None` if its value depends on the viewer.
    pub fn field(&self, object: &str, field: &str) -> Option<&MarkedField> {
        self.fields.get(object)?.get(field)
    }

    /// The objects that a value of the type `of` may be.
    pub fn objects_of<'a>(&'a self, of: &'a str) -> Vec<&'a str> {
        match self.possible.get(of) {
            Some(objects) => objects.iter().map(String::as_str).collect(),
            None => vec![of],
        }
    }

    /// Whether a selection on `condition` applies to an `object`; `None` if there is no such type.
    pub fn applies(&self, condition: &str, object: &str) -> Option<bool> {
        if self.objects.contains(condition) {
            return Some(condition == object);
        }
        Some(self.possible.get(condition)?.contains(object))
    }

    /// All marked fields, as `Type.field BY`.
    pub fn all(&self) -> Vec<String> {
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
    SharedBy::ALL.into_iter().find(|known| known.name() == by.as_str())
}
