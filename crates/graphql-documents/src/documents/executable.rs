//! An operation as it is executed, and the completion of its answers.
//!
//! The executor leaves out a field that fails, and answers an object of which all fields failed as null. Here a field that
//! failed is null, and where its type forbids that, so is the nearest parent that may be.
//!
//! **Invariant:** an answer without errors and without hidden fields is not looked at.
//!
//! Source: GraphQL specification (September 2025), section 6.4.4, "Handling Execution Errors".

use std::collections::BTreeMap;
use std::sync::Arc;

use apollo_compiler::ast::Type;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, PathSegment, Response, Value};

use super::flatten::HIDDEN;
use super::types::Types;

/// One operation in executable form: without named fragments, without conditions, each field once.
#[derive(Debug)]
pub struct Executable {
    types: Arc<Types>,
    document: ExecutableDocument,
    /// The type of the operation's root.
    root: String,
    /// Whether a set has a hidden field.
    hides: bool,
}

/// The selection sets of one value, each with the type that the value has there.
type Sets<'a> = Vec<(&'a str, &'a SelectionSet)>;

/// The parts of an answer that failed.
#[derive(Default)]
struct Failed<'a> {
    here: bool,
    below: BTreeMap<Step<'a>, Failed<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl Executable {
    pub(super) fn new(
        types: Arc<Types>,
        document: ExecutableDocument,
        root: String,
        hides: bool,
    ) -> Self {
        Self { types, document, root, hides }
    }

    /// The document for the executor.
    #[must_use]
    pub fn document(&self) -> &ExecutableDocument {
        &self.document
    }

    /// The type of the operation's root.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The root's selection set.
    pub(crate) fn selection_set(&self) -> Option<&SelectionSet> {
        let operation = self.document.operations.iter().next();
        operation.map(|(_, operation)| &operation.node.selection_set.node)
    }

    /// Completes an answer of the executor.
    pub fn complete(&self, response: &mut Response) {
        let Some(set) = self.selection_set() else { return };
        if self.hides {
            uncover(&mut response.data, &[set]);
        }
        if response.errors.iter().all(|error| error.path.is_empty()) {
            return;
        }
        let mut failed = Failed::default();
        for error in &response.errors {
            // An error without a path is not of a field.
            if !error.path.is_empty() {
                failed.add(&error.path);
            }
        }
        self.fields(&mut response.data, &vec![(&*self.root, set)], &failed);
    }

    /// Completes an object.
    fn fields(&self, value: &mut Value, sets: &Sets<'_>, failed: &Failed<'_>) {
        if failed.below.is_empty() {
            return;
        }
        if *value == Value::Null {
            // Fields of it failed, so there is an object, of which the executor has left nothing.
            *value = Value::Object(IndexMap::default());
        }
        let Value::Object(object) = value else { return };
        for (step, failed) in &failed.below {
            let Step::Field(key) = step else { continue };
            let Some((ty, sets)) = self.field(sets, key) else { continue };
            let mut answered = Value::Null;
            let field = object.get_mut(*key).unwrap_or(&mut answered);
            self.value(field, ty, &sets, failed);
            let is_null = *field == Value::Null;
            if is_null && ty.is_non_null() {
                *value = Value::Null;
                return;
            }
            if !object.contains_key(*key) {
                object.insert(Name::new(key), answered);
            }
        }
    }

    /// Completes a value of the type `ty`, whether or not it may be null.
    fn value(&self, value: &mut Value, ty: &Type, sets: &Sets<'_>, failed: &Failed<'_>) {
        if failed.here {
            *value = Value::Null;
            return;
        }
        let (Type::List(item) | Type::NonNullList(item)) = ty else {
            return self.fields(value, sets, failed);
        };
        let Value::List(items) = value else { return };
        for (step, failed) in &failed.below {
            let Step::Item(index) = step else { continue };
            let Some(answered) = items.get_mut(*index) else { continue };
            self.value(answered, item, sets, failed);
            if *answered == Value::Null && item.is_non_null() {
                *value = Value::Null;
                return;
            }
        }
    }

    /// The type of the field with this name in the answer, and its selection sets.
    fn field<'a>(&'a self, sets: &Sets<'a>, key: &str) -> Option<(&'a Type, Sets<'a>)> {
        let (mut ty, mut found) = (None, Vec::new());
        let mut open = sets.clone();
        while let Some((of, set)) = open.pop() {
            for item in &set.items {
                match &item.node {
                    Selection::Field(field) if field.node.response_key().node == key => {
                        let of = self.types.field(of, &field.node.name.node)?;
                        ty = ty.or(Some(of));
                        found
                            .push((of.inner_named_type().as_str(), &field.node.selection_set.node));
                    }
                    Selection::InlineFragment(inline) => {
                        let condition = inline.node.type_condition.as_ref();
                        let of = condition.map_or(of, |it| it.node.on.node.as_str());
                        open.push((of, &inline.node.selection_set.node));
                    }
                    Selection::Field(_) | Selection::FragmentSpread(_) => {}
                }
            }
        }
        ty.map(|ty| (ty, found))
    }
}

impl<'a> Failed<'a> {
    fn add(&mut self, path: &'a [PathSegment]) {
        let mut at = self;
        for segment in path {
            let step = match segment {
                PathSegment::Field(name) => Step::Field(name),
                PathSegment::Index(index) => Step::Item(*index),
            };
            at = at.below.entry(step).or_default();
        }
        at.here = true;
    }
}

/// Removes hidden fields from an answer.
fn uncover(value: &mut Value, sets: &[&SelectionSet]) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| uncover(item, sets)),
        Value::Object(object) => {
            object.shift_remove(HIDDEN);
            for set in sets {
                uncover_fields(object, set);
            }
        }
        _ => {}
    }
}

fn uncover_fields(object: &mut IndexMap<Name, Value>, set: &SelectionSet) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => {
                let inner = &field.node.selection_set.node;
                if inner.items.is_empty() {
                    continue;
                }
                if let Some(value) = object.get_mut(field.node.response_key().node.as_str()) {
                    uncover(value, &[inner]);
                }
            }
            Selection::InlineFragment(inline) => {
                uncover_fields(object, &inline.node.selection_set.node);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}
