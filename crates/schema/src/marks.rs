//! The marks of the schema: fields with equal values for many viewers.
//!
//! On the event stream a marked field is equal for many subscribers. If a subscription requests only
//! such fields of its events, the server computes its answers once for all subscribers with equal
//! requests.
//!
//! **Invariant:** the table is read from the text of the executed schema, so there is no second
//! list. A field without a mark is not in it.
//! **Invariant:** the marks are no part of the schema for clients.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use async_graphql::{
    Name, TypeDirective, Value,
    indexmap::IndexMap,
    registry::{MetaDirectiveInvocation, Registry, location_traits::Directive_At_FIELD_DEFINITION},
};
use rookery_graphql_documents::{Types, TypesError};

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
    const NAME: &str = "shared";

    /// The mark for these viewers.
    pub fn apply(by: SharedBy) -> MetaDirectiveInvocation {
        let args = IndexMap::from([("by".to_owned(), Value::Enum(Name::new(by.name())))]);
        MetaDirectiveInvocation { name: Self::NAME.to_owned(), args }
    }
}

impl TypeDirective for shared {
    fn name(&self) -> Cow<'static, str> {
        Self::NAME.into()
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

/// The marks of a schema.
#[derive(Debug)]
pub struct Marks {
    types: Arc<Types>,
    fields: HashMap<String, HashMap<String, SharedBy>>,
}

impl Marks {
    /// The types of a schema with marks, and its marks.
    pub fn of_sdl(sdl: &str) -> Result<Self, TypesError> {
        let (types, marks) = Types::marked(sdl, shared::NAME)?;
        let mut fields: HashMap<String, HashMap<String, SharedBy>> = HashMap::new();
        for (object, field, by) in marks.iter() {
            let by = SharedBy::ALL.into_iter().find(|known| known.name() == by);
            let of_object = fields.entry(object.to_owned()).or_default();
            of_object.extend(by.map(|by| (field.to_owned(), by)));
        }
        Ok(Self { types: Arc::new(types), fields })
    }

    /// The types of the schema, without the marks.
    pub fn types(&self) -> &Arc<Types> {
        &self.types
    }

    /// The mark of a field; `None` if its value depends on the viewer.
    pub fn field(&self, object: &str, field: &str) -> Option<SharedBy> {
        self.fields.get(object)?.get(field).copied()
    }

    /// All marked fields, as `Type.field BY`.
    pub fn all(&self) -> Vec<String> {
        let mut all: Vec<_> = self
            .fields
            .iter()
            .flat_map(|(name, fields)| fields.iter().map(move |field| (name, field)))
            .map(|(name, (field, by))| format!("{name}.{field} {by:?}"))
            .collect();
        all.sort();
        all
    }
}
