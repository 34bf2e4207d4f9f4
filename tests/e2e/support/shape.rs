//! Whether an answer has the shape that its document and the schema give it: each selected key is there and no other, and
//! nothing is null where its type forbids that. [`Client`](crate::client::Client) asks this of every answer over HTTP, and
//! [`Socket`](crate::client::Socket) of every result.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use apollo_compiler::{
    ExecutableDocument, Schema,
    ast::{DirectiveList, Type, Value as Literal},
    executable::{Field, Operation, Selection, SelectionSet},
    schema::ExtendedType,
    validation::Valid,
};
use serde_json::Value;

/// The schema as it is published.
fn schema() -> &'static Valid<Schema> {
    static SCHEMA: OnceLock<Valid<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = include_str!("../../../schema.graphql");
        Schema::parse_and_validate(text, "schema.graphql").expect("a schema")
    })
}

/// Fails unless `body` fits `document`. A document that is not valid has no shape, nor one of several operations.
pub(crate) fn check(document: &str, variables: &Value, body: &Value) {
    let Some(data) = body.get("data").filter(|data| !data.is_null()) else { return };
    let Some(read) = read(document) else { return };
    let mut operations = read.operations.iter();
    let (Some(operation), None) = (operations.next(), operations.next()) else { return };
    let shape = Shape { document: &read, operation, variables };
    let root = operation.object_type();
    if let Err(wrong) = shape.object(data, root, &[&operation.selection_set], "data") {
        panic!("{wrong}:\n{document}\n{variables}\n{body}");
    }
}

/// Most documents that are kept after they were read.
const KEPT_MAX: usize = 100;

type Read = Option<Arc<Valid<ExecutableDocument>>>;

/// Reads a document, which a stream repeats for each result; `None` if it is not valid.
fn read(document: &str) -> Read {
    static KEPT: Mutex<Option<HashMap<String, Read>>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_default();
    if let Some(read) = kept.get(document) {
        return read.clone();
    }
    let read = ExecutableDocument::parse_and_validate(schema(), document, "document");
    let read = read.ok().map(Arc::new);
    if kept.len() >= KEPT_MAX {
        kept.clear();
    }
    kept.insert(document.to_owned(), read.clone());
    read
}

struct Shape<'a> {
    document: &'a ExecutableDocument,
    operation: &'a Operation,
    variables: &'a Value,
}

type Fields<'a> = BTreeMap<&'a str, Vec<&'a Field>>;

impl<'a> Shape<'a> {
    fn object(
        &self,
        value: &Value,
        of: &str,
        sets: &[&'a SelectionSet],
        path: &str,
    ) -> Result<(), String> {
        let Value::Object(object) = value else { return Err(format!("{path} is no object")) };
        let mut fields = Fields::new();
        for set in sets {
            self.collect(of, set, &mut fields);
        }
        if let Some(key) = object.keys().find(|key| !fields.contains_key(key.as_str())) {
            return Err(format!("{path}.{key} was not selected of {of}"));
        }
        for (key, fields) in fields {
            let path = format!("{path}.{key}");
            let Some(value) = object.get(key) else { return Err(format!("{path} is missing")) };
            let Ok(definition) = schema().type_field(of, &fields[0].name) else { continue };
            let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
            self.value(value, &definition.ty, &sets, &path)?;
        }
        Ok(())
    }

    fn value(
        &self,
        value: &Value,
        ty: &Type,
        sets: &[&'a SelectionSet],
        path: &str,
    ) -> Result<(), String> {
        if value.is_null() {
            return if ty.is_non_null() { Err(format!("{path}: {ty} is null")) } else { Ok(()) };
        }
        let name = match ty {
            Type::List(item) | Type::NonNullList(item) => {
                let Value::Array(items) = value else { return Err(format!("{path} is no list")) };
                return items.iter().enumerate().try_for_each(|(index, value)| {
                    self.value(value, item, sets, &format!("{path}[{index}]"))
                });
            }
            Type::Named(name) | Type::NonNullNamed(name) => name,
        };
        match schema().types.get(name) {
            Some(ExtendedType::Object(_)) => self.object(value, name, sets, path),
            Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                let objects = schema().types.iter().filter(|(object, definition)| {
                    definition.is_object() && schema().is_subtype(name, object)
                });
                let mut tried = objects.map(|(object, _)| self.object(value, object, sets, path));
                tried.find(Result::is_ok).unwrap_or_else(|| {
                    Err(format!("{path}: {value} is what no object of {name} would be"))
                })
            }
            Some(ExtendedType::Enum(of)) => {
                let is_one = value.as_str().is_some_and(|value| of.values.contains_key(value));
                if is_one { Ok(()) } else { Err(format!("{path}: {value} is no {name}")) }
            }
            _ => {
                let fits = match name.as_str() {
                    "Int" => value.as_i64().is_some_and(|it| i32::try_from(it).is_ok()),
                    "Float" => value.is_number(),
                    "Boolean" => value.is_boolean(),
                    "String" | "ID" => value.is_string(),
                    _ => true,
                };
                if fits { Ok(()) } else { Err(format!("{path}: {value} is no {name}")) }
            }
        }
    }

    fn collect(&self, of: &str, set: &'a SelectionSet, found: &mut Fields<'a>) {
        for selection in &set.selections {
            if !self.includes(selection.directives()) {
                continue;
            }
            let (on, inner) = match selection {
                Selection::Field(field) => {
                    found.entry(field.response_key()).or_default().push(field);
                    continue;
                }
                Selection::InlineFragment(inline) => {
                    (inline.type_condition.as_ref(), &inline.selection_set)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.fragment_name];
                    (Some(fragment.type_condition()), &fragment.selection_set)
                }
            };
            if on.is_none_or(|on| on == of || schema().is_subtype(on, of)) {
                self.collect(of, inner, found);
            }
        }
    }

    fn includes(&self, directives: &DirectiveList) -> bool {
        let holds = |name: &str| {
            let directive = directives.get(name)?;
            match &**directive.specified_argument_by_name("if")? {
                Literal::Boolean(value) => Some(*value),
                Literal::Variable(name) => {
                    let variables = &self.operation.variables;
                    let default = || {
                        let variable = variables.iter().find(|it| it.name == *name)?;
                        variable.default_value.as_ref()?.to_bool()
                    };
                    self.variables.get(name.as_str()).and_then(Value::as_bool).or_else(default)
                }
                _ => None,
            }
        };
        holds("skip") != Some(true) && holds("include") != Some(false)
    }
}

#[test]
fn answers_of_another_shape_are_noticed() {
    let document = "query($no: Boolean! = false) { server { name version @include(if: $no) } }";
    let noticed = |data: Value| {
        let body = serde_json::json!({ "data": data });
        std::panic::catch_unwind(|| check(document, &Value::Null, &body)).is_err()
    };
    assert!(!noticed(serde_json::json!({ "server": { "name": "here" } })));
    assert!(noticed(serde_json::json!({ "server": {} })));
    assert!(noticed(serde_json::json!({ "server": null })));
    assert!(noticed(serde_json::json!({ "server": { "name": null } })));
    assert!(noticed(serde_json::json!({ "server": { "name": "here", "version": "1" } })));
    assert!(noticed(serde_json::json!({})));
}
