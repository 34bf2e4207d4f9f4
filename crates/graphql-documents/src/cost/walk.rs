//! The walk over one operation.

use async_graphql::parser::types::{Field as Selected, Selection, SelectionSet};
use async_graphql::{Value, Variables};

use super::CostModel;
use super::model::Field;
use crate::documents::is_hidden;

/// The lengths of lists, as known from the fields above.
#[derive(Clone, Copy, Default)]
pub(super) struct Length {
    /// The page of the field right above.
    page: Option<usize>,
    /// The page of a field further up, for the fields that inherit it.
    inherited: Option<usize>,
}

pub(super) struct Walk<'a> {
    pub(super) model: &'a CostModel,
    pub(super) variables: &'a Variables,
}

impl Walk<'_> {
    /// The cost of a selection on the type `of`. The gate bounds the recursion.
    pub(super) fn selection(&self, of: Option<&str>, set: &SelectionSet, length: Length) -> usize {
        let (mut common, mut dearest) = (0_usize, 0);
        for item in &set.items {
            match &item.node {
                Selection::Field(field) if is_hidden(&field.node) => {}
                Selection::Field(field) => {
                    common = common.saturating_add(self.field(of, &field.node, length));
                }
                // In an executed operation, each object has the fields of one fragment at most.
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let of = condition.map(|condition| condition.node.on.node.as_str()).or(of);
                    let cost = self.selection(of, &inline.node.selection_set.node, length);
                    dearest = cost.max(dearest);
                }
                // An executed operation has its fragments expanded.
                Selection::FragmentSpread(_) => {}
            }
        }
        common.saturating_add(dearest)
    }

    fn field(&self, of: Option<&str>, selected: &Selected, above: Length) -> usize {
        let rules = self.model.rules();
        let field = self.model.field(of, &selected.name.node);
        let given = self.page(selected, rules.page_arguments);
        let inherited = self.page(selected, &[rules.inherited_argument]).or(above.inherited);
        let page = field.and_then(|field| {
            let pages = field.is_paged || field.inherits;
            let default = if field.inherits { inherited } else { None }.or(field.page_default);
            pages.then(|| given.or(default)).flatten()
        });
        let both_sides = !rules.both_sides_argument.is_empty()
            && self.argument(selected, rules.both_sides_argument).is_some();
        let page = page.map(|page| if both_sides { 2 * page + 1 } else { page });
        let is_list = field.is_some_and(|field| field.is_list);
        let length = field.and_then(|field| field.length);
        let times =
            if is_list { length.or(page).or(above.page).unwrap_or(rules.page_max) } else { 1 };
        let below = Length { page: if is_list { None } else { page }, inherited };
        let inner = self.selection(
            field.map(|field| field.of.as_str()),
            &selected.selection_set.node,
            below,
        );
        // Values without fields are parts of the answer too, if there is a list of them.
        let of_leaves = usize::from(is_list && field.is_some_and(|field| field.is_leaf));
        weight(field).saturating_add(times.saturating_mul(inner.saturating_add(of_leaves)))
    }

    /// The greatest of these arguments in the request, at most the greatest page.
    fn page(&self, selected: &Selected, arguments: &[&str]) -> Option<usize> {
        let numbers = arguments.iter().filter_map(|argument| {
            let Value::Number(number) = self.argument(selected, argument)? else {
                return None;
            };
            // The executor refuses a value out of range with a better message.
            let number = usize::try_from(number.as_i64()?.max(1)).unwrap_or(usize::MAX);
            Some(number.min(self.model.rules().page_max))
        });
        numbers.max()
    }

    /// The literal, or the value of the variable, unless it is null.
    fn argument(&self, selected: &Selected, name: &str) -> Option<Value> {
        let given = selected.get_argument(name)?.node.clone();
        let value =
            given.into_const_with(|name| self.variables.get(&name).cloned().ok_or(())).ok()?;
        (value != Value::Null).then_some(value)
    }
}

fn weight(field: Option<&Field>) -> usize {
    field.map_or(1, |field| field.weight)
}
