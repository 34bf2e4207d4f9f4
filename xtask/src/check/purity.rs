//! The rules of rooms do no I/O and read no clock, also not through the standard library.

use crate::repository::Tree;

const PURE: &[&str] =
    &["crates/domain/src/", "crates/graph/src/", "crates/pdu/src/", "crates/text/src/"];

const IMPURE: &[&str] = &[
    "async fn",
    "Instant::now",
    "MilliSecondsSinceUnixEpoch::now",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime::now",
];

/// Finds uses of files, sockets, clocks and threads in the domain.
pub(crate) fn purity(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    let is_pure = |path: &str| PURE.iter().any(|folder| path.starts_with(folder));
    for (path, text) in tree.texts.iter().filter(|(path, _)| is_pure(path)) {
        let code =
            text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        for (index, line) in code {
            let found = IMPURE.iter().filter(|word| line.contains(**word));
            violations.extend(
                found.map(|word| format!("{path}:{}: the domain is pure: `{word}`", index + 1)),
            );
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let mut tree = Tree::default();
        tree.texts.insert(path.to_owned(), text.to_owned());
        purity(&tree)
    }

    #[test]
    fn clock_in_the_domain_is_named() {
        let violations = found("crates/domain/src/room.rs", "let now = SystemTime::now();\n");
        assert_eq!(
            violations,
            ["crates/domain/src/room.rs:1: the domain is pure: `SystemTime::now`"]
        );
    }

    #[test]
    fn comments_and_other_crates_may_name_it() {
        assert!(found("crates/domain/src/room.rs", "//! No std::fs here.\n").is_empty());
        assert!(found("crates/view/src/room.rs", "use std::fs;\n").is_empty());
    }
}
