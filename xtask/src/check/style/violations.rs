//! Applies the rules to the sentences of all files.

use super::{prose, rules};
use crate::repository::Tree;

/// Finds sentences of doc comments and pages that break the rules of plain English.
pub(crate) fn style(tree: &Tree) -> Vec<String> {
    let sources = tree.texts_with("rs").map(|(path, text)| (path, prose::of_rust(text)));
    let pages = tree.texts_with("md").map(|(path, text)| (path, prose::of_markdown(text)));
    let mut violations = Vec::new();
    for (path, paragraphs) in sources.chain(pages) {
        for paragraph in paragraphs {
            let faults = rules::faults(&paragraph.text).into_iter();
            violations.extend(faults.map(|fault| format!("{path}:{}: {fault}", paragraph.line)));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_pages_are_read_and_the_line_is_named() {
        let mut tree = Tree::default();
        tree.texts.insert("a.rs".to_owned(), "\n/// What it is.\nstruct A;\n".to_owned());
        tree.texts.insert("b.md".to_owned(), "Who asks waits.\n".to_owned());
        tree.texts.insert("c.txt".to_owned(), "Who asks waits.\n".to_owned());
        let found = style(&tree);
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("a.rs:2: ") && found[1].starts_with("b.md:1: "), "{found:?}");
    }
}
