//! Converts literals of a document to values of the executor.
//!
//! **Invariant:** a variable without a value takes its place away: an argument or a field of an
//! object is left out, an item of a list is null.
//!
//! Source: GraphQL specification (September 2025), section 3.10, "Input Coercion".

use apollo_compiler::Node;
use apollo_compiler::ast::Value as Literal;
use async_graphql::{Name, Value as ConstValue, Variables};
use async_graphql_value::Value;

/// A literal, which stays bound to the variables that have values. `None` for a variable that has none.
pub(super) fn value(literal: &Literal, variables: &Variables) -> Option<Value> {
    Some(match literal {
        Literal::Variable(name) => {
            variables.get(name.as_str())?;
            Value::Variable(Name::new(name))
        }
        Literal::List(items) => {
            let items = items.iter().map(|item| value(item, variables).unwrap_or(Value::Null));
            Value::List(items.collect())
        }
        Literal::Object(fields) => {
            let given = |(name, field): &(apollo_compiler::Name, Node<Literal>)| {
                Some((Name::new(name), value(field, variables)?))
            };
            Value::Object(fields.iter().filter_map(given).collect())
        }
        Literal::Null => Value::Null,
        Literal::Enum(name) => Value::Enum(Name::new(name)),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Boolean(value) => Value::Boolean(*value),
        Literal::Int(text) => number(text.as_str()),
        Literal::Float(text) => number(text.as_str()),
    })
}

/// Whether two literals hold lists of different lengths in one place. `apollo-compiler` 1.33 compares lists only up to the
/// end of the shorter one.
pub(super) fn lists_differ(one: &Literal, other: &Literal) -> bool {
    match (one, other) {
        (Literal::List(one), Literal::List(other)) => {
            one.len() != other.len()
                || one.iter().zip(other).any(|(one, other)| lists_differ(one, other))
        }
        (Literal::Object(one), Literal::Object(other)) => one.iter().any(|(name, value)| {
            let other = other.iter().find(|(other, _)| other == name);
            other.is_some_and(|(_, other)| lists_differ(value, other))
        }),
        _ => false,
    }
}

/// A literal without variables.
pub(super) fn constant(literal: &Literal) -> ConstValue {
    let none = Variables::default();
    value(literal, &none).and_then(Value::into_const).unwrap_or_default()
}

/// A number that no JSON number can be is null; validation has refused it where numbers have a range.
fn number(text: &str) -> Value {
    let whole =
        text.parse::<i64>().map(Into::into).or_else(|_| text.parse::<u64>().map(Into::into));
    let number = whole.ok().or_else(|| serde_json::Number::from_f64(text.parse().ok()?));
    number.map_or(Value::Null, Value::Number)
}
