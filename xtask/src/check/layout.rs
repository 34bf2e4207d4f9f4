//! The size of files, and the allowed content of `lib.rs` and `mod.rs`.
//!
//! **Invariant:** no Rust file is longer than [`LINES_MAX`]; `lib.rs` and `mod.rs` define nothing.

use crate::repository::Tree;

/// Longest Rust file, in lines.
const LINES_MAX: usize = 500;

/// Words that begin an item, which belongs into a separate file.
const DEFINITIONS: &[&str] = &[
    "const",
    "enum",
    "fn",
    "impl",
    "impl<",
    "macro_rules!",
    "static",
    "struct",
    "trait",
    "type",
    "union",
];

/// Words that may stand before those.
const QUALIFIERS: &[&str] = &["pub", "async", "unsafe", "default", "extern"];

/// Finds Rust files that are too long, and definitions in files that only re-export.
pub(crate) fn layout(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.texts_with("rs") {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            violations.push(format!("{path} has {lines} lines: split it below {LINES_MAX}"));
        }
        if path.ends_with("/lib.rs") || path.ends_with("/mod.rs") {
            let found = text.lines().enumerate().filter(|(_, line)| defines(line));
            violations.extend(found.map(|(index, line)| {
                format!("{path}:{}: only re-exports belong here: {}", index + 1, line.trim())
            }));
        }
    }
    violations
}

fn defines(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| {
        QUALIFIERS.contains(word) || word.starts_with("pub(") || word.starts_with('"')
    });
    words.next().is_some_and(|word| {
        DEFINITIONS.contains(&word) || word.starts_with("impl<") || word.starts_with("macro_rules!")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(path: &str, text: &str) -> Tree {
        let mut tree = Tree::default();
        tree.texts.insert(path.to_owned(), text.to_owned());
        tree
    }

    #[test]
    fn file_of_500_lines_passes_and_one_more_does_not() {
        let long = "// line\n".repeat(LINES_MAX);
        assert!(layout(&tree("a/room.rs", &long)).is_empty());
        let violations = layout(&tree("a/room.rs", &(long + "// line\n")));
        assert_eq!(violations, ["a/room.rs has 501 lines: split it below 500"]);
    }

    #[test]
    fn reexports_and_docs_pass() {
        let text = "//! What this is: a struct of things.\n\nmod room;\npub mod state;\n\npub use room::Room;\n";
        assert!(layout(&tree("crates/a/src/lib.rs", text)).is_empty());
    }

    #[test]
    fn definition_in_lib_is_named_with_its_line() {
        let text = "//! Docs.\n\npub(crate) async fn answer() {}\n";
        let violations = layout(&tree("crates/a/src/lib.rs", text));
        assert_eq!(
            violations,
            ["crates/a/src/lib.rs:3: only re-exports belong here: pub(crate) async fn answer() {}"]
        );
        assert_eq!(layout(&tree("a/mod.rs", "impl<T> A for B<T> {}\n")).len(), 1);
    }

    #[test]
    fn other_files_may_define() {
        assert!(layout(&tree("a/room.rs", "pub struct Room;\n")).is_empty());
    }
}
