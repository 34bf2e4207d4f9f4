//! The size of files, folders and crates, and the allowed content of `lib.rs` and `mod.rs`.
//!
//! **Invariant:** no Rust file is longer than [`LINES_MAX`]; `lib.rs` and `mod.rs` define nothing.
//! **Invariant:** no folder has more than [`FILES_MAX`] Rust files, and no crate more than
//! [`CRATE_LINES_MAX`] lines without its tests.

use std::collections::BTreeMap;

use crate::repository::Tree;

/// Most Rust files in one folder.
const FILES_MAX: usize = 12;

/// Most lines of a crate, without its tests.
const CRATE_LINES_MAX: usize = 8_000;

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
    violations.extend(folders(tree));
    violations.extend(crates(tree));
    violations
}

/// Finds folders with too many files.
fn folders(tree: &Tree) -> Vec<String> {
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, _) in tree.texts_with("rs") {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *files.entry(folder).or_default() += 1;
    }
    let full = files.into_iter().filter(|(_, count)| *count > FILES_MAX);
    full.map(|(folder, count)| {
        format!("{folder} has {count} Rust files: group them in folders of at most {FILES_MAX}")
    })
    .collect()
}

/// Finds crates that are too large.
fn crates(tree: &Tree) -> Vec<String> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, text) in tree.texts_with("rs") {
        let Some((name, file)) = path.strip_prefix("crates/").and_then(|it| it.split_once("/src/"))
        else {
            continue;
        };
        let is_test = |part: &str| ["tests", "tests.rs", "testing", "testing.rs"].contains(&part);
        if !file.split('/').any(is_test) {
            *sizes.entry(name).or_default() += lines_without_tests(text);
        }
    }
    let large = sizes.into_iter().filter(|(_, lines)| *lines > CRATE_LINES_MAX);
    large
        .map(|(name, lines)| {
            format!(
                "crates/{name} has {lines} lines without tests: split it below {CRATE_LINES_MAX}"
            )
        })
        .collect()
}

/// The lines before the tests at the end of a file.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |from: usize| {
        let mut rest = lines[from + 1..].iter().skip_while(|line| line.starts_with("#["));
        lines[from] == "#[cfg(test)]" && rest.next() == Some(&"mod tests {")
    };
    (0..lines.len()).find(|line| begins(*line)).unwrap_or(lines.len())
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

    #[test]
    fn folder_of_twelve_files_passes_and_one_more_does_not() {
        let mut tree = Tree::default();
        for number in 0..FILES_MAX {
            tree.texts.insert(format!("a/b/file{number}.rs"), String::new());
        }
        tree.texts.insert("a/b/c/file.rs".to_owned(), String::new());
        tree.texts.insert("a/b/data.json".to_owned(), String::new());
        assert!(layout(&tree).is_empty());
        tree.texts.insert("a/b/mod.rs".to_owned(), String::new());
        let violations = layout(&tree);
        assert_eq!(violations, ["a/b has 13 Rust files: group them in folders of at most 12"]);
    }

    #[test]
    fn crate_of_8000_lines_passes_and_one_more_does_not() {
        let mut tree = Tree::default();
        let tests = "#[cfg(test)]\nmod tests {\n    // line\n}\n";
        for number in 0..20 {
            let text = "// line\n".repeat(400) + tests;
            tree.texts.insert(format!("crates/log/src/part{}/file{number}.rs", number % 2), text);
        }
        tree.texts.insert("crates/log/src/tests/one.rs".to_owned(), "// line\n".to_owned());
        tree.texts.insert("crates/log/tests/one.rs".to_owned(), "// line\n".to_owned());
        assert!(layout(&tree).is_empty());
        tree.texts.insert("crates/log/src/one.rs".to_owned(), "// line\n".to_owned());
        let violations = layout(&tree);
        assert_eq!(violations, ["crates/log has 8001 lines without tests: split it below 8000"]);
    }
}
