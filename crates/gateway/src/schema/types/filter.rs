//! Filters of events and updates: given with the request, or stored before.

mod input;
mod output;

use std::sync::Arc;

use async_graphql::Context;
use rookery_domain::Filter;

use super::errors::fault::Fault;
use crate::schema::context::{app, session};

pub(crate) use self::{
    input::FilterInput,
    output::{FilterShown, StoredFilter},
};

/// The filter of the arguments `filter` and `filterId`. Without either, everything is wanted.
///
/// # Errors
/// [`Fault`] with code `BAD_USER_INPUT` if both are given, if the filter is too large, or if the
/// viewer has no stored filter with this ID.
pub(crate) async fn chosen(
    context: &Context<'_>,
    filter: Option<FilterInput>,
    filter_id: Option<String>,
) -> Result<Option<Arc<Filter>>, Fault> {
    match (filter, filter_id) {
        (None, None) => Ok(None),
        (Some(filter), None) => filter.checked().map(|filter| Some(Arc::new(filter))),
        (None, Some(filter_id)) => {
            app(context).fresh(session(context), None).await?;
            let viewer = session(context).viewer()?;
            let found = app(context).models.view().filter(viewer, &filter_id);
            let unknown = || {
                Fault::bad_input(format!(
                    "you have no filter {filter_id:?}: create it with `createFilter`"
                ))
            };
            found.map(|filter| Some(Arc::new(filter))).ok_or_else(unknown)
        }
        (Some(_), Some(_)) => Err(Fault::bad_input("give either `filter` or `filterId`")),
    }
}
