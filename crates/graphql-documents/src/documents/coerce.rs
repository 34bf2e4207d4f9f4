//! The values of variables, checked before anything is executed.
//!
//! **Invariant:** the coerced values have the types that the operation declares. The executor reads custom scalars.
//! **Invariant:** a refusal names the variable and the place in it, and quotes no value.
//!
//! Source: GraphQL specification (September 2025), section 6.1.2, "Coercing Variable Values".

use std::fmt::Write as _;

use apollo_compiler::ast::Type;
use apollo_compiler::executable::Operation;
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use async_graphql::{Name, Value, Variables};

use super::lines::Lines;
use super::literals::constant;
use super::types::{Types, is_one_of, is_required};
use crate::answer::refusal::{Location, Refusal, code};

/// The values of the variables that `operation` declares: for each that is given or has a default, and for no other.
///
/// # Errors
/// A [`Refusal`] that says which variable does not fit, and where in it.
pub(super) fn coerced(
    types: &Types,
    operation: &Operation,
    lines: &Lines,
    mut given: Variables,
) -> Result<Variables, Refusal> {
    let mut coerced = Variables::default();
    for definition in &operation.variables {
        let name = definition.name.as_str();
        let at = |message: String| {
            let pos = lines.pos(definition.location());
            let location = Some(Location::new(pos.line, pos.column));
            Refusal { location, ..Refusal::new(code::BAD_USER_INPUT, message) }
        };
        let value = given.remove(&Name::new(name));
        let is_null = value.as_ref().is_none_or(|value| *value == Value::Null);
        let has_default = value.is_none() && definition.default_value.is_some();
        if is_null && definition.ty.is_non_null() && !has_default {
            return Err(at(format!("The variable `${name}` is required and must not be null.")));
        }
        let value = match value {
            Some(value) => {
                let coercion = Coercion { types, variable: name };
                Some(coercion.value(&definition.ty, value, &Path::Variable).map_err(at)?)
            }
            None => definition.default_value.as_ref().map(|default| constant(default)),
        };
        if let Some(value) = value {
            coerced.insert(Name::new(name), value);
        }
    }
    Ok(coerced)
}

/// The place of a value in a variable.
enum Path<'a> {
    Variable,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn write(&self, text: &mut String) {
        match self {
            Self::Variable => {}
            Self::Field(within, name) => {
                within.write(text);
                // Writing to a string does not fail.
                let _ = write!(text, ".{name}");
            }
            Self::Item(within, index) => {
                within.write(text);
                let _ = write!(text, "[{index}]");
            }
        }
    }
}

struct Coercion<'a> {
    types: &'a Types,
    variable: &'a str,
}

impl Coercion<'_> {
    fn refuse<T>(&self, path: &Path<'_>, what: &str) -> Result<T, String> {
        let mut place = format!("${}", self.variable);
        path.write(&mut place);
        Err(format!("The value of `{place}` {what}."))
    }

    /// The depth of values is that of the JSON, which is bounded before it is parsed.
    fn value(&self, ty: &Type, value: Value, path: &Path<'_>) -> Result<Value, String> {
        let (item, name) = match ty {
            Type::List(item) | Type::NonNullList(item) => (Some(item), None),
            Type::Named(name) | Type::NonNullNamed(name) => (None, Some(name)),
        };
        if value == Value::Null {
            if ty.is_non_null() {
                return self.refuse(path, &format!("is null, and has to be of type `{ty}`"));
            }
            return Ok(value);
        }
        match (item, name, value) {
            (Some(item), _, Value::List(items)) => {
                let items = items.into_iter().enumerate();
                let items =
                    items.map(|(index, value)| self.value(item, value, &Path::Item(path, index)));
                Ok(Value::List(items.collect::<Result<_, _>>()?))
            }
            // One item stands for a list with it.
            (Some(item), _, value) => Ok(Value::List(vec![self.value(item, value, path)?])),
            (None, Some(name), value) => self.named(name, value, path),
            (None, None, value) => Ok(value),
        }
    }

    fn named(&self, name: &str, value: Value, path: &Path<'_>) -> Result<Value, String> {
        match (self.types.schema().types.get(name), value) {
            (Some(ExtendedType::InputObject(input)), Value::Object(fields)) => {
                self.object(input, fields, path)
            }
            (Some(ExtendedType::Enum(of)), Value::String(value)) => {
                if of.values.contains_key(value.as_str()) {
                    return Ok(Value::Enum(Name::new(value)));
                }
                self.refuse(path, &format!("is no value of the enum `{name}`"))
            }
            (Some(ExtendedType::Scalar(_)), value) => match scalar(name, value) {
                Some(value) => Ok(value),
                None => self.refuse(path, &format!("has to be of type `{name}`")),
            },
            _ => self.refuse(path, &format!("has to be of type `{name}`")),
        }
    }

    fn object(
        &self,
        input: &InputObjectType,
        mut given: async_graphql::indexmap::IndexMap<Name, Value>,
        path: &Path<'_>,
    ) -> Result<Value, String> {
        let name = &input.name;
        if let Some(unknown) = given.keys().find(|field| !input.fields.contains_key(field.as_str()))
        {
            let is_name = unknown.len() <= 64
                && unknown.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let unknown = if is_name { format!("`{unknown}`") } else { "one".to_owned() };
            return self.refuse(path, &format!("has a field that `{name}` has not: {unknown}"));
        }
        if is_one_of(input) && (given.len() != 1 || given.values().any(|it| *it == Value::Null)) {
            return self.refuse(path, &format!("has to have exactly one field of `{name}`"));
        }
        let mut coerced = async_graphql::indexmap::IndexMap::with_capacity(given.len());
        for (field, definition) in &input.fields {
            match given.swap_remove(field.as_str()) {
                Some(value) => {
                    let value = self.value(&definition.ty, value, &Path::Field(path, field))?;
                    coerced.insert(Name::new(field), value);
                }
                None if is_required(definition) => {
                    return self.refuse(path, &format!("lacks the field `{field}` of `{name}`"));
                }
                None => {}
            }
        }
        Ok(Value::Object(coerced))
    }
}

/// A value of a scalar of the specification, in the form of its type. The executor reads other
/// scalars.
fn scalar(name: &str, value: Value) -> Option<Value> {
    match (name, value) {
        ("Int", Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| whole(number.as_f64()?));
            whole.and_then(|whole| i32::try_from(whole).ok()).map(Value::from)
        }
        ("Float", Value::Number(number)) => {
            number.as_f64().filter(|float| float.is_finite()).map(|_| Value::Number(number))
        }
        ("String", value @ Value::String(_)) | ("Boolean", value @ Value::Boolean(_)) => {
            Some(value)
        }
        ("ID", value @ Value::String(_)) => Some(value),
        ("ID", Value::Number(number)) if number.is_i64() || number.is_u64() => {
            Some(Value::String(number.to_string()))
        }
        ("Int" | "Float" | "String" | "Boolean" | "ID", _) => None,
        (_, value) => Some(value),
    }
}

/// JSON knows one kind of number: `1.0` is a whole one.
#[expect(clippy::cast_possible_truncation, reason = "it is compared with what it came from")]
fn whole(float: f64) -> Option<i64> {
    let whole = float as i64;
    #[expect(
        clippy::cast_precision_loss,
        clippy::float_cmp,
        reason = "whole numbers up to 2^53 are exact"
    )]
    let same = whole as f64 == float && float.abs() < 9_007_199_254_740_992.0;
    same.then_some(whole)
}
