//! Rules of validation that the library does not check, or not everywhere: variables within literals, fields of input
//! objects that are given twice, input objects of which one field is given.
//!
//! **Invariant:** these are asked of documents that the library has found valid, so all types and names are known.
//!
//! Source: GraphQL specification (September 2025), sections 5.6.3, 5.6.5, 5.8.3 and 5.8.5.

use std::collections::HashSet;

use apollo_compiler::ast::{Argument, DirectiveList, InputValueDefinition, Type, Value as Literal};
use apollo_compiler::executable::{ExecutableDocument, Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node};

use super::types::{Types, is_one_of};

/// An error in a document, with its place.
pub(super) struct Mistake {
    pub(super) message: String,
    pub(super) location: Option<SourceSpan>,
}

/// The errors that these rules find in `document`.
pub(super) fn check(types: &Types, document: &ExecutableDocument) -> Vec<Mistake> {
    let mut found = Vec::new();
    for operation in document.operations.iter() {
        let seen = HashSet::new();
        let mut check = Check { types, document, operation, seen, found: &mut found };
        check.directives(&operation.directives);
        check.defaults();
        check.set(&operation.selection_set);
    }
    found
}

struct Check<'a, 'b> {
    types: &'a Types,
    document: &'a ExecutableDocument,
    operation: &'a Operation,
    seen: HashSet<&'a Name>,
    found: &'b mut Vec<Mistake>,
}

/// The place of a value: its type, and whether there is a default.
#[derive(Clone, Copy)]
struct ValuePlace<'a> {
    ty: &'a Type,
    has_default: bool,
}

impl<'a> Check<'a, '_> {
    fn mistake(&mut self, location: Option<SourceSpan>, message: String) {
        self.found.push(Mistake { message, location });
    }

    /// The defaults of variables, also of variables that nothing uses.
    fn defaults(&mut self) {
        for definition in &self.operation.variables {
            if let Some(default) = &definition.default_value {
                self.value(Some(ValuePlace { ty: &definition.ty, has_default: false }), default);
            }
        }
    }

    /// The gate bounds the recursion.
    fn set(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.definition.arguments, &field.arguments);
                    self.set(&field.selection_set);
                }
                Selection::InlineFragment(inline) => self.set(&inline.selection_set),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    let Some(fragment) = fragment else { continue };
                    if self.seen.insert(&fragment.name) {
                        self.directives(&fragment.directives);
                        self.set(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a DirectiveList) {
        let definitions = &self.types.schema().directive_definitions;
        for directive in &directives.0 {
            let Some(definition) = definitions.get(&directive.name) else { continue };
            self.arguments(&definition.arguments, &directive.arguments);
        }
    }

    fn arguments(
        &mut self,
        definitions: &'a [Node<InputValueDefinition>],
        arguments: &'a [Node<Argument>],
    ) {
        for argument in arguments {
            let definition = definitions.iter().find(|it| it.name == argument.name);
            let Some(definition) = definition else { continue };
            let has_default = definition.default_value.is_some();
            self.value(Some(ValuePlace { ty: &definition.ty, has_default }), &argument.value);
        }
    }

    /// Checks a value. Within a custom scalar only variables are checked.
    fn value(&mut self, place: Option<ValuePlace<'a>>, value: &'a Node<Literal>) {
        match &**value {
            Literal::Variable(name) => self.variable(place, name, value.location()),
            Literal::List(items) => {
                let item = match place.map(|place| place.ty) {
                    Some(Type::List(item) | Type::NonNullList(item)) => {
                        Some(ValuePlace { ty: item, has_default: false })
                    }
                    _ => None,
                };
                for value in items {
                    self.value(item, value);
                }
            }
            Literal::Object(fields) => self.object(place, fields, value.location()),
            _ => {}
        }
    }

    fn variable(&mut self, place: Option<ValuePlace<'a>>, name: &Name, at: Option<SourceSpan>) {
        let Some(definition) = self.operation.variables.iter().find(|it| it.name == *name) else {
            return self.mistake(at, format!("variable `${name}` is not defined"));
        };
        let Some(ValuePlace { ty, has_default }) = place else { return };
        let default = definition.default_value.as_deref();
        let may_be_missing = default.is_some_and(|it| *it != Literal::Null) || has_default;
        let fits = if ty.is_non_null() && !definition.ty.is_non_null() && may_be_missing {
            is_compatible(&definition.ty, &ty.clone().nullable())
        } else {
            is_compatible(&definition.ty, ty)
        };
        if !fits {
            let of = &definition.ty;
            let message =
                format!("variable `${name}` of type `{of}` is used where `{ty}` is expected");
            self.mistake(at, message);
        }
    }

    fn object(
        &mut self,
        place: Option<ValuePlace<'a>>,
        fields: &'a [(Name, Node<Literal>)],
        at: Option<SourceSpan>,
    ) {
        let mut names = HashSet::new();
        for (name, value) in fields {
            if !names.insert(name) {
                let message = format!("there can be only one field `{name}` in an input object");
                self.mistake(name.location().or(value.location()), message);
            }
        }
        // One object stands for a list with it.
        let input = place.and_then(|place| self.types.input(place.ty.inner_named_type()));
        if let Some(input) = input.filter(|input| is_one_of(input)) {
            self.one_of(&input.name, fields, at);
        }
        for (name, value) in fields {
            let definition = input.and_then(|input| input.fields.get(name));
            let place = definition.map(|definition| ValuePlace {
                ty: &definition.ty,
                has_default: definition.default_value.is_some(),
            });
            self.value(place, value);
        }
    }

    fn one_of(&mut self, of: &Name, fields: &[(Name, Node<Literal>)], at: Option<SourceSpan>) {
        let is_given = match fields {
            [(_, only)] => match &**only {
                Literal::Null => false,
                Literal::Variable(name) => {
                    let mut variables = self.operation.variables.iter();
                    variables.any(|it| it.name == *name && it.ty.is_non_null())
                }
                _ => true,
            },
            _ => false,
        };
        if !is_given {
            let message = format!("exactly one field of `{of}` has to be given, and not null");
            self.mistake(at, message);
        }
    }
}

/// Whether each value of the type `of` is one of the type `expected`.
fn is_compatible(of: &Type, expected: &Type) -> bool {
    match (expected, of) {
        (Type::NonNullNamed(expected), Type::NonNullNamed(of))
        | (Type::Named(expected), Type::Named(of) | Type::NonNullNamed(of)) => expected == of,
        (Type::NonNullList(expected), Type::NonNullList(of))
        | (Type::List(expected), Type::List(of) | Type::NonNullList(of)) => {
            is_compatible(of, expected)
        }
        _ => false,
    }
}
