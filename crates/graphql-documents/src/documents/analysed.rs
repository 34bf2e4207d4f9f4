//! A document that was parsed and validated, and its operations as they are executed.
//!
//! **Invariant:** the server executes no part of a document that validation refuses.
//! **Invariant:** the written form of an operation depends on conditions and on which variables have values. The server
//! writes each form once and keeps a few of them.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::diagnostic::ToCliReport as _;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::{DiagnosticList, Valid};
use async_graphql::parser::types as executor;
use async_graphql::{ErrorExtensionValues, Name, Positioned, ServerError, Value, Variables};
use parking_lot::Mutex;

use super::coerce::coerced;
use super::executable::Executable;
use super::flatten::{Flat, Flattening};
use super::lines::Lines;
use super::literals;
use super::rules::{self, Mistake};
use super::types::Types;
use crate::answer::refusal::{Refusal, code};

/// How many written forms of one document are kept.
const KEPT_MAX: usize = 4;

/// Most errors of one document. One for each of its fields would be much longer than the document.
const ERRORS_MAX: usize = 50;

/// The approximate memory of a selection, in its original and its executable form.
const SELECTION_BYTES: usize = 1_000;

/// A valid document.
#[derive(Debug)]
pub(super) struct Analysed {
    types: Arc<Types>,
    document: Valid<ExecutableDocument>,
    lines: Lines,
    kept: Mutex<Vec<(Chosen, Arc<Executable>)>>,
    bytes: usize,
}

/// The choice of a written form.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Chosen {
    operation: Option<Name>,
    /// For each variable that the operation declares: whether it has a value, and the value of a
    /// Boolean.
    variables: Box<[(bool, bool)]>,
}

/// One operation, ready to be counted and executed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The operation in executable form.
    pub executable: Arc<Executable>,
    /// A value for each variable that was given or has a default, and for no other.
    pub variables: Variables,
}

impl Analysed {
    /// Parses and validates `text`, which the gate has admitted.
    ///
    /// # Errors
    /// All errors, each with its place.
    pub(super) fn read(text: &str, types: &Arc<Types>) -> Result<Self, Vec<ServerError>> {
        let lines = Lines::new(text);
        let parsed = Parser::new().parse_ast(text, "document");
        let parsed =
            parsed.map_err(|errors| told(&errors.errors, &lines, code::GRAPHQL_PARSE_FAILED))?;
        let valid = parsed.to_executable_validate(types.schema());
        let document = valid
            .map_err(|errors| told(&errors.errors, &lines, code::GRAPHQL_VALIDATION_FAILED))?;
        let mistakes = rules::check(types, &document);
        if !mistakes.is_empty() {
            let told =
                mistakes.into_iter().take(ERRORS_MAX).map(|Mistake { message, location }| {
                    error(message, lines.pos(location), code::GRAPHQL_VALIDATION_FAILED)
                });
            return Err(told.collect());
        }
        let none = Variables::default();
        for operation in document.operations.iter() {
            let check = Flattening::new(types, &document, &lines, &none).check(operation);
            check.map_err(|refusal| vec![refusal.into()])?;
        }
        let bytes = (1 + KEPT_MAX) * SELECTION_BYTES * selections(&document) + 4 * text.len();
        Ok(Self { types: Arc::clone(types), document, lines, kept: Mutex::default(), bytes })
    }

    /// Its approximate memory, with all written forms.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The plan of the operation that `name` chooses. `None` if the document has no such operation.
    ///
    /// # Errors
    /// A [`Refusal`] if a variable does not fit its type, or if a condition is null.
    pub(super) fn plan(
        &self,
        name: Option<&str>,
        variables: Variables,
    ) -> Result<Option<Plan>, Refusal> {
        let Ok(operation) = self.document.operations.get(name) else { return Ok(None) };
        let variables = coerced(&self.types, operation, &self.lines, variables)?;
        let chosen = Chosen::of(operation, &variables);
        let known = self.kept.lock().iter().find(|(it, _)| *it == chosen).map(|(_, it)| it.clone());
        let executable = if let Some(executable) = known {
            executable
        } else {
            let executable = Arc::new(self.write(operation, &variables)?);
            let mut kept = self.kept.lock();
            kept.truncate(KEPT_MAX - 1);
            kept.insert(0, (chosen, Arc::clone(&executable)));
            executable
        };
        Ok(Some(Plan { executable, variables }))
    }

    fn write(&self, operation: &Operation, variables: &Variables) -> Result<Executable, Refusal> {
        let flattening = Flattening::new(&self.types, &self.document, &self.lines, variables);
        let Flat { set, hides } = flattening.operation(operation)?;
        let ty = match operation.operation_type {
            apollo_compiler::ast::OperationType::Query => executor::OperationType::Query,
            apollo_compiler::ast::OperationType::Mutation => executor::OperationType::Mutation,
            apollo_compiler::ast::OperationType::Subscription => {
                executor::OperationType::Subscription
            }
        };
        let declared = operation.variables.iter().filter_map(|definition| {
            let at = |node| self.lines.at(definition.location(), node);
            let default = definition.default_value.as_ref();
            let node = executor::VariableDefinition {
                name: at(Name::new(&definition.name)),
                var_type: self
                    .lines
                    .at(definition.location(), executor::Type::new(&definition.ty.to_string())?),
                directives: Vec::new(),
                default_value: default
                    .map(|it| self.lines.at(it.location(), literals::constant(it))),
            };
            Some(self.lines.at(definition.location(), node))
        });
        let operation_definition = executor::OperationDefinition {
            ty,
            variable_definitions: declared.collect(),
            directives: Vec::new(),
            selection_set: set,
        };
        let pos = operation_definition.selection_set.pos;
        let definition = Positioned::new(operation_definition, pos);
        let operations = match &operation.name {
            Some(name) => {
                executor::DocumentOperations::Multiple([(Name::new(name), definition)].into())
            }
            None => executor::DocumentOperations::Single(definition),
        };
        let document = executor::ExecutableDocument { operations, fragments: HashMap::new() };
        let root = operation.object_type().to_string();
        Ok(Executable::new(Arc::clone(&self.types), document, root, hides))
    }
}

impl Chosen {
    fn of(operation: &Operation, variables: &Variables) -> Self {
        let variables = operation.variables.iter().map(|definition| {
            let value = variables.get(definition.name.as_str());
            (value.is_some(), value == Some(&Value::Boolean(true)))
        });
        let operation = operation.name.as_deref().map(Name::new);
        Self { operation, variables: variables.collect() }
    }
}

fn told(found: &DiagnosticList, lines: &Lines, code: &'static str) -> Vec<ServerError> {
    let found = found.iter().take(ERRORS_MAX);
    found
        .map(|diagnostic| {
            let location = diagnostic.error.location();
            error(diagnostic.error.to_string(), lines.pos(location), code)
        })
        .collect()
}

fn error(message: String, pos: async_graphql::Pos, code: &'static str) -> ServerError {
    let mut error = ServerError::new(message, Some(pos).filter(|pos| pos.line > 0));
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    error.extensions = Some(extensions);
    error
}

/// How many selections, arguments and variables a document has.
fn selections(document: &ExecutableDocument) -> usize {
    let operations = document.operations.iter();
    let operations = operations.map(|it| it.variables.len() + of_set(&it.selection_set));
    let fragments = document.fragments.values().map(|it| of_set(&it.selection_set));
    operations.chain(fragments).sum()
}

fn of_set(set: &SelectionSet) -> usize {
    let each = set.selections.iter().map(|selection| {
        let inner = match selection {
            Selection::Field(field) => field.arguments.len() + of_set(&field.selection_set),
            Selection::InlineFragment(inline) => of_set(&inline.selection_set),
            Selection::FragmentSpread(_) => 0,
        };
        1 + selection.directives().len() + inner
    });
    each.sum()
}
