//! Fields whose work is in memory of its own.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult,
    Value, parser::types::Field, registry::Registry,
};

/// The fields of `T`. The executor makes the futures of all selected fields before it runs the first. So a field takes a
/// pointer until it runs, and not the memory of the largest field of the object.
#[derive(Clone)]
pub struct Boxed<T>(pub T);

impl<T: ObjectType> OutputType for Boxed<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Box::pin(self.0.resolve(context, field)).await
    }
}

impl<T: ObjectType> ContainerType for Boxed<T> {
    async fn resolve_field(&self, context: &Context<'_>) -> ServerResult<Option<Value>> {
        Box::pin(self.0.resolve_field(context)).await
    }
}

impl<T: ObjectType> ObjectType for Boxed<T> {}
