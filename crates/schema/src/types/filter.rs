//! Filters of events and updates: given with the request, or stored before.

mod input;
mod output;

use std::sync::Arc;

use async_graphql::{Context, ID, OneofObject};
use rookery_domain::Filter;

use super::errors::fault::Fault;
use crate::context::{app, session};

pub use self::{
    input::FilterInput,
    output::{FilterShown, StoredFilter},
};

/// A filter: written out, or stored before.
#[derive(OneofObject)]
pub enum FilterBy {
    /// The filter itself.
    Conditions(Box<FilterInput>),
    /// The ID of a filter that you have stored.
    FilterId(ID),
}

/// The filter of the argument `filter`. Without it, everything is wanted.
///
/// # Errors
/// [`Fault`] with code `BAD_USER_INPUT` if the filter is too large, or if the viewer has no stored
/// filter with this ID.
pub async fn chosen(
    context: &Context<'_>,
    filter: Option<FilterBy>,
) -> Result<Option<Arc<Filter>>, Fault> {
    match filter {
        None => Ok(None),
        Some(FilterBy::Conditions(filter)) => filter.checked().map(|it| Some(Arc::new(it))),
        Some(FilterBy::FilterId(filter_id)) => {
            app(context).fresh(session(context), None).await?;
            let viewer = session(context).viewer()?;
            let found = app(context).models.view().filter(viewer, &filter_id);
            let unknown = || {
                Fault::bad_input(format!(
                    "you have no filter {:?}: create it with `createFilter`",
                    filter_id.as_str()
                ))
            };
            found.map(|filter| Some(Arc::new(filter))).ok_or_else(unknown)
        }
    }
}
