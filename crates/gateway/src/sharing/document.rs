//! The selection of a subscription's document, read once, before it is executed.
//!
//! **Invariant:** the selection may be overestimated (fields excluded by `@skip` count), but never
//! underestimated. A document that is not understood is not shared.

use std::{collections::BTreeSet, convert::Infallible};

use async_graphql::{
    Name, Positioned, Value,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition,
        OperationType, Selection, SelectionSet,
    },
};
use rookery_schema::marks::{Marks, SharedBy};

/// The greatest nesting that is read. The gate refuses deeper documents.
const NESTING_MAX: usize = 40;

/// Most fields of a shared document, with its fragments expanded: a shared execution has no pause.
const FIELDS_MAX: usize = 200;

/// The fields of a stream's item that are not equal for everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Whether it has fields that are equal only for members of the room.
    pub(crate) members: bool,
    /// Whether it has fields that differ for the device that sent the event.
    pub(crate) others: bool,
}

/// A document that requests only the event stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// For room events; `None` if they depend on the viewer.
    pub(super) events: Option<Needs>,
    /// For receipts; `None` if they depend on the viewer.
    pub(super) receipts: Option<Needs>,
    /// Whether it requests `skipped`.
    pub(super) reads_skipped: bool,
    /// The variables that answers depend on, without those that only select events.
    pub(super) variables: BTreeSet<String>,
}

/// The document depends on the viewer, or is not understood.
struct Unshareable;

impl Document {
    /// Whether any of its fields is equal for many.
    pub(super) fn is_shared(&self) -> bool {
        self.events.is_some() || self.receipts.is_some()
    }

    /// The selection of the operation `name` of a document; `None` if it requests more than the
    /// event stream.
    pub(super) fn of(
        document: &ExecutableDocument,
        name: Option<&str>,
        marks: &Marks,
    ) -> Option<Self> {
        let operation = operation(document, name)?;
        if operation.ty != OperationType::Subscription {
            return None;
        }
        let [only] = &operation.selection_set.node.items[..] else { return None };
        let Selection::Field(root) = &only.node else { return None };
        if root.node.name.node != "eventStream" || !root.node.directives.is_empty() {
            return None;
        }
        let mut reading =
            Reading { document, marks, events: Vec::new(), found: Found::default(), fields: 0 };
        let chunk = &root.node.selection_set.node;
        reading.object(chunk, "EventChunk", 0).ok()?;
        let selected = std::mem::take(&mut reading.events);
        let fields = reading.fields;
        let mut needs = |of| {
            reading.found.needs = Needs::default();
            for object in marks.types().objects_of(of) {
                reading.fields = fields;
                selected.iter().try_for_each(|set| reading.object(set, object, 0)).ok()?;
            }
            Some(reading.found.needs)
        };
        let (events, receipts) = (needs("RoomEvent"), needs("ReceiptMoved"));
        let mut variables = BTreeSet::new();
        variables_of(chunk, &mut variables, 0).ok()?;
        for fragment in document.fragments.values() {
            of_directives(&fragment.node.directives, &mut variables);
            variables_of(&fragment.node.selection_set.node, &mut variables, 0).ok()?;
        }
        Some(Self { events, receipts, reads_skipped: reading.found.reads_skipped, variables })
    }
}

fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name)?,
        (DocumentOperations::Multiple(operations), None) => match operations.len() {
            1 => operations.values().next()?,
            _ => return None,
        },
    };
    Some(&operation.node)
}

#[derive(Default)]
struct Found {
    needs: Needs,
    reads_skipped: bool,
}

struct Reading<'a> {
    document: &'a ExecutableDocument,
    marks: &'a Marks,
    /// The selections on the items of a chunk.
    events: Vec<&'a SelectionSet>,
    found: Found,
    fields: usize,
}

impl<'a> Reading<'a> {
    /// Reads the selection on an `object`.
    fn object(
        &mut self,
        set: &'a SelectionSet,
        object: &str,
        depth: usize,
    ) -> Result<(), Unshareable> {
        if depth > NESTING_MAX {
            return Err(Unshareable);
        }
        for selection in &set.items {
            let (condition, inner) = match &selection.node {
                Selection::Field(field) => {
                    self.field(&field.node, object, depth)?;
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let condition = condition.map(|condition| &condition.node.on.node);
                    (condition, &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                    let fragment = &fragment.ok_or(Unshareable)?.node;
                    (Some(&fragment.type_condition.node.on.node), &fragment.selection_set.node)
                }
            };
            let types = self.marks.types();
            let applies =
                condition.map_or(Some(true), |condition| types.applies_to(condition, object));
            if applies.ok_or(Unshareable)? {
                self.object(inner, object, depth + 1)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'a Field, object: &str, depth: usize) -> Result<(), Unshareable> {
        self.fields += 1;
        if self.fields > FIELDS_MAX {
            return Err(Unshareable);
        }
        let name = field.name.node.as_str();
        let set = &field.selection_set.node;
        match (object, name) {
            // Their items are checked chunk by chunk.
            ("EventChunk", "events") => {
                self.events.push(set);
                return Ok(());
            }
            ("EventChunk", "counts" | "ephemeral") | (_, "__typename") => return Ok(()),
            ("EventChunk", "skipped") => self.found.reads_skipped = true,
            _ => {}
        }
        let marks = self.marks;
        match marks.field(object, name).ok_or(Unshareable)? {
            SharedBy::Everyone => {}
            SharedBy::Members => self.found.needs.members = true,
            SharedBy::Others => self.found.needs.others = true,
        }
        let of = marks.types().named_type(object, name).ok_or(Unshareable)?;
        self.object(set, of, depth + 1)
    }
}

fn variables_of(
    set: &SelectionSet,
    found: &mut BTreeSet<String>,
    depth: usize,
) -> Result<(), Unshareable> {
    if depth > NESTING_MAX {
        return Err(Unshareable);
    }
    for selection in &set.items {
        of_directives(selection.node.directives(), found);
        match &selection.node {
            Selection::Field(field) => {
                for (_, value) in &field.node.arguments {
                    value.node.clone().into_const_with(note(found)).ok();
                }
                variables_of(&field.node.selection_set.node, found, depth + 1)?;
            }
            Selection::InlineFragment(fragment) => {
                variables_of(&fragment.node.selection_set.node, found, depth + 1)?;
            }
            Selection::FragmentSpread(_) => {}
        }
    }
    Ok(())
}

fn of_directives(directives: &[Positioned<Directive>], found: &mut BTreeSet<String>) {
    for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
        value.node.clone().into_const_with(note(found)).ok();
    }
}

/// Records each variable in a value.
fn note(found: &mut BTreeSet<String>) -> impl FnMut(Name) -> Result<Value, Infallible> {
    |name| {
        found.insert(name.to_string());
        Ok(Value::Null)
    }
}
