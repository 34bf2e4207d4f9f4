//! What is executed of a document: one operation, the values of its variables, and the selections that `@skip` and
//! `@include` leave.
//!
//! **Invariant:** the cost is counted from the very plan that is executed, so no directive, default or operation name
//! can make the two differ.
//!
//! Source: GraphQL specification (September 2025), sections 6.1.2 "Coercing Variable Values" and 3.13.1, 3.13.2.

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, InlineFragment,
    OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value, Variables};

use crate::transport::refusal::{Location, Refusal, code};

/// One operation, ready to be counted and executed.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The operation alone, and all fragments. Neither has `@skip` or `@include`.
    pub(crate) document: ExecutableDocument,
    /// A value for each variable that was given or has a default, and for no other.
    pub(crate) variables: Variables,
}

impl Plan {
    /// The plan of the operation that `operation_name` chooses. `None` if the document has no such operation.
    ///
    /// # Errors
    /// A [`Refusal`] if a variable is missing or null where it must not be, or if the condition of a directive is not
    /// a Boolean.
    pub(crate) fn of(
        document: &ExecutableDocument,
        operation_name: Option<&str>,
        variables: Variables,
    ) -> Result<Option<Self>, Refusal> {
        let Some((name, operation)) = chosen(document, operation_name) else { return Ok(None) };
        let variables = coerced(&operation.node, variables)?;
        let pruning = Pruning { variables: &variables };
        let selection_set = pruning.positioned(&operation.node.selection_set)?;
        let node = OperationDefinition { selection_set, ..without_selections(&operation.node) };
        let operation = Positioned::new(node, operation.pos);
        let operations = match name {
            Some(name) => DocumentOperations::Multiple([(name.clone(), operation)].into()),
            None => DocumentOperations::Single(operation),
        };
        let fragments = document.fragments.iter().map(|(name, fragment)| {
            let FragmentDefinition { type_condition, directives, selection_set } = &fragment.node;
            let node = FragmentDefinition {
                type_condition: type_condition.clone(),
                directives: directives.clone(),
                selection_set: pruning.positioned(selection_set)?,
            };
            Ok((name.clone(), Positioned::new(node, fragment.pos)))
        });
        let fragments = fragments.collect::<Result<_, Refusal>>()?;
        Ok(Some(Self { document: ExecutableDocument { operations, fragments }, variables }))
    }

    /// The operation.
    pub(crate) fn operation(&self) -> Option<&OperationDefinition> {
        self.document.operations.iter().next().map(|(_, operation)| &operation.node)
    }

    /// The type of the operation's root.
    pub(crate) fn root(&self) -> &'static str {
        match self.operation().map(|operation| operation.ty) {
            Some(OperationType::Mutation) => "Mutation",
            Some(OperationType::Subscription) => "Subscription",
            Some(OperationType::Query) | None => "Query",
        }
    }
}

fn chosen<'a>(
    document: &'a ExecutableDocument,
    operation_name: Option<&str>,
) -> Option<(Option<&'a Name>, &'a Positioned<OperationDefinition>)> {
    let mut operations = document.operations.iter();
    match operation_name {
        Some(chosen) => operations.find(|(name, _)| name.is_some_and(|name| name == chosen)),
        None if operations.len() == 1 => operations.next(),
        None => None,
    }
}

fn without_selections(operation: &OperationDefinition) -> OperationDefinition {
    OperationDefinition {
        ty: operation.ty,
        variable_definitions: operation.variable_definitions.clone(),
        directives: operation.directives.clone(),
        selection_set: Positioned::default(),
    }
}

/// The values of the variables that `operation` declares.
fn coerced(operation: &OperationDefinition, mut given: Variables) -> Result<Variables, Refusal> {
    let mut coerced = Variables::default();
    for definition in &operation.variable_definitions {
        let name = &definition.node.name.node;
        let default = || Some(definition.node.default_value.as_ref()?.node.clone());
        let value = given.remove(name).or_else(default);
        if value.as_ref().is_none_or(|value| *value == Value::Null)
            && !definition.node.var_type.node.nullable
        {
            let message = format!("The variable `${name}` is required and must not be null.");
            return Err(at(definition, Refusal::new(code::BAD_USER_INPUT, message)));
        }
        if let Some(value) = value {
            coerced.insert(name.clone(), value);
        }
    }
    Ok(coerced)
}

fn at<T>(node: &Positioned<T>, refusal: Refusal) -> Refusal {
    let location = Some(Location::new(node.pos.line, node.pos.column));
    Refusal { location, ..refusal }
}

/// Copies selections without those that directives leave out. The gate bounds the recursion.
struct Pruning<'a> {
    variables: &'a Variables,
}

impl Pruning<'_> {
    fn positioned(
        &self,
        set: &Positioned<SelectionSet>,
    ) -> Result<Positioned<SelectionSet>, Refusal> {
        let mut items = Vec::with_capacity(set.node.items.len());
        for item in &set.node.items {
            if self.includes(item.node.directives())? {
                items.push(Positioned::new(self.selection(&item.node)?, item.pos));
            }
        }
        Ok(Positioned::new(SelectionSet { items }, set.pos))
    }

    fn selection(&self, selection: &Selection) -> Result<Selection, Refusal> {
        Ok(match selection {
            Selection::Field(field) => {
                let Field { alias, name, arguments, directives, selection_set } = &field.node;
                let node = Field {
                    alias: alias.clone(),
                    name: name.clone(),
                    arguments: arguments.clone(),
                    directives: others(directives),
                    selection_set: self.positioned(selection_set)?,
                };
                Selection::Field(Positioned::new(node, field.pos))
            }
            Selection::FragmentSpread(spread) => {
                let mut spread = spread.clone();
                spread.node.directives = others(&spread.node.directives);
                Selection::FragmentSpread(spread)
            }
            Selection::InlineFragment(inline) => {
                let InlineFragment { type_condition, directives, selection_set } = &inline.node;
                let node = InlineFragment {
                    type_condition: type_condition.clone(),
                    directives: others(directives),
                    selection_set: self.positioned(selection_set)?,
                };
                Selection::InlineFragment(Positioned::new(node, inline.pos))
            }
        })
    }

    /// Whether a selection with these directives is executed.
    fn includes(&self, directives: &[Positioned<Directive>]) -> Result<bool, Refusal> {
        for directive in directives {
            let Some(includes_if) = condition(directive) else { continue };
            // Validation says that the argument is missing.
            let Some(given) = directive.node.get_argument("if") else { continue };
            let value = given.node.clone();
            let value = value.into_const_with(|name| self.variables.get(&name).cloned().ok_or(()));
            let Ok(Value::Boolean(value)) = value else {
                let name = &directive.node.name.node;
                let message = format!(
                    "`if` of `@{name}` is not a Boolean here: declare its variable as `Boolean!`, or give it a value."
                );
                return Err(at(directive, Refusal::new(code::BAD_USER_INPUT, message)));
            };
            if value != includes_if {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The value of `if` with which the directive lets a selection in; `None` for a directive that decides nothing.
fn condition(directive: &Positioned<Directive>) -> Option<bool> {
    match directive.node.name.node.as_str() {
        "skip" => Some(false),
        "include" => Some(true),
        _ => None,
    }
}

/// The directives that are left to the executor.
fn others(directives: &[Positioned<Directive>]) -> Vec<Positioned<Directive>> {
    directives.iter().filter(|directive| condition(directive).is_none()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::{Value as Json, json};

    use super::*;

    fn planned(query: &str, name: Option<&str>, variables: Json) -> Result<Option<Plan>, Refusal> {
        let document = parse_query(query).expect("a document");
        Plan::of(&document, name, Variables::from_json(variables))
    }

    /// The names of the fields at the root, those of fragments too.
    fn roots(query: &str, variables: Json) -> Vec<String> {
        let plan = planned(query, None, variables).expect("a plan").expect("an operation");
        let mut found = Vec::new();
        let operation = plan.operation().expect("an operation");
        collect(&plan.document, &operation.selection_set.node, &mut found);
        found
    }

    fn collect(document: &ExecutableDocument, set: &SelectionSet, found: &mut Vec<String>) {
        for item in &set.items {
            assert!(item.node.directives().iter().all(|directive| condition(directive).is_none()));
            match &item.node {
                Selection::Field(field) => found.push(field.node.name.node.to_string()),
                Selection::InlineFragment(inline) => {
                    collect(document, &inline.node.selection_set.node, found);
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &document.fragments[&spread.node.fragment_name.node];
                    collect(document, &fragment.node.selection_set.node, found);
                }
            }
        }
    }

    fn refusal(query: &str, variables: Json) -> (&'static str, String) {
        let refusal = planned(query, None, variables).expect_err("a refusal");
        (refusal.code, refusal.message.into_owned())
    }

    #[test]
    fn a_default_decides_a_directive_as_a_given_value_does() {
        let skip = "query($b: Boolean = true) { a @skip(if: $b) b }";
        assert_eq!(roots(skip, json!({})), ["b"]);
        assert_eq!(roots(skip, json!({ "b": false })), ["a", "b"]);
        let include = "query($b: Boolean! = false) { a @include(if: $b) b }";
        assert_eq!(roots(include, json!({})), ["b"]);
        assert_eq!(roots(include, json!({ "b": true })), ["a", "b"]);
    }

    #[test]
    fn directives_leave_out_fragments_and_inline_fragments() {
        let query = "query($b: Boolean = false) { ... @include(if: $b) { a } ...F @include(if: $b) ...G } \
                     fragment F on Query { f } fragment G on Query { g @include(if: $b) h }";
        assert_eq!(roots(query, json!({})), ["h"]);
        assert_eq!(roots(query, json!({ "b": true })), ["a", "f", "g", "h"]);
    }

    #[test]
    fn any_of_several_directives_leaves_out() {
        let query = "query($y: Boolean!, $n: Boolean!) { a @skip(if: $n) @include(if: $n) b @skip(if: $n) @include(if: $y) }";
        assert_eq!(roots(query, json!({ "y": true, "n": false })), ["b"]);
    }

    #[test]
    fn variables_that_must_not_be_null_are_refused_by_name() {
        for variables in [json!({}), json!({ "b": null })] {
            let (code, message) = refusal("query($b: Boolean!) { a @include(if: $b) }", variables);
            assert_eq!(code, code::BAD_USER_INPUT);
            assert!(message.contains("`$b`"), "{message}");
        }
        let (code, _) = refusal("query($n: Int! = 3) { a(first: $n) }", json!({ "n": null }));
        assert_eq!(code, code::BAD_USER_INPUT);
    }

    #[test]
    fn a_condition_without_a_boolean_is_refused_and_not_guessed() {
        for query in [
            "query($b: Boolean) { a @include(if: $b) }",
            "query($b: Boolean) { a @skip(if: $b) }",
            "{ a @skip(if: null) }",
            "{ a @include(if: \"true\") }",
            "{ a @include(if: $undeclared) }",
        ] {
            assert_eq!(refusal(query, json!({ "undeclared": true })).0, code::BAD_USER_INPUT);
        }
        let (_, message) = refusal("query($b: Boolean) { a @skip(if: $b) }", json!({ "b": null }));
        assert!(message.contains("@skip"), "{message}");
    }

    #[test]
    fn defaults_are_values_and_undeclared_variables_are_not() {
        let query = "query($n: Int = 4, $f: Filter = {types: [\"a\"]}, $absent: Int) { a(first: $n, filter: $f) }";
        let plan = planned(query, None, json!({ "other": 1 })).expect("a plan").expect("one");
        let values = serde_json::to_value(&plan.variables).expect("JSON");
        assert_eq!(values, json!({ "n": 4, "f": { "types": ["a"] } }));
        let plan = planned(query, None, json!({ "n": null })).expect("a plan").expect("one");
        assert_eq!(plan.variables.get("n"), Some(&Value::Null));
    }

    #[test]
    fn one_operation_is_planned_and_no_other() {
        let query = "query A { a } mutation B { b }";
        let plan = planned(query, Some("B"), json!({})).expect("a plan").expect("one");
        assert_eq!((plan.root(), plan.document.operations.iter().len()), ("Mutation", 1));
        assert!(planned(query, None, json!({})).expect("no refusal").is_none());
        assert!(planned(query, Some("C"), json!({})).expect("no refusal").is_none());
    }
}
