//! Lists in answers: item by item, within the budget of the request.
//!
//! **Invariant:** others get a turn between two items of any list, and a list that is too long ends
//! there.
//! **Invariant:** each byte of an answer is charged once: short values with their item, long ones
//! where they are made ([`text`](super::text)).

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, Error, OutputType, Positioned, ServerError, ServerResult, Value,
    parser::types::Field, registry::Registry,
};
use rookery_graphql_edge::{Budget, FIELD_BYTES};

use super::{
    eager::{Polled, waker},
    text::LONG_BYTES,
};

/// Items that are made at the same time: all of a page, so that their reads are combined.
const AT_ONCE: usize = 256;

/// A list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A list that something else owns.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a, T>(pub &'a [T]);

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

/// Gives a list the GraphQL type of `Vec<T>`.
macro_rules! list_output {
    ([$($generics:tt)*] $list:ty, $self:ident => $items:expr) => {
        impl<$($generics)*> OutputType for $list {
            fn type_name() -> Cow<'static, str> {
                <Vec<T> as OutputType>::type_name()
            }

            fn qualified_type_name() -> String {
                <Vec<T> as OutputType>::qualified_type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <Vec<T> as OutputType>::create_type_info(registry)
            }

            async fn resolve(
                &$self,
                context: &ContextSelectionSet<'_>,
                field: &Positioned<Field>,
            ) -> ServerResult<Value> {
                resolve($items, context, field).await
            }
        }
    };
}

list_output!([T: OutputType] List<T>, self => &self.0);
list_output!([T: OutputType] Items<'_, T>, self => self.0);

async fn resolve<T: OutputType>(
    items: &[T],
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<Value> {
    let (budget, waker) = (context.data_opt::<Budget>(), waker().await);
    let mut values = Vec::with_capacity(items.len());
    for (chunk, some) in items.chunks(AT_ONCE).enumerate() {
        let some = some.iter().enumerate().map(|(index, item)| async move {
            let context = context.with_index(chunk * AT_ONCE + index);
            let made = async {
                if let Some(budget) = budget {
                    let paused = budget.pause().await;
                    paused.map_err(|error| Error::from(error).into_server_error(field.pos))?;
                }
                let value = item.resolve(&context, field).await?;
                if let Some(budget) = budget {
                    let taken = budget.take(weight(&value)).await;
                    taken.map_err(|error| Error::from(error).into_server_error(field.pos))?;
                }
                Ok(value)
            };
            made.await.map_err(|error: ServerError| {
                if error.path.is_empty() { context.set_error_path(error) } else { error }
            })
        });
        values.extend(Polled::once(&waker, some)?.join().await?);
    }
    Ok(Value::List(values))
}

/// The bytes that an item charges. Its lists and long texts have charged their own.
fn weight(value: &Value) -> usize {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter();
            fields.map(|(name, value)| FIELD_BYTES + name.len() + weight(value)).sum()
        }
        Value::String(text) if text.len() < LONG_BYTES => text.len() + 2,
        Value::Enum(name) => name.len() + 2,
        _ => 4,
    }
}
