//! Execution of objects whose fields have their values at once, as nearly all fields of events do.
//!
//! The executor of the library makes a task for each field and each item of a list, since any of
//! them may wait. Here each is polled once where it is made. Only those that wait become tasks, and
//! these wait together.
//!
//! **Invariant:** the answer, its errors and their paths are those of the library's executor. The
//! fields have the order of the document. Extensions of the executor do not see them; the server
//! has none.

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::HashSet,
    convert::Infallible,
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    task::{self, Poll, Waker},
};

use async_graphql::{
    ContainerType, ContextSelectionSet, Name, ObjectType, OutputType, Positioned, ServerResult,
    Value,
    indexmap::IndexMap,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
    resolver_utils::resolve_container,
};
use futures_util::future::{OptionFuture, try_join_all};

/// Up to this number of names, comparing each with each is faster than a set of them.
const FEW: usize = 16;

/// An object with the type of `T`, whose fields are polled where they are made.
#[derive(Clone, Debug)]
pub struct Eager<T>(pub T);

impl<T: ObjectType> OutputType for Eager<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_object(context, &self.0).await
    }
}

/// Resolves the selected fields of an object, as [`resolve_container`] does.
///
/// # Errors
/// None: the errors of fields are in the context.
pub async fn resolve_object<'a, T: ContainerType>(
    context: &ContextSelectionSet<'a>,
    object: &'a T,
) -> ServerResult<Value> {
    let mut fields = Vec::new();
    if !collect::<T>(context, &context.item.node, &mut fields) || !is_each_once(&fields) {
        return resolve_container(context, object).await;
    }
    let waker = waker().await;
    let values = fields.iter().map(|field| async move {
        let context = context.with_field(field);
        if field.node.name.node == "__typename" {
            return Ok::<_, Infallible>(Ok(object.introspection_type_name().into()));
        }
        Ok(object.resolve_field(&context).await.map(Option::unwrap_or_default))
    });
    let Ok(polled) = Polled::once(&waker, values);
    let Ok(values) = polled.join().await;
    let mut answer = IndexMap::with_capacity(fields.len());
    for (field, value) in fields.iter().zip(values) {
        match value {
            Ok(value) => {
                answer.insert(field.node.response_key().node.clone(), value);
            }
            Err(error) => context.add_error(error),
        }
    }
    Ok(if answer.is_empty() { Value::Null } else { Value::Object(answer) })
}

/// Collects the selected fields of the object `T`. Answers whether the selection has neither
/// directives nor named fragments, as in the documents that the server executes.
fn collect<'a, T: ContainerType>(
    context: &ContextSelectionSet<'a>,
    set: &'a SelectionSet,
    fields: &mut Vec<&'a Positioned<Field>>,
) -> bool {
    fields.reserve(set.items.len());
    set.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => {
            fields.push(field);
            field.node.directives.is_empty()
        }
        Selection::InlineFragment(fragment) if fragment.node.directives.is_empty() => {
            let condition = fragment.node.type_condition.as_ref();
            let applies = condition.is_none_or(|it| is_a::<T>(context, &it.node.on.node));
            !applies || collect::<T>(context, &fragment.node.selection_set.node, fields)
        }
        _ => false,
    })
}

/// Whether no two fields have the same name in the answer, as in the documents that the server
/// executes. Takes no more than linear time in their number.
fn is_each_once(fields: &[&Positioned<Field>]) -> bool {
    let name = |field: &&Positioned<Field>| field.node.response_key().node.clone();
    if fields.len() > FEW {
        let mut names = HashSet::with_capacity(fields.len());
        return fields.iter().all(|field| names.insert(name(field)));
    }
    let is_new = |(index, field): (usize, &&Positioned<Field>)| {
        let own = &field.node.response_key().node;
        fields[..index].iter().all(|known| known.node.response_key().node != *own)
    };
    fields.iter().enumerate().all(is_new)
}

/// Whether `T` is the object, or implements the interface, of this name.
fn is_a<T: ContainerType>(context: &ContextSelectionSet<'_>, name: &Name) -> bool {
    let own = T::type_name();
    let interfaces = || context.schema_env.registry.implements.get(&*own);
    own == name.as_str() || interfaces().is_some_and(|all| all.contains(name.as_str()))
}

/// The waker of the task that polls this future.
pub(crate) async fn waker() -> Waker {
    poll_fn(|task| Poll::Ready(task.waker().clone())).await
}

/// Waits until the task is polled again, without waking it.
async fn wait_for_wake() {
    let mut polled = false;
    poll_fn(|_| if mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

/// A future that was polled before.
type Waiting<'a, T> = Pin<Box<dyn Future<Output = Option<T>> + Send + 'a>>;

/// Futures after their first poll: the outputs of those that were ready, and the others.
pub(crate) struct Polled<'a, V, E> {
    outputs: Vec<Option<V>>,
    waiting: Vec<(usize, Waiting<'a, Result<V, E>>)>,
}

impl<'a, V, E> Polled<'a, V, E> {
    /// Polls each of these futures once. The task of `waker` has to join them then.
    ///
    /// # Errors
    /// The first error. Later futures are not polled.
    pub(crate) fn once<F>(waker: &Waker, futures: impl IntoIterator<Item = F>) -> Result<Self, E>
    where
        F: Future<Output = Result<V, E>> + Send + 'a,
    {
        let mut task = task::Context::from_waker(waker);
        let futures = futures.into_iter();
        let mut outputs = Vec::with_capacity(futures.size_hint().0);
        let mut waiting: Vec<(usize, Waiting<'a, Result<V, E>>)> = Vec::new();
        // The futures that are ready use one allocation, one after the other.
        let mut place = Box::pin(OptionFuture::from(None));
        for (index, future) in futures.enumerate() {
            place.set(OptionFuture::from(Some(future)));
            match place.as_mut().poll(&mut task) {
                Poll::Ready(output) => outputs.push(output.transpose()?),
                Poll::Pending => {
                    outputs.push(None);
                    let next = Box::pin(OptionFuture::from(None));
                    let future = mem::replace(&mut place, next);
                    waiting.push((index, future));
                }
            }
        }
        Ok(Self { outputs, waiting })
    }

    /// All outputs, in the order of the futures.
    ///
    /// # Errors
    /// The first error.
    pub(crate) async fn join(self) -> Result<Vec<V>, E> {
        let Self { mut outputs, waiting } = self;
        if !waiting.is_empty() {
            // They have the waker, and other items have their first poll before the second of these:
            // so the reads of a whole page are combined.
            wait_for_wake().await;
            let waiting = waiting
                .into_iter()
                .map(|(index, future)| async move { Ok((index, future.await.transpose()?)) });
            for (index, output) in try_join_all(waiting).await? {
                outputs[index] = output;
            }
        }
        Ok(outputs.into_iter().flatten().collect())
    }
}
