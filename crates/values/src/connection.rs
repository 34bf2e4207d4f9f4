//! Pages of lists, in the form of the Relay specification.
//!
//! **Invariant:** a cursor is opaque to clients: it hides the key of its item, and a text that is no
//! cursor is refused.

use async_graphql::{OutputType, connection::PageInfo};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::errors::fault::Fault;

/// A page of a list, in its order.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items, each with its cursor.
    items: Vec<(String, T)>,
    has_previous: bool,
    has_next: bool,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), has_previous: false, has_next: false }
    }
}

/// The cursor of the item with this key.
pub fn cursor(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// The key of the item that a cursor names.
///
/// # Errors
/// [`Fault`] with code `BAD_USER_INPUT` if it is not a cursor.
pub fn key(after: &str) -> Result<String, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(after).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(not_of_this_list)
}

/// The error for a cursor that names no item of the list.
pub fn not_of_this_list() -> Fault {
    Fault::bad_input("`after` is not a cursor of this list: use an `endCursor` of it")
}

impl<T> Page<T> {
    /// A page that was read with one item more than its `limit`, if there are more.
    pub fn read(
        mut items: Vec<T>,
        limit: usize,
        has_previous: bool,
        key: impl Fn(&T) -> String,
    ) -> Self {
        let has_next = items.len() > limit;
        items.truncate(limit);
        let items = items.into_iter().map(|item| (cursor(&key(&item)), item)).collect();
        Self { items, has_previous, has_next }
    }

    /// A page whose items have cursors of another kind. `next` is the last one, if there are more.
    pub fn with_cursors(
        mut items: Vec<(String, T)>,
        has_previous: bool,
        next: Option<String>,
    ) -> Self {
        let has_next = next.is_some();
        if let (Some(next), Some(last)) = (next, items.last_mut()) {
            last.0 = next;
        }
        Self { items, has_previous, has_next }
    }

    /// A page of a whole list, after the item that the cursor `after` names.
    ///
    /// # Errors
    /// [`Fault`] with code `BAD_USER_INPUT` if the list has no such item.
    pub fn of(
        all: impl IntoIterator<Item = T>,
        limit: usize,
        after: Option<&str>,
        key: impl Fn(&T) -> String,
    ) -> Result<Self, Fault> {
        let mut all = all.into_iter();
        if let Some(after) = after {
            let after = self::key(after)?;
            all.find(|item| key(item) == after).ok_or_else(not_of_this_list)?;
        }
        let items = all.take(limit.saturating_add(1)).collect();
        Ok(Self::read(items, limit, after.is_some(), key))
    }

    /// The same page of other items.
    pub fn map<U>(self, map: impl Fn(T) -> U) -> Page<U> {
        let items = self.items.into_iter().map(|(cursor, item)| (cursor, map(item))).collect();
        Page { items, has_previous: self.has_previous, has_next: self.has_next }
    }

    /// The first item.
    pub fn into_first(self) -> Option<T> {
        self.items.into_iter().next().map(|(_, item)| item)
    }

    /// The items with their cursors.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &T)> {
        self.items.iter().map(|(cursor, item)| (&**cursor, item))
    }

    /// The place of the page in the list.
    pub fn info(&self) -> PageInfo
    where
        T: OutputType,
    {
        let cursor = |item: Option<&(String, T)>| item.map(|(cursor, _)| cursor.clone());
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: cursor(self.items.first()),
            end_cursor: cursor(self.items.last()),
        }
    }
}

/// Defines the types of a list's pages.
#[macro_export]
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone)]
        pub struct $connection(pub $crate::connection::Page<$node>);

        /// An entry of a page.
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// The entry.
            node: $node,
            /// The place of the entry in the list.
            cursor: String,
        }

        #[doc = $doc]
        #[async_graphql::Object]
        impl $connection {
            /// The place of the page in the list.
            async fn page_info(&self) -> async_graphql::connection::PageInfo {
                self.0.info()
            }

            /// The entries, with their cursors.
            async fn edges(&self) -> $crate::list::List<$edge> {
                let edge = |(cursor, node): (&str, &$node)| $edge {
                    node: node.clone(),
                    cursor: cursor.to_owned(),
                };
                self.0.edges().map(edge).collect()
            }

            /// The entries.
            async fn nodes(&self) -> $crate::list::List<$node> {
                self.0.edges().map(|(_, node)| node.clone()).collect()
            }
        }
    };
}
pub use connection;

/// Defines the types of the pages of a list whose length is known. The connection has a `page`, and
/// its method `count` returns the length.
#[macro_export]
macro_rules! counted_connection {
    ($connection:ident, $name:literal, $edge:ident, $node:ty, $doc:literal) => {
        /// An edge in a connection.
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// The item at the end of the edge
            node: $node,
            /// A cursor for use in pagination
            cursor: String,
        }

        #[doc = $doc]
        #[async_graphql::Object(name = $name)]
        impl $connection {
            /// Information to aid in pagination.
            async fn page_info(&self) -> async_graphql::connection::PageInfo {
                self.page.info()
            }

            /// A list of edges.
            async fn edges(&self) -> $crate::list::List<$edge> {
                let edge = |(cursor, node): (&str, &$node)| $edge {
                    node: node.clone(),
                    cursor: cursor.to_owned(),
                };
                self.page.edges().map(edge).collect()
            }

            /// A list of nodes.
            async fn nodes(&self) -> $crate::list::List<$node> {
                self.page.edges().map(|(_, node)| node.clone()).collect()
            }

            /// How many there are in all.
            async fn total_count(
                &self,
                context: &async_graphql::Context<'_>,
            ) -> async_graphql::Result<i32> {
                let count = self.count(context).await?;
                Ok(i32::try_from(count).unwrap_or(i32::MAX))
            }
        }
    };
}
pub use counted_connection;

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: usize, after: Option<&str>) -> Page<String> {
        let all = ["a", "b", "c"].map(str::to_owned);
        Page::of(all, limit, after, String::clone).expect("a cursor of this list")
    }

    fn items(page: &Page<String>) -> Vec<&str> {
        page.edges().map(|(_, item)| item.as_str()).collect()
    }

    #[test]
    fn pages_lead_through_the_whole_list_and_say_where_it_ends() {
        let first = page(2, None);
        assert_eq!(items(&first), ["a", "b"]);
        assert!(first.has_next && !first.has_previous);
        let after = first.info().end_cursor.expect("a page with entries ends with a cursor");
        let second = page(2, Some(&after));
        assert_eq!(items(&second), ["c"]);
        assert!(!second.has_next && second.has_previous);
        assert!(!page(3, None).has_next, "a full page that ends the list");
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        for after in [cursor("d"), "#".to_owned(), String::new()] {
            let all = ["a", "b"].map(str::to_owned);
            assert!(Page::of(all, 1, Some(&after), String::clone).is_err(), "{after}");
        }
    }
}
