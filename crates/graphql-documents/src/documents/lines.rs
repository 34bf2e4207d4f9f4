//! Converts offsets in a document to lines and columns.

use apollo_compiler::parser::SourceSpan;
use async_graphql::{Pos, Positioned};

/// The text of a document and where its lines begin.
#[derive(Debug)]
pub(super) struct Lines {
    text: Box<str>,
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(index, _)| index + 1);
        Self { text: text.into(), starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The place of the begin of `span`.
    pub(super) fn pos(&self, span: Option<SourceSpan>) -> Pos {
        let Some(span) = span else { return Pos::default() };
        let offset = span.offset().min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line.saturating_sub(1)];
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Pos { line, column }
    }

    pub(super) fn at<T>(&self, span: Option<SourceSpan>, node: T) -> Positioned<T> {
        Positioned::new(node, self.pos(span))
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::ast::{Definition, Document};

    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "query A { a }\n query B { a(b: \"é\") c }";
        let lines = Lines::new(text);
        assert_eq!((lines.pos(None).line, lines.pos(None).column), (0, 0));
        let document = Document::parse(text, "document").expect("a document");
        let Definition::OperationDefinition(second) = &document.definitions[1] else {
            panic!("an operation")
        };
        let pos = lines.pos(second.selection_set[1].location());
        assert_eq!((pos.line, pos.column), (2, 22));
    }
}
