//! From a document and the values of its variables to the form that is executed: the selections that `@skip` and
//! `@include` leave, with fragments written out and fields of one response name merged.
//!
//! The executor would resolve a field as often as it is selected, and merge the answers; and it answers an object without
//! fields as null. So each field is selected once, and a set that has no field for some object has a hidden one.
//!
//! **Invariant:** for each object that an answer can have, the fields are those that `CollectFields` collects.
//! **Invariant:** the fields that are written are bounded, whatever fragments and types multiply.
//!
//! Source: GraphQL specification (September 2025), sections 6.3.2 "Field Collection" and 6.4.3.

use std::cell::Cell;
use std::collections::HashSet;

use apollo_compiler::ast::{DirectiveList, Type};
use apollo_compiler::executable::{ExecutableDocument, Field, Operation, Selection, SelectionSet};
use apollo_compiler::{Name as ApolloName, Node};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types as executor;
use async_graphql::{Name, Pos, Positioned, Value, Variables};

use super::lines::Lines;
use super::literals;
use super::types::Types;
use crate::answer::refusal::{Location, Refusal, code};

/// The name of the hidden field of a set without fields. Clients may not use names that begin with
/// two underscores.
pub(super) const HIDDEN: &str = "__empty";

/// Whether the server added this field, and not the client.
pub(crate) fn is_hidden(field: &executor::Field) -> bool {
    field.alias.as_ref().is_some_and(|alias| alias.node == HIDDEN)
}

/// Most fields of one written operation. It is more than the gate admits, because selections on a
/// type of several objects may have to be written for each of them.
const FIELDS_MAX: usize = 10_000;

/// The fields of an object by their names in the answer, in the order of the document.
type Groups<'a> = IndexMap<&'a str, Vec<&'a Node<Field>>>;

/// Writes the executable form of one operation.
pub(super) struct Flattening<'a> {
    pub(super) types: &'a Types,
    pub(super) document: &'a ExecutableDocument,
    pub(super) lines: &'a Lines,
    pub(super) variables: &'a Variables,
    /// Whether selections are taken whatever their conditions are.
    takes_all: bool,
    fields: Cell<usize>,
    hides: Cell<bool>,
}

/// An operation in its written form.
pub(super) struct Flat {
    pub(super) set: Positioned<executor::SelectionSet>,
    /// Whether a set has a hidden field.
    pub(super) hides: bool,
}

impl<'a> Flattening<'a> {
    pub(super) fn new(
        types: &'a Types,
        document: &'a ExecutableDocument,
        lines: &'a Lines,
        variables: &'a Variables,
    ) -> Self {
        let (fields, hides) = (Cell::new(0), Cell::new(false));
        Self { types, document, lines, variables, takes_all: false, fields, hides }
    }

    /// Checks that fields of one name can be merged, whatever `@skip` and `@include` leave of them.
    ///
    /// # Errors
    /// A [`Refusal`] that names the fields.
    pub(super) fn check(self, operation: &'a Operation) -> Result<(), Refusal> {
        let all = Self { takes_all: true, ..self };
        match all.operation(operation) {
            Err(refusal) if refusal.code == code::GRAPHQL_VALIDATION_FAILED => Err(refusal),
            // Its length counts when it is executed, without the selections that are skipped.
            _ => Ok(()),
        }
    }

    /// Writes `operation` out.
    ///
    /// # Errors
    /// A [`Refusal`] if a condition is null, or if there is too much to write.
    pub(super) fn operation(&self, operation: &'a Operation) -> Result<Flat, Refusal> {
        let set = self.set(&operation.selection_set.ty, &[&operation.selection_set])?;
        let set = Positioned::new(set, Pos::default());
        Ok(Flat { set, hides: self.hides.get() })
    }

    /// The set of a value of the type `of`.
    fn set(&self, of: &str, sets: &[&'a SelectionSet]) -> Result<executor::SelectionSet, Refusal> {
        let mut items = Vec::new();
        if self.types.is_object(of) {
            let groups = self.collect(of, &[of], sets)?;
            self.fields(of, groups, &mut items)?;
        } else {
            self.of_several(of, sets, &mut items)?;
        }
        if items.is_empty() {
            items.push(self.hidden());
        }
        Ok(executor::SelectionSet { items })
    }

    /// The set of a value that may be one of several objects: its name, then the fields of each object.
    fn of_several(
        &self,
        of: &str,
        sets: &[&'a SelectionSet],
        items: &mut Vec<Positioned<executor::Selection>>,
    ) -> Result<(), Refusal> {
        let possible: Vec<&str> = self.types.possible(of).iter().map(ApolloName::as_str).collect();
        let mut common = self.collect(of, &possible, sets)?;
        let mut each = Vec::with_capacity(possible.len());
        for object in &possible {
            each.push((*object, self.collect(object, &[object], sets)?));
        }
        // The executor reports no path for a field that fails where it is selected on an interface.
        // So all fields but this one are written for the objects.
        common.retain(|_, fields| fields.iter().all(|field| field.name == "__typename"));
        for (_, groups) in &mut each {
            groups.retain(|name, _| !common.contains_key(name));
        }
        let some_have_none = each.iter().any(|(_, groups)| groups.is_empty());
        self.fields(of, common, items)?;
        if items.is_empty() && some_have_none {
            items.push(self.hidden());
        }
        each.retain(|(_, groups)| !groups.is_empty());
        while !each.is_empty() {
            let (first, groups) = each.swap_remove(0);
            let mut alike = vec![first];
            each.retain(|(object, others)| {
                let is_alike = *others == groups && self.gives_alike(first, object, &groups);
                if is_alike {
                    alike.push(object);
                }
                !is_alike
            });
            alike.sort_unstable();
            let names = match self.interface_of(&alike, &possible) {
                Some(interface) => vec![interface],
                None => alike,
            };
            for name in names {
                let mut inner = Vec::new();
                self.fields(first, groups.clone(), &mut inner)?;
                items.push(on(name, inner));
            }
        }
        Ok(())
    }

    /// Whether the fields of two objects are of the same types.
    fn gives_alike(&self, one: &str, other: &str, groups: &Groups<'a>) -> bool {
        groups.values().flatten().all(|field| {
            let of = |object| self.types.field(object, &field.name);
            of(one).map(Type::inner_named_type) == of(other).map(Type::inner_named_type)
        })
    }

    /// An interface that exactly the objects of `alike` have, among all `possible` ones.
    fn interface_of(&self, alike: &[&'a str], possible: &[&str]) -> Option<&'a str>
    where
        'a: 'a,
    {
        if alike.len() < 2 {
            return None;
        }
        let exact = |interface: &&ApolloName| {
            possible
                .iter()
                .all(|object| self.types.applies(interface, object) == alike.contains(object))
        };
        self.types.interfaces(alike[0]).find(exact).map(ApolloName::as_str)
    }

    fn fields(
        &self,
        of: &str,
        groups: Groups<'a>,
        items: &mut Vec<Positioned<executor::Selection>>,
    ) -> Result<(), Refusal> {
        for (_, fields) in groups {
            let Some(first) = fields.first() else { continue };
            self.count(first)?;
            self.same_lists(first, &fields[1..])?;
            let pos = self.lines.pos(first.location());
            let sets: Vec<_> = fields
                .iter()
                .map(|field| &field.selection_set)
                .filter(|set| !set.selections.is_empty())
                .collect();
            let selection_set = if sets.is_empty() {
                Positioned::default()
            } else {
                let ty = self.types.field(of, &first.name).unwrap_or(&first.definition.ty);
                Positioned::new(self.set(ty.inner_named_type(), &sets)?, pos)
            };
            let arguments = first.arguments.iter().filter_map(|argument| {
                let value = literals::value(&argument.value, self.variables)?;
                let name = self.lines.at(argument.location(), Name::new(&argument.name));
                Some((name, self.lines.at(argument.value.location(), value)))
            });
            let field = executor::Field {
                alias: first.alias.as_ref().map(|it| Positioned::new(Name::new(it), pos)),
                name: Positioned::new(Name::new(&first.name), pos),
                arguments: arguments.collect(),
                directives: Vec::new(),
                selection_set,
            };
            items.push(Positioned::new(
                executor::Selection::Field(Positioned::new(field, pos)),
                pos,
            ));
        }
        Ok(())
    }

    /// Refuses fields of one name in the answer whose lists differ in length, which the validation lets pass.
    fn same_lists(&self, first: &Node<Field>, others: &[&'a Node<Field>]) -> Result<(), Refusal> {
        for argument in others.iter().flat_map(|other| &other.arguments) {
            let here = first.arguments.iter().find(|here| here.name == argument.name);
            if here.is_some_and(|here| literals::lists_differ(&here.value, &argument.value)) {
                let message = format!(
                    "operation must not select different fields of the name `{}`: give one of them an alias",
                    first.response_key()
                );
                let location = Some(self.location(argument));
                return Err(Refusal {
                    location,
                    ..Refusal::new(code::GRAPHQL_VALIDATION_FAILED, message)
                });
            }
        }
        Ok(())
    }

    fn count(&self, field: &Node<Field>) -> Result<(), Refusal> {
        self.fields.set(self.fields.get() + 1);
        if self.fields.get() <= FIELDS_MAX {
            return Ok(());
        }
        let message = format!(
            "The document selects more than {FIELDS_MAX} fields once its fragments are written out for each type."
        );
        let location = Some(self.location(field));
        Err(Refusal { location, ..Refusal::new(code::TOO_MANY_FIELDS, message) })
    }

    fn location<T>(&self, node: &Node<T>) -> Location {
        let pos = self.lines.pos(node.location());
        Location::new(pos.line, pos.column)
    }

    fn hidden(&self) -> Positioned<executor::Selection> {
        self.hides.set(true);
        let at = |name| Positioned::new(Name::new(name), Pos::default());
        let field = executor::Field {
            alias: Some(at(HIDDEN)),
            name: at("__typename"),
            arguments: Vec::new(),
            directives: Vec::new(),
            selection_set: Positioned::default(),
        };
        let field = Positioned::new(field, Pos::default());
        Positioned::new(executor::Selection::Field(field), Pos::default())
    }

    /// The fields that each of `objects` has, all of the type `of`.
    fn collect(
        &self,
        of: &str,
        objects: &[&str],
        sets: &[&'a SelectionSet],
    ) -> Result<Groups<'a>, Refusal> {
        let mut collection = Collection {
            flattening: self,
            of,
            objects,
            seen: HashSet::new(),
            found: Groups::new(),
        };
        for set in sets {
            collection.set(set)?;
        }
        Ok(collection.found)
    }

    /// Whether a selection with these directives is executed.
    fn includes(&self, directives: &DirectiveList) -> Result<bool, Refusal> {
        if self.takes_all {
            return Ok(true);
        }
        for directive in &directives.0 {
            let includes_if = match directive.name.as_str() {
                "skip" => false,
                "include" => true,
                _ => continue,
            };
            let given = directive.arguments.iter().find(|argument| argument.name == "if");
            let value = given.and_then(|given| literals::value(&given.value, self.variables));
            let value = value.and_then(|value| {
                value.into_const_with(|name| self.variables.get(&name).cloned().ok_or(())).ok()
            });
            let Some(Value::Boolean(value)) = value else {
                let name = &directive.name;
                let message = format!("`if` of `@{name}` is null here, and has to be a Boolean.");
                let location = Some(self.location(directive));
                return Err(Refusal { location, ..Refusal::new(code::BAD_USER_INPUT, message) });
            };
            if value != includes_if {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

struct Collection<'a, 'b> {
    flattening: &'b Flattening<'a>,
    of: &'b str,
    objects: &'b [&'b str],
    seen: HashSet<&'a str>,
    found: Groups<'a>,
}

impl<'a> Collection<'a, '_> {
    /// The gate bounds the recursion.
    fn set(&mut self, set: &'a SelectionSet) -> Result<(), Refusal> {
        for selection in &set.selections {
            if !self.flattening.includes(selection.directives())? {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    self.found.entry(field.response_key().as_str()).or_default().push(field);
                }
                Selection::InlineFragment(inline) => {
                    if inline.type_condition.as_ref().is_none_or(|on| self.applies(on)) {
                        self.set(&inline.selection_set)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.flattening.document.fragments.get(&spread.fragment_name);
                    let Some(fragment) = fragment else { continue };
                    if self.seen.insert(&fragment.name) && self.applies(fragment.type_condition()) {
                        self.set(&fragment.selection_set)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a fragment applies to all of the objects, and its fields are those of the requested
    /// type.
    fn applies(&self, condition: &str) -> bool {
        let types = self.flattening.types;
        types.applies(condition, self.of)
            && self.objects.iter().all(|object| types.applies(condition, object))
    }
}

fn on(name: &str, items: Vec<Positioned<executor::Selection>>) -> Positioned<executor::Selection> {
    let condition =
        executor::TypeCondition { on: Positioned::new(Name::new(name), Pos::default()) };
    let inline = executor::InlineFragment {
        type_condition: Some(Positioned::new(condition, Pos::default())),
        directives: Vec::new(),
        selection_set: Positioned::new(executor::SelectionSet { items }, Pos::default()),
    };
    let inline = Positioned::new(inline, Pos::default());
    Positioned::new(executor::Selection::InlineFragment(inline), Pos::default())
}
